//! WriteTxnMarkers (27): ends a transaction on the partitions named, on behalf of its coordinator.
//!
//! Versions 1-2. v1 flexible; v2 the version of the transaction (KIP-1228). This broker's own coordinator does not send it; tools do, to
//! abort a transaction that no coordinator knows (KIP-664).

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode, code_of};
use crate::group::EndOffsetsRequest;
use crate::node::Kafka;
use millstream_broker::{OFFSETS_TOPIC, TransactionEnd, TransactionOutcome};
use millstream_kafka_wire::write_txn_markers::{
    WritableTxnMarker, WritableTxnMarkerPartitionResult, WritableTxnMarkerResult,
    WritableTxnMarkerTopicResult, WriteTxnMarkersRequest, WriteTxnMarkersResponse,
};
use std::sync::Arc;

pub(crate) struct WriteTxnMarkers;

impl Api for WriteTxnMarkers {
    type Request = WriteTxnMarkersRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: WriteTxnMarkersRequest,
    ) -> Begun<WriteTxnMarkersResponse> {
        let allowed = kafka
            .need(&call, Operation::Alter, Resource::Cluster)
            .or_else(|_| kafka.need(&call, Operation::ClusterAction, Resource::Cluster));
        let mut response = WriteTxnMarkersResponse::default();
        for marker in &request.markers {
            response.markers.push(write(&kafka, marker, allowed).await);
        }
        Begun::Done(response)
    }
}

async fn write(
    kafka: &Kafka,
    marker: &WritableTxnMarker,
    allowed: Result<(), ErrorCode>,
) -> WritableTxnMarkerResult {
    let mut result = WritableTxnMarkerResult {
        producer_id: marker.producer_id,
        topics: Vec::with_capacity(marker.topics.len()),
    };
    for topic in &marker.topics {
        let mut partitions = Vec::with_capacity(topic.partition_indexes.len());
        for &index in &topic.partition_indexes {
            let code = match allowed {
                Ok(()) => write_one(kafka, marker, &topic.name, index).await,
                Err(code) => code,
            };
            partitions.push(WritableTxnMarkerPartitionResult {
                partition_index: index,
                error_code: code.0,
            });
        }
        result.topics.push(WritableTxnMarkerTopicResult {
            name: topic.name.clone(),
            partitions,
        });
    }
    result
}

async fn write_one(kafka: &Kafka, marker: &WritableTxnMarker, topic: &str, index: i32) -> ErrorCode {
    let Ok(partition) = u32::try_from(index) else {
        return ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    };
    if topic == OFFSETS_TOPIC {
        let end = EndOffsetsRequest {
            producer_id: marker.producer_id,
            producer_epoch: marker.producer_epoch,
            commit: marker.transaction_result,
        };
        return ErrorCode(code_of(&kafka.groups.end_offsets(partition, end).await));
    }
    let Some(topic) = kafka.broker.topic(topic) else {
        return ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
    };
    let end = TransactionEnd {
        producer_id: marker.producer_id,
        producer_epoch: marker.producer_epoch,
        outcome: if marker.transaction_result {
            TransactionOutcome::Commit
        } else {
            TransactionOutcome::Abort
        },
        coordinator_epoch: marker.coordinator_epoch,
    };
    match kafka.broker.end_transaction(&topic, partition, end).await {
        Ok(()) => ErrorCode::NONE,
        Err(error) => error.code(),
    }
}
