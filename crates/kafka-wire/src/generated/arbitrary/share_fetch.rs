//! Random messages of ShareFetch.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::share_fetch::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for ShareFetchRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_id: rng.present().then(|| rng.string()),
            member_id: rng.present().then(|| rng.string()),
            share_session_epoch: rng.i32(),
            max_wait_ms: rng.i32(),
            min_bytes: rng.i32(),
            max_bytes: rng.i32(),
            max_records: rng.i32(),
            batch_size: rng.i32(),
            share_acquire_mode: if at.version >= 2 { rng.i8() } else { 0 },
            is_renew_ack: if at.version >= 2 { rng.boolean() } else { false },
            topics: rng.array(at),
            forgotten_topics_data: rng.array(at),
        }
    }
}

impl Arbitrary for FetchTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic_id: rng.uuid(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for FetchPartition {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            acknowledgement_batches: rng.array(at),
        }
    }
}

impl Arbitrary for AcknowledgementBatch {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            first_offset: rng.i64(),
            last_offset: rng.i64(),
            acknowledge_types: rng.array(at),
        }
    }
}

impl Arbitrary for ForgottenTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic_id: rng.uuid(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for ShareFetchResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            acquisition_lock_timeout_ms: rng.i32(),
            responses: rng.array(at),
            node_endpoints: rng.array(at),
        }
    }
}

impl Arbitrary for ShareFetchableTopicResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic_id: rng.uuid(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for PartitionData {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            acknowledge_error_code: rng.i16(),
            acknowledge_error_message: rng.present().then(|| rng.string()),
            current_leader: rng.structure(at),
            records: rng.records(),
            acquired_records: rng.array(at),
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

impl Arbitrary for AcquiredRecords {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            first_offset: rng.i64(),
            last_offset: rng.i64(),
            delivery_count: rng.i16(),
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
