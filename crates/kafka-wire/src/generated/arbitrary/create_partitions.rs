//! Random messages of CreatePartitions.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::create_partitions::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for CreatePartitionsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topics: rng.array(at),
            timeout_ms: rng.i32(),
            validate_only: rng.boolean(),
        }
    }
}

impl Arbitrary for CreatePartitionsTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            count: rng.i32(),
            assignments: rng.present().then(|| rng.array(at)),
        }
    }
}

impl Arbitrary for CreatePartitionsAssignment {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            broker_ids: rng.array(at),
        }
    }
}

impl Arbitrary for CreatePartitionsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            results: rng.array(at),
        }
    }
}

impl Arbitrary for CreatePartitionsTopicResult {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            name: rng.string(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
        }
    }
}
