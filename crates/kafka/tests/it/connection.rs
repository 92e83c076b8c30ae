//! One connection: order, many in flight, ends.

use crate::harness::{Server, frame_of};
use crate::requests::*;
use bytes::Buf;
use millstream_broker::testing::batch_of;
use millstream_kafka::{CallError, ConnectionError};
use millstream_kafka_wire::*;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn many_produce_requests_are_in_flight_at_once_and_answered_in_their_order() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let mut sent = Vec::new();
    for count in 0..200 {
        let request = produce("t", 0, batch_of(&[&count.to_string()]));
        sent.push(client.send(PRODUCE_BY_NAME, &request).await);
    }
    for (offset, id) in (0..).zip(sent) {
        let (answered, response) = client.receive::<ProduceResponse>(PRODUCE_BY_NAME).await;
        assert_eq!((answered, produced(&response).base_offset), (id, offset));
    }
    // One flush carried many of them: they did not wait for each other (trap T10).
    assert!(
        server.world.disk.syncs() < 100,
        "{} flushes",
        server.world.disk.syncs()
    );
    let all = client
        .call(FETCH_BY_NAME, &fetch("t", Uuid::ZERO, &[(0, 0)]))
        .await;
    let expected: Vec<_> = (0..200).map(|count| (count, count.to_string())).collect();
    assert_eq!(values(fetched(&all)[0]), expected);
}

/// A large request is read into memory of its own, which begins where its records do: after its head has arrived, however it arrived.
#[tokio::test(start_paused = true)]
async fn requests_small_and_large_are_the_same_in_whatever_pieces_they_arrive() {
    let lens = [10, 100_000, 20, 70_000, 65_536, 5];
    let sent: Vec<String> = lens.iter().map(|len| format!("{len}/").repeat(len / 3)).collect();
    let frames = (0..).zip(&sent).map(|(id, value)| {
        let mut frame = frame_of(&produce("t", 0, batch_of(&[value])), PRODUCE_BY_NAME, id);
        frame.copy_to_bytes(frame.remaining())
    });
    let stream_of_bytes = frames.collect::<Vec<_>>().concat();
    for piece_bytes in [1, 3, 47, 4095, 4097, 66_000] {
        let server = Server::start().await;
        server.topic("t", 1, &[]).await;
        let (stream, _serving) = server.connect_over(piece_bytes);
        let (mut answers, mut requests) = tokio::io::split(stream);
        let written = stream_of_bytes.clone();
        let writing = tokio::spawn(async move { requests.write_all(&written).await });
        for offset in 0..lens.len() {
            let length = answers.read_u32().await.expect("an answer");
            let mut answer = vec![0; length as usize];
            answers.read_exact(&mut answer).await.expect("all of it");
            let (_, response) =
                decode_response::<ProduceResponse>(&answer.into(), PRODUCE_BY_NAME).expect("it decodes");
            assert_eq!(produced(&response).base_offset, offset as i64, "{piece_bytes}");
        }
        writing.await.expect("no panic").expect("all was taken");
        let mut everything = fetch("t", Uuid::ZERO, &[(0, 0)]);
        everything.max_bytes = i32::MAX;
        everything.topics[0].partitions[0].partition_max_bytes = i32::MAX;
        let read = server.connect().call(FETCH_BY_NAME, &everything).await;
        let read: Vec<String> = values(fetched(&read)[0])
            .into_iter()
            .map(|(_, value)| value)
            .collect();
        assert!(read == sent, "{piece_bytes}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_waits_stops_no_later_produce_and_keeps_its_place_among_the_answers() {
    let server = Server::start().await;
    server.topic("t", 2, &[]).await;
    let mut client = server.connect();
    let begun = Instant::now();
    let mut waiting = fetch("t", Uuid::ZERO, &[(1, 0)]);
    waiting.max_wait_ms = 5_000;
    let first = client.send(FETCH_BY_NAME, &waiting).await;
    let second = client
        .send(PRODUCE_BY_NAME, &produce("t", 0, batch_of(&["a"])))
        .await;
    let (answered, response) = client.receive::<FetchResponse>(FETCH_BY_NAME).await;
    assert_eq!(answered, first);
    assert!(values(fetched(&response)[0]).is_empty());
    assert_eq!(begun.elapsed().as_millis(), 5_000);
    let (answered, response) = client.receive::<ProduceResponse>(PRODUCE_BY_NAME).await;
    assert_eq!((answered, produced(&response).base_offset), (second, 0));
    // A produce that the fetch waits for wakes it, although its own answer stands behind the fetch's.
    client.send(FETCH_BY_NAME, &waiting).await;
    client
        .send(PRODUCE_BY_NAME, &produce("t", 1, batch_of(&["b"])))
        .await;
    let (_, response) = client.receive::<FetchResponse>(FETCH_BY_NAME).await;
    assert_eq!(values(fetched(&response)[0]).len(), 1);
    assert_eq!(begun.elapsed().as_millis(), 5_000);
}

#[tokio::test(start_paused = true)]
async fn what_a_request_created_the_next_of_the_connection_sees() {
    let server = Server::start().await;
    let mut client = server.connect();
    let topic = create_topics::CreatableTopic {
        name: Str::from_static("t"),
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    };
    let create = CreateTopicsRequest {
        topics: vec![topic],
        ..Default::default()
    };
    client.send(5, &create).await;
    client.send(9, &metadata_of(&["t"], false)).await;
    client
        .send(PRODUCE_BY_NAME, &produce("t", 0, batch_of(&["a"])))
        .await;
    assert_eq!(
        client.receive::<CreateTopicsResponse>(5).await.1.topics[0].error_code,
        0
    );
    assert_eq!(
        client.receive::<MetadataResponse>(9).await.1.topics[0].error_code,
        0
    );
    let (_, response) = client.receive::<ProduceResponse>(PRODUCE_BY_NAME).await;
    assert_eq!(produced(&response).error_code, 0);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_version_of_api_versions_is_answered_in_version_0_so_that_the_client_steps_down() {
    let server = Server::start().await;
    let mut client = server.connect();
    // ApiVersions 99, correlation id 7, no client id, then whatever version 99 may say.
    let frame = [0, 0, 0, 13, 0, 18, 0, 99, 0, 0, 0, 7, 0xff, 0xff, 0, 1, 2];
    client.stream.write_all(&frame).await.unwrap();
    let (id, response) = client.receive::<ApiVersionsResponse>(0).await;
    assert_eq!((id, response.error_code), (7, ErrorCode::UNSUPPORTED_VERSION.0));
    let own = ApiKey::ApiVersions;
    let told: Vec<_> = response
        .api_keys
        .iter()
        .map(|api| (api.api_key, api.max_version))
        .collect();
    assert_eq!(told, [(own.code(), *own.stable_versions().end())]);
    // The connection goes on.
    let again = client.call(0, &ApiVersionsRequest::default()).await;
    let produce = again.api_keys.iter().find(|api| api.api_key == 0).unwrap();
    assert_eq!((produce.min_version, produce.max_version), (0, 13), "KAFKA-18659");
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_proper_name_is_told_so() {
    let server = Server::start().await;
    let mut client = server.connect();
    for name in ["", "-x", "a b", "x."] {
        let request = ApiVersionsRequest {
            client_software_name: Str::from(name),
            client_software_version: Str::from_static("1"),
        };
        let response = client.call(3, &request).await;
        assert_eq!(response.error_code, ErrorCode::INVALID_REQUEST.0, "{name:?}");
    }
}

/// A frame of a header alone.
fn header(key: i16, version: i16) -> Vec<u8> {
    let mut frame = vec![0, 0, 0, 10];
    frame.extend(key.to_be_bytes());
    frame.extend(version.to_be_bytes());
    frame.extend([0, 0, 0, 9, 0xff, 0xff]);
    frame
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_answered_ends_the_connection_after_the_answers_before_it() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    // An API that nobody knows, one that is not served, a version above and one below: Produce 2 is advertised, and ends the
    // connection as with Kafka 4. Last a message that is not there.
    for (key, version) in [
        (999, 0),
        (-1, 0),
        (4, 0),
        (3, 99),
        (1, 3),
        (0, 2),
        (0, 0),
        (3, -1),
        (19, 5),
    ] {
        let mut client = server.connect();
        client
            .send(PRODUCE_BY_NAME, &produce("t", 0, batch_of(&["before"])))
            .await;
        client.stream.write_all(&header(key, version)).await.unwrap();
        client
            .send(PRODUCE_BY_NAME, &produce("t", 0, batch_of(&["after"])))
            .await;
        let (_, response) = client.receive::<ProduceResponse>(PRODUCE_BY_NAME).await;
        assert_eq!(produced(&response).error_code, 0);
        assert!(
            client.receive_frame().await.is_none(),
            "API {key} version {version}"
        );
        let ended = client.ended().await.unwrap_err();
        let refused = matches!(
            ended,
            ConnectionError::Call(CallError::Unsupported { .. } | CallError::Malformed(_))
        );
        assert!(refused, "API {key} version {version}: {ended}");
    }
    let mut client = server.connect();
    let all = client
        .call(FETCH_BY_NAME, &fetch("t", Uuid::ZERO, &[(0, 0)]))
        .await;
    let kept = values(fetched(&all)[0]);
    assert_eq!(kept.len(), 9, "nothing behind the offender was begun");
    assert!(kept.iter().all(|(_, value)| value == "before"));
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_long_polls_and_still_writes_what_is_pending() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let begun = Instant::now();
    let mut waiting = fetch("t", Uuid::ZERO, &[(0, 0)]);
    waiting.max_wait_ms = 60_000;
    client.send(FETCH_BY_NAME, &waiting).await;
    client
        .send(PRODUCE_BY_NAME, &produce("t", 0, batch_of(&["a"])))
        .await;
    let (_, response) = client.receive::<FetchResponse>(FETCH_BY_NAME).await;
    assert_eq!(values(fetched(&response)[0]).len(), 1);
    client.receive::<ProduceResponse>(PRODUCE_BY_NAME).await;
    waiting.topics = vec![fetch_topic("t", Uuid::ZERO, &[(0, 1)])];
    client.send(FETCH_BY_NAME, &waiting).await;
    // The request is on its way; then the server stops.
    tokio::task::yield_now().await;
    server.stop();
    if let Some(frame) = client.receive_frame().await {
        decode_response::<FetchResponse>(&frame, FETCH_BY_NAME).unwrap();
    }
    client.ended().await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO, "nobody waited for the long poll");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_leaves_ends_its_long_poll_at_once() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let begun = Instant::now();
    let mut waiting = fetch("t", Uuid::ZERO, &[(0, 0)]);
    waiting.max_wait_ms = 60_000;
    client.send(FETCH_BY_NAME, &waiting).await;
    client.stream.shutdown().await.unwrap();
    let (_, response) = client.receive::<FetchResponse>(FETCH_BY_NAME).await;
    assert_eq!(response.error_code, 0);
    client.ended().await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_quiet_connection_is_closed_after_its_idle_time_and_one_that_waits_is_not() {
    let mut server = Server::start().await;
    server.topic("t", 1, &[]).await;
    server.limits.idle_max = Duration::from_secs(20);
    let mut client = server.connect();
    let begun = Instant::now();
    let mut waiting = fetch("t", Uuid::ZERO, &[(0, 0)]);
    waiting.max_wait_ms = 50_000;
    client.call(FETCH_BY_NAME, &waiting).await;
    assert_eq!(begun.elapsed().as_secs(), 50, "a long poll is no idleness");
    let begun = Instant::now();
    client.call(0, &ApiVersionsRequest::default()).await;
    assert!(client.receive_frame().await.is_none());
    assert!(
        (19..=21).contains(&begun.elapsed().as_secs()),
        "{:?}",
        begun.elapsed()
    );
    client.ended().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn requests_and_bytes_are_counted() {
    let server = Server::start().await;
    let mut client = server.connect();
    for _ in 0..3 {
        client.call(0, &ApiVersionsRequest::default()).await;
    }
    let counted = server.kafka.metrics.snapshot();
    let versions = counted.iter().find(|api| api.name == "ApiVersions").unwrap();
    assert_eq!((versions.requests, versions.buckets.iter().sum::<u64>()), (3, 3));
    let (bytes_in, bytes_out) = server.kafka.metrics.bytes_in_out();
    let header_bytes = 4 + 10 + "harness".len() as u64;
    assert_eq!(bytes_in, 3 * header_bytes);
    assert!(bytes_out > 300, "{bytes_out}");
}
