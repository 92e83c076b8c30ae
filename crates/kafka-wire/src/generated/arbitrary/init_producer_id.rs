//! Random messages of InitProducerId.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::init_producer_id::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for InitProducerIdRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            transactional_id: rng.present().then(|| rng.string()),
            transaction_timeout_ms: rng.i32(),
            producer_id: if at.version >= 3 { rng.i64() } else { -1 },
            producer_epoch: if at.version >= 3 { rng.i16() } else { -1 },
            enable2_pc: if at.version >= 6 { rng.boolean() } else { false },
            keep_prepared_txn: if at.version >= 6 { rng.boolean() } else { false },
        }
    }
}

impl Arbitrary for InitProducerIdResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
            producer_id: rng.i64(),
            producer_epoch: rng.i16(),
            ongoing_txn_producer_id: if at.version >= 6 { rng.i64() } else { -1 },
            ongoing_txn_producer_epoch: if at.version >= 6 { rng.i16() } else { -1 },
        }
    }
}
