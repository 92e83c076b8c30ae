//! Random messages of DescribeUserScramCredentials.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::describe_user_scram_credentials::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for DescribeUserScramCredentialsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            users: rng.present().then(|| rng.array(at)),
        }
    }
}

impl Arbitrary for UserName {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self { name: rng.string() }
    }
}

impl Arbitrary for DescribeUserScramCredentialsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            results: rng.array(at),
        }
    }
}

impl Arbitrary for DescribeUserScramCredentialsResult {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            user: rng.string(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            credential_infos: rng.array(at),
        }
    }
}

impl Arbitrary for CredentialInfo {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            mechanism: rng.i8(),
            iterations: rng.i32(),
        }
    }
}
