//! Random messages of DescribeAcls.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::describe_acls::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for DescribeAclsRequest {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            resource_type_filter: rng.i8(),
            resource_name_filter: rng.present().then(|| rng.string()),
            pattern_type_filter: rng.i8(),
            principal_filter: rng.present().then(|| rng.string()),
            host_filter: rng.present().then(|| rng.string()),
            operation: rng.i8(),
            permission_type: rng.i8(),
        }
    }
}

impl Arbitrary for DescribeAclsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            resources: rng.array(at),
        }
    }
}

impl Arbitrary for DescribeAclsResource {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            resource_type: rng.i8(),
            resource_name: rng.string(),
            pattern_type: rng.i8(),
            acls: rng.array(at),
        }
    }
}

impl Arbitrary for AclDescription {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            principal: rng.string(),
            host: rng.string(),
            operation: rng.i8(),
            permission_type: rng.i8(),
        }
    }
}
