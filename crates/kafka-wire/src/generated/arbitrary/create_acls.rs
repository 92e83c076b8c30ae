//! Random messages of CreateAcls.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::create_acls::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for CreateAclsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            creations: rng.array(at),
        }
    }
}

impl Arbitrary for AclCreation {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            resource_type: rng.i8(),
            resource_name: rng.string(),
            resource_pattern_type: rng.i8(),
            principal: rng.string(),
            host: rng.string(),
            operation: rng.i8(),
            permission_type: rng.i8(),
        }
    }
}

impl Arbitrary for CreateAclsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            results: rng.array(at),
        }
    }
}

impl Arbitrary for AclCreationResult {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
        }
    }
}
