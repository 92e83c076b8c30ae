//! Random messages of DescribeGroups.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::describe_groups::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for DescribeGroupsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            groups: rng.array(at),
            include_authorized_operations: if at.version >= 3 { rng.boolean() } else { false },
        }
    }
}

impl Arbitrary for DescribeGroupsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: if at.version >= 1 { rng.i32() } else { 0 },
            groups: rng.array(at),
        }
    }
}

impl Arbitrary for DescribedGroup {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            error_message: if at.version >= 6 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
            group_id: rng.string(),
            group_state: rng.string(),
            protocol_type: rng.string(),
            protocol_data: rng.string(),
            members: rng.array(at),
            authorized_operations: if at.version >= 3 { rng.i32() } else { i32::MIN },
        }
    }
}

impl Arbitrary for DescribedGroupMember {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            member_id: rng.string(),
            group_instance_id: if at.version >= 4 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
            client_id: rng.string(),
            client_host: rng.string(),
            member_metadata: rng.bytes(),
            member_assignment: rng.bytes(),
        }
    }
}
