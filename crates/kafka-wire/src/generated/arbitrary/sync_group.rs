//! Random messages of SyncGroup.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::sync_group::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for SyncGroupRequest {
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
            protocol_type: if at.version >= 5 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
            protocol_name: if at.version >= 5 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
            assignments: rng.array(at),
        }
    }
}

impl Arbitrary for SyncGroupRequestAssignment {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            member_id: rng.string(),
            assignment: rng.bytes(),
        }
    }
}

impl Arbitrary for SyncGroupResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: if at.version >= 1 { rng.i32() } else { 0 },
            error_code: rng.i16(),
            protocol_type: if at.version >= 5 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
            protocol_name: if at.version >= 5 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
            assignment: rng.bytes(),
        }
    }
}
