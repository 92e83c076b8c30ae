//! Random messages of Produce.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::produce::*;
use crate::testing::{Arbitrary, Rng};
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::At;

impl Arbitrary for ProduceRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            transactional_id: rng.present().then(|| rng.string()),
            acks: rng.i16(),
            timeout_ms: rng.i32(),
            topic_data: rng.array(at),
        }
    }
}

impl Arbitrary for TopicProduceData {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: if at.version <= 12 {
                rng.string()
            } else {
                Str::new()
            },
            topic_id: if at.version >= 13 { rng.uuid() } else { Uuid::ZERO },
            partition_data: rng.array(at),
        }
    }
}

impl Arbitrary for PartitionProduceData {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            index: rng.i32(),
            records: rng.present().then(|| rng.records()),
        }
    }
}

impl Arbitrary for ProduceResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            responses: rng.array(at),
            throttle_time_ms: rng.i32(),
            node_endpoints: if at.version >= 10 {
                if rng.present() { rng.array(at) } else { Vec::new() }
            } else {
                Vec::new()
            },
        }
    }
}

impl Arbitrary for TopicProduceResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: if at.version <= 12 {
                rng.string()
            } else {
                Str::new()
            },
            topic_id: if at.version >= 13 { rng.uuid() } else { Uuid::ZERO },
            partition_responses: rng.array(at),
        }
    }
}

impl Arbitrary for PartitionProduceResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            index: rng.i32(),
            error_code: rng.i16(),
            base_offset: rng.i64(),
            log_append_time_ms: rng.i64(),
            log_start_offset: if at.version >= 5 { rng.i64() } else { -1 },
            record_errors: if at.version >= 8 {
                rng.array(at)
            } else {
                Vec::new()
            },
            error_message: if at.version >= 8 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
            current_leader: if at.version >= 10 {
                if rng.present() {
                    rng.structure(at)
                } else {
                    LeaderIdAndEpoch::default()
                }
            } else {
                LeaderIdAndEpoch::default()
            },
        }
    }
}

impl Arbitrary for BatchIndexAndErrorMessage {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            batch_index: rng.i32(),
            batch_index_error_message: rng.present().then(|| rng.string()),
        }
    }
}

impl Arbitrary for LeaderIdAndEpoch {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            leader_id: rng.i32(),
            leader_epoch: rng.i32(),
        }
    }
}

impl Arbitrary for NodeEndpoint {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            node_id: rng.i32(),
            host: rng.string(),
            port: rng.i32(),
            rack: rng.present().then(|| rng.string()),
        }
    }
}
