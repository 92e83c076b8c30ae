//! OffsetDelete (47): forgets offsets of topics that the group does not consume (KIP-496).
//!
//! Version 0.

use crate::access::{Operation, Resource};
use crate::api::offset_commit::has_partition;
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode, code_of};
use crate::group::{DeleteOffsetsRequest, GroupError, GroupId, TopicName};
use crate::node::Kafka;
use millstream_kafka_wire::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestTopic, OffsetDeleteResponse, OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic,
};
use std::sync::Arc;

pub(crate) struct OffsetDelete;

impl Api for OffsetDelete {
    type Request = OffsetDeleteRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: OffsetDeleteRequest,
    ) -> Begun<OffsetDeleteResponse> {
        let Some(group) = GroupId::given(&request.group_id) else {
            return Begun::Done(refused(GroupError::InvalidGroupId));
        };
        if let Err(code) = kafka.need(&call, Operation::Delete, Resource::Group(&request.group_id)) {
            return Begun::Done(OffsetDeleteResponse {
                error_code: code.0,
                ..Default::default()
            });
        }
        let known = request.topics.iter().map(|topic| {
            (
                TopicName::from(topic.name.as_str()),
                existing(&kafka, &call, topic),
            )
        });
        let topics: Vec<(TopicName, Vec<i32>)> = known.collect();
        let answer = kafka
            .groups
            .delete_offsets(DeleteOffsetsRequest { group, topics })
            .await;
        let deleted = match answer.await {
            Ok(deleted) => deleted,
            Err(error) => return Begun::Done(refused(error)),
        };
        let mut response = OffsetDeleteResponse::default();
        for (asked, answered) in request.topics.into_iter().zip(deleted) {
            let allowed = kafka.need(&call, Operation::Read, Resource::Topic(&asked.name));
            let missing = allowed.err().unwrap_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
            let mut codes = answered
                .partitions
                .iter()
                .map(|(index, outcome)| (*index, code_of(outcome)))
                .peekable();
            let partitions = asked.partitions.iter().map(|partition| {
                let index = partition.partition_index;
                // Answered in the order asked; whoever is missing was unknown.
                let code = codes
                    .next_if(|(answered, _)| *answered == index)
                    .map(|(_, code)| code);
                OffsetDeleteResponsePartition {
                    partition_index: index,
                    error_code: code.unwrap_or(missing.0),
                }
            });
            let partitions = partitions.collect();
            response.topics.push(OffsetDeleteResponseTopic {
                name: asked.name,
                partitions,
            });
        }
        Begun::Done(response)
    }
}

fn existing(kafka: &Kafka, call: &Call, asked: &OffsetDeleteRequestTopic) -> Vec<i32> {
    let found = kafka.topic_for(call, Operation::Read, &asked.name).ok();
    let indexes = asked.partitions.iter().map(|partition| partition.partition_index);
    indexes
        .filter(|&index| found.as_ref().is_some_and(|topic| has_partition(topic, index)))
        .collect()
}

fn refused(error: GroupError) -> OffsetDeleteResponse {
    OffsetDeleteResponse {
        error_code: error.code().0,
        ..Default::default()
    }
}
