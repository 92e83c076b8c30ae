//! Random messages of DeleteShareGroupOffsets.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::delete_share_group_offsets::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for DeleteShareGroupOffsetsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_id: rng.string(),
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for DeleteShareGroupOffsetsRequestTopic {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            topic_name: rng.string(),
        }
    }
}

impl Arbitrary for DeleteShareGroupOffsetsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            responses: rng.array(at),
        }
    }
}

impl Arbitrary for DeleteShareGroupOffsetsResponseTopic {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            topic_name: rng.string(),
            topic_id: rng.uuid(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
        }
    }
}
