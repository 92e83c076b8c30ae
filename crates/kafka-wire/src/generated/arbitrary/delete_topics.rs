//! Random messages of DeleteTopics.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::delete_topics::*;
use crate::testing::{Arbitrary, Rng};
use crate::uuid::Uuid;
use crate::wire::At;

impl Arbitrary for DeleteTopicsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topics: if at.version >= 6 {
                rng.array(at)
            } else {
                Vec::new()
            },
            topic_names: if at.version <= 5 {
                rng.array(at)
            } else {
                Vec::new()
            },
            timeout_ms: rng.i32(),
        }
    }
}

impl Arbitrary for DeleteTopicState {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            name: rng.present().then(|| rng.string()),
            topic_id: rng.uuid(),
        }
    }
}

impl Arbitrary for DeleteTopicsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            responses: rng.array(at),
        }
    }
}

impl Arbitrary for DeletableTopicResult {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: if at.version >= 6 {
                rng.present().then(|| rng.string())
            } else {
                Some(rng.string())
            },
            topic_id: if at.version >= 6 { rng.uuid() } else { Uuid::ZERO },
            error_code: rng.i16(),
            error_message: if at.version >= 5 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
        }
    }
}
