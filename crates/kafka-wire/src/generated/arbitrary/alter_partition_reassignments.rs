//! Random messages of AlterPartitionReassignments.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::alter_partition_reassignments::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for AlterPartitionReassignmentsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            timeout_ms: rng.i32(),
            allow_replication_factor_change: if at.version >= 1 { rng.boolean() } else { true },
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for ReassignableTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for ReassignablePartition {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            replicas: rng.present().then(|| rng.array(at)),
        }
    }
}

impl Arbitrary for AlterPartitionReassignmentsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            allow_replication_factor_change: if at.version >= 1 { rng.boolean() } else { true },
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            responses: rng.array(at),
        }
    }
}

impl Arbitrary for ReassignableTopicResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for ReassignablePartitionResponse {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
        }
    }
}
