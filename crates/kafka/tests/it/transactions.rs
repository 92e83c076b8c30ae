//! Transactions through the front end, at the versions of older clients (AddPartitionsToTxn, EndTxn below 5) and of newer ones.

use crate::committed::committed;
use crate::harness::{Client, Server};
use crate::requests::*;
use bytes::Bytes;
use millstream_broker::testing::{BatchBuilder, Codec, batch_with};
use millstream_kafka_wire::add_partitions_to_txn::AddPartitionsToTxnTopic;
use millstream_kafka_wire::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};
use millstream_kafka_wire::offset_fetch::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use millstream_kafka_wire::txn_offset_commit::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use millstream_kafka_wire::write_txn_markers::{WritableTxnMarker, WritableTxnMarkerTopic};
use millstream_kafka_wire::*;

const ID: &str = "copier";
/// EndTxn and TxnOffsetCommit with an epoch for each transaction.
pub const NEWER: i16 = 5;
/// EndTxn before that.
const OLDER: i16 = 4;
/// Produce of clients that add partitions by themselves.
const PRODUCE_OLDER: i16 = 11;

/// Who a producer is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Who {
    id: i64,
    epoch: i16,
}

pub async fn init(client: &mut Client, expected: Option<Who>) -> Result<Who, ErrorCode> {
    let request = InitProducerIdRequest {
        transactional_id: Some(Str::from(ID)),
        transaction_timeout_ms: 60_000,
        producer_id: expected.map_or(-1, |who| who.id),
        producer_epoch: expected.map_or(-1, |who| who.epoch),
        ..Default::default()
    };
    loop {
        let answer = client.call(5, &request).await;
        match ErrorCode(answer.error_code) {
            ErrorCode::NONE => {
                return Ok(Who {
                    id: answer.producer_id,
                    epoch: answer.producer_epoch,
                });
            }
            ErrorCode::CONCURRENT_TRANSACTIONS => {}
            code => return Err(code),
        }
    }
}

fn batch(who: Who, sequence: i32, values: &[&str]) -> Bytes {
    let records: Vec<_> = values.iter().map(|value| (None, *value)).collect();
    let builder = BatchBuilder::new(Codec::None)
        .producer(who.id, who.epoch, sequence)
        .transactional();
    batch_with(builder, &records)
}

async fn produce_at(
    client: &mut Client,
    version: i16,
    who: Who,
    sequence: i32,
    partitions: &[i32],
    values: &[&str],
) -> Vec<ErrorCode> {
    let batches: Vec<_> = partitions
        .iter()
        .map(|partition| (*partition, batch(who, sequence, values)))
        .collect();
    let request = ProduceRequest {
        transactional_id: Some(Str::from(ID)),
        ..produce_to("t", Uuid::ZERO, &batches)
    };
    let answer = client.call(version, &request).await;
    let answers = answer.responses[0].partition_responses.iter();
    answers.map(|answer| ErrorCode(answer.error_code)).collect()
}

pub async fn send(client: &mut Client, who: Who, sequence: i32, partitions: &[i32], values: &[&str]) {
    let codes = produce_at(client, PRODUCE_BY_NAME, who, sequence, partitions, values).await;
    assert!(codes.iter().all(|code| *code == ErrorCode::NONE), "{codes:?}");
}

pub async fn end(client: &mut Client, version: i16, who: Who, commit: bool) -> Result<Who, ErrorCode> {
    let request = EndTxnRequest {
        transactional_id: Str::from(ID),
        producer_id: who.id,
        producer_epoch: who.epoch,
        committed: commit,
    };
    let answer = client.call(version, &request).await;
    match ErrorCode(answer.error_code) {
        ErrorCode::NONE => Ok(Who {
            id: answer.producer_id,
            epoch: answer.producer_epoch,
        }),
        code => Err(code),
    }
}

async fn add_partitions(client: &mut Client, who: Who, partitions: &[i32]) -> ErrorCode {
    let request = AddPartitionsToTxnRequest {
        v3_and_below_transactional_id: Str::from(ID),
        v3_and_below_producer_id: who.id,
        v3_and_below_producer_epoch: who.epoch,
        v3_and_below_topics: vec![AddPartitionsToTxnTopic {
            name: Str::from("t"),
            partitions: partitions.to_vec(),
        }],
        ..Default::default()
    };
    let answer = client.call(3, &request).await;
    let results = &answer.results_by_topic_v3_and_below[0].results_by_partition;
    ErrorCode(results[0].partition_error_code)
}

async fn end_offset(client: &mut Client, isolation: i8) -> i64 {
    let request = ListOffsetsRequest {
        replica_id: -1,
        isolation_level: isolation,
        topics: vec![ListOffsetsTopic {
            name: Str::from("t"),
            partitions: vec![ListOffsetsPartition {
                partition_index: 0,
                current_leader_epoch: -1,
                timestamp: -1,
            }],
        }],
        ..Default::default()
    };
    let answer = client.call(7, &request).await;
    answer.topics[0].partitions[0].offset
}

pub async fn server() -> Server {
    let server = Server::start().await;
    server.topic("t", 2, &[]).await;
    let mut client = server.connect();
    for (key_type, key) in [(0, "g"), (1, ID)] {
        let request = FindCoordinatorRequest {
            key_type,
            coordinator_keys: vec![Str::from(key)],
            ..Default::default()
        };
        let found = client.call(4, &request).await;
        assert_eq!(found.coordinators[0].error_code, 0);
    }
    server
}

#[tokio::test(start_paused = true)]
async fn a_committed_transaction_is_seen_whole_and_an_aborted_one_not_at_all() {
    let server = server().await;
    let mut client = server.connect();
    let first = init(&mut client, None).await.unwrap();
    send(&mut client, first, 0, &[0, 1], &["a", "b"]).await;
    send(&mut client, first, 2, &[0], &["c"]).await;
    assert_eq!(
        (end_offset(&mut client, 0).await, end_offset(&mut client, 1).await),
        (3, 0)
    );
    let second = end(&mut client, NEWER, first, true).await.unwrap();
    assert_eq!(second.epoch, first.epoch + 1);
    assert_eq!(committed(&mut client, 0, 4).await, ["a", "b", "c"]);
    assert_eq!(committed(&mut client, 1, 3).await, ["a", "b"]);

    send(&mut client, second, 0, &[0, 1], &["x"]).await;
    let third = end(&mut client, NEWER, second, false).await.unwrap();
    send(&mut client, third, 0, &[0], &["d"]).await;
    end(&mut client, NEWER, third, true).await.unwrap();
    assert_eq!(committed(&mut client, 0, 8).await, ["a", "b", "c", "d"]);
    assert_eq!(committed(&mut client, 1, 5).await, ["a", "b"]);
    assert_eq!(
        (end_offset(&mut client, 0).await, end_offset(&mut client, 1).await),
        (8, 8)
    );
}

#[tokio::test(start_paused = true)]
async fn older_clients_add_their_partitions_before_they_write() {
    let server = server().await;
    let mut client = server.connect();
    let who = init(&mut client, None).await.unwrap();
    let early = produce_at(&mut client, PRODUCE_OLDER, who, 0, &[0], &["a"]).await;
    assert_eq!(early, [ErrorCode::TRANSACTION_ABORTABLE]);
    let early = produce_at(&mut client, 9, who, 0, &[0], &["a"]).await;
    assert_eq!(early, [ErrorCode::INVALID_TXN_STATE]);
    assert_eq!(add_partitions(&mut client, who, &[0]).await, ErrorCode::NONE);
    let mixed = produce_at(&mut client, 9, who, 0, &[0, 1], &["a"]).await;
    assert_eq!(mixed, [ErrorCode::NONE, ErrorCode::INVALID_TXN_STATE]);
    assert_eq!(
        end(&mut client, OLDER, who, true).await.map(|who| who.id),
        Ok(-1),
        "no epoch is told"
    );
    assert_eq!(committed(&mut client, 0, 2).await, ["a"]);
    // The epoch stays, and so do the sequences.
    assert_eq!(add_partitions(&mut client, who, &[0]).await, ErrorCode::NONE);
    assert_eq!(
        produce_at(&mut client, 9, who, 1, &[0], &["b"]).await,
        [ErrorCode::NONE]
    );
    end(&mut client, OLDER, who, true).await.unwrap();
    assert_eq!(committed(&mut client, 0, 4).await, ["a", "b"]);
    let late = produce_at(&mut client, 9, who, 2, &[0], &["c"]).await;
    assert_eq!(late, [ErrorCode::INVALID_TXN_STATE], "it is over");
    assert_eq!(
        add_partitions(&mut client, who, &[7]).await,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    );
}

#[tokio::test(start_paused = true)]
async fn a_zombie_is_fenced_wherever_it_knocks() {
    let server = server().await;
    let mut client = server.connect();
    let zombie = init(&mut client, None).await.unwrap();
    send(&mut client, zombie, 0, &[0], &["lost"]).await;
    let newer = init(&mut client, None).await.unwrap();
    let fenced = ErrorCode::INVALID_PRODUCER_EPOCH;
    assert_eq!(
        produce_at(&mut client, PRODUCE_BY_NAME, zombie, 1, &[0], &["x"]).await,
        [fenced]
    );
    assert_eq!(
        produce_at(&mut client, PRODUCE_BY_NAME, zombie, 0, &[1], &["x"]).await,
        [fenced]
    );
    assert_eq!(
        produce_at(&mut client, 9, zombie, 1, &[0], &["x"]).await,
        [fenced]
    );
    assert_eq!(
        add_partitions(&mut client, zombie, &[0]).await,
        ErrorCode::PRODUCER_FENCED
    );
    assert_eq!(
        end(&mut client, NEWER, zombie, true).await,
        Err(ErrorCode::PRODUCER_FENCED)
    );
    assert_eq!(
        end(&mut client, 1, zombie, true).await,
        Err(fenced),
        "as older clients know it"
    );
    assert_eq!(
        init(&mut client, Some(zombie)).await,
        Err(ErrorCode::PRODUCER_FENCED)
    );
    send(&mut client, newer, 0, &[0], &["kept"]).await;
    end(&mut client, NEWER, newer, true).await.unwrap();
    assert_eq!(committed(&mut client, 0, 4).await, ["kept"]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_outside_of_a_transaction_is_refused_without_one() {
    let server = server().await;
    let mut client = server.connect();
    let who = init(&mut client, None).await.unwrap();
    let answer = client
        .call(PRODUCE_BY_NAME, &produce("t", 0, batch(who, 0, &["a"])))
        .await;
    assert_eq!(produced(&answer).error_code, ErrorCode::INVALID_TXN_STATE.0);
}

fn offsets(who: Who, offset: i64) -> TxnOffsetCommitRequest {
    TxnOffsetCommitRequest {
        transactional_id: Str::from(ID),
        group_id: Str::from("g"),
        producer_id: who.id,
        producer_epoch: who.epoch,
        topics: vec![TxnOffsetCommitRequestTopic {
            name: Str::from("t"),
            partitions: vec![TxnOffsetCommitRequestPartition {
                partition_index: 0,
                committed_offset: offset,
                ..Default::default()
            }],
        }],
        ..Default::default()
    }
}

async fn offset(client: &mut Client, stable: bool) -> (i64, ErrorCode) {
    let request = OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: Str::from("g"),
            topics: Some(vec![OffsetFetchRequestTopics {
                name: Str::from("t"),
                partition_indexes: vec![0],
                ..Default::default()
            }]),
            ..Default::default()
        }],
        require_stable: stable,
        ..Default::default()
    };
    let answer = client.call(8, &request).await;
    let partition = &answer.groups[0].topics[0].partitions[0];
    (partition.committed_offset, ErrorCode(partition.error_code))
}

/// The group's stable offset, asked for as often as it takes.
async fn stable_offset(client: &mut Client) -> i64 {
    loop {
        match offset(client, true).await {
            (offset, ErrorCode::NONE) => return offset,
            (_, ErrorCode::UNSTABLE_OFFSET_COMMIT) => tokio::task::yield_now().await,
            (_, code) => panic!("{code:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn offsets_become_committed_with_their_transaction_or_not_at_all() {
    let server = server().await;
    let mut client = server.connect();
    let mut who = init(&mut client, None).await.unwrap();
    for (read, commit, expected) in [(5, true, 5), (9, false, 5), (7, true, 7)] {
        let before = stable_offset(&mut client).await;
        let answer = client.call(NEWER, &offsets(who, read)).await;
        assert_eq!(answer.topics[0].partitions[0].error_code, 0);
        assert_eq!(offset(&mut client, false).await, (before, ErrorCode::NONE));
        assert_eq!(
            offset(&mut client, true).await.1,
            ErrorCode::UNSTABLE_OFFSET_COMMIT
        );
        who = end(&mut client, NEWER, who, commit).await.unwrap();
        assert_eq!(stable_offset(&mut client).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn older_clients_add_their_group_before_they_commit_its_offsets() {
    let server = server().await;
    let mut client = server.connect();
    let who = init(&mut client, None).await.unwrap();
    let early = client.call(3, &offsets(who, 5)).await;
    assert_eq!(
        early.topics[0].partitions[0].error_code,
        ErrorCode::INVALID_TXN_STATE.0
    );
    let add = AddOffsetsToTxnRequest {
        transactional_id: Str::from(ID),
        producer_id: who.id,
        producer_epoch: who.epoch,
        group_id: Str::from("g"),
    };
    assert_eq!(client.call(3, &add).await.error_code, 0);
    let taken = client.call(3, &offsets(who, 5)).await;
    assert_eq!(taken.topics[0].partitions[0].error_code, 0);
    end(&mut client, OLDER, who, true).await.unwrap();
    assert_eq!(stable_offset(&mut client).await, 5);
    let stale = Who { epoch: -1, ..who };
    let refused = client.call(NEWER, &offsets(stale, 6)).await;
    assert_eq!(
        refused.topics[0].partitions[0].error_code,
        ErrorCode::INVALID_PRODUCER_EPOCH.0
    );
}

#[tokio::test(start_paused = true)]
async fn tools_see_transactions_and_may_end_one_that_no_coordinator_knows() {
    let server = server().await;
    let mut client = server.connect();
    let who = init(&mut client, None).await.unwrap();
    send(&mut client, who, 0, &[0], &["a"]).await;
    let described = client
        .ask(&DescribeTransactionsRequest {
            transactional_ids: vec![Str::from(ID), Str::from("nobody")],
        })
        .await;
    let [known, unknown] = &described.transaction_states[..] else {
        panic!("two ids: {described:?}")
    };
    assert_eq!(known.transaction_state.as_str(), "Ongoing");
    assert_eq!(
        (known.producer_id, known.topics[0].partitions.as_slice()),
        (who.id, &[0][..])
    );
    assert_eq!(unknown.error_code, ErrorCode::TRANSACTIONAL_ID_NOT_FOUND.0);
    let listed = client
        .ask(&ListTransactionsRequest {
            state_filters: vec![Str::from("Ongoing"), Str::from("Nonsense")],
            transactional_id_pattern: Some(Str::from("cop.*")),
            ..Default::default()
        })
        .await;
    assert_eq!(listed.transaction_states.len(), 1);
    assert_eq!(listed.unknown_state_filters, [Str::from("Nonsense")]);
    let bad = client
        .ask(&ListTransactionsRequest {
            transactional_id_pattern: Some(Str::from("(")),
            ..Default::default()
        })
        .await;
    assert_eq!(bad.error_code, ErrorCode::INVALID_REGULAR_EXPRESSION.0);
    let producers = client
        .ask(&DescribeProducersRequest {
            topics: vec![describe_producers::TopicRequest {
                name: Str::from("t"),
                partition_indexes: vec![0, 9],
            }],
        })
        .await;
    let partitions = &producers.topics[0].partitions;
    assert_eq!(partitions[0].active_producers[0].current_txn_start_offset, 0);
    assert_eq!(partitions[1].error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0);
    let marker = WritableTxnMarker {
        producer_id: who.id,
        producer_epoch: who.epoch,
        transaction_result: false,
        topics: vec![WritableTxnMarkerTopic {
            name: Str::from("t"),
            partition_indexes: vec![0],
        }],
        ..Default::default()
    };
    let ended = client
        .ask(&WriteTxnMarkersRequest {
            markers: vec![marker],
        })
        .await;
    assert_eq!(ended.markers[0].topics[0].partitions[0].error_code, 0);
    assert!(committed(&mut client, 0, 2).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_version_of_transactions_is_told_as_a_feature() {
    let server = server().await;
    let mut client = server.connect();
    let named = ApiVersionsRequest {
        client_software_name: Str::from("test"),
        client_software_version: Str::from("1"),
    };
    for (version, is_told) in [(3, false), (4, true)] {
        let answer = client.call(version, &named).await;
        // Clients of version 3 cannot read a lowest level of 0, so they are not told what may be chosen, only what holds.
        let supported = answer
            .supported_features
            .iter()
            .find(|row| row.name.as_str() == "transaction.version");
        assert_eq!(
            supported.map(|row| (row.min_version, row.max_version)),
            is_told.then_some((0, 2))
        );
        let finalized = answer
            .finalized_features
            .iter()
            .find(|row| row.name.as_str() == "transaction.version");
        assert_eq!(finalized.map(|row| row.max_version_level), Some(2));
        assert!(answer.finalized_features_epoch >= 0);
        let told = answer
            .supported_features
            .iter()
            .any(|feature| feature.name == "transaction.version");
        assert_eq!(told, version >= 4, "levels from 0 on cannot be told before");
    }
}

/// The first batch of a transaction that came before the marker of the one before it was refused: the guard that was taken before the
/// coordinator was asked had become worthless by the answer, and nobody asked again.
#[tokio::test(start_paused = true)]
async fn the_first_batch_of_a_transaction_is_taken_whenever_the_marker_of_the_one_before_comes() {
    const STEPS: usize = 60;
    let server = server().await;
    let (mut client, mut other) = (server.connect(), server.connect());
    let mut who = init(&mut client, None).await.unwrap();
    let mut taken = 0;
    for wait in 0..STEPS {
        send(&mut client, who, 0, &[0, 1], &["a"]).await;
        let next = Who {
            epoch: who.epoch + 1,
            ..who
        };
        // Beside the end, at every distance from it.
        let early = async {
            for _ in 0..wait {
                tokio::task::yield_now().await;
            }
            produce_at(&mut other, PRODUCE_BY_NAME, next, 0, &[0, 1], &["b"]).await
        };
        let (ended, codes) = tokio::join!(end(&mut client, NEWER, who, true), early);
        assert_eq!(ended, Ok(next));
        if codes[0] == ErrorCode::NONE {
            taken += 1;
        } else {
            // The coordinator has not heard of the end yet.
            assert_eq!(codes[0], ErrorCode::INVALID_PRODUCER_EPOCH, "at {wait}");
            send(&mut other, next, 0, &[0, 1], &["b"]).await;
        }
        assert_eq!(codes[0], codes[1], "at {wait}");
        who = end(&mut other, NEWER, next, true).await.unwrap();
    }
    assert!(taken > 0, "none came behind the end");
    let all = committed(&mut client, 0, 4 * STEPS as i64).await;
    assert_eq!(all.len(), 2 * STEPS);
}
