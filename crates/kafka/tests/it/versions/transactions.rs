//! Transactions, at every version.

use super::{Covered, name};
use crate::harness::Client;
use millstream_kafka_wire::add_partitions_to_txn::{AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction};
use millstream_kafka_wire::txn_offset_commit::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use millstream_kafka_wire::write_txn_markers::{WritableTxnMarker, WritableTxnMarkerTopic};
use millstream_kafka_wire::*;

/// Enough rounds for the API with the most versions; the others stay at their newest.
const ROUNDS: i16 = 6;

pub(super) async fn all(covered: &mut Covered, client: &mut Client) {
    let coordinator = FindCoordinatorRequest {
        key_type: 1,
        coordinator_keys: vec![name("v")],
        ..Default::default()
    };
    assert_eq!(client.call(4, &coordinator).await.coordinators[0].error_code, 0);
    for round in 0..ROUNDS {
        one_transaction(covered, client, round).await;
    }
    shown(covered, client).await;
}

fn version_of<M: Request>(covered: &mut Covered, round: i16) -> i16 {
    covered.0.insert(M::KEY.code());
    let versions = M::KEY.stable_versions();
    assert!(versions.end() - versions.start() < ROUNDS);
    (versions.start() + round).min(*versions.end())
}

async fn one_transaction(covered: &mut Covered, client: &mut Client, round: i16) {
    let id = Str::from(format!("v{round}"));
    let given = client
        .ask(&InitProducerIdRequest {
            transactional_id: Some(id.clone()),
            transaction_timeout_ms: 60_000,
            ..Default::default()
        })
        .await;
    assert_eq!((given.error_code, given.producer_epoch), (0, 0));
    let version = version_of::<AddPartitionsToTxnRequest>(covered, round);
    assert_eq!(
        add_partitions(client, version, &id, given.producer_id).await,
        0,
        "v{version}"
    );
    let version = version_of::<AddOffsetsToTxnRequest>(covered, round);
    let add = AddOffsetsToTxnRequest {
        transactional_id: id.clone(),
        producer_id: given.producer_id,
        producer_epoch: 0,
        group_id: name("vg"),
    };
    assert_eq!(client.call(version, &add).await.error_code, 0, "v{version}");
    let version = version_of::<TxnOffsetCommitRequest>(covered, round);
    let commit = TxnOffsetCommitRequest {
        transactional_id: id.clone(),
        group_id: name("vg"),
        producer_id: given.producer_id,
        producer_epoch: 0,
        topics: vec![TxnOffsetCommitRequestTopic {
            name: name("t"),
            partitions: vec![TxnOffsetCommitRequestPartition {
                committed_offset: 1,
                ..Default::default()
            }],
        }],
        ..Default::default()
    };
    let taken = client.call(version, &commit).await;
    assert_eq!(taken.topics[0].partitions[0].error_code, 0, "v{version}");
    let version = version_of::<EndTxnRequest>(covered, round);
    let end = EndTxnRequest {
        transactional_id: id,
        producer_id: given.producer_id,
        producer_epoch: 0,
        committed: true,
    };
    let ended = client.call(version, &end).await;
    assert_eq!(ended.error_code, 0, "v{version}");
    assert_eq!(ended.producer_epoch, if version >= 5 { 1 } else { -1 });
}

async fn add_partitions(client: &mut Client, version: i16, id: &Str, producer_id: i64) -> i16 {
    let topics = vec![AddPartitionsToTxnTopic {
        name: name("t"),
        partitions: vec![0, 1],
    }];
    let request = if version < 4 {
        AddPartitionsToTxnRequest {
            v3_and_below_transactional_id: id.clone(),
            v3_and_below_producer_id: producer_id,
            v3_and_below_topics: topics,
            ..Default::default()
        }
    } else {
        AddPartitionsToTxnRequest {
            transactions: vec![AddPartitionsToTxnTransaction {
                transactional_id: id.clone(),
                producer_id,
                topics,
                ..Default::default()
            }],
            ..Default::default()
        }
    };
    let answer = client.call(version, &request).await;
    let of_transaction = answer.results_by_transaction.first();
    let topics = of_transaction.map_or(&answer.results_by_topic_v3_and_below, |one| &one.topic_results);
    let codes = topics[0].results_by_partition.iter();
    let codes: Vec<i16> = codes.map(|result| result.partition_error_code).collect();
    assert_eq!(codes.len(), 2);
    codes[0] | codes[1]
}

async fn shown(covered: &mut Covered, client: &mut Client) {
    covered
        .each(
            client,
            |_| DescribeTransactionsRequest {
                transactional_ids: vec![name("v0")],
            },
            |_, response| assert_eq!(response.transaction_states[0].error_code, 0),
        )
        .await;
    covered
        .each(
            client,
            |_| ListTransactionsRequest::default(),
            |version, response| {
                assert_eq!(
                    response.transaction_states.len(),
                    usize::from(ROUNDS.unsigned_abs()),
                    "v{version}"
                );
            },
        )
        .await;
    covered
        .each(
            client,
            |_| DescribeProducersRequest {
                topics: vec![describe_producers::TopicRequest {
                    name: name("t"),
                    partition_indexes: vec![0],
                }],
            },
            |_, response| assert_eq!(response.topics[0].partitions[0].error_code, 0),
        )
        .await;
    covered
        .each(
            client,
            |_| WriteTxnMarkersRequest {
                markers: vec![WritableTxnMarker {
                    producer_id: 1_000_000,
                    topics: vec![WritableTxnMarkerTopic {
                        name: name("t"),
                        partition_indexes: vec![0],
                    }],
                    ..Default::default()
                }],
            },
            |version, response| {
                assert_eq!(
                    response.markers[0].topics[0].partitions[0].error_code, 0,
                    "v{version}"
                );
            },
        )
        .await;
}
