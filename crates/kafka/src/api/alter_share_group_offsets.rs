//! AlterShareGroupOffsets (91): a share group without members begins anew elsewhere (KIP-932).
//!
//! Version 0. What became of records above the new start is forgotten. A group that is not there is made, without members, as Kafka
//! does: where it begins can be said before anybody joins. A request none of whose partitions can be altered makes no group.

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
        let Some(group) = GroupId::given(&request.group_id) else {
            return Begun::Done(refused(GroupError::InvalidGroupId));
        };
        if let Err(code) = kafka.need(&call, Operation::Read, Resource::Group(&request.group_id)) {
            return Begun::Done(AlterShareGroupOffsetsResponse {
                error_code: code.0,
                ..Default::default()
            });
        }
        let topics = request.topics.into_iter();
        let looked_up: Vec<Asked> = topics.map(|topic| look_up(&kafka, &call, topic)).collect();
        let mut partitions = looked_up.iter().flat_map(|topic| &topic.partitions);
        if partitions.any(|(_, start)| start.is_ok())
            && let Err(error) = made_or_empty(&kafka, group).await
        {
            return Begun::Done(refused(error));
        }
        let mut response = AlterShareGroupOffsetsResponse::default();
        for topic in looked_up {
            response
                .responses
                .push(alter(&kafka, &request.group_id, topic).await);
        }
        Begun::Done(response)
    }
}

fn refused(error: GroupError) -> AlterShareGroupOffsetsResponse {
    AlterShareGroupOffsetsResponse {
        error_code: error.code().0,
        error_message: Some(Str::from(error.to_string())),
        ..Default::default()
    }
}

/// Makes the share group if there is none; an error if it has members, or is a group of another kind.
async fn made_or_empty(kafka: &Kafka, group: GroupId) -> Result<(), GroupError> {
    kafka.groups.ensure_started().await?;
    kafka.groups.empty_share(group).await
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

type Refusal = (ErrorCode, String);

/// Which partition begins where, or why none does.
type Start = Result<(u32, u64), Refusal>;

/// A topic of the request, after a look at what is there.
struct Asked {
    name: Str,
    id: Uuid,
    /// With the indexes as the client gave them.
    partitions: Vec<(i32, Start)>,
}

fn look_up(kafka: &Kafka, call: &Call, asked: AlterShareGroupOffsetsRequestTopic) -> Asked {
    let topic = kafka.topic_for(call, Operation::Read, &asked.topic_name);
    let start = |partition: &AlterShareGroupOffsetsRequestPartition| {
        let topic = topic
            .as_ref()
            .map_err(|code| (*code, "no such topic, or no right to it".to_owned()))?;
        let index = u32::try_from(partition.partition_index).ok();
        let index = index.filter(|index| topic.stream(*index).is_some());
        let unknown = || {
            let code = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
            (code, "no such partition".to_owned())
        };
        let negative = |_| {
            let what = "the start offset is negative".to_owned();
            (ErrorCode::INVALID_REQUEST, what)
        };
        let index = index.ok_or_else(unknown)?;
        let start = u64::try_from(partition.start_offset).map_err(negative)?;
        Ok((index, start))
    };
    let partitions = asked.partitions.iter();
    Asked {
        id: topic.as_ref().map_or(Uuid::ZERO, |topic| Uuid(topic.id().0)),
        partitions: partitions
            .map(|partition| (partition.partition_index, start(partition)))
            .collect(),
        name: asked.topic_name,
    }
}

async fn alter(kafka: &Kafka, group: &Str, asked: Asked) -> AlterShareGroupOffsetsResponseTopic {
    let mut partitions = Vec::with_capacity(asked.partitions.len());
    for (index, start) in asked.partitions {
        let outcome = match start {
            Ok((partition, start)) => {
                let topic = asked.id;
                restart(kafka, group, Place { topic, partition }, start).await
            }
            Err(refusal) => Err(refusal),
        };
        let (code, message) = outcome.err().unzip();
        partitions.push(AlterShareGroupOffsetsResponsePartition {
            partition_index: index,
            error_code: code.unwrap_or(ErrorCode::NONE).0,
            error_message: message.map(Str::from),
        });
    }
    AlterShareGroupOffsetsResponseTopic {
        topic_name: asked.name,
        topic_id: asked.id,
        partitions,
    }
}

async fn restart(kafka: &Kafka, group: &Str, place: Place, start: u64) -> Result<(), Refusal> {
    let restarted = kafka
        .shares
        .queues
        .restart(&subscription(group, place), start)
        .await;
    restarted.map_err(|error| (error.code(), error.to_string()))
}
