//! Random messages of DescribeTopicPartitions.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::describe_topic_partitions::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for DescribeTopicPartitionsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topics: rng.array(at),
            response_partition_limit: rng.i32(),
            cursor: rng.present().then(|| rng.structure(at)),
        }
    }
}

impl Arbitrary for TopicRequest {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self { name: rng.string() }
    }
}

impl Arbitrary for RequestCursor {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            topic_name: rng.string(),
            partition_index: rng.i32(),
        }
    }
}

impl Arbitrary for DescribeTopicPartitionsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            topics: rng.array(at),
            next_cursor: rng.present().then(|| rng.structure(at)),
        }
    }
}

impl Arbitrary for DescribeTopicPartitionsResponseTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            name: rng.present().then(|| rng.string()),
            topic_id: rng.uuid(),
            is_internal: rng.boolean(),
            partitions: rng.array(at),
            topic_authorized_operations: rng.i32(),
        }
    }
}

impl Arbitrary for DescribeTopicPartitionsResponsePartition {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            partition_index: rng.i32(),
            leader_id: rng.i32(),
            leader_epoch: rng.i32(),
            replica_nodes: rng.array(at),
            isr_nodes: rng.array(at),
            eligible_leader_replicas: rng.present().then(|| rng.array(at)),
            last_known_elr: rng.present().then(|| rng.array(at)),
            offline_replicas: rng.array(at),
        }
    }
}

impl Arbitrary for ResponseCursor {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            topic_name: rng.string(),
            partition_index: rng.i32(),
        }
    }
}
