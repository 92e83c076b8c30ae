//! Random messages of SaslAuthenticate.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::sasl_authenticate::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for SaslAuthenticateRequest {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            auth_bytes: rng.bytes(),
        }
    }
}

impl Arbitrary for SaslAuthenticateResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            auth_bytes: rng.bytes(),
            session_lifetime_ms: if at.version >= 1 { rng.i64() } else { 0 },
        }
    }
}
