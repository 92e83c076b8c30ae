//! Random messages of DescribeClientQuotas.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::describe_client_quotas::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for DescribeClientQuotasRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            components: rng.array(at),
            strict: rng.boolean(),
        }
    }
}

impl Arbitrary for ComponentData {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            entity_type: rng.string(),
            match_type: rng.i8(),
            match_value: rng.present().then(|| rng.string()),
        }
    }
}

impl Arbitrary for DescribeClientQuotasResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            entries: rng.present().then(|| rng.array(at)),
        }
    }
}

impl Arbitrary for EntryData {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            entity: rng.array(at),
            values: rng.array(at),
        }
    }
}

impl Arbitrary for EntityData {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            entity_type: rng.string(),
            entity_name: rng.present().then(|| rng.string()),
        }
    }
}

impl Arbitrary for ValueData {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            key: rng.string(),
            value: rng.f64(),
        }
    }
}
