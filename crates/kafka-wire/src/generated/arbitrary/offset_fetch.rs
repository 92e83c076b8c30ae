//! Random messages of OffsetFetch.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::offset_fetch::*;
use crate::testing::{Arbitrary, Rng};
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::At;

impl Arbitrary for OffsetFetchRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_id: if at.version <= 7 { rng.string() } else { Str::new() },
            topics: if at.version <= 7 {
                if at.version >= 2 {
                    rng.present().then(|| rng.array(at))
                } else {
                    Some(rng.array(at))
                }
            } else {
                Some(Vec::new())
            },
            groups: if at.version >= 8 {
                rng.array(at)
            } else {
                Vec::new()
            },
            require_stable: if at.version >= 7 { rng.boolean() } else { false },
        }
    }
}

impl Arbitrary for OffsetFetchRequestTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partition_indexes: rng.array(at),
        }
    }
}

impl Arbitrary for OffsetFetchRequestGroup {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_id: rng.string(),
            member_id: if at.version >= 9 {
                rng.present().then(|| rng.string())
            } else {
                None
            },
            member_epoch: if at.version >= 9 { rng.i32() } else { -1 },
            topics: rng.present().then(|| rng.array(at)),
        }
    }
}

impl Arbitrary for OffsetFetchRequestTopics {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: if at.version <= 9 { rng.string() } else { Str::new() },
            topic_id: if at.version >= 10 { rng.uuid() } else { Uuid::ZERO },
            partition_indexes: rng.array(at),
        }
    }
}

impl Arbitrary for OffsetFetchResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: if at.version >= 3 { rng.i32() } else { 0 },
            topics: if at.version <= 7 {
                rng.array(at)
            } else {
                Vec::new()
            },
            error_code: if (2..=7).contains(&at.version) {
                rng.i16()
            } else {
                0
            },
            groups: if at.version >= 8 {
                rng.array(at)
            } else {
                Vec::new()
            },
        }
    }
}

impl Arbitrary for OffsetFetchResponseTopic {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for OffsetFetchResponsePartition {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            committed_offset: rng.i64(),
            committed_leader_epoch: if at.version >= 5 { rng.i32() } else { -1 },
            metadata: rng.present().then(|| rng.string()),
            error_code: rng.i16(),
        }
    }
}

impl Arbitrary for OffsetFetchResponseGroup {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_id: rng.string(),
            topics: rng.array(at),
            error_code: rng.i16(),
        }
    }
}

impl Arbitrary for OffsetFetchResponseTopics {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: if at.version <= 9 { rng.string() } else { Str::new() },
            topic_id: if at.version >= 10 { rng.uuid() } else { Uuid::ZERO },
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for OffsetFetchResponsePartitions {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            partition_index: rng.i32(),
            committed_offset: rng.i64(),
            committed_leader_epoch: rng.i32(),
            metadata: rng.present().then(|| rng.string()),
            error_code: rng.i16(),
        }
    }
}
