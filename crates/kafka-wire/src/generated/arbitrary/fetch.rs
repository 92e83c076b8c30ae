//! Random messages of Fetch.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::fetch::*;
use crate::testing::{Arbitrary, Rng};
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::At;

impl Arbitrary for FetchRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            cluster_id: if at.version >= 12 {
                if rng.present() {
                    rng.present().then(|| rng.string())
                } else {
                    None
                }
            } else {
                None
            },
            replica_id: if at.version <= 14 { rng.i32() } else { -1 },
            replica_state: if at.version >= 15 {
                if rng.present() {
                    rng.structure(at)
                } else {
                    ReplicaState::default()
                }
            } else {
                ReplicaState::default()
            },
            max_wait_ms: rng.i32(),
            min_bytes: rng.i32(),
            max_bytes: rng.i32(),
            isolation_level: rng.i8(),
            session_id: if at.version >= 7 { rng.i32() } else { 0 },
            session_epoch: if at.version >= 7 { rng.i32() } else { -1 },
            topics: rng.array(at),
            forgotten_topics_data: if at.version >= 7 {
                rng.array(at)
            } else {
                Vec::new()
            },
            rack_id: if at.version >= 11 {
                rng.string()
            } else {
                Str::new()
            },
        }
    }
}

impl Arbitrary for ReplicaState {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            replica_id: rng.i32(),
            replica_epoch: rng.i64(),
        }
    }
}

impl Arbitrary for FetchTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic: if at.version <= 12 {
                rng.string()
            } else {
                Str::new()
            },
            topic_id: if at.version >= 13 { rng.uuid() } else { Uuid::ZERO },
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for FetchPartition {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            partition: rng.i32(),
            current_leader_epoch: if at.version >= 9 { rng.i32() } else { -1 },
            fetch_offset: rng.i64(),
            last_fetched_epoch: if at.version >= 12 { rng.i32() } else { -1 },
            log_start_offset: if at.version >= 5 { rng.i64() } else { -1 },
            partition_max_bytes: rng.i32(),
            replica_directory_id: if at.version >= 17 {
                if rng.present() { rng.uuid() } else { Uuid::ZERO }
            } else {
                Uuid::ZERO
            },
            high_watermark: if at.version >= 18 {
                if rng.present() { rng.i64() } else { i64::MAX }
            } else {
                i64::MAX
            },
        }
    }
}

impl Arbitrary for ForgottenTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic: if at.version <= 12 {
                rng.string()
            } else {
                Str::new()
            },
            topic_id: if at.version >= 13 { rng.uuid() } else { Uuid::ZERO },
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for FetchResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: if at.version >= 7 { rng.i16() } else { 0 },
            session_id: if at.version >= 7 { rng.i32() } else { 0 },
            responses: rng.array(at),
            node_endpoints: if at.version >= 16 {
                if rng.present() { rng.array(at) } else { Vec::new() }
            } else {
                Vec::new()
            },
        }
    }
}

impl Arbitrary for FetchableTopicResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic: if at.version <= 12 {
                rng.string()
            } else {
                Str::new()
            },
            topic_id: if at.version >= 13 { rng.uuid() } else { Uuid::ZERO },
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for PartitionData {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            error_code: rng.i16(),
            high_watermark: rng.i64(),
            last_stable_offset: rng.i64(),
            log_start_offset: if at.version >= 5 { rng.i64() } else { -1 },
            diverging_epoch: if at.version >= 12 {
                if rng.present() {
                    rng.structure(at)
                } else {
                    EpochEndOffset::default()
                }
            } else {
                EpochEndOffset::default()
            },
            current_leader: if at.version >= 12 {
                if rng.present() {
                    rng.structure(at)
                } else {
                    LeaderIdAndEpoch::default()
                }
            } else {
                LeaderIdAndEpoch::default()
            },
            snapshot_id: if at.version >= 12 {
                if rng.present() {
                    rng.structure(at)
                } else {
                    SnapshotId::default()
                }
            } else {
                SnapshotId::default()
            },
            aborted_transactions: rng.present().then(|| rng.array(at)),
            preferred_read_replica: if at.version >= 11 { rng.i32() } else { -1 },
            records: rng.present().then(|| rng.records()),
        }
    }
}

impl Arbitrary for EpochEndOffset {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            epoch: rng.i32(),
            end_offset: rng.i64(),
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

impl Arbitrary for SnapshotId {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            end_offset: rng.i64(),
            epoch: rng.i32(),
        }
    }
}

impl Arbitrary for AbortedTransaction {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            producer_id: rng.i64(),
            first_offset: rng.i64(),
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
