//! Topics through the protocol: created, grown, deleted; and what is refused.

use crate::harness::{Client, Server};
use crate::requests::*;
use millstream_broker::testing::batch_of;
use millstream_kafka_wire::create_partitions::{CreatePartitionsAssignment, CreatePartitionsTopic};
use millstream_kafka_wire::create_topics::*;
use millstream_kafka_wire::delete_topics::DeleteTopicState;
use millstream_kafka_wire::*;

fn topic(name: &str, partitions: i32, replication: i16) -> CreatableTopic {
    CreatableTopic {
        name: Str::from(name),
        num_partitions: partitions,
        replication_factor: replication,
        ..Default::default()
    }
}

fn assigned(name: &str, assignments: &[(i32, i32)]) -> CreatableTopic {
    let assignments = assignments
        .iter()
        .map(|(partition_index, broker)| CreatableReplicaAssignment {
            partition_index: *partition_index,
            broker_ids: vec![*broker],
        });
    CreatableTopic {
        assignments: assignments.collect(),
        ..topic(name, -1, -1)
    }
}

fn configured(name: &str, setting: &str, value: Option<&str>) -> CreatableTopic {
    CreatableTopic {
        configs: vec![CreatableTopicConfig {
            name: Str::from(setting),
            value: value.map(Str::from),
        }],
        ..topic(name, 1, 1)
    }
}

async fn create(
    client: &mut Client,
    topics: Vec<CreatableTopic>,
    validate_only: bool,
) -> Vec<CreatableTopicResult> {
    let request = CreateTopicsRequest {
        topics,
        timeout_ms: 1,
        validate_only,
    };
    client.ask(&request).await.topics
}

#[tokio::test(start_paused = true)]
async fn what_no_topic_can_be_is_refused_with_kafkas_codes_checked_or_not() {
    let server = Server::start().await;
    server.topic("taken", 1, &[]).await;
    server.topic("a.b", 1, &[]).await;
    let mut client = server.connect();
    let both = CreatableTopic {
        num_partitions: 1,
        ..assigned("t", &[(0, 1)])
    };
    for (asked, code) in [
        (topic("taken", 1, 1), ErrorCode::TOPIC_ALREADY_EXISTS),
        (topic("a_b", 1, 1), ErrorCode::INVALID_TOPIC_EXCEPTION),
        (topic("", 1, 1), ErrorCode::INVALID_TOPIC_EXCEPTION),
        (topic("x/y", 1, 1), ErrorCode::INVALID_TOPIC_EXCEPTION),
        (topic("t", 0, 1), ErrorCode::INVALID_PARTITIONS),
        (topic("t", -2, 1), ErrorCode::INVALID_PARTITIONS),
        (topic("t", i32::MAX, 1), ErrorCode::INVALID_PARTITIONS),
        (topic("t", 1, 0), ErrorCode::INVALID_REPLICATION_FACTOR),
        (topic("t", 1, -2), ErrorCode::INVALID_REPLICATION_FACTOR),
        (both, ErrorCode::INVALID_REQUEST),
        (assigned("t", &[(1, 1)]), ErrorCode::INVALID_REPLICA_ASSIGNMENT),
        (
            assigned("t", &[(0, 1), (0, 1)]),
            ErrorCode::INVALID_REPLICA_ASSIGNMENT,
        ),
        (assigned("t", &[(0, 2)]), ErrorCode::INVALID_REPLICA_ASSIGNMENT),
        (
            configured("t", "retention.ms", Some("x")),
            ErrorCode::INVALID_CONFIG,
        ),
        (configured("t", "retention.ms", None), ErrorCode::INVALID_CONFIG),
        (configured("t", "no.such", Some("1")), ErrorCode::INVALID_CONFIG),
    ] {
        for validate_only in [true, false] {
            let result = create(&mut client, vec![asked.clone()], validate_only)
                .await
                .remove(0);
            assert_eq!(result.error_code, code.0, "{asked:?}: {:?}", result.error_message);
            assert!(result.error_message.is_some());
        }
    }
    assert_eq!(server.broker.topics().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_topic_would_be_is_told_before_it_is_made_and_after() {
    let server = Server::with(&[("num.partitions", "4")]).await;
    let mut client = server.connect();
    for validate_only in [true, false] {
        let mut wanted = configured("t", "retention.ms", Some("5"));
        wanted.num_partitions = -1;
        wanted.replication_factor = 3;
        let result = create(&mut client, vec![wanted], validate_only).await.remove(0);
        assert_eq!((result.error_code, &result.error_message), (0, &None));
        assert_eq!((result.num_partitions, result.replication_factor), (4, 1));
        assert_eq!(result.topic_id == Uuid::ZERO, validate_only);
        let configs = result.configs.unwrap();
        let retention = configs
            .iter()
            .find(|config| config.name == "retention.ms")
            .unwrap();
        assert_eq!(
            (retention.value.as_deref(), retention.config_source),
            (Some("5"), 1)
        );
    }
    assert_eq!(
        create(&mut client, vec![assigned("u", &[(1, 1), (0, 1)])], false).await[0].num_partitions,
        2
    );
}

#[tokio::test(start_paused = true)]
async fn of_topics_that_are_named_twice_none_is_made_and_the_others_are() {
    let server = Server::start().await;
    let mut client = server.connect();
    let topics = vec![topic("t", 1, 1), topic("u", 1, 1), topic("t", 2, 1)];
    let mut told: Vec<_> = create(&mut client, topics, false)
        .await
        .into_iter()
        .map(|t| (t.name, t.error_code))
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            (Str::from("t"), ErrorCode::INVALID_REQUEST.0),
            (Str::from("u"), 0)
        ]
    );
    assert!(server.broker.topic("t").is_none());
}

async fn raise(
    client: &mut Client,
    topics: Vec<CreatePartitionsTopic>,
    validate_only: bool,
) -> Vec<(String, i16)> {
    let request = CreatePartitionsRequest {
        topics,
        timeout_ms: 1,
        validate_only,
    };
    let results = client.ask(&request).await.results.into_iter();
    results
        .map(|result| (result.name.to_string(), result.error_code))
        .collect()
}

fn raised(name: &str, count: i32, brokers: Option<&[i32]>) -> CreatePartitionsTopic {
    let assignment = |broker: &i32| CreatePartitionsAssignment {
        broker_ids: vec![*broker],
    };
    CreatePartitionsTopic {
        name: Str::from(name),
        count,
        assignments: brokers.map(|brokers| brokers.iter().map(assignment).collect()),
    }
}

#[tokio::test(start_paused = true)]
async fn partitions_are_added_and_never_taken_away() {
    let server = Server::start().await;
    server.topic("t", 2, &[]).await;
    let mut client = server.connect();
    for (asked, code) in [
        (raised("t", 2, None), ErrorCode::INVALID_PARTITIONS),
        (raised("t", 1, None), ErrorCode::INVALID_PARTITIONS),
        (raised("t", -1, None), ErrorCode::INVALID_PARTITIONS),
        (raised("t", i32::MAX, None), ErrorCode::INVALID_PARTITIONS),
        (raised("u", 3, None), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        (raised("u", 3, Some(&[1])), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        (raised("t", 4, Some(&[1])), ErrorCode::INVALID_REPLICA_ASSIGNMENT),
        (raised("t", 3, Some(&[2])), ErrorCode::INVALID_REPLICA_ASSIGNMENT),
        (raised("t", 3, Some(&[1])), ErrorCode::NONE),
    ] {
        let told = raise(&mut client, vec![asked.clone()], true).await;
        assert_eq!(told[0].1, code.0, "{asked:?}");
    }
    let twice = vec![raised("t", 3, None), raised("t", 5, None)];
    assert_eq!(
        raise(&mut client, twice, false).await,
        [("t".to_owned(), ErrorCode::INVALID_REQUEST.0)]
    );
    assert_eq!(server.broker.topic("t").unwrap().partitions(), 2);
    assert_eq!(
        raise(&mut client, vec![raised("t", 3, None)], false).await[0].1,
        0
    );
    let response = client
        .call(PRODUCE_BY_NAME, &produce("t", 2, batch_of(&["a"])))
        .await;
    assert_eq!(produced(&response).base_offset, 0);
}

fn gone(name: Option<&str>, id: Uuid) -> DeleteTopicState {
    DeleteTopicState {
        name: name.map(Str::from),
        topic_id: id,
    }
}

async fn delete(client: &mut Client, topics: Vec<DeleteTopicState>) -> Vec<(Option<String>, i16)> {
    let request = DeleteTopicsRequest {
        topics,
        ..Default::default()
    };
    let results = client.ask(&request).await.responses.into_iter();
    results
        .map(|result| (result.name.map(String::from), result.error_code))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn topics_are_deleted_by_name_or_by_id_and_what_is_unclear_is_not() {
    let server = Server::start().await;
    for name in ["a", "b", "c"] {
        server.topic(name, 1, &[]).await;
    }
    let id = |name: &str| Uuid(server.broker.topic(name).unwrap().id().0);
    let mut client = server.connect();
    let (a, b) = (id("a"), id("b"));
    assert_eq!(
        delete(&mut client, vec![gone(Some("a"), Uuid::ZERO)]).await,
        [(Some("a".into()), 0)]
    );
    assert_eq!(
        delete(&mut client, vec![gone(None, b)]).await,
        [(Some("b".into()), 0)]
    );
    let invalid = ErrorCode::INVALID_REQUEST.0;
    for (asked, code) in [
        (
            gone(Some("a"), Uuid::ZERO),
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0,
        ),
        (gone(None, a), ErrorCode::UNKNOWN_TOPIC_ID.0),
        (gone(None, Uuid::ZERO), invalid),
        (gone(Some("c"), id("c")), invalid),
    ] {
        assert_eq!(
            delete(&mut client, vec![asked.clone()]).await[0].1,
            code,
            "{asked:?}"
        );
    }
    let twice = vec![gone(Some("c"), Uuid::ZERO), gone(Some("c"), Uuid::ZERO)];
    assert_eq!(delete(&mut client, twice).await, [(Some("c".into()), invalid)]);
    assert!(server.broker.topic("c").is_some());
}

#[tokio::test(start_paused = true)]
async fn deletion_that_is_off_is_told_in_the_words_of_the_version() {
    let server = Server::with(&[("delete.topic.enable", "false")]).await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let request = DeleteTopicsRequest {
        topic_names: vec![Str::from_static("t")],
        ..Default::default()
    };
    let code = client.call(2, &request).await.responses[0].error_code;
    assert_eq!(code, ErrorCode::INVALID_REQUEST.0);
    let code = client.call(3, &request).await.responses[0].error_code;
    assert_eq!(code, ErrorCode::TOPIC_DELETION_DISABLED.0);
}

#[tokio::test(start_paused = true)]
async fn log_dirs_tell_the_partitions_that_were_asked_for() {
    let server = Server::start().await;
    server.topic("t", 3, &[]).await;
    server.topic("u", 1, &[]).await;
    let mut client = server.connect();
    let topics = vec![
        describe_log_dirs::DescribableLogDirTopic {
            topic: Str::from_static("t"),
            partitions: vec![2, 0, 9, -1],
        },
        describe_log_dirs::DescribableLogDirTopic {
            topic: Str::from_static("nowhere"),
            partitions: vec![0],
        },
    ];
    let response = client.ask(&DescribeLogDirsRequest { topics: Some(topics) }).await;
    let told = &response.results[0].topics;
    assert_eq!(told.len(), 1);
    let partitions: Vec<_> = told[0]
        .partitions
        .iter()
        .map(|partition| partition.partition_index)
        .collect();
    assert_eq!(partitions, [0, 2]);
}
