//! Random messages of DeleteGroups.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::delete_groups::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for DeleteGroupsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            groups_names: rng.array(at),
        }
    }
}

impl Arbitrary for DeleteGroupsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            results: rng.array(at),
        }
    }
}

impl Arbitrary for DeletableGroupResult {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            group_id: rng.string(),
            error_code: rng.i16(),
        }
    }
}
