//! Share groups.

use super::*;
use millstream_kafka_wire::*;

pub fn rows(stage: &Stage) -> Vec<Probe> {
    let beat = || ShareGroupHeartbeatRequest {
        group_id: name("s"),
        member_id: name("m"),
        subscribed_topic_names: Some(vec![name("t")]),
        ..Default::default()
    };
    let describe = ShareGroupDescribeRequest {
        group_ids: vec![name("s")],
        include_authorized_operations: false,
    };
    let fetch = || ShareFetchRequest {
        group_id: Some(name("s")),
        member_id: Some(name("m")),
        max_bytes: 1 << 20,
        topics: vec![share_fetch::FetchTopic {
            topic_id: stage.topic,
            partitions: vec![share_fetch::FetchPartition::default()],
        }],
        ..Default::default()
    };
    let acknowledge = ShareAcknowledgeRequest {
        group_id: Some(name("s")),
        member_id: Some(name("m")),
        share_session_epoch: 1,
        ..Default::default()
    };
    let mut rows = vec![
        probe(GROUP, beat(), |answer| answer.error_code),
        probe(TOPIC, beat(), |answer| answer.error_code).given(&[READ_GROUP]),
        probe(GROUP, describe, |answer| answer.groups[0].error_code),
        probe(GROUP, fetch(), |answer| answer.error_code),
        probe(TOPIC, fetch(), |answer| {
            let of_topic = answer.responses.first();
            of_topic.map_or(answer.error_code, |topic| topic.partitions[0].error_code)
        })
        .given(&[READ_GROUP]),
        probe(GROUP, acknowledge, |answer| answer.error_code),
    ];
    rows.extend(offsets());
    rows
}

fn offsets() -> Vec<Probe> {
    let describe = || DescribeShareGroupOffsetsRequest {
        groups: vec![
            describe_share_group_offsets::DescribeShareGroupOffsetsRequestGroup {
                group_id: name("g"),
                topics: Some(vec![
                    describe_share_group_offsets::DescribeShareGroupOffsetsRequestTopic {
                        topic_name: name("t"),
                        partitions: vec![0],
                    },
                ]),
            },
        ],
    };
    let alter = || AlterShareGroupOffsetsRequest {
        group_id: name("s"),
        topics: vec![alter_share_group_offsets::AlterShareGroupOffsetsRequestTopic {
            topic_name: name("t"),
            partitions: vec![alter_share_group_offsets::AlterShareGroupOffsetsRequestPartition::default()],
        }],
    };
    let delete = || DeleteShareGroupOffsetsRequest {
        group_id: name("s"),
        topics: vec![delete_share_group_offsets::DeleteShareGroupOffsetsRequestTopic {
            topic_name: name("t"),
        }],
    };
    vec![
        probe(GROUP, describe(), |answer| answer.groups[0].error_code),
        probe(GROUP, alter(), |answer| answer.error_code),
        probe(TOPIC, alter(), |answer| {
            let of_topic = answer.responses.first();
            of_topic.map_or(answer.error_code, |topic| topic.partitions[0].error_code)
        })
        .given(&[READ_GROUP]),
        probe(GROUP, delete(), |answer| answer.error_code),
        probe(TOPIC, delete(), |answer| {
            let of_topic = answer.responses.first();
            of_topic.map_or(answer.error_code, |topic| topic.error_code)
        })
        .given(&[DELETE_GROUP]),
    ]
}
