//! Random messages of AlterShareGroupOffsets.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::alter_share_group_offsets::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for AlterShareGroupOffsetsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_id: rng.string(),
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for AlterShareGroupOffsetsRequestTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic_name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for AlterShareGroupOffsetsRequestPartition {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            start_offset: rng.i64(),
        }
    }
}

impl Arbitrary for AlterShareGroupOffsetsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            responses: rng.array(at),
        }
    }
}

impl Arbitrary for AlterShareGroupOffsetsResponseTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic_name: rng.string(),
            topic_id: rng.uuid(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for AlterShareGroupOffsetsResponsePartition {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
        }
    }
}
