//! Random messages of TxnOffsetCommit.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::txn_offset_commit::*;
use crate::testing::{Arbitrary, Rng};
use crate::text::Str;
use crate::wire::At;

impl Arbitrary for TxnOffsetCommitRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            transactional_id: rng.string(),
            group_id: rng.string(),
            producer_id: rng.i64(),
            producer_epoch: rng.i16(),
            generation_id: if at.version >= 3 { rng.i32() } else { -1 },
            member_id: if at.version >= 3 { rng.string() } else { Str::new() },
            group_instance_id: if at.version >= 3 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for TxnOffsetCommitRequestTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for TxnOffsetCommitRequestPartition {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            committed_offset: rng.i64(),
            committed_leader_epoch: if at.version >= 2 { rng.i32() } else { -1 },
            committed_metadata: rng.present().then(|| rng.string()),
        }
    }
}

impl Arbitrary for TxnOffsetCommitResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for TxnOffsetCommitResponseTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for TxnOffsetCommitResponsePartition {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            error_code: rng.i16(),
        }
    }
}
