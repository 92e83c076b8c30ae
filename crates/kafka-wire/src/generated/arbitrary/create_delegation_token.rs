//! Random messages of CreateDelegationToken.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::create_delegation_token::*;
use crate::testing::{Arbitrary, Rng};
use crate::text::Str;
use crate::wire::At;

impl Arbitrary for CreateDelegationTokenRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            owner_principal_type: if at.version >= 3 {
                rng.present().then(|| rng.string())
            } else {
                Some(Str::new())
            },
            owner_principal_name: if at.version >= 3 {
                rng.present().then(|| rng.string())
            } else {
                Some(Str::new())
            },
            renewers: rng.array(at),
            max_lifetime_ms: rng.i64(),
        }
    }
}

impl Arbitrary for CreatableRenewers {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            principal_type: rng.string(),
            principal_name: rng.string(),
        }
    }
}

impl Arbitrary for CreateDelegationTokenResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            principal_type: rng.string(),
            principal_name: rng.string(),
            token_requester_principal_type: if at.version >= 3 { rng.string() } else { Str::new() },
            token_requester_principal_name: if at.version >= 3 { rng.string() } else { Str::new() },
            issue_timestamp_ms: rng.i64(),
            expiry_timestamp_ms: rng.i64(),
            max_timestamp_ms: rng.i64(),
            token_id: rng.string(),
            hmac: rng.bytes(),
            throttle_time_ms: rng.i32(),
        }
    }
}
