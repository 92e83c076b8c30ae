//! Random messages of UpdateFeatures.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::update_features::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for UpdateFeaturesRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            timeout_ms: rng.i32(),
            feature_updates: rng.array(at),
            validate_only: if at.version >= 1 { rng.boolean() } else { false },
        }
    }
}

impl Arbitrary for FeatureUpdateKey {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            feature: rng.string(),
            max_version_level: rng.i16(),
            allow_downgrade: if at.version <= 0 { rng.boolean() } else { false },
            upgrade_type: if at.version >= 1 { rng.i8() } else { 1 },
        }
    }
}

impl Arbitrary for UpdateFeaturesResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            results: if at.version <= 1 {
                rng.array(at)
            } else {
                Vec::new()
            },
        }
    }
}

impl Arbitrary for UpdatableFeatureResult {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            feature: rng.string(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
        }
    }
}
