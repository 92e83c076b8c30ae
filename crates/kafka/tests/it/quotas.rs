//! Quotas through the protocol: asked for, changed, and felt. Time stands still but for waits, so a wait is seen exactly.

use crate::harness::{Client, Server};
use crate::requests::*;
use alter_client_quotas::{OpData, RequestEntityData, RequestEntryData};
use describe_client_quotas::ComponentData;
use millstream_broker::testing::batch_of;
use millstream_kafka_wire::*;
use std::time::Duration;
use tokio::time::Instant;

/// One second's worth may be used at once.
const SHORT: &[(&str, &str)] = &[
    ("quota.window.num", "2"),
    ("quota.window.size.seconds", "1"),
    ("controller.quota.window.num", "1"),
];

fn name(text: &str) -> Str {
    Str::from(text.to_owned())
}

/// Sets a limit, or takes it away; the code.
async fn alter(client: &mut Client, entity: &[(&str, Option<&str>)], key: &str, value: Option<f64>) -> i16 {
    let entity = entity.iter().map(|(kind, of)| RequestEntityData {
        entity_type: name(kind),
        entity_name: of.map(name),
    });
    let request = AlterClientQuotasRequest {
        entries: vec![RequestEntryData {
            entity: entity.collect(),
            ops: vec![OpData {
                key: name(key),
                value: value.unwrap_or_default(),
                remove: value.is_none(),
            }],
        }],
        validate_only: false,
    };
    client.ask(&request).await.entries[0].error_code
}

pub async fn limit(server: &Server, entity: &[(&str, Option<&str>)], key: &str, value: f64) {
    let mut admin = server.connect();
    assert_eq!(alter(&mut admin, entity, key, Some(value)).await, 0);
}

const HARNESS: &[(&str, Option<&str>)] = &[("client-id", Some("harness"))];

async fn produce_bytes(client: &mut Client, bytes: usize) -> Duration {
    let batch = batch_of(&[&"x".repeat(bytes)]);
    let response = client.call(PRODUCE_BY_NAME, &produce("t", 0, batch)).await;
    assert_eq!(produced(&response).error_code, 0, "it is taken, whatever it owes");
    told(response.throttle_time_ms)
}

fn told(throttle_time_ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(throttle_time_ms).expect("not negative"))
}

/// How long the next request of the connection takes.
async fn silence(client: &mut Client) -> Duration {
    let asked = Instant::now();
    client.ask(&metadata_of(&["t"], false)).await;
    asked.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_produce_beyond_its_quota_is_answered_at_once_and_the_connection_is_silent_afterwards() {
    let server = Server::with(SHORT).await;
    server.topic("t", 1, &[]).await;
    limit(&server, HARNESS, "producer_byte_rate", 1000.0).await;
    let mut client = server.connect();
    assert_eq!(produce_bytes(&mut client, 100).await, Duration::ZERO);
    let asked = Instant::now();
    let wait = produce_bytes(&mut client, 3000).await;
    assert_eq!(asked.elapsed(), Duration::ZERO, "answered first");
    assert!(
        wait > Duration::from_secs(2) && wait < Duration::from_secs(3),
        "{wait:?}"
    );
    let silent = silence(&mut client).await;
    assert!(
        silent <= wait && silent + Duration::from_millis(2) > wait,
        "{silent:?} of {wait:?}"
    );
    assert_eq!(silence(&mut client).await, Duration::ZERO, "it has paid");
}

#[tokio::test(start_paused = true)]
async fn connections_of_one_client_share_its_quota_and_others_have_their_own() {
    let server = Server::with(SHORT).await;
    server.topic("t", 1, &[]).await;
    limit(&server, &[("client-id", None)], "producer_byte_rate", 1000.0).await;
    let (mut first, mut second) = (server.connect(), server.connect());
    assert!(produce_bytes(&mut first, 2000).await > Duration::ZERO);
    assert!(
        produce_bytes(&mut second, 10).await > Duration::from_secs(1),
        "the same client"
    );
    assert_eq!(server.broker.quota_buckets(), 1);
    let who = millstream_broker::QuotaUser {
        user: "ANONYMOUS",
        client_id: "another",
    };
    let kind = millstream_broker::QuotaKind::Produce;
    assert_eq!(server.broker.charge(kind, who, 500.0), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_fetch_is_bounded_by_its_quota_and_reads_nothing_while_it_owes() {
    let server = Server::with(SHORT).await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    for _ in 0..10 {
        produce_bytes(&mut client, 400).await;
    }
    limit(
        &server,
        &[("user", Some("ANONYMOUS"))],
        "consumer_byte_rate",
        1000.0,
    )
    .await;
    let request = fetch("t", Uuid::ZERO, &[(0, 0)]);
    let response = client.call(FETCH_BY_NAME, &request).await;
    let records = values(fetched(&response)[0]).len();
    assert_eq!(
        (records, response.throttle_time_ms),
        (2, 0),
        "within the second's worth"
    );
    let response = client.call(FETCH_BY_NAME, &request).await;
    assert!(response.throttle_time_ms > 0 && !values(fetched(&response)[0]).is_empty());
    let mut other = server.connect();
    let response = other.call(FETCH_BY_NAME, &request).await;
    assert!(response.throttle_time_ms > 0 && response.responses.is_empty());
    assert_eq!(silence(&mut other).await, told(response.throttle_time_ms));
    let response = other.call(FETCH_BY_NAME, &request).await;
    assert!(!values(fetched(&response)[0]).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_session_survives_an_answer_that_only_tells_to_wait() {
    let server = Server::with(SHORT).await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    produce_bytes(&mut client, 400).await;
    let mut request = fetch("t", Uuid::ZERO, &[(0, 0)]);
    request.session_epoch = 0;
    let begun = client.call(FETCH_BY_NAME, &request).await;
    assert_ne!(begun.session_id, 0);
    limit(&server, HARNESS, "consumer_byte_rate", 1000.0).await;
    let who = millstream_broker::QuotaUser {
        user: "ANONYMOUS",
        client_id: "harness",
    };
    server
        .broker
        .charge(millstream_broker::QuotaKind::Fetch, who, 3000.0);
    let mut next = fetch("t", Uuid::ZERO, &[]);
    next.topics.clear();
    next.session_id = begun.session_id;
    for epoch in 1..4 {
        next.session_epoch = epoch;
        let response = client.call(FETCH_BY_NAME, &next).await;
        assert_eq!((response.error_code, response.session_id), (0, begun.session_id));
        assert_eq!(
            response.responses.is_empty(),
            epoch == 1,
            "waits once, then reads on"
        );
    }
}

async fn create(client: &mut Client, topic: &str, partitions: i32) -> (i16, Duration) {
    let request = CreateTopicsRequest {
        topics: vec![create_topics::CreatableTopic {
            name: name(topic),
            num_partitions: partitions,
            replication_factor: 1,
            ..Default::default()
        }],
        timeout_ms: 1000,
        validate_only: false,
    };
    let response = client.ask(&request).await;
    (response.topics[0].error_code, told(response.throttle_time_ms))
}

#[tokio::test(start_paused = true)]
async fn topics_beyond_their_quota_are_refused_until_the_time_told_has_passed() {
    let server = Server::with(SHORT).await;
    limit(&server, &[("user", None)], "controller_mutation_rate", 1.0).await;
    let mut client = server.connect();
    let (code, wait) = create(&mut client, "a", 5).await;
    assert_eq!(
        (code, wait),
        (0, Duration::from_secs(4)),
        "taken as a whole, then paid for"
    );
    let mut other = server.connect();
    let (code, wait) = create(&mut other, "b", 1).await;
    assert_eq!(code, ErrorCode::THROTTLING_QUOTA_EXCEEDED.0);
    assert_eq!(wait, Duration::from_secs(4));
    assert!(server.broker.topic("b").is_none());
    assert_eq!(create(&mut other, "b", 1).await.0, 0, "after the silence");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_taken_away_is_felt_no_more() {
    let server = Server::with(SHORT).await;
    server.topic("t", 1, &[]).await;
    limit(&server, HARNESS, "producer_byte_rate", 10.0).await;
    let mut admin = server.connect();
    assert_eq!(alter(&mut admin, HARNESS, "producer_byte_rate", None).await, 0);
    let mut client = server.connect();
    assert_eq!(produce_bytes(&mut client, 5000).await, Duration::ZERO);
}

async fn describe(client: &mut Client, components: &[(&str, i8, Option<&str>)], strict: bool) -> Vec<String> {
    let components = components.iter().map(|(kind, match_type, value)| ComponentData {
        entity_type: name(kind),
        match_type: *match_type,
        match_value: value.map(name),
    });
    let request = DescribeClientQuotasRequest {
        components: components.collect(),
        strict,
    };
    let response = client.ask(&request).await;
    assert_eq!((response.error_code, &response.error_message), (0, &None));
    let entries = response.entries.expect("no error").into_iter();
    let shown = entries.map(|entry| {
        let parts: Vec<String> = entry
            .entity
            .iter()
            .map(|part| {
                format!(
                    "{}:{}",
                    part.entity_type,
                    part.entity_name.as_deref().unwrap_or("*")
                )
            })
            .collect();
        let values: Vec<String> = entry
            .values
            .iter()
            .map(|one| format!("{}={}", one.key, one.value))
            .collect();
        format!("{} {}", parts.join("/"), values.join(" "))
    });
    shown.collect()
}

#[tokio::test(start_paused = true)]
async fn quotas_are_described_by_filter_and_outlive_the_broker() {
    let server = Server::start().await;
    let entities: [&[(&str, Option<&str>)]; 4] = [
        &[("user", Some("u"))],
        &[("user", None), ("client-id", Some("c"))],
        &[("client-id", None)],
        &[("ip", Some("10.0.0.1"))],
    ];
    for entity in &entities[..3] {
        limit(&server, entity, "consumer_byte_rate", 1024.0).await;
    }
    limit(&server, entities[3], "connection_creation_rate", 7.0).await;
    let mut client = server.connect();
    let all = describe(&mut client, &[], false).await;
    assert_eq!(
        all,
        [
            "client-id:* consumer_byte_rate=1024",
            "ip:10.0.0.1 connection_creation_rate=7",
            "user:*/client-id:c consumer_byte_rate=1024",
            "user:u consumer_byte_rate=1024",
        ]
    );
    assert_eq!(describe(&mut client, &[("user", 2, None)], false).await.len(), 2);
    assert_eq!(
        describe(&mut client, &[("user", 2, None)], true).await,
        [all[3].clone()]
    );
    assert_eq!(
        describe(&mut client, &[("user", 1, None)], false).await,
        [all[2].clone()]
    );
    assert_eq!(
        describe(&mut client, &[("ip", 0, Some("10.0.0.1"))], true)
            .await
            .len(),
        1
    );
    server.broker.close().await;
    let reopened = server.world.open().await;
    assert!(reopened.limits_any_client());
}

#[tokio::test(start_paused = true)]
async fn what_is_no_quota_is_refused_with_kafkas_codes() {
    let server = Server::start().await;
    let mut client = server.connect();
    let invalid = ErrorCode::INVALID_REQUEST.0;
    let user: &[(&str, Option<&str>)] = &[("user", Some("u"))];
    assert_eq!(
        alter(&mut client, &[], "request_percentage", Some(1.0)).await,
        invalid
    );
    assert_eq!(alter(&mut client, user, "nonsense", Some(1.0)).await, invalid);
    assert_eq!(
        alter(&mut client, user, "producer_byte_rate", Some(0.0)).await,
        invalid
    );
    let group: &[(&str, Option<&str>)] = &[("group", Some("g"))];
    let unknown = ErrorCode::UNSUPPORTED_VERSION.0;
    assert_eq!(
        alter(&mut client, group, "request_percentage", Some(1.0)).await,
        unknown
    );
    let request = DescribeClientQuotasRequest {
        components: vec![ComponentData {
            entity_type: name("user"),
            match_type: 9,
            match_value: None,
        }],
        strict: false,
    };
    let response = client.ask(&request).await;
    assert_eq!((response.error_code, response.entries), (invalid, None));
}
