//! Fetch sessions (KIP-227) through the protocol.

use crate::harness::{Client, Server};
use crate::requests::*;
use millstream_broker::testing::batch_of;
use millstream_kafka_wire::fetch::ForgottenTopic;
use millstream_kafka_wire::*;

async fn put(client: &mut Client, partition: i32) {
    client
        .call(PRODUCE_BY_NAME, &produce("t", partition, batch_of(&["a"])))
        .await;
}

fn full(id: Uuid, partitions: &[(i32, i64)]) -> FetchRequest {
    FetchRequest {
        session_epoch: 0,
        ..fetch("t", id, partitions)
    }
}

fn next(session_id: i32, session_epoch: i32) -> FetchRequest {
    FetchRequest {
        session_id,
        session_epoch,
        topics: Vec::new(),
        ..fetch("t", Uuid::ZERO, &[])
    }
}

fn partitions(response: &FetchResponse) -> Vec<i32> {
    fetched(response)
        .iter()
        .map(|data| data.partition_index)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_incremental_fetch_tells_only_what_changed_at_every_version_that_has_sessions() {
    let server = Server::start().await;
    server.topic("t", 3, &[]).await;
    let id = Uuid(server.broker.topic("t").unwrap().id().0);
    for version in 7..=*ApiKey::Fetch.stable_versions().end() {
        let mut client = server.connect();
        let end = |partition: u32| {
            let topic = server.broker.topic("t").unwrap();
            topic.stream(partition).unwrap().bounds().end.0 as i64
        };
        let ends: Vec<(i32, i64)> = (0..3)
            .map(|partition| (partition, end(partition as u32)))
            .collect();
        let response = client.call(version, &full(id, &ends)).await;
        let session = response.session_id;
        assert!(session > 0);
        assert_eq!(partitions(&response), [0, 1, 2], "everything at first");
        let response = client.call(version, &next(session, 1)).await;
        assert_eq!(partitions(&response), [] as [i32; 0], "no news");
        put(&mut client, 1).await;
        let response = client.call(version, &next(session, 2)).await;
        assert_eq!(partitions(&response), [1]);
        // Not fetched on: the records are told again, as the client has not moved.
        let response = client.call(version, &next(session, 3)).await;
        assert_eq!(partitions(&response), [1]);
        let mut forget = next(session, 4);
        forget.forgotten_topics_data = vec![ForgottenTopic {
            topic: Str::from_static("t"),
            topic_id: id,
            partitions: vec![1],
        }];
        let response = client.call(version, &forget).await;
        assert_eq!((response.error_code, partitions(&response)), (0, vec![]));
        put(&mut client, 0).await;
        assert_eq!(partitions(&client.call(version, &next(session, 5)).await), [0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_poll_over_a_session_is_woken_by_any_of_its_partitions() {
    let server = Server::start().await;
    server.topic("t", 3, &[]).await;
    let mut client = server.connect();
    let session = client
        .call(FETCH_BY_NAME, &full(Uuid::ZERO, &[(0, 0), (1, 0), (2, 0)]))
        .await
        .session_id;
    let mut waiting = next(session, 1);
    waiting.max_wait_ms = 60_000;
    client.send(FETCH_BY_NAME, &waiting).await;
    put_over(&server, 2).await;
    let (_, response) = client.receive::<FetchResponse>(FETCH_BY_NAME).await;
    assert_eq!(partitions(&response), [2]);
}

async fn put_over(server: &Server, partition: i32) {
    put(&mut server.connect(), partition).await;
}

#[tokio::test(start_paused = true)]
async fn wrong_epochs_unknown_sessions_and_a_change_of_naming_are_told_apart() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let session = client
        .call(FETCH_BY_NAME, &full(Uuid::ZERO, &[(0, 0)]))
        .await
        .session_id;
    let code = client.call(FETCH_BY_NAME, &next(session, 2)).await.error_code;
    assert_eq!(code, ErrorCode::INVALID_FETCH_SESSION_EPOCH.0);
    let code = client
        .call(FETCH_BY_NAME, &next(session.wrapping_add(1).max(1), 1))
        .await
        .error_code;
    assert_eq!(code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND.0);
    let code = client.call(13, &next(session, 1)).await.error_code;
    assert_eq!(code, ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR.0);
    // None of it broke the session.
    assert_eq!(client.call(FETCH_BY_NAME, &next(session, 1)).await.error_code, 0);
    // The final epoch closes it.
    let mut close = next(session, -1);
    close.topics = vec![fetch_topic("t", Uuid::ZERO, &[(0, 0)])];
    let response = client.call(FETCH_BY_NAME, &close).await;
    assert_eq!(
        (response.error_code, response.session_id, partitions(&response)),
        (0, 0, vec![0])
    );
    let code = client.call(FETCH_BY_NAME, &next(session, 2)).await.error_code;
    assert_eq!(code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND.0);
    assert_eq!(server.kafka.fetch_sessions(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_told_again_until_it_is_gone_and_then_what_came_after_it() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let response = client.call(FETCH_BY_NAME, &full(Uuid::ZERO, &[(0, 5)])).await;
    let session = response.session_id;
    for epoch in 1..3 {
        let response = client.call(FETCH_BY_NAME, &next(session, epoch)).await;
        assert_eq!(fetched(&response)[0].error_code, ErrorCode::OFFSET_OUT_OF_RANGE.0);
    }
    let mut mended = next(session, 3);
    mended.topics = vec![fetch_topic("t", Uuid::ZERO, &[(0, 0)])];
    let response = client.call(FETCH_BY_NAME, &mended).await;
    assert_eq!(
        (partitions(&response), fetched(&response)[0].error_code),
        (vec![0], 0)
    );
    let response = client.call(FETCH_BY_NAME, &next(session, 4)).await;
    assert_eq!(partitions(&response), [] as [i32; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_forgot_everything_is_over() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let session = client
        .call(FETCH_BY_NAME, &full(Uuid::ZERO, &[(0, 0)]))
        .await
        .session_id;
    let mut forget = next(session, 1);
    forget.forgotten_topics_data = vec![ForgottenTopic {
        topic: Str::from_static("t"),
        topic_id: Uuid::ZERO,
        partitions: vec![0],
    }];
    let response = client.call(FETCH_BY_NAME, &forget).await;
    assert_eq!((response.error_code, response.session_id), (0, 0));
    assert_eq!(server.kafka.fetch_sessions(), 0);
}

#[tokio::test(start_paused = true)]
async fn without_a_free_slot_clients_are_served_without_a_session_until_an_idle_one_makes_room() {
    let server = Server::configured(&[], |config| config.fetch_sessions_max = 2).await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let request = full(Uuid::ZERO, &[(0, 0)]);
    let first = client.call(FETCH_BY_NAME, &request).await.session_id;
    let second = client.call(FETCH_BY_NAME, &request).await.session_id;
    assert!(first > 0 && second > 0 && first != second);
    let response = client.call(FETCH_BY_NAME, &request).await;
    assert_eq!((response.session_id, partitions(&response)), (0, vec![0]));
    tokio::time::advance(std::time::Duration::from_secs(121)).await;
    client.call(FETCH_BY_NAME, &next(second, 1)).await;
    assert!(client.call(FETCH_BY_NAME, &request).await.session_id > 0);
    let code = client.call(FETCH_BY_NAME, &next(first, 1)).await.error_code;
    assert_eq!(code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND.0, "the idle one went");
    assert_eq!(client.call(FETCH_BY_NAME, &next(second, 2)).await.error_code, 0);
}
