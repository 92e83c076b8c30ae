//! Random messages of ShareGroupDescribe.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::share_group_describe::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for ShareGroupDescribeRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_ids: rng.array(at),
            include_authorized_operations: rng.boolean(),
        }
    }
}

impl Arbitrary for ShareGroupDescribeResponse {
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
            rack_id: rng.present().then(|| rng.string()),
            member_epoch: rng.i32(),
            client_id: rng.string(),
            client_host: rng.string(),
            subscribed_topic_names: rng.array(at),
            assignment: rng.structure(at),
        }
    }
}
