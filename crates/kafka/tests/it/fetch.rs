//! Fetch through the protocol: bounds, waiting, errors, names and ids.

use crate::harness::{Client, Server};
use crate::requests::*;
use millstream_broker::testing::batch_of;
use millstream_kafka_wire::*;
use std::collections::HashSet;
use tokio::time::Instant;

async fn fill(client: &mut Client, partition: i32, count: usize) {
    for at in 0..count {
        let value = format!("{partition}/{at}");
        let response = client
            .call(PRODUCE_BY_NAME, &produce("t", partition, batch_of(&[&value])))
            .await;
        assert_eq!(produced(&response).error_code, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn errors_are_told_for_each_partition_with_kafkas_codes() {
    let server = Server::start().await;
    server.topic("t", 2, &[]).await;
    let mut client = server.connect();
    fill(&mut client, 0, 1).await;
    let begun = Instant::now();
    let mut request = fetch("t", Uuid::ZERO, &[(0, 0), (1, 5), (1, -1), (9, 0), (-1, 0)]);
    request.max_wait_ms = 10_000;
    request.min_bytes = 1 << 20;
    let mut epochs = fetch_topic("t", Uuid::ZERO, &[(0, 0)]);
    epochs.partitions[0].current_leader_epoch = i32::MAX;
    request.topics.push(epochs);
    request.topics.push(fetch_topic("nowhere", Uuid::ZERO, &[(0, 0)]));
    let response = client.call(FETCH_BY_NAME, &request).await;
    let codes: Vec<_> = fetched(&response)
        .iter()
        .map(|data| (data.error_code, data.high_watermark))
        .collect();
    let refused = |code: ErrorCode| (code.0, -1);
    assert_eq!(
        codes,
        [
            (0, 1),
            refused(ErrorCode::OFFSET_OUT_OF_RANGE),
            refused(ErrorCode::OFFSET_OUT_OF_RANGE),
            refused(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
            refused(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
            refused(ErrorCode::UNKNOWN_LEADER_EPOCH),
            refused(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        ]
    );
    assert_eq!(begun.elapsed().as_millis(), 0, "an error ends the wait");
    let unknown = fetch("", Uuid::from_u128(77), &[(0, 0)]);
    let response = client.ask(&unknown).await;
    assert_eq!(fetched(&response)[0].error_code, ErrorCode::UNKNOWN_TOPIC_ID.0);
}

#[tokio::test(start_paused = true)]
async fn a_read_from_the_middle_returns_the_whole_batch_and_committed_readers_get_their_list() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    client
        .call(PRODUCE_BY_NAME, &produce("t", 0, batch_of(&["a", "b", "c"])))
        .await;
    let mut request = fetch("t", Uuid::ZERO, &[(0, 2)]);
    let response = client.call(FETCH_BY_NAME, &request).await;
    assert_eq!(values(fetched(&response)[0]).len(), 3);
    assert_eq!(fetched(&response)[0].aborted_transactions, None);
    request.isolation_level = 1;
    let response = client.call(FETCH_BY_NAME, &request).await;
    assert_eq!(fetched(&response)[0].aborted_transactions, Some(Vec::new()));
    assert_eq!(fetched(&response)[0].last_stable_offset, 3);
}

#[tokio::test(start_paused = true)]
async fn a_consumer_that_takes_little_at_a_time_gets_to_every_partition() {
    let server = Server::start().await;
    server.topic("t", 4, &[]).await;
    let mut client = server.connect();
    for partition in 0..4 {
        fill(&mut client, partition, 3).await;
    }
    // One byte at most: one batch a request. The session puts who was served at the end (trap T16).
    let mut request = fetch("t", Uuid::ZERO, &[(0, 0), (1, 0), (2, 0), (3, 0)]);
    request.session_epoch = 0;
    request.max_bytes = 1;
    let mut response = client.call(FETCH_BY_NAME, &request).await;
    let session = response.session_id;
    assert!(session > 0);
    let mut served = Vec::new();
    for epoch in 1..=12 {
        let given: Vec<_> = fetched(&response)
            .into_iter()
            .filter(|data| !values(data).is_empty())
            .collect();
        let [data] = given[..] else {
            panic!("one batch a request: {response:?}")
        };
        let (offset, value) = values(data)[0].clone();
        served.push(value);
        request.session_id = session;
        request.session_epoch = epoch;
        request.topics = vec![fetch_topic(
            "t",
            Uuid::ZERO,
            &[(data.partition_index, offset as i64 + 1)],
        )];
        response = client.call(FETCH_BY_NAME, &request).await;
    }
    assert_eq!(served.iter().collect::<HashSet<_>>().len(), 12);
    let first: HashSet<_> = served[..4].iter().map(|value| &value[..1]).collect();
    assert_eq!(first.len(), 4, "each once before any twice: {served:?}");
}

#[tokio::test(start_paused = true)]
async fn the_brokers_bound_on_an_answer_holds_whatever_the_client_asks_for() {
    let server = Server::with(&[("fetch.max.bytes", "1024")]).await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    fill(&mut client, 0, 50).await;
    let mut request = fetch("t", Uuid::ZERO, &[(0, 0)]);
    request.max_bytes = i32::MAX;
    let response = client.call(FETCH_BY_NAME, &request).await;
    let bytes = fetched(&response)[0].records.as_ref().unwrap().len();
    assert!((900..=1024).contains(&bytes), "{bytes}");
    // Nonsense counts as nothing, and nothing still gets one batch.
    request.max_bytes = -5;
    request.min_bytes = -5;
    request.max_wait_ms = -5;
    request.topics[0].partitions[0].partition_max_bytes = -5;
    let response = client.call(FETCH_BY_NAME, &request).await;
    assert_eq!(values(fetched(&response)[0]).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_topic_was_made_again_its_old_id_is_unknown_and_the_new_one_empty() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    fill(&mut client, 0, 2).await;
    let old = server.broker.topic("t").unwrap();
    server.broker.delete_topic(&old).await.unwrap();
    server.topic("t", 1, &[]).await;
    let new = server.broker.topic("t").unwrap();
    let response = client.ask(&fetch("", Uuid(old.id().0), &[(0, 0)])).await;
    assert_eq!(fetched(&response)[0].error_code, ErrorCode::UNKNOWN_TOPIC_ID.0);
    let response = client.ask(&fetch("", Uuid(new.id().0), &[(0, 0)])).await;
    assert_eq!(
        (
            fetched(&response)[0].error_code,
            fetched(&response)[0].high_watermark
        ),
        (0, 0)
    );
}
