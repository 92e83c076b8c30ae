//! Random messages of DescribeQuorum.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::describe_quorum::*;
use crate::testing::{Arbitrary, Rng};
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::At;

impl Arbitrary for DescribeQuorumRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for RequestTopicData {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic_name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for RequestPartitionData {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition_index: rng.i32(),
        }
    }
}

impl Arbitrary for DescribeQuorumResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            error_message: if at.version >= 2 {
                rng.present().then(|| rng.string())
            } else {
                Some(Str::new())
            },
            topics: rng.array(at),
            nodes: if at.version >= 2 {
                rng.array(at)
            } else {
                Vec::new()
            },
        }
    }
}

impl Arbitrary for ReplicaState {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            replica_id: rng.i32(),
            replica_directory_id: if at.version >= 2 { rng.uuid() } else { Uuid::ZERO },
            log_end_offset: rng.i64(),
            last_fetch_timestamp: if at.version >= 1 { rng.i64() } else { -1 },
            last_caught_up_timestamp: if at.version >= 1 { rng.i64() } else { -1 },
        }
    }
}

impl Arbitrary for ResponseTopicData {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic_name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for ResponsePartitionData {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            error_code: rng.i16(),
            error_message: if at.version >= 2 {
                rng.present().then(|| rng.string())
            } else {
                Some(Str::new())
            },
            leader_id: rng.i32(),
            leader_epoch: rng.i32(),
            high_watermark: rng.i64(),
            current_voters: rng.array(at),
            observers: rng.array(at),
        }
    }
}

impl Arbitrary for Node {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            node_id: rng.i32(),
            listeners: rng.array(at),
        }
    }
}

impl Arbitrary for Listener {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            name: rng.string(),
            host: rng.string(),
            port: rng.u16(),
        }
    }
}
