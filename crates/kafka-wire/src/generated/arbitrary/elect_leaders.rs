//! Random messages of ElectLeaders.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::elect_leaders::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for ElectLeadersRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            election_type: if at.version >= 1 { rng.i8() } else { 0 },
            topic_partitions: rng.present().then(|| rng.array(at)),
            timeout_ms: rng.i32(),
        }
    }
}

impl Arbitrary for TopicPartitions {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for ElectLeadersResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: if at.version >= 1 { rng.i16() } else { 0 },
            replica_election_results: rng.array(at),
        }
    }
}

impl Arbitrary for ReplicaElectionResult {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic: rng.string(),
            partition_result: rng.array(at),
        }
    }
}

impl Arbitrary for PartitionResult {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition_id: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
        }
    }
}
