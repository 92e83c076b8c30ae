//! Random messages of ConsumerGroupDescribe.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::consumer_group_describe::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for ConsumerGroupDescribeRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_ids: rng.array(at),
            include_authorized_operations: rng.boolean(),
        }
    }
}

impl Arbitrary for ConsumerGroupDescribeResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            groups: rng.array(at),
        }
    }
}

impl Arbitrary for TopicPartitions {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic_id: rng.uuid(),
            topic_name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for Assignment {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic_partitions: rng.array(at),
        }
    }
}

impl Arbitrary for DescribedGroup {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            group_id: rng.string(),
            group_state: rng.string(),
            group_epoch: rng.i32(),
            assignment_epoch: rng.i32(),
            assignor_name: rng.string(),
            members: rng.array(at),
            authorized_operations: rng.i32(),
        }
    }
}

impl Arbitrary for Member {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            member_id: rng.string(),
            instance_id: rng.present().then(|| rng.string()),
            rack_id: rng.present().then(|| rng.string()),
            member_epoch: rng.i32(),
            client_id: rng.string(),
            client_host: rng.string(),
            subscribed_topic_names: rng.array(at),
            subscribed_topic_regex: rng.present().then(|| rng.string()),
            assignment: rng.structure(at),
            target_assignment: rng.structure(at),
            member_type: if at.version >= 1 { rng.i8() } else { -1 },
        }
    }
}
