//! Random messages of OffsetCommit.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::offset_commit::*;
use crate::testing::{Arbitrary, Rng};
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::At;

impl Arbitrary for OffsetCommitRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_id: rng.string(),
            generation_id_or_member_epoch: rng.i32(),
            member_id: rng.string(),
            group_instance_id: if at.version >= 7 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
            retention_time_ms: if at.version <= 4 { rng.i64() } else { -1 },
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for OffsetCommitRequestTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: if at.version <= 9 { rng.string() } else { Str::new() },
            topic_id: if at.version >= 10 { rng.uuid() } else { Uuid::ZERO },
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for OffsetCommitRequestPartition {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            committed_offset: rng.i64(),
            committed_leader_epoch: if at.version >= 6 { rng.i32() } else { -1 },
            committed_metadata: rng.present().then(|| rng.string()),
        }
    }
}

impl Arbitrary for OffsetCommitResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: if at.version >= 3 { rng.i32() } else { 0 },
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for OffsetCommitResponseTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: if at.version <= 9 { rng.string() } else { Str::new() },
            topic_id: if at.version >= 10 { rng.uuid() } else { Uuid::ZERO },
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for OffsetCommitResponsePartition {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            error_code: rng.i16(),
        }
    }
}
