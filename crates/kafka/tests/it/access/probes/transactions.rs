//! Requests of transactions, from somebody without any right.

use super::{CLUSTER, NONE, Probe, TOPIC, TRANSACTION, name};
use millstream_kafka_wire::*;

impl Probe {
    pub(super) async fn transactions(&mut self) {
        let add = AddPartitionsToTxnRequest {
            transactions: vec![add_partitions_to_txn::AddPartitionsToTxnTransaction {
                transactional_id: name("tx"),
                ..Default::default()
            }],
            ..Default::default()
        };
        self.refused(CLUSTER, add, |answer| answer.error_code).await;
        let offsets = AddOffsetsToTxnRequest {
            transactional_id: name("tx"),
            group_id: name("g"),
            ..Default::default()
        };
        self.refused(TRANSACTION, offsets, |answer| answer.error_code)
            .await;
        let end = EndTxnRequest {
            transactional_id: name("tx"),
            ..Default::default()
        };
        self.refused(TRANSACTION, end, |answer| answer.error_code).await;
        let commit = TxnOffsetCommitRequest {
            transactional_id: name("tx"),
            group_id: name("g"),
            topics: vec![txn_offset_commit::TxnOffsetCommitRequestTopic {
                name: name("t"),
                partitions: vec![txn_offset_commit::TxnOffsetCommitRequestPartition::default()],
            }],
            ..Default::default()
        };
        self.refused(TRANSACTION, commit, |answer| {
            answer.topics[0].partitions[0].error_code
        })
        .await;
        let markers = WriteTxnMarkersRequest {
            markers: vec![write_txn_markers::WritableTxnMarker {
                topics: vec![write_txn_markers::WritableTxnMarkerTopic {
                    name: name("t"),
                    partition_indexes: vec![0],
                }],
                ..Default::default()
            }],
        };
        self.refused(CLUSTER, markers, |answer| {
            answer.markers[0].topics[0].partitions[0].error_code
        })
        .await;
        self.of_tools().await;
    }

    async fn of_tools(&mut self) {
        let describe = DescribeTransactionsRequest {
            transactional_ids: vec![name("tx")],
        };
        self.refused(TRANSACTION, describe, |answer| {
            answer.transaction_states[0].error_code
        })
        .await;
        let producers = DescribeProducersRequest {
            topics: vec![describe_producers::TopicRequest {
                name: name("t"),
                partition_indexes: vec![0],
            }],
        };
        self.refused(TOPIC, producers, |answer| {
            answer.topics[0].partitions[0].error_code
        })
        .await;
        // Nobody is told of what they may not describe.
        let mut admin = crate::access::admin(&self.server);
        let find = FindCoordinatorRequest {
            key_type: 1,
            coordinator_keys: vec![name("tx")],
            ..Default::default()
        };
        assert_eq!(admin.ask(&find).await.coordinators[0].error_code, NONE);
        let init = InitProducerIdRequest {
            transactional_id: Some(name("tx")),
            transaction_timeout_ms: 60_000,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        };
        assert_eq!(admin.ask(&init).await.error_code, NONE);
        self.refused(NONE, ListTransactionsRequest::default(), |answer| {
            assert!(answer.transaction_states.is_empty());
            answer.error_code
        })
        .await;
    }
}
