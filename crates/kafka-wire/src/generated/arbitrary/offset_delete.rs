//! Random messages of OffsetDelete.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::offset_delete::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for OffsetDeleteRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_id: rng.string(),
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for OffsetDeleteRequestTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for OffsetDeleteRequestPartition {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition_index: rng.i32(),
        }
    }
}

impl Arbitrary for OffsetDeleteResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            throttle_time_ms: rng.i32(),
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for OffsetDeleteResponseTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for OffsetDeleteResponsePartition {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            error_code: rng.i16(),
        }
    }
}
