//! Random messages of AlterUserScramCredentials.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::alter_user_scram_credentials::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for AlterUserScramCredentialsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            deletions: rng.array(at),
            upsertions: rng.array(at),
        }
    }
}

impl Arbitrary for ScramCredentialDeletion {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            name: rng.string(),
            mechanism: rng.i8(),
        }
    }
}

impl Arbitrary for ScramCredentialUpsertion {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            name: rng.string(),
            mechanism: rng.i8(),
            iterations: rng.i32(),
            salt: rng.bytes(),
            salted_password: rng.bytes(),
        }
    }
}

impl Arbitrary for AlterUserScramCredentialsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            results: rng.array(at),
        }
    }
}

impl Arbitrary for AlterUserScramCredentialsResult {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            user: rng.string(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
        }
    }
}
