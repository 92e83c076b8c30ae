//! Random messages of FindCoordinator.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::find_coordinator::*;
use crate::testing::{Arbitrary, Rng};
use crate::text::Str;
use crate::wire::At;

impl Arbitrary for FindCoordinatorRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            key: if at.version <= 3 { rng.string() } else { Str::new() },
            key_type: if at.version >= 1 { rng.i8() } else { 0 },
            coordinator_keys: if at.version >= 4 {
                rng.array(at)
            } else {
                Vec::new()
            },
        }
    }
}

impl Arbitrary for FindCoordinatorResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: if at.version >= 1 { rng.i32() } else { 0 },
            error_code: if at.version <= 3 { rng.i16() } else { 0 },
            error_message: if (1..=3).contains(&at.version) {
                rng.present().then(|| rng.string())
            } else {
                Some(Str::new())
            },
            node_id: if at.version <= 3 { rng.i32() } else { 0 },
            host: if at.version <= 3 { rng.string() } else { Str::new() },
            port: if at.version <= 3 { rng.i32() } else { 0 },
            coordinators: if at.version >= 4 {
                rng.array(at)
            } else {
                Vec::new()
            },
        }
    }
}

impl Arbitrary for Coordinator {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            key: rng.string(),
            node_id: rng.i32(),
            host: rng.string(),
            port: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
        }
    }
}
