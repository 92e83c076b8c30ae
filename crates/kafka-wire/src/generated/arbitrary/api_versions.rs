//! Random messages of ApiVersions.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::api_versions::*;
use crate::testing::{Arbitrary, Rng};
use crate::text::Str;
use crate::wire::At;

impl Arbitrary for ApiVersionsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            client_software_name: if at.version >= 3 { rng.string() } else { Str::new() },
            client_software_version: if at.version >= 3 { rng.string() } else { Str::new() },
        }
    }
}

impl Arbitrary for ApiVersionsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            api_keys: rng.array(at),
            throttle_time_ms: if at.version >= 1 { rng.i32() } else { 0 },
            supported_features: if at.version >= 3 {
                if rng.present() { rng.array(at) } else { Vec::new() }
            } else {
                Vec::new()
            },
            finalized_features_epoch: if at.version >= 3 {
                if rng.present() { rng.i64() } else { -1 }
            } else {
                -1
            },
            finalized_features: if at.version >= 3 {
                if rng.present() { rng.array(at) } else { Vec::new() }
            } else {
                Vec::new()
            },
            zk_migration_ready: if at.version >= 3 {
                if rng.present() { rng.boolean() } else { false }
            } else {
                false
            },
        }
    }
}

impl Arbitrary for ApiVersion {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            api_key: rng.i16(),
            min_version: rng.i16(),
            max_version: rng.i16(),
        }
    }
}

impl Arbitrary for SupportedFeatureKey {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            name: rng.string(),
            min_version: rng.i16(),
            max_version: rng.i16(),
        }
    }
}

impl Arbitrary for FinalizedFeatureKey {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            name: rng.string(),
            max_version_level: rng.i16(),
            min_version_level: rng.i16(),
        }
    }
}
