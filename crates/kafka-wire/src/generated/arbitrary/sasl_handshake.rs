//! Random messages of SaslHandshake.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::sasl_handshake::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for SaslHandshakeRequest {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            mechanism: rng.string(),
        }
    }
}

impl Arbitrary for SaslHandshakeResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            mechanisms: rng.array(at),
        }
    }
}
