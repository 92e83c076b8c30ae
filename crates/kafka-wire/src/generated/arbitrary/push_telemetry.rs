//! Random messages of PushTelemetry.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::push_telemetry::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for PushTelemetryRequest {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            client_instance_id: rng.uuid(),
            subscription_id: rng.i32(),
            terminating: rng.boolean(),
            compression_type: rng.i8(),
            metrics: rng.bytes(),
        }
    }
}

impl Arbitrary for PushTelemetryResponse {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
        }
    }
}
