//! Random messages of ExpireDelegationToken.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::expire_delegation_token::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for ExpireDelegationTokenRequest {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            hmac: rng.bytes(),
            expiry_time_period_ms: rng.i64(),
        }
    }
}

impl Arbitrary for ExpireDelegationTokenResponse {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            error_code: rng.i16(),
            expiry_timestamp_ms: rng.i64(),
            throttle_time_ms: rng.i32(),
        }
    }
}
