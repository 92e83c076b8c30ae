//! DeleteRecords (21): raises the start of partitions; what lies below is gone.
//!
//! Versions 0-2. v2 flexible. Offset -1 means the high watermark.

use crate::access::Operation;
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::{Offset, Topic};
use millstream_kafka_wire::delete_records::{
    DeleteRecordsPartition, DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsResponse,
    DeleteRecordsTopicResult,
};
use std::sync::Arc;

pub(crate) struct DeleteRecords;

impl Api for DeleteRecords {
    type Request = DeleteRecordsRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DeleteRecordsRequest,
    ) -> Begun<DeleteRecordsResponse> {
        let mut response = DeleteRecordsResponse::default();
        for topic in request.topics {
            let found = kafka.topic_for(&call, Operation::Delete, topic.name.as_str());
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for asked in topic.partitions {
                let trimmed = match &found {
                    Ok(found) => trim(&kafka, found, &asked).await,
                    Err(code) => Err(*code),
                };
                partitions.push(DeleteRecordsPartitionResult {
                    partition_index: asked.partition_index,
                    low_watermark: trimmed.as_ref().map_or(-1, |start| start.0 as i64),
                    error_code: trimmed.err().unwrap_or(ErrorCode::NONE).0,
                });
            }
            response.topics.push(DeleteRecordsTopicResult {
                name: topic.name,
                partitions,
            });
        }
        Begun::Done(response)
    }
}

async fn trim(kafka: &Kafka, topic: &Topic, asked: &DeleteRecordsPartition) -> Result<Offset, ErrorCode> {
    let partition =
        u32::try_from(asked.partition_index).map_err(|_| ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    let before = match asked.offset {
        -1 => None,
        offset => Some(Offset(
            u64::try_from(offset).map_err(|_| ErrorCode::OFFSET_OUT_OF_RANGE)?,
        )),
    };
    kafka
        .broker
        .delete_records(topic, partition, before)
        .await
        .map_err(|error| error.code())
}
