//! AlterShareGroupOffsets (91): a share group without members begins anew elsewhere (KIP-932).
//!
//! Version 0. What became of records above the new start is forgotten. A group that is not there is made, without members, as Kafka
//! does: where it begins can be said before anybody joins.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::group::{GroupError, GroupId};
use crate::node::Kafka;
use crate::share::{Place, subscription};
use millstream_kafka_wire::alter_share_group_offsets::{
    AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsRequestPartition,
    AlterShareGroupOffsetsRequestTopic, AlterShareGroupOffsetsResponse,
    AlterShareGroupOffsetsResponsePartition, AlterShareGroupOffsetsResponseTopic,
};
use millstream_kafka_wire::{Str, Uuid};
use std::sync::Arc;

pub(crate) struct AlterShareGroupOffsets;

impl Api for AlterShareGroupOffsets {
    type Request = AlterShareGroupOffsetsRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: AlterShareGroupOffsetsRequest,
    ) -> Begun<AlterShareGroupOffsetsResponse> {
        if let Err(code) = kafka.need(&call, Operation::Read, Resource::Group(&request.group_id)) {
            return Begun::Done(AlterShareGroupOffsetsResponse {
                error_code: code.0,
                ..Default::default()
            });
        }
        if let Err(error) = made_or_empty(&kafka, &request.group_id).await {
            return Begun::Done(AlterShareGroupOffsetsResponse {
                error_code: error.code().0,
                error_message: Some(Str::from(error.to_string())),
                ..Default::default()
            });
        }
        let mut response = AlterShareGroupOffsetsResponse::default();
        for topic in request.topics {
            response
                .responses
                .push(alter(&kafka, &call, &request.group_id, topic).await);
        }
        Begun::Done(response)
    }
}

/// Makes the share group if there is none; an error if it has members, or is a group of another kind.
async fn made_or_empty(kafka: &Kafka, group: &Str) -> Result<(), GroupError> {
    kafka.groups.ensure_started().await?;
    kafka.groups.empty_share(GroupId::from(group.as_str())).await
}

/// An error unless the coordinator knows the share group.
pub(super) async fn known_group(kafka: &Kafka, group: &Str) -> Result<(), GroupError> {
    let described = kafka.groups.describe_share(GroupId::from(group.as_str())).await;
    described.map(|_| ())
}

/// An error unless it is a share group without members.
pub(super) async fn empty_group(kafka: &Kafka, group: &Str) -> Result<(), GroupError> {
    let described = kafka.groups.describe_share(GroupId::from(group.as_str())).await?;
    if described.members.is_empty() {
        Ok(())
    } else {
        Err(GroupError::NonEmptyGroup)
    }
}

async fn alter(
    kafka: &Kafka,
    call: &Call,
    group: &Str,
    asked: AlterShareGroupOffsetsRequestTopic,
) -> AlterShareGroupOffsetsResponseTopic {
    let topic = kafka.topic_for(call, Operation::Read, &asked.topic_name);
    let id = topic.as_ref().map_or(Uuid::ZERO, |topic| Uuid(topic.id().0));
    let mut partitions = Vec::with_capacity(asked.partitions.len());
    for partition in asked.partitions {
        let index = u32::try_from(partition.partition_index).unwrap_or(u32::MAX);
        let outcome = match &topic {
            Ok(topic) if topic.stream(index).is_some() => restart(kafka, group, id, index, &partition).await,
            Ok(_) => Err((
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                "no such partition".to_owned(),
            )),
            Err(code) => Err((*code, "no such topic, or no right to it".to_owned())),
        };
        let (code, message) = outcome.err().unzip();
        partitions.push(AlterShareGroupOffsetsResponsePartition {
            partition_index: partition.partition_index,
            error_code: code.unwrap_or(ErrorCode::NONE).0,
            error_message: message.map(Str::from),
        });
    }
    AlterShareGroupOffsetsResponseTopic {
        topic_name: asked.topic_name,
        topic_id: id,
        partitions,
    }
}

async fn restart(
    kafka: &Kafka,
    group: &Str,
    topic: Uuid,
    partition: u32,
    asked: &AlterShareGroupOffsetsRequestPartition,
) -> Result<(), (ErrorCode, String)> {
    let start = u64::try_from(asked.start_offset).map_err(|_| {
        (
            ErrorCode::INVALID_REQUEST,
            "the start offset is negative".to_owned(),
        )
    })?;
    let subscription = subscription(group, Place { topic, partition });
    let restarted = kafka.shares.queues.restart(&subscription, start).await;
    restarted.map_err(|error| (error.code(), error.to_string()))
}
