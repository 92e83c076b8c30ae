//! Random messages of JoinGroup.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::join_group::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for JoinGroupRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_id: rng.string(),
            session_timeout_ms: rng.i32(),
            rebalance_timeout_ms: if at.version >= 1 { rng.i32() } else { -1 },
            member_id: rng.string(),
            group_instance_id: if at.version >= 5 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
            protocol_type: rng.string(),
            protocols: rng.array(at),
            reason: if at.version >= 8 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
        }
    }
}

impl Arbitrary for JoinGroupRequestProtocol {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            name: rng.string(),
            metadata: rng.bytes(),
        }
    }
}

impl Arbitrary for JoinGroupResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: if at.version >= 2 { rng.i32() } else { 0 },
            error_code: rng.i16(),
            generation_id: rng.i32(),
            protocol_type: if at.version >= 7 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
            protocol_name: if at.version >= 7 {
                rng.present().then(|| rng.string())
            } else {
                Some(rng.string())
            },
            leader: rng.string(),
            skip_assignment: if at.version >= 9 { rng.boolean() } else { false },
            member_id: rng.string(),
            members: rng.array(at),
        }
    }
}

impl Arbitrary for JoinGroupResponseMember {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            member_id: rng.string(),
            group_instance_id: if at.version >= 5 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
            metadata: rng.bytes(),
        }
    }
}
