//! Produce: what is refused, with which code, and what is answered.

use crate::harness::{Client, Server};
use crate::requests::*;
use bytes::Bytes;
use millstream_broker::testing::{BatchBuilder, Codec, START_MS, batch_of, batch_with, sequenced_batch};
use millstream_kafka::{CallError, ConnectionError};
use millstream_kafka_wire::produce::PartitionProduceResponse;
use millstream_kafka_wire::*;

async fn send(client: &mut Client, partition: i32, batch: Bytes) -> PartitionProduceResponse {
    let response = client
        .call(PRODUCE_BY_NAME, &produce("t", partition, batch))
        .await;
    produced(&response).clone()
}

fn keyed(codec: Codec, records: &[(Option<&str>, &str)]) -> Bytes {
    batch_with(BatchBuilder::new(codec), records)
}

#[tokio::test(start_paused = true)]
async fn partitions_that_do_not_exist_are_refused_one_by_one() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let batch = batch_of(&["a"]);
    let batches = [
        (0, batch.clone()),
        (1, batch.clone()),
        (-1, batch.clone()),
        (i32::MIN, batch.clone()),
    ];
    let response = client
        .call(PRODUCE_BY_NAME, &produce_to("t", Uuid::ZERO, &batches))
        .await;
    let codes: Vec<_> = response.responses[0]
        .partition_responses
        .iter()
        .map(|p| (p.error_code, p.base_offset))
        .collect();
    let unknown = (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0, -1);
    assert_eq!(codes, [(0, 0), unknown, unknown, unknown]);
    let response = client
        .call(PRODUCE_BY_NAME, &produce("nowhere", 0, batch.clone()))
        .await;
    assert_eq!(
        produced(&response).error_code,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0
    );
    let response = client
        .call(13, &produce_to("", Uuid::from_u128(5), &[(0, batch.clone())]))
        .await;
    assert_eq!(produced(&response).error_code, ErrorCode::UNKNOWN_TOPIC_ID.0);
    server.broker.topic_or_create("__consumer_offsets").await.unwrap();
    let response = client
        .call(PRODUCE_BY_NAME, &produce("__consumer_offsets", 0, batch))
        .await;
    assert_eq!(
        produced(&response).error_code,
        ErrorCode::INVALID_TOPIC_EXCEPTION.0
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_batch_is_told_with_kafkas_codes() {
    let server = Server::start().await;
    server
        .topic(
            "t",
            1,
            &[
                ("max.message.bytes", "200"),
                ("message.timestamp.after.max.ms", "10"),
            ],
        )
        .await;
    server
        .topic("compacted", 1, &[("cleanup.policy", "compact")])
        .await;
    let mut client = server.connect();
    let good = batch_of(&["a"]);
    let mut torn = good.to_vec();
    *torn.last_mut().unwrap() ^= 1;
    let mut old = good.to_vec();
    old[16] = 1;
    let two = Bytes::from([&good[..], &good[..]].concat());
    let late = batch_with(BatchBuilder::new(Codec::None), &[(None, "x"); 12]);
    for (batch, code, what) in [
        (Bytes::new(), ErrorCode::INVALID_RECORD, "nothing"),
        (good.slice(..40), ErrorCode::CORRUPT_MESSAGE, "half a batch"),
        (torn.into(), ErrorCode::CORRUPT_MESSAGE, "a flipped bit"),
        (two, ErrorCode::INVALID_RECORD, "two batches"),
        (
            old.into(),
            ErrorCode::UNSUPPORTED_FOR_MESSAGE_FORMAT,
            "the old format",
        ),
        (late, ErrorCode::INVALID_TIMESTAMP, "a time that is to come"),
        (batch_of(&["x"; 100]), ErrorCode::MESSAGE_TOO_LARGE, "too much"),
        (
            transactional(),
            ErrorCode::INVALID_TXN_STATE,
            "a transaction that was not begun",
        ),
    ] {
        let refused = send(&mut client, 0, batch).await;
        let told = (
            refused.error_code,
            refused.base_offset,
            refused.log_append_time_ms,
            refused.log_start_offset,
        );
        assert_eq!(told, (code.0, -1, -1, -1), "{what}");
        assert!(refused.error_message.is_some(), "{what}");
    }
    let batch = keyed(Codec::Zstd, &[(Some("k"), "a"), (None, "b")]);
    let response = client
        .call(PRODUCE_BY_NAME, &produce("compacted", 0, batch))
        .await;
    let refused = produced(&response);
    assert_eq!(
        (refused.error_code, refused.record_errors[0].batch_index),
        (ErrorCode::INVALID_RECORD.0, 1)
    );
    // Nothing of it was kept, and the connection goes on.
    assert_eq!(send(&mut client, 0, good).await.base_offset, 0);
}

fn transactional() -> Bytes {
    let builder = BatchBuilder::new(Codec::None).producer(7, 0, 0).transactional();
    batch_with(builder, &[(None, "a")])
}

#[tokio::test(start_paused = true)]
async fn every_codec_is_taken_and_given_back_as_it_was_sent() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    for (offset, codec) in (0..).zip([Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd]) {
        let batch = keyed(codec, &[(Some("k"), "value")]);
        assert_eq!(send(&mut client, 0, batch.clone()).await.base_offset, offset);
        let response = client
            .call(FETCH_BY_NAME, &fetch("t", Uuid::ZERO, &[(0, offset)]))
            .await;
        let records = fetched(&response)[0].records.clone().unwrap().into_contiguous();
        // All behind the base offset and the leader epoch is what the producer sent.
        assert_eq!(records[16..], batch[16..], "{codec:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_brokers_clock_stamps_where_the_topic_says_so() {
    let server = Server::start().await;
    server
        .topic("t", 1, &[("message.timestamp.type", "LogAppendTime")])
        .await;
    let mut client = server.connect();
    let produced = send(&mut client, 0, batch_of(&["a"])).await;
    assert_eq!((produced.error_code, produced.log_append_time_ms), (0, START_MS));
}

#[tokio::test(start_paused = true)]
async fn acks_0_gets_no_answer_and_a_refusal_ends_the_connection() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let mut silent = produce("t", 0, batch_of(&["a"]));
    silent.acks = 0;
    for _ in 0..5 {
        client.send(PRODUCE_BY_NAME, &silent).await;
    }
    // The next answer on the connection is that of the next request that wants one.
    assert_eq!(send(&mut client, 0, batch_of(&["b"])).await.base_offset, 5);
    silent.topic_data[0].partition_data[0].index = 9;
    client.send(PRODUCE_BY_NAME, &silent).await;
    assert!(client.receive_frame().await.is_none());
    let ended = client.ended().await.unwrap_err();
    assert!(
        matches!(ended, ConnectionError::Call(CallError::Failed(_))),
        "{ended}"
    );
}

#[tokio::test(start_paused = true)]
async fn acks_1_and_all_are_answered_and_others_refused() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    for (acks, code) in [(1, 0), (-1, 0), (2, 21), (-2, 21)] {
        let mut request = produce("t", 0, batch_of(&["a"]));
        request.acks = acks;
        let response = client.call(PRODUCE_BY_NAME, &request).await;
        assert_eq!(produced(&response).error_code, code, "acks={acks}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_is_named_twice_is_appended_to_twice_in_order() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let batches = [(0, batch_of(&["a"])), (0, batch_of(&["b"]))];
    let response = client
        .call(PRODUCE_BY_NAME, &produce_to("t", Uuid::ZERO, &batches))
        .await;
    let offsets: Vec<_> = response.responses[0]
        .partition_responses
        .iter()
        .map(|p| p.base_offset)
        .collect();
    assert_eq!(offsets, [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn an_idempotent_producer_is_kept_once_and_in_order() {
    let server = Server::start().await;
    server.topic("t", 1, &[]).await;
    let mut client = server.connect();
    let id = client
        .ask(&InitProducerIdRequest {
            transactional_id: None,
            ..Default::default()
        })
        .await;
    let batch = |epoch, sequence| sequenced_batch(id.producer_id, epoch, sequence, &["a", "b"]);
    for (epoch, sequence, code, offset) in [
        (0, 0, ErrorCode::NONE, 0),
        (0, 2, ErrorCode::NONE, 2),
        (0, 0, ErrorCode::NONE, 0),
        (0, 6, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, -1),
        (1, 0, ErrorCode::NONE, 4),
        (0, 4, ErrorCode::INVALID_PRODUCER_EPOCH, -1),
    ] {
        let produced = send(&mut client, 0, batch(epoch, sequence)).await;
        assert_eq!(
            (produced.error_code, produced.base_offset),
            (code.0, offset),
            "{epoch}/{sequence}"
        );
    }
    // The retry of a batch that is still on its way waits for it, and both are told the same.
    for _ in 0..2 {
        client.send(PRODUCE_BY_NAME, &produce("t", 0, batch(1, 2))).await;
    }
    for _ in 0..2 {
        let (_, response) = client.receive::<ProduceResponse>(PRODUCE_BY_NAME).await;
        assert_eq!(
            (produced(&response).error_code, produced(&response).base_offset),
            (0, 6)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn producer_ids_are_given_once_and_a_transactional_id_has_a_name_and_a_coordinator() {
    let server = Server::start().await;
    let mut client = server.connect();
    let plain = InitProducerIdRequest {
        transactional_id: None,
        ..Default::default()
    };
    let first = client.ask(&plain).await;
    let second = client.ask(&plain).await;
    assert_ne!(first.producer_id, second.producer_id);
    let half = InitProducerIdRequest {
        producer_id: 5,
        ..plain.clone()
    };
    assert_eq!(client.ask(&half).await.error_code, ErrorCode::INVALID_REQUEST.0);
    for (id, code) in [
        ("", ErrorCode::INVALID_REQUEST),
        ("nobody was asked for its coordinator", ErrorCode::NOT_COORDINATOR),
    ] {
        let transactional = InitProducerIdRequest {
            transactional_id: Some(Str::from(id)),
            ..plain.clone()
        };
        let refused = client.ask(&transactional).await;
        assert_eq!(
            (refused.error_code, refused.producer_id, refused.producer_epoch),
            (code.0, -1, -1)
        );
    }
}
