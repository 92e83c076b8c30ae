//! Random messages of DescribeProducers.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::describe_producers::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for DescribeProducersRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for TopicRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partition_indexes: rng.array(at),
        }
    }
}

impl Arbitrary for DescribeProducersResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for TopicResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for PartitionResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            active_producers: rng.array(at),
        }
    }
}

impl Arbitrary for ProducerState {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            producer_id: rng.i64(),
            producer_epoch: rng.i32(),
            last_sequence: rng.i32(),
            last_timestamp: rng.i64(),
            coordinator_epoch: rng.i32(),
            current_txn_start_offset: rng.i64(),
        }
    }
}
