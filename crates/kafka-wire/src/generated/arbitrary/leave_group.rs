//! Random messages of LeaveGroup.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::leave_group::*;
use crate::testing::{Arbitrary, Rng};
use crate::text::Str;
use crate::wire::At;

impl Arbitrary for LeaveGroupRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_id: rng.string(),
            member_id: if at.version <= 2 { rng.string() } else { Str::new() },
            members: if at.version >= 3 {
                rng.array(at)
            } else {
                Vec::new()
            },
        }
    }
}

impl Arbitrary for MemberIdentity {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            member_id: rng.string(),
            group_instance_id: rng.present().then(|| rng.string()),
            reason: if at.version >= 5 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
        }
    }
}

impl Arbitrary for LeaveGroupResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: if at.version >= 1 { rng.i32() } else { 0 },
            error_code: rng.i16(),
            members: if at.version >= 3 {
                rng.array(at)
            } else {
                Vec::new()
            },
        }
    }
}

impl Arbitrary for MemberResponse {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            member_id: rng.string(),
            group_instance_id: rng.present().then(|| rng.string()),
            error_code: rng.i16(),
        }
    }
}
