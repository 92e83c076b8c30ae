//! Random messages of StreamsGroupHeartbeat.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::streams_group_heartbeat::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for StreamsGroupHeartbeatRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            group_id: rng.string(),
            member_id: rng.string(),
            member_epoch: rng.i32(),
            endpoint_information_epoch: rng.i32(),
            instance_id: rng.present().then(|| rng.string()),
            rack_id: rng.present().then(|| rng.string()),
            rebalance_timeout_ms: rng.i32(),
            topology: rng.present().then(|| rng.structure(at)),
            active_tasks: rng.present().then(|| rng.array(at)),
            standby_tasks: rng.present().then(|| rng.array(at)),
            warmup_tasks: rng.present().then(|| rng.array(at)),
            process_id: rng.present().then(|| rng.string()),
            user_endpoint: rng.present().then(|| rng.structure(at)),
            client_tags: rng.present().then(|| rng.array(at)),
            task_offsets: rng.present().then(|| rng.array(at)),
            task_end_offsets: rng.present().then(|| rng.array(at)),
            shutdown_application: rng.boolean(),
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

impl Arbitrary for RequestEndpoint {
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

impl Arbitrary for RequestTaskIds {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            subtopology_id: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for Topology {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            epoch: rng.i32(),
            subtopologies: rng.array(at),
        }
    }
}

impl Arbitrary for Subtopology {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            subtopology_id: rng.string(),
            source_topics: rng.array(at),
            source_topic_regex: rng.array(at),
            state_changelog_topics: rng.array(at),
            repartition_sink_topics: rng.array(at),
            repartition_source_topics: rng.array(at),
            copartition_groups: rng.array(at),
        }
    }
}

impl Arbitrary for CopartitionGroup {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            source_topics: rng.array(at),
            source_topic_regex: rng.array(at),
            repartition_source_topics: rng.array(at),
        }
    }
}

impl Arbitrary for StreamsGroupHeartbeatResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            member_id: rng.string(),
            member_epoch: rng.i32(),
            heartbeat_interval_ms: rng.i32(),
            acceptable_recovery_lag: rng.i32(),
            task_offset_interval_ms: rng.i32(),
            status: rng.present().then(|| rng.array(at)),
            active_tasks: rng.present().then(|| rng.array(at)),
            standby_tasks: rng.present().then(|| rng.array(at)),
            warmup_tasks: rng.present().then(|| rng.array(at)),
            endpoint_information_epoch: rng.i32(),
            partitions_by_user_endpoint: rng.present().then(|| rng.array(at)),
        }
    }
}

impl Arbitrary for Status {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            status_code: rng.i8(),
            status_detail: rng.string(),
        }
    }
}

impl Arbitrary for TopicPartition {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            topic: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for ResponseTaskIds {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            subtopology_id: rng.string(),
            partitions: rng.array(at),
        }
    }
}

impl Arbitrary for ResponseEndpoint {
    fn arbitrary(rng: &mut Rng, _at: At) -> Self {
        Self {
            host: rng.string(),
            port: rng.u16(),
        }
    }
}

impl Arbitrary for EndpointToPartitions {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            user_endpoint: rng.structure(at),
            active_partitions: rng.array(at),
            standby_partitions: rng.array(at),
        }
    }
}
