//! Random messages of AlterConfigs.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::alter_configs::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for AlterConfigsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            resources: rng.array(at),
            validate_only: rng.boolean(),
        }
    }
}

impl Arbitrary for AlterConfigsResource {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            resource_type: rng.i8(),
            resource_name: rng.string(),
            configs: rng.array(at),
        }
    }
}

impl Arbitrary for AlterableConfig {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            name: rng.string(),
            value: rng.present().then(|| rng.string()),
        }
    }
}

impl Arbitrary for AlterConfigsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            responses: rng.array(at),
        }
    }
}

impl Arbitrary for AlterConfigsResourceResponse {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            resource_type: rng.i8(),
            resource_name: rng.string(),
        }
    }
}
