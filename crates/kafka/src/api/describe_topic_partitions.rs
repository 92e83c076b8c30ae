//! DescribeTopicPartitions (75): topics page by page (KIP-966).
//!
//! Version 0. Topics in the order of their names; the cursor is the first partition of the next page.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::Topic;
use millstream_kafka_wire::describe_topic_partitions::{
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
    DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic, ResponseCursor,
};
use millstream_kafka_wire::{Str, Uuid};
use std::sync::Arc;

pub(crate) struct DescribeTopicPartitions;

/// The most partitions in one answer (Kafka: max.request.partition.size.limit).
const PAGE_PARTITIONS_MAX: usize = 2_000;

impl Api for DescribeTopicPartitions {
    type Request = DescribeTopicPartitionsRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DescribeTopicPartitionsRequest,
    ) -> Begun<DescribeTopicPartitionsResponse> {
        let (from_name, mut from_partition) = match &request.cursor {
            Some(cursor) => (
                cursor.topic_name.to_string(),
                u32::try_from(cursor.partition_index).unwrap_or(0),
            ),
            None => (String::new(), 0),
        };
        let mut names = asked_names(&kafka, &call, &request);
        names.retain(|name| *name >= from_name);
        let limit = usize::try_from(request.response_partition_limit).unwrap_or(0);
        let mut left = limit.clamp(1, PAGE_PARTITIONS_MAX);
        let mut response = DescribeTopicPartitionsResponse::default();
        for name in names {
            let first = if name == from_name {
                std::mem::take(&mut from_partition)
            } else {
                0
            };
            if left == 0 {
                response.next_cursor = Some(cursor(name, first));
                break;
            }
            let topic = match kafka.topic_for(&call, Operation::Describe, &name) {
                Ok(topic) => topic,
                Err(code) => {
                    response.topics.push(not_shown(&kafka, name, code));
                    continue;
                }
            };
            let mut page = describe(&topic, first, left, kafka.node_id());
            page.topic_authorized_operations = kafka.topic_operations(&call, true, topic.name());
            left -= page.partitions.len();
            let next = first + u32::try_from(page.partitions.len()).unwrap_or(u32::MAX);
            response.topics.push(page);
            if next < topic.partitions() {
                response.next_cursor = Some(cursor(name, next));
                break;
            }
        }
        Begun::Done(response)
    }
}

fn asked_names(kafka: &Kafka, call: &Call, request: &DescribeTopicPartitionsRequest) -> Vec<String> {
    if request.topics.is_empty() {
        let all = kafka.broker.topics();
        let shown = all.iter().map(|topic| topic.name());
        return shown
            .filter(|name| kafka.authorize(call, Operation::Describe, Resource::Topic(name)))
            .map(str::to_owned)
            .collect();
    }
    let mut names: Vec<String> = request
        .topics
        .iter()
        .map(|topic| topic.name.to_string())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn cursor(name: String, partition: u32) -> ResponseCursor {
    let partition_index = i32::try_from(partition).unwrap_or(i32::MAX);
    ResponseCursor {
        topic_name: Str::from(name),
        partition_index,
    }
}

fn not_shown(kafka: &Kafka, name: String, code: ErrorCode) -> DescribeTopicPartitionsResponseTopic {
    let code = match (code, kafka.broker.check_topic_name(&name)) {
        (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, Err(error)) => error.code(),
        _ => code,
    };
    DescribeTopicPartitionsResponseTopic {
        error_code: code.0,
        name: Some(Str::from(name)),
        ..Default::default()
    }
}

fn describe(topic: &Topic, first: u32, limit: usize, node_id: i32) -> DescribeTopicPartitionsResponseTopic {
    let partitions = (first..topic.partitions()).take(limit).filter_map(|index| {
        let stream = topic.stream(index)?;
        Some(DescribeTopicPartitionsResponsePartition {
            partition_index: i32::try_from(index).ok()?,
            leader_id: node_id,
            leader_epoch: i32::try_from(stream.epoch().0).unwrap_or(i32::MAX),
            replica_nodes: vec![node_id],
            isr_nodes: vec![node_id],
            eligible_leader_replicas: Some(Vec::new()),
            last_known_elr: Some(Vec::new()),
            ..Default::default()
        })
    });
    DescribeTopicPartitionsResponseTopic {
        name: Some(Str::from(topic.name().to_owned())),
        topic_id: Uuid(topic.id().0),
        is_internal: topic.is_internal(),
        partitions: partitions.collect(),
        ..Default::default()
    }
}
