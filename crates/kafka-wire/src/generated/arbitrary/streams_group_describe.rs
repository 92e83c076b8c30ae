//! Random messages of StreamsGroupDescribe.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::streams_group_describe::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for StreamsGroupDescribeRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_ids: rng.array(at),
            include_authorized_operations: rng.boolean(),
        }
    }
}

impl Arbitrary for StreamsGroupDescribeResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            groups: rng.array(at),
        }
    }
}

impl Arbitrary for Endpoint {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            host: rng.string(),
            port: rng.u16(),
        }
    }
}

impl Arbitrary for TaskOffset {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            subtopology_id: rng.string(),
            partition: rng.i32(),
            offset: rng.i64(),
        }
    }
}

impl Arbitrary for Assignment {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            active_tasks: rng.array(at),
            standby_tasks: rng.array(at),
            warmup_tasks: rng.array(at),
        }
    }
}

impl Arbitrary for TaskIds {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            subtopology_id: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for KeyValue {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            key: rng.string(),
            value: rng.string(),
        }
    }
}

impl Arbitrary for TopicInfo {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            name: rng.string(),
            partitions: rng.i32(),
            replication_factor: rng.i16(),
            topic_configs: rng.array(at),
        }
    }
}

impl Arbitrary for DescribedGroup {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            group_id: rng.string(),
            group_state: rng.string(),
            group_epoch: rng.i32(),
            assignment_epoch: rng.i32(),
            topology: rng.present().then(|| rng.structure(at)),
            members: rng.array(at),
            authorized_operations: rng.i32(),
        }
    }
}

impl Arbitrary for Topology {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            epoch: rng.i32(),
            subtopologies: rng.present().then(|| rng.array(at)),
        }
    }
}

impl Arbitrary for Subtopology {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            subtopology_id: rng.string(),
            source_topics: rng.array(at),
            repartition_sink_topics: rng.array(at),
            state_changelog_topics: rng.array(at),
            repartition_source_topics: rng.array(at),
        }
    }
}

impl Arbitrary for Member {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            member_id: rng.string(),
            member_epoch: rng.i32(),
            instance_id: rng.present().then(|| rng.string()),
            rack_id: rng.present().then(|| rng.string()),
            client_id: rng.string(),
            client_host: rng.string(),
            topology_epoch: rng.i32(),
            process_id: rng.string(),
            user_endpoint: rng.present().then(|| rng.structure(at)),
            client_tags: rng.array(at),
            task_offsets: rng.array(at),
            task_end_offsets: rng.array(at),
            assignment: rng.structure(at),
            target_assignment: rng.structure(at),
            is_classic: rng.boolean(),
        }
    }
}
