//! Random messages of ShareGroupHeartbeat.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::share_group_heartbeat::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for ShareGroupHeartbeatRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_id: rng.string(),
            member_id: rng.string(),
            member_epoch: rng.i32(),
            rack_id: rng.present().then(|| rng.string()),
            subscribed_topic_names: rng.present().then(|| rng.array(at)),
        }
    }
}

impl Arbitrary for ShareGroupHeartbeatResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            member_id: rng.present().then(|| rng.string()),
            member_epoch: rng.i32(),
            heartbeat_interval_ms: rng.i32(),
            assignment: rng.present().then(|| rng.structure(at)),
        }
    }
}

impl Arbitrary for TopicPartitions {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic_id: rng.uuid(),
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
