//! Random messages of AlterClientQuotas.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::alter_client_quotas::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for AlterClientQuotasRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            entries: rng.array(at),
            validate_only: rng.boolean(),
        }
    }
}

impl Arbitrary for RequestEntryData {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            entity: rng.array(at),
            ops: rng.array(at),
        }
    }
}

impl Arbitrary for RequestEntityData {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            entity_type: rng.string(),
            entity_name: rng.present().then(|| rng.string()),
        }
    }
}

impl Arbitrary for OpData {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            key: rng.string(),
            value: rng.f64(),
            remove: rng.boolean(),
        }
    }
}

impl Arbitrary for AlterClientQuotasResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            entries: rng.array(at),
        }
    }
}

impl Arbitrary for ResponseEntryData {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            entity: rng.array(at),
        }
    }
}

impl Arbitrary for ResponseEntityData {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            entity_type: rng.string(),
            entity_name: rng.present().then(|| rng.string()),
        }
    }
}
