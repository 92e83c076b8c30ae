//! Random messages of DescribeConfigs.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::describe_configs::*;
use crate::testing::{Arbitrary, Rng};
use crate::text::Str;
use crate::wire::At;

impl Arbitrary for DescribeConfigsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            resources: rng.array(at),
            include_synonyms: rng.boolean(),
            include_documentation: if at.version >= 3 { rng.boolean() } else { false },
        }
    }
}

impl Arbitrary for DescribeConfigsResource {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            resource_type: rng.i8(),
            resource_name: rng.string(),
            configuration_keys: rng.present().then(|| rng.array(at)),
        }
    }
}

impl Arbitrary for DescribeConfigsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            results: rng.array(at),
        }
    }
}

impl Arbitrary for DescribeConfigsResult {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            resource_type: rng.i8(),
            resource_name: rng.string(),
            configs: rng.array(at),
        }
    }
}

impl Arbitrary for DescribeConfigsResourceResult {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            value: rng.present().then(|| rng.string()),
            read_only: rng.boolean(),
            config_source: rng.i8(),
            is_sensitive: rng.boolean(),
            synonyms: rng.array(at),
            config_type: if at.version >= 3 { rng.i8() } else { 0 },
            documentation: if at.version >= 3 {
                rng.present().then(|| rng.string())
            } else {
                Some(Str::new())
            },
        }
    }
}

impl Arbitrary for DescribeConfigsSynonym {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            name: rng.string(),
            value: rng.present().then(|| rng.string()),
            source: rng.i8(),
        }
    }
}
