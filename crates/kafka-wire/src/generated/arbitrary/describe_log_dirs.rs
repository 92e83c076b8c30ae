//! Random messages of DescribeLogDirs.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::describe_log_dirs::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for DescribeLogDirsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topics: rng.present().then(|| rng.array(at)),
        }
    }
}

impl Arbitrary for DescribableLogDirTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for DescribeLogDirsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: if at.version >= 3 { rng.i16() } else { 0 },
            results: rng.array(at),
        }
    }
}

impl Arbitrary for DescribeLogDirsResult {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            log_dir: rng.string(),
            topics: rng.array(at),
            total_bytes: if at.version >= 4 { rng.i64() } else { -1 },
            usable_bytes: if at.version >= 4 { rng.i64() } else { -1 },
            is_cordoned: if at.version >= 5 { rng.boolean() } else { false },
        }
    }
}

impl Arbitrary for DescribeLogDirsTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for DescribeLogDirsPartition {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            partition_size: rng.i64(),
            offset_lag: rng.i64(),
            is_future_key: rng.boolean(),
        }
    }
}
