//! Random messages of GetTelemetrySubscriptions.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::get_telemetry_subscriptions::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for GetTelemetrySubscriptionsRequest {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            client_instance_id: rng.uuid(),
        }
    }
}

impl Arbitrary for GetTelemetrySubscriptionsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
            client_instance_id: rng.uuid(),
            subscription_id: rng.i32(),
            accepted_compression_types: rng.array(at),
            push_interval_ms: rng.i32(),
            telemetry_max_bytes: rng.i32(),
            delta_temporality: rng.boolean(),
            requested_metrics: rng.array(at),
        }
    }
}
