//! Random messages of ListGroups.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::list_groups::*;
use crate::testing::{Arbitrary, Rng};
use crate::text::Str;
use crate::wire::At;

impl Arbitrary for ListGroupsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            states_filter: if at.version >= 4 {
                rng.array(at)
            } else {
                Vec::new()
            },
            types_filter: if at.version >= 5 {
                rng.array(at)
            } else {
                Vec::new()
            },
        }
    }
}

impl Arbitrary for ListGroupsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: if at.version >= 1 { rng.i32() } else { 0 },
            error_code: rng.i16(),
            groups: rng.array(at),
        }
    }
}

impl Arbitrary for ListedGroup {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_id: rng.string(),
            protocol_type: rng.string(),
            group_state: if at.version >= 4 { rng.string() } else { Str::new() },
            group_type: if at.version >= 5 { rng.string() } else { Str::new() },
        }
    }
}
