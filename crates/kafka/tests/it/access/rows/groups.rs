//! Groups of consumers, classic and new, and their offsets.

use super::*;
use millstream_kafka_wire::*;

pub fn rows() -> Vec<Probe> {
    let join = JoinGroupRequest {
        group_id: name("g"),
        ..Default::default()
    };
    let sync = SyncGroupRequest {
        group_id: name("g"),
        ..Default::default()
    };
    let beat = HeartbeatRequest {
        group_id: name("g"),
        ..Default::default()
    };
    let leave = LeaveGroupRequest {
        group_id: name("g"),
        ..Default::default()
    };
    let describe = DescribeGroupsRequest {
        groups: vec![name("g")],
        ..Default::default()
    };
    let delete = DeleteGroupsRequest {
        groups_names: vec![name("g")],
    };
    let describe_new = ConsumerGroupDescribeRequest {
        group_ids: vec![name("g")],
        include_authorized_operations: false,
    };
    vec![
        probe(GROUP, join, |answer| answer.error_code),
        probe(GROUP, sync, |answer| answer.error_code),
        probe(GROUP, beat, |answer| answer.error_code),
        probe(GROUP, leave, |answer| answer.error_code),
        probe(GROUP, describe, |answer| answer.groups[0].error_code),
        probe(HIDDEN, ListGroupsRequest::default(), |answer| {
            unless_hidden(answer.error_code, answer.groups.is_empty())
        }),
        probe(GROUP, delete, |answer| answer.results[0].error_code),
        probe(GROUP, find(0, "g"), |answer| answer.coordinators[0].error_code),
        probe(TRANSACTION, find(1, "tx"), |answer| {
            answer.coordinators[0].error_code
        }),
        probe(GROUP, new_member(), |answer| answer.error_code),
        probe(TOPIC, new_member(), |answer| answer.error_code).given(&[READ_GROUP]),
        probe(GROUP, describe_new, |answer| answer.groups[0].error_code),
    ]
}

fn find(key_type: i8, key: &'static str) -> FindCoordinatorRequest {
    FindCoordinatorRequest {
        key_type,
        coordinator_keys: vec![name(key)],
        ..Default::default()
    }
}

fn new_member() -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: name("new"),
        member_id: name("m"),
        rebalance_timeout_ms: 60_000,
        subscribed_topic_names: Some(vec![name("t")]),
        topic_partitions: Some(Vec::new()),
        ..Default::default()
    }
}

pub fn offsets(stage: &Stage) -> Vec<Probe> {
    let commit = || OffsetCommitRequest {
        group_id: name("g"),
        generation_id_or_member_epoch: -1,
        topics: vec![offset_commit::OffsetCommitRequestTopic {
            topic_id: stage.topic,
            partitions: vec![offset_commit::OffsetCommitRequestPartition::default()],
            ..Default::default()
        }],
        ..Default::default()
    };
    let fetch = || OffsetFetchRequest {
        groups: vec![offset_fetch::OffsetFetchRequestGroup {
            group_id: name("g"),
            member_epoch: -1,
            topics: Some(vec![offset_fetch::OffsetFetchRequestTopics {
                topic_id: stage.topic,
                partition_indexes: vec![0],
                ..Default::default()
            }]),
            ..Default::default()
        }],
        ..Default::default()
    };
    let delete = || OffsetDeleteRequest {
        group_id: name("g"),
        topics: vec![offset_delete::OffsetDeleteRequestTopic {
            name: name("t"),
            partitions: vec![offset_delete::OffsetDeleteRequestPartition::default()],
        }],
    };
    let committed = |answer: &OffsetCommitResponse| answer.topics[0].partitions[0].error_code;
    vec![
        probe(GROUP, commit(), committed),
        probe(TOPIC, commit(), committed).given(&[READ_GROUP]),
        probe(GROUP, fetch(), |answer| answer.groups[0].error_code),
        probe(TOPIC, fetch(), |answer| {
            answer.groups[0].topics[0].partitions[0].error_code
        })
        .given(&[DESCRIBE_GROUP]),
        probe(GROUP, delete(), |answer| answer.error_code),
        probe(TOPIC, delete(), |answer| {
            answer.topics[0].partitions[0].error_code
        })
        .given(&[DELETE_GROUP]),
    ]
}
