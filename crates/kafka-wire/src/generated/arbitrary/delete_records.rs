//! Random messages of DeleteRecords.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::delete_records::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for DeleteRecordsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topics: rng.array(at),
            timeout_ms: rng.i32(),
        }
    }
}

impl Arbitrary for DeleteRecordsTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for DeleteRecordsPartition {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            offset: rng.i64(),
        }
    }
}

impl Arbitrary for DeleteRecordsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for DeleteRecordsTopicResult {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for DeleteRecordsPartitionResult {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            low_watermark: rng.i64(),
            error_code: rng.i16(),
        }
    }
}
