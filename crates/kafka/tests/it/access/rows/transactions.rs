//! Transactions, by producers and by tools.

use super::*;
use millstream_kafka_wire::*;

/// The newest version that clients send.
const BY_CLIENTS: i16 = 3;

pub fn rows() -> Vec<Probe> {
    let add = || AddPartitionsToTxnRequest {
        v3_and_below_transactional_id: name("tx"),
        v3_and_below_topics: vec![add_partitions_to_txn::AddPartitionsToTxnTopic {
            name: name("t"),
            partitions: vec![0],
        }],
        ..Default::default()
    };
    let by_broker = AddPartitionsToTxnRequest {
        transactions: vec![add_partitions_to_txn::AddPartitionsToTxnTransaction {
            transactional_id: name("tx"),
            ..Default::default()
        }],
        ..Default::default()
    };
    let offsets = || AddOffsetsToTxnRequest {
        transactional_id: name("tx"),
        group_id: name("g"),
        ..Default::default()
    };
    let end = EndTxnRequest {
        transactional_id: name("tx"),
        ..Default::default()
    };
    let commit = || TxnOffsetCommitRequest {
        transactional_id: name("tx"),
        group_id: name("g"),
        topics: vec![txn_offset_commit::TxnOffsetCommitRequestTopic {
            name: name("t"),
            partitions: vec![txn_offset_commit::TxnOffsetCommitRequestPartition::default()],
        }],
        ..Default::default()
    };
    let added = |answer: &AddPartitionsToTxnResponse| {
        answer.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code
    };
    let committed = |answer: &TxnOffsetCommitResponse| answer.topics[0].partitions[0].error_code;
    vec![
        probe_at(BY_CLIENTS, TRANSACTION, add(), added),
        probe_at(BY_CLIENTS, TOPIC, add(), added).given(&[WRITE_TRANSACTION]),
        probe(CLUSTER, by_broker, |answer| answer.error_code),
        probe(TRANSACTION, offsets(), |answer| answer.error_code),
        probe(GROUP, offsets(), |answer| answer.error_code).given(&[WRITE_TRANSACTION]),
        probe(TRANSACTION, end, |answer| answer.error_code),
        probe(TRANSACTION, commit(), committed),
        probe(GROUP, commit(), committed).given(&[WRITE_TRANSACTION]),
        probe(TOPIC, commit(), committed).given(&[WRITE_TRANSACTION, READ_GROUP]),
    ]
}

pub fn of_tools() -> Vec<Probe> {
    let markers = WriteTxnMarkersRequest {
        markers: vec![write_txn_markers::WritableTxnMarker {
            topics: vec![write_txn_markers::WritableTxnMarkerTopic {
                name: name("t"),
                partition_indexes: vec![0],
            }],
            ..Default::default()
        }],
    };
    let describe = DescribeTransactionsRequest {
        transactional_ids: vec![name("tx")],
    };
    vec![
        probe(CLUSTER, markers, |answer| {
            answer.markers[0].topics[0].partitions[0].error_code
        }),
        probe(TRANSACTION, describe, |answer| {
            answer.transaction_states[0].error_code
        }),
        probe(HIDDEN, ListTransactionsRequest::default(), |answer| {
            unless_hidden(answer.error_code, answer.transaction_states.is_empty())
        }),
    ]
}
