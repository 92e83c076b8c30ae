//! Random messages of OffsetForLeaderEpoch.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::offset_for_leader_epoch::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for OffsetForLeaderEpochRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            replica_id: if at.version >= 3 { rng.i32() } else { -2 },
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for OffsetForLeaderTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for OffsetForLeaderPartition {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition: rng.i32(),
            current_leader_epoch: rng.i32(),
            leader_epoch: rng.i32(),
        }
    }
}

impl Arbitrary for OffsetForLeaderEpochResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for OffsetForLeaderTopicResult {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for EpochEndOffset {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            error_code: rng.i16(),
            partition: rng.i32(),
            leader_epoch: rng.i32(),
            end_offset: rng.i64(),
        }
    }
}
