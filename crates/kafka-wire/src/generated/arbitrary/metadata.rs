//! Random messages of Metadata.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::metadata::*;
use crate::testing::{Arbitrary, Rng};
use crate::uuid::Uuid;
use crate::wire::At;

impl Arbitrary for MetadataRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topics: if at.version >= 1 {
                rng.present().then(|| rng.array(at))
            } else {
                Some(rng.array(at))
            },
            allow_auto_topic_creation: if at.version >= 4 { rng.boolean() } else { true },
            include_cluster_authorized_operations: if (8..=10).contains(&at.version) {
                rng.boolean()
            } else {
                false
            },
            include_topic_authorized_operations: if at.version >= 8 { rng.boolean() } else { false },
        }
    }
}

impl Arbitrary for MetadataRequestTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic_id: if at.version >= 10 { rng.uuid() } else { Uuid::ZERO },
            name: if at.version >= 10 {
                rng.present().then(|| rng.string())
            } else {
                Some(rng.string())
            },
        }
    }
}

impl Arbitrary for MetadataResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: if at.version >= 3 { rng.i32() } else { 0 },
            brokers: rng.array(at),
            cluster_id: if at.version >= 2 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
            controller_id: if at.version >= 1 { rng.i32() } else { -1 },
            topics: rng.array(at),
            cluster_authorized_operations: if (8..=10).contains(&at.version) {
                rng.i32()
            } else {
                i32::MIN
            },
            error_code: if at.version >= 13 { rng.i16() } else { 0 },
        }
    }
}

impl Arbitrary for MetadataResponseBroker {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            node_id: rng.i32(),
            host: rng.string(),
            port: rng.i32(),
            rack: if at.version >= 1 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
        }
    }
}

impl Arbitrary for MetadataResponseTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            name: if at.version >= 12 {
                rng.present().then(|| rng.string())
            } else {
                Some(rng.string())
            },
            topic_id: if at.version >= 10 { rng.uuid() } else { Uuid::ZERO },
            is_internal: if at.version >= 1 { rng.boolean() } else { false },
            partitions: rng.array(at),
            topic_authorized_operations: if at.version >= 8 { rng.i32() } else { i32::MIN },
        }
    }
}

impl Arbitrary for MetadataResponsePartition {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            partition_index: rng.i32(),
            leader_id: rng.i32(),
            leader_epoch: if at.version >= 7 { rng.i32() } else { -1 },
            replica_nodes: rng.array(at),
            isr_nodes: rng.array(at),
            offline_replicas: if at.version >= 5 {
                rng.array(at)
            } else {
                Vec::new()
            },
        }
    }
}
