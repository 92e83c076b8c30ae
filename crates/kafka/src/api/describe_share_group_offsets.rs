//! DescribeShareGroupOffsets (90): where a share group stands in each partition (KIP-932).
//!
//! Versions 0-1. v1 lag (KIP-1226): records that are not done, the holes that are done above the start not counted.

use crate::access::{Operation, Resource};
use crate::api::alter_share_group_offsets::known_group;
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use crate::share::SHARE_SPACE;
use millstream_broker::Topic;
use millstream_broker::queue::Standing;
use millstream_kafka_wire::describe_share_group_offsets::{
    DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsRequestGroup,
    DescribeShareGroupOffsetsRequestTopic, DescribeShareGroupOffsetsResponse,
    DescribeShareGroupOffsetsResponseGroup, DescribeShareGroupOffsetsResponsePartition,
    DescribeShareGroupOffsetsResponseTopic,
};
use millstream_kafka_wire::{Str, Uuid};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) struct DescribeShareGroupOffsets;

/// What is said where nothing is known.
const UNKNOWN: i64 = -1;

impl Api for DescribeShareGroupOffsets {
    type Request = DescribeShareGroupOffsetsRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DescribeShareGroupOffsetsRequest,
    ) -> Begun<DescribeShareGroupOffsetsResponse> {
        let mut response = DescribeShareGroupOffsetsResponse::default();
        for group in request.groups {
            response.groups.push(describe(&kafka, &call, group).await);
        }
        Begun::Done(response)
    }
}

async fn describe(
    kafka: &Kafka,
    call: &Call,
    asked: DescribeShareGroupOffsetsRequestGroup,
) -> DescribeShareGroupOffsetsResponseGroup {
    let group = asked.group_id.clone();
    let refused = |code: ErrorCode, message: String| DescribeShareGroupOffsetsResponseGroup {
        group_id: group.clone(),
        error_code: code.0,
        error_message: Some(Str::from(message)),
        ..Default::default()
    };
    if let Err(code) = kafka.need(call, Operation::Describe, Resource::Group(&group)) {
        return refused(code, "Not authorized to describe the group.".to_owned());
    }
    let standing = kafka
        .shares
        .queues
        .standing(SHARE_SPACE, |id| *id.name == *group.as_str());
    let standing = match standing.await {
        Ok(standing) => standing,
        Err(error) => return refused(error.code(), error.to_string()),
    };
    if standing.is_empty()
        && let Err(error) = known_group(kafka, &group).await
    {
        return refused(error.code(), error.to_string());
    }
    let mut found: BTreeMap<(Uuid, u32), Standing> = BTreeMap::new();
    for standing in standing {
        found.insert((Uuid(standing.id.topic.0), standing.id.partition), standing);
    }
    let topics = match asked.topics {
        Some(topics) => topics
            .into_iter()
            .map(|topic| named(kafka, call, topic, &found))
            .collect(),
        None => all(kafka, call, &found),
    };
    DescribeShareGroupOffsetsResponseGroup {
        group_id: group,
        topics,
        ..Default::default()
    }
}

fn named(
    kafka: &Kafka,
    call: &Call,
    asked: DescribeShareGroupOffsetsRequestTopic,
    found: &BTreeMap<(Uuid, u32), Standing>,
) -> DescribeShareGroupOffsetsResponseTopic {
    let topic = kafka.topic_for(call, Operation::Describe, &asked.topic_name);
    let id = topic.as_ref().map_or(Uuid::ZERO, |topic| Uuid(topic.id().0));
    let partitions = asked.partitions.into_iter().map(|index| {
        let partition = u32::try_from(index).unwrap_or(u32::MAX);
        let code = match &topic {
            Ok(topic) if topic.stream(partition).is_some() => {
                return encode(topic, index, found.get(&(id, partition)));
            }
            Ok(_) => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            Err(code) => *code,
        };
        DescribeShareGroupOffsetsResponsePartition {
            error_code: code.0,
            ..nothing(index)
        }
    });
    DescribeShareGroupOffsetsResponseTopic {
        topic_id: id,
        partitions: partitions.collect(),
        topic_name: asked.topic_name,
    }
}

/// Every partition that the group has begun.
fn all(
    kafka: &Kafka,
    call: &Call,
    found: &BTreeMap<(Uuid, u32), Standing>,
) -> Vec<DescribeShareGroupOffsetsResponseTopic> {
    let mut topics: Vec<DescribeShareGroupOffsetsResponseTopic> = Vec::new();
    for ((id, partition), standing) in found {
        // A topic that is gone is about to be forgotten; one that the asker may not know is not named.
        let Ok(topic) = kafka.topic_by_id_for(call, Operation::Describe, *id) else {
            continue;
        };
        let index = i32::try_from(*partition).unwrap_or(i32::MAX);
        let entry = encode(&topic, index, Some(standing));
        match topics.last_mut() {
            Some(last) if last.topic_id == *id => last.partitions.push(entry),
            _ => topics.push(DescribeShareGroupOffsetsResponseTopic {
                topic_name: Str::from(topic.name().to_owned()),
                topic_id: *id,
                partitions: vec![entry],
            }),
        }
    }
    topics
}

fn encode(
    topic: &Topic,
    index: i32,
    standing: Option<&Standing>,
) -> DescribeShareGroupOffsetsResponsePartition {
    let Some(standing) = standing else {
        return nothing(index);
    };
    let epoch = topic
        .stream(standing.id.partition)
        .map_or(0, |stream| stream.epoch().0);
    DescribeShareGroupOffsetsResponsePartition {
        start_offset: standing.counts.start as i64,
        leader_epoch: i32::try_from(epoch).unwrap_or(i32::MAX),
        lag: standing.lag.map_or(UNKNOWN, |lag| lag as i64),
        ..nothing(index)
    }
}

fn nothing(index: i32) -> DescribeShareGroupOffsetsResponsePartition {
    DescribeShareGroupOffsetsResponsePartition {
        partition_index: index,
        start_offset: UNKNOWN,
        leader_epoch: 0,
        lag: UNKNOWN,
        ..Default::default()
    }
}
