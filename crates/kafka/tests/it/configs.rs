//! Settings through the protocol: what tools see and what changes do (KIP-226, KIP-339, KIP-569).

use crate::harness::{Client, Server};
use millstream_kafka_wire::describe_configs::{
    DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResult,
};
use millstream_kafka_wire::*;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

async fn describe(client: &mut Client, kind: i8, name: &str, keys: Option<&[&str]>) -> DescribeConfigsResult {
    let keys = keys.map(|keys| keys.iter().map(|key| Str::from(*key)).collect());
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: kind,
            resource_name: Str::from(name),
            configuration_keys: keys,
        }],
        include_synonyms: true,
        include_documentation: true,
    };
    client.ask(&request).await.results.remove(0)
}

async fn one(client: &mut Client, kind: i8, name: &str, key: &str) -> DescribeConfigsResourceResult {
    let mut result = describe(client, kind, name, Some(&[key])).await;
    assert_eq!((result.error_code, result.configs.len()), (0, 1));
    result.configs.remove(0)
}

/// Changes as (name, operation, value).
async fn alter(
    client: &mut Client,
    kind: i8,
    name: &str,
    changes: &[(&str, i8, Option<&str>)],
) -> (i16, Option<Str>) {
    use incremental_alter_configs::*;
    let configs = changes.iter().map(|(name, operation, value)| AlterableConfig {
        name: Str::from(*name),
        config_operation: *operation,
        value: value.map(Str::from),
    });
    let request = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: kind,
            resource_name: Str::from(name),
            configs: configs.collect(),
        }],
        validate_only: false,
    };
    let result = client.ask(&request).await.responses.remove(0);
    (result.error_code, result.error_message)
}

#[tokio::test(start_paused = true)]
async fn a_setting_is_shown_with_its_origin_type_synonyms_and_documentation() {
    let server = Server::with(&[("log.retention.hours", "2")]).await;
    server.topic("t", 1, &[("retention.ms", "5")]).await;
    let mut client = server.connect();
    let retention = one(&mut client, TOPIC, "t", "retention.ms").await;
    assert_eq!(retention.value.as_deref(), Some("5"));
    assert_eq!(
        (
            retention.config_source,
            retention.config_type,
            retention.read_only
        ),
        (1, 5, false)
    );
    let told: Vec<_> = retention
        .synonyms
        .iter()
        .map(|s| (s.name.as_str(), s.value.as_deref(), s.source))
        .collect();
    assert_eq!(
        told,
        [
            ("retention.ms", Some("5"), 1),
            ("log.retention.hours", Some("7200000"), 4),
            ("log.retention.ms", Some("604800000"), 5)
        ]
    );
    assert!(retention.documentation.is_some_and(|doc| doc.len() > 10));
    // A setting without meaning here says so.
    let segment = one(&mut client, TOPIC, "t", "segment.bytes").await;
    assert!(
        segment
            .documentation
            .is_some_and(|doc| doc.contains("Has no effect here"))
    );
    let id = one(&mut client, BROKER, "1", "broker.id").await;
    assert!(id.read_only);
}

#[tokio::test(start_paused = true)]
async fn keys_narrow_the_answer_and_none_or_no_keys_mean_all() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let all = describe(&mut client, TOPIC, "t", None).await.configs.len();
    assert!(all > 25);
    assert_eq!(
        describe(&mut client, TOPIC, "t", Some(&[])).await.configs.len(),
        all
    );
    let some = describe(&mut client, TOPIC, "t", Some(&["retention.ms", "nonsense"])).await;
    assert_eq!(some.configs.len(), 1);
    assert!(describe(&mut client, BROKER, "1", None).await.configs.len() > 50);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_described_is_refused_with_kafkas_codes() {
    let server = Server::start().await;
    let mut client = server.connect();
    for (kind, name, code) in [
        (TOPIC, "nowhere", ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        (TOPIC, "no name", ErrorCode::INVALID_TOPIC_EXCEPTION),
        (TOPIC, "", ErrorCode::INVALID_TOPIC_EXCEPTION),
        (BROKER, "7", ErrorCode::INVALID_REQUEST),
        (BROKER, "one", ErrorCode::INVALID_REQUEST),
        (8, "1", ErrorCode::INVALID_REQUEST),
        (0, "", ErrorCode::INVALID_REQUEST),
    ] {
        let result = describe(&mut client, kind, name, None).await;
        assert_eq!(result.error_code, code.0, "{kind} {name:?}");
        assert!(result.error_message.is_some() && result.configs.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn lists_are_added_to_and_taken_from_and_a_deleted_value_falls_back() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    for (operation, value, left) in [
        (2, Some("compact"), "delete,compact"),
        (2, Some("compact"), "delete,compact"),
        (3, Some("delete"), "compact"),
        (0, Some("delete"), "delete"),
        (1, None, "delete"),
    ] {
        let altered = alter(&mut client, TOPIC, "t", &[("cleanup.policy", operation, value)]).await;
        assert_eq!(altered, (0, None), "{operation} {value:?}");
        let policy = one(&mut client, TOPIC, "t", "cleanup.policy").await;
        assert_eq!(policy.value.as_deref(), Some(left));
    }
    let policy = one(&mut client, TOPIC, "t", "cleanup.policy").await;
    assert_eq!(policy.config_source, 5, "back to the default");
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_wrong_changes_nothing_and_says_why() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let good = ("segment.ms", 0, Some("9"));
    for (kind, name, wrong, code) in [
        (
            TOPIC,
            "t",
            ("retention.ms", 0, Some("soon")),
            ErrorCode::INVALID_CONFIG,
        ),
        (
            TOPIC,
            "t",
            ("retention.ms", 0, Some("-2")),
            ErrorCode::INVALID_CONFIG,
        ),
        (TOPIC, "t", ("retention", 0, Some("1")), ErrorCode::INVALID_CONFIG),
        (
            TOPIC,
            "t",
            ("retention.ms", 2, Some("1")),
            ErrorCode::INVALID_CONFIG,
        ),
        (
            TOPIC,
            "t",
            ("cleanup.policy", 3, Some("delete")),
            ErrorCode::INVALID_CONFIG,
        ),
        (TOPIC, "t", ("retention.ms", 0, None), ErrorCode::INVALID_REQUEST),
        (
            TOPIC,
            "t",
            ("retention.ms", 9, Some("1")),
            ErrorCode::INVALID_REQUEST,
        ),
        (TOPIC, "t", good, ErrorCode::INVALID_REQUEST),
        (
            TOPIC,
            "nowhere",
            ("retention.ms", 0, Some("1")),
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        ),
        (
            BROKER,
            "1",
            ("broker.id", 0, Some("2")),
            ErrorCode::INVALID_CONFIG,
        ),
        (
            BROKER,
            "7",
            ("retention.ms", 0, Some("1")),
            ErrorCode::INVALID_REQUEST,
        ),
        (99, "x", ("interval.ms", 0, Some("1")), ErrorCode::INVALID_REQUEST),
    ] {
        let (told, message) = alter(&mut client, kind, name, &[good, wrong]).await;
        assert_eq!(told, code.0, "{kind} {name} {wrong:?}: {message:?}");
        assert!(message.is_some());
    }
    let (told, _) = alter(&mut client, BROKER, "1", &[("broker.id", 0, Some("2"))]).await;
    assert_eq!(told, ErrorCode::INVALID_REQUEST.0, "fixed at start");
    assert_eq!(one(&mut client, TOPIC, "t", "segment.ms").await.config_source, 5);
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_is_named_twice_is_left_alone() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let resource = alter_configs::AlterConfigsResource {
        resource_type: TOPIC,
        resource_name: Str::from_static("t"),
        configs: vec![alter_configs::AlterableConfig {
            name: Str::from_static("retention.ms"),
            value: Some(Str::from_static("5")),
        }],
    };
    let request = AlterConfigsRequest {
        resources: vec![resource.clone(), resource.clone()],
        validate_only: false,
    };
    let response = client.ask(&request).await;
    assert!(
        response
            .responses
            .iter()
            .all(|result| result.error_code == ErrorCode::INVALID_REQUEST.0)
    );
    assert_eq!(
        one(&mut client, TOPIC, "t", "retention.ms").await.config_source,
        5
    );
    // Checked only: nothing changes either. Then for good, and what is not named is forgotten.
    for (validate_only, left) in [(true, 5), (false, 1)] {
        let request = AlterConfigsRequest {
            resources: vec![resource.clone()],
            validate_only,
        };
        assert_eq!(client.ask(&request).await.responses[0].error_code, 0);
        assert_eq!(
            one(&mut client, TOPIC, "t", "retention.ms").await.config_source,
            left
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_set_for_all_brokers_is_shown_under_the_empty_name() {
    let server = Server::start().await;
    let mut client = server.connect();
    assert_eq!(
        alter(&mut client, BROKER, "", &[("log.retention.ms", 0, Some("7"))]).await,
        (0, None)
    );
    assert_eq!(
        alter(&mut client, BROKER, "1", &[("log.retention.ms", 0, Some("8"))]).await,
        (0, None)
    );
    let defaults = describe(&mut client, BROKER, "", None).await;
    let told: Vec<_> = defaults
        .configs
        .iter()
        .map(|c| (c.name.as_str(), c.value.as_deref(), c.config_source))
        .collect();
    assert_eq!(told, [("log.retention.ms", Some("7"), 3)]);
    let own = one(&mut client, BROKER, "1", "log.retention.ms").await;
    assert_eq!((own.value.as_deref(), own.config_source), (Some("8"), 2));
}
