//! Random messages of AlterReplicaLogDirs.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::alter_replica_log_dirs::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for AlterReplicaLogDirsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self { dirs: rng.array(at) }
    }
}

impl Arbitrary for AlterReplicaLogDir {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            path: rng.string(),
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for AlterReplicaLogDirTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for AlterReplicaLogDirsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            results: rng.array(at),
        }
    }
}

impl Arbitrary for AlterReplicaLogDirTopicResult {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic_name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for AlterReplicaLogDirPartitionResult {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            error_code: rng.i16(),
        }
    }
}
