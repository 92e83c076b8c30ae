//! Random messages of Heartbeat.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::heartbeat::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for HeartbeatRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_id: rng.string(),
            generation_id: rng.i32(),
            member_id: rng.string(),
            group_instance_id: if at.version >= 3 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
        }
    }
}

impl Arbitrary for HeartbeatResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: if at.version >= 1 { rng.i32() } else { 0 },
            error_code: rng.i16(),
        }
    }
}
