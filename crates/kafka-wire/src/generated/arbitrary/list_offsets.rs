//! Random messages of ListOffsets.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::list_offsets::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for ListOffsetsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            replica_id: rng.i32(),
            isolation_level: if at.version >= 2 { rng.i8() } else { 0 },
            topics: rng.array(at),
            timeout_ms: if at.version >= 10 { rng.i32() } else { 0 },
        }
    }
}

impl Arbitrary for ListOffsetsTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for ListOffsetsPartition {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            current_leader_epoch: if at.version >= 4 { rng.i32() } else { -1 },
            timestamp: rng.i64(),
        }
    }
}

impl Arbitrary for ListOffsetsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: if at.version >= 2 { rng.i32() } else { 0 },
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for ListOffsetsTopicResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for ListOffsetsPartitionResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            error_code: rng.i16(),
            timestamp: rng.i64(),
            offset: rng.i64(),
            leader_epoch: if at.version >= 4 { rng.i32() } else { -1 },
        }
    }
}
