//! ListOffsets (2): finds an offset by time or by a special position.
//!
//! Versions 1-11. v2 isolation; v4 leader epochs; v6 flexible; v7 max timestamp (KIP-734); v8 earliest local (KIP-405);
//! v9 latest tiered (KIP-1005); v10 time limit (KIP-1075); v11 earliest pending upload (KIP-1023). A partition that is named
//! twice is refused.

use crate::access::Operation;
use crate::api::fetch::epoch;
use crate::api::repeated::repeated;
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::{Isolation, OffsetAnswer, OffsetQuery, Topic};
use millstream_kafka_wire::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopicResponse,
};
use std::sync::Arc;

pub(crate) struct ListOffsets;

impl Api for ListOffsets {
    type Request = ListOffsetsRequest;

    async fn begin(kafka: Arc<Kafka>, call: Call, request: ListOffsetsRequest) -> Begun<ListOffsetsResponse> {
        let isolation = if request.isolation_level == 1 {
            Isolation::ReadCommitted
        } else {
            Isolation::ReadUncommitted
        };
        let twice = repeated(request.topics.iter().flat_map(|topic| {
            let indexes = topic.partitions.iter().map(|asked| asked.partition_index);
            indexes.map(|index| (topic.name.clone(), index))
        }));
        let mut response = ListOffsetsResponse::default();
        for topic in request.topics {
            let found = kafka.topic_for(&call, Operation::Describe, topic.name.as_str());
            let mut partitions = Vec::with_capacity(topic.partitions.len());
            for asked in topic.partitions {
                let answer = match &found {
                    _ if twice.contains(&(topic.name.clone(), asked.partition_index)) => {
                        Err(ErrorCode::INVALID_REQUEST)
                    }
                    Ok(found) => find(&kafka, &call, found, &asked, isolation).await,
                    Err(code) => Err(*code),
                };
                partitions.push(encode(asked.partition_index, call.version, answer));
            }
            response.topics.push(ListOffsetsTopicResponse {
                name: topic.name,
                partitions,
            });
        }
        Begun::Done(response)
    }
}

async fn find(
    kafka: &Kafka,
    call: &Call,
    topic: &Topic,
    asked: &ListOffsetsPartition,
    isolation: Isolation,
) -> Result<OffsetAnswer, ErrorCode> {
    let partition =
        u32::try_from(asked.partition_index).map_err(|_| ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    let query = query(asked.timestamp, call.version).ok_or(ErrorCode::UNSUPPORTED_VERSION)?;
    let believed = epoch(asked.current_leader_epoch);
    let answer = kafka
        .broker
        .list_offset(topic, partition, believed, query, isolation)
        .await;
    answer.map_err(|error| error.code())
}

/// The special timestamps, each from the version that brought it.
fn query(timestamp: i64, version: i16) -> Option<OffsetQuery> {
    match timestamp {
        0.. => Some(OffsetQuery::AtOrAfter(timestamp)),
        -1 => Some(OffsetQuery::Latest),
        -2 => Some(OffsetQuery::Earliest),
        -3 if version >= 7 => Some(OffsetQuery::MaxTimestamp),
        -4 if version >= 8 => Some(OffsetQuery::EarliestLocal),
        -5 if version >= 9 => Some(OffsetQuery::LatestTiered),
        -6 if version >= 11 => Some(OffsetQuery::EarliestPendingUpload),
        _ => None,
    }
}

fn encode(index: i32, version: i16, answer: Result<OffsetAnswer, ErrorCode>) -> ListOffsetsPartitionResponse {
    let mut response = ListOffsetsPartitionResponse {
        partition_index: index,
        ..Default::default()
    };
    match answer {
        Ok(OffsetAnswer {
            offset: Some(offset),
            timestamp,
            epoch,
        }) => {
            response.offset = offset.0 as i64;
            response.timestamp = timestamp.unwrap_or(-1);
            if version >= 4 {
                response.leader_epoch = i32::try_from(epoch.0).unwrap_or(i32::MAX);
            }
        }
        Ok(_) => {}
        Err(code) => response.error_code = code.0,
    }
    response
}
