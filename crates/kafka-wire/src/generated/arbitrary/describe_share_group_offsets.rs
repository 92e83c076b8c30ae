//! Random messages of DescribeShareGroupOffsets.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::describe_share_group_offsets::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for DescribeShareGroupOffsetsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            groups: rng.array(at),
        }
    }
}

impl Arbitrary for DescribeShareGroupOffsetsRequestGroup {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_id: rng.string(),
            topics: rng.present().then(|| rng.array(at)),
        }
    }
}

impl Arbitrary for DescribeShareGroupOffsetsRequestTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic_name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for DescribeShareGroupOffsetsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            groups: rng.array(at),
        }
    }
}

impl Arbitrary for DescribeShareGroupOffsetsResponseGroup {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_id: rng.string(),
            topics: rng.array(at),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
        }
    }
}

impl Arbitrary for DescribeShareGroupOffsetsResponseTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic_name: rng.string(),
            topic_id: rng.uuid(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for DescribeShareGroupOffsetsResponsePartition {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            start_offset: rng.i64(),
            leader_epoch: rng.i32(),
            lag: if at.version >= 1 { rng.i64() } else { -1 },
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
        }
    }
}
