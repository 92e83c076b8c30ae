//! Random messages of CreateTopics.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::create_topics::*;
use crate::testing::{Arbitrary, Rng};
use crate::uuid::Uuid;
use crate::wire::At;

impl Arbitrary for CreateTopicsRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topics: rng.array(at),
            timeout_ms: rng.i32(),
            validate_only: rng.boolean(),
        }
    }
}

impl Arbitrary for CreatableTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            num_partitions: rng.i32(),
            replication_factor: rng.i16(),
            assignments: rng.array(at),
            configs: rng.array(at),
        }
    }
}

impl Arbitrary for CreatableReplicaAssignment {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            broker_ids: rng.array(at),
        }
    }
}

impl Arbitrary for CreatableTopicConfig {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            name: rng.string(),
            value: rng.present().then(|| rng.string()),
        }
    }
}

impl Arbitrary for CreateTopicsResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            topics: rng.array(at),
        }
    }
}

impl Arbitrary for CreatableTopicResult {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            topic_id: if at.version >= 7 { rng.uuid() } else { Uuid::ZERO },
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            topic_config_error_code: if at.version >= 5 {
                if rng.present() { rng.i16() } else { 0 }
            } else {
                0
            },
            num_partitions: if at.version >= 5 { rng.i32() } else { -1 },
            replication_factor: if at.version >= 5 { rng.i16() } else { -1 },
            configs: if at.version >= 5 {
                rng.present().then(|| rng.array(at))
            } else {
                Some(Vec::new())
            },
        }
    }
}

impl Arbitrary for CreatableTopicConfigs {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            name: rng.string(),
            value: rng.present().then(|| rng.string()),
            read_only: rng.boolean(),
            config_source: rng.i8(),
            is_sensitive: rng.boolean(),
        }
    }
}
