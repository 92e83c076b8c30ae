//! Random messages of EndTxn.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::end_txn::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for EndTxnRequest {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            transactional_id: rng.string(),
            producer_id: rng.i64(),
            producer_epoch: rng.i16(),
            committed: rng.boolean(),
        }
    }
}

impl Arbitrary for EndTxnResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
            producer_id: if at.version >= 5 { rng.i64() } else { -1 },
            producer_epoch: if at.version >= 5 { rng.i16() } else { -1 },
        }
    }
}
