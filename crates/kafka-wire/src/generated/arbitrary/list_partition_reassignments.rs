//! Random messages of ListPartitionReassignments.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::list_partition_reassignments::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for ListPartitionReassignmentsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            timeout_ms: rng.i32(),
            topics: rng.present().then(|| rng.array(at)),
        }
    }
}

impl Arbitrary for ListPartitionReassignmentsTopics {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partition_indexes: rng.array(at),
        }
    }
}

impl Arbitrary for ListPartitionReassignmentsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for OngoingTopicReassignment {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for OngoingPartitionReassignment {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            replicas: rng.array(at),
            adding_replicas: rng.array(at),
            removing_replicas: rng.array(at),
        }
    }
}
