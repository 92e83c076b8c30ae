//! OffsetForLeaderEpoch (23): where an epoch ended, for clients that check whether their history still holds (KIP-101, KIP-320).
//!
//! Versions 2-4. v4 flexible.

use crate::access::Operation;
use crate::api::fetch::epoch;
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::{Epoch, Offset, Topic};
use millstream_kafka_wire::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, OffsetForLeaderPartition,
    OffsetForLeaderTopicResult,
};
use std::sync::Arc;

pub(crate) struct OffsetForLeaderEpoch;

impl Api for OffsetForLeaderEpoch {
    type Request = OffsetForLeaderEpochRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: OffsetForLeaderEpochRequest,
    ) -> Begun<OffsetForLeaderEpochResponse> {
        let topics = request.topics.into_iter().map(|topic| {
            let found = kafka.topic_for(&call, Operation::Describe, topic.topic.as_str());
            let partitions = topic.partitions.iter().map(|asked| {
                let answer = match &found {
                    Ok(found) => find(&kafka, found, asked),
                    Err(code) => Err(*code),
                };
                encode(asked.partition, answer)
            });
            OffsetForLeaderTopicResult {
                partitions: partitions.collect(),
                topic: topic.topic,
            }
        });
        Begun::Done(OffsetForLeaderEpochResponse {
            topics: topics.collect(),
            ..Default::default()
        })
    }
}

fn find(
    kafka: &Kafka,
    topic: &Topic,
    asked: &OffsetForLeaderPartition,
) -> Result<Option<(Epoch, Offset)>, ErrorCode> {
    let partition = u32::try_from(asked.partition).map_err(|_| ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    let Some(wanted) = epoch(asked.leader_epoch) else {
        return Ok(None);
    };
    let end = kafka
        .broker
        .epoch_end(topic, partition, epoch(asked.current_leader_epoch), wanted);
    end.map_err(|error| error.code())
}

fn encode(partition: i32, answer: Result<Option<(Epoch, Offset)>, ErrorCode>) -> EpochEndOffset {
    let mut response = EpochEndOffset {
        partition,
        ..Default::default()
    };
    match answer {
        Ok(Some((epoch, end))) => {
            response.leader_epoch = i32::try_from(epoch.0).unwrap_or(i32::MAX);
            response.end_offset = end.0 as i64;
        }
        Ok(None) => {}
        Err(code) => response.error_code = code.0,
    }
    response
}
