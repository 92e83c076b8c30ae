//! Random messages of ListTransactions.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::list_transactions::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for ListTransactionsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            state_filters: rng.array(at),
            producer_id_filters: rng.array(at),
            duration_filter: if at.version >= 1 { rng.i64() } else { -1 },
            transactional_id_pattern: if at.version >= 2 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
        }
    }
}

impl Arbitrary for ListTransactionsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
            unknown_state_filters: rng.array(at),
            transaction_states: rng.array(at),
        }
    }
}

impl Arbitrary for TransactionState {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            transactional_id: rng.string(),
            producer_id: rng.i64(),
            transaction_state: rng.string(),
        }
    }
}
