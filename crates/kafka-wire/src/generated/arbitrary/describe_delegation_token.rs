//! Random messages of DescribeDelegationToken.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::describe_delegation_token::*;
use crate::testing::{Arbitrary, Rng};
use crate::text::Str;
use crate::wire::At;

impl Arbitrary for DescribeDelegationTokenRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            owners: rng.present().then(|| rng.array(at)),
        }
    }
}

impl Arbitrary for DescribeDelegationTokenOwner {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            principal_type: rng.string(),
            principal_name: rng.string(),
        }
    }
}

impl Arbitrary for DescribeDelegationTokenResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            tokens: rng.array(at),
            throttle_time_ms: rng.i32(),
        }
    }
}

impl Arbitrary for DescribedDelegationToken {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            principal_type: rng.string(),
            principal_name: rng.string(),
            token_requester_principal_type: if at.version >= 3 { rng.string() } else { Str::new() },
            token_requester_principal_name: if at.version >= 3 { rng.string() } else { Str::new() },
            issue_timestamp: rng.i64(),
            expiry_timestamp: rng.i64(),
            max_timestamp: rng.i64(),
            token_id: rng.string(),
            hmac: rng.bytes(),
            renewers: rng.array(at),
        }
    }
}

impl Arbitrary for DescribedDelegationTokenRenewer {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            principal_type: rng.string(),
            principal_name: rng.string(),
        }
    }
}
