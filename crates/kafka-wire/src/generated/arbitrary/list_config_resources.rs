//! Random messages of ListConfigResources.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::list_config_resources::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for ListConfigResourcesRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            resource_types: if at.version >= 1 {
                rng.array(at)
            } else {
                Vec::new()
            },
        }
    }
}

impl Arbitrary for ListConfigResourcesResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
            config_resources: rng.array(at),
        }
    }
}

impl Arbitrary for ConfigResource {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            resource_name: rng.string(),
            resource_type: if at.version >= 1 { rng.i8() } else { 16 },
        }
    }
}
