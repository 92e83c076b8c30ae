//! Random messages of AddOffsetsToTxn.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::add_offsets_to_txn::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for AddOffsetsToTxnRequest {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            transactional_id: rng.string(),
            producer_id: rng.i64(),
            producer_epoch: rng.i16(),
            group_id: rng.string(),
        }
    }
}

impl Arbitrary for AddOffsetsToTxnResponse {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
        }
    }
}
