//! Random messages of DescribeTransactions.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::describe_transactions::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for DescribeTransactionsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            transactional_ids: rng.array(at),
        }
    }
}

impl Arbitrary for DescribeTransactionsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            transaction_states: rng.array(at),
        }
    }
}

impl Arbitrary for TransactionState {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            transactional_id: rng.string(),
            transaction_state: rng.string(),
            transaction_timeout_ms: rng.i32(),
            transaction_start_time_ms: rng.i64(),
            producer_id: rng.i64(),
            producer_epoch: rng.i16(),
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for TopicData {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic: rng.string(),
            partitions: rng.array(at),
        }
    }
}
