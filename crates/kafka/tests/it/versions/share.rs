//! Share groups, at every version.

use super::{Covered, name};
use crate::harness::Client;
use millstream_kafka_wire::alter_share_group_offsets::{
    AlterShareGroupOffsetsRequestPartition, AlterShareGroupOffsetsRequestTopic,
};
use millstream_kafka_wire::delete_share_group_offsets::DeleteShareGroupOffsetsRequestTopic;
use millstream_kafka_wire::describe_share_group_offsets::DescribeShareGroupOffsetsRequestGroup;
use millstream_kafka_wire::*;

fn heartbeat(epoch: i32) -> ShareGroupHeartbeatRequest {
    ShareGroupHeartbeatRequest {
        group_id: name("shared"),
        member_id: name("m"),
        member_epoch: epoch,
        rack_id: None,
        subscribed_topic_names: (epoch == 0).then(|| vec![name("t")]),
    }
}

pub(super) async fn all(covered: &mut Covered, client: &mut Client, id: Uuid) {
    covered
        .each(
            client,
            |_| heartbeat(0),
            |version, response| {
                let assignment = response.assignment.expect("who joins is told what it has");
                let topic = &assignment.topic_partitions[0];
                assert_eq!((response.error_code, topic.topic_id), (0, id), "v{version}");
                assert_eq!(topic.partitions, [0, 1]);
            },
        )
        .await;
    covered
        .each(
            client,
            |_| ShareGroupDescribeRequest {
                group_ids: vec![name("shared")],
                include_authorized_operations: true,
            },
            |version, response| {
                let group = &response.groups[0];
                assert_eq!(
                    (group.error_code, group.group_state.as_str()),
                    (0, "Stable"),
                    "v{version}"
                );
                assert_eq!((group.members.len(), group.assignor_name.as_str()), (1, "simple"));
            },
        )
        .await;
    records(covered, client, id).await;
    let left = client.ask(&heartbeat(-1)).await;
    assert_eq!((left.error_code, left.member_epoch), (0, -1));
    offsets(covered, client).await;
}

async fn records(covered: &mut Covered, client: &mut Client, id: Uuid) {
    let group_id = Some(name("shared"));
    let member_id = Some(name("m"));
    covered.0.insert(ApiKey::ShareFetch.code());
    covered.0.insert(ApiKey::ShareAcknowledge.code());
    for version in ApiKey::ShareFetch.stable_versions() {
        let partition = share_fetch::FetchPartition::default();
        let fetch = ShareFetchRequest {
            group_id: group_id.clone(),
            member_id: member_id.clone(),
            max_bytes: 1,
            max_records: 1,
            topics: vec![share_fetch::FetchTopic {
                topic_id: id,
                partitions: vec![partition],
            }],
            ..Default::default()
        };
        let fetched = client.call(version, &fetch).await;
        assert_eq!(fetched.error_code, 0, "v{version}");
        let acknowledge = ShareAcknowledgeRequest {
            group_id: group_id.clone(),
            member_id: member_id.clone(),
            share_session_epoch: -1,
            ..Default::default()
        };
        let acknowledged = client.call(version, &acknowledge).await;
        assert_eq!(acknowledged.error_code, 0, "v{version}");
    }
}

async fn offsets(covered: &mut Covered, client: &mut Client) {
    covered
        .each(
            client,
            |_| AlterShareGroupOffsetsRequest {
                group_id: name("shared"),
                topics: vec![AlterShareGroupOffsetsRequestTopic {
                    topic_name: name("t"),
                    partitions: vec![AlterShareGroupOffsetsRequestPartition {
                        partition_index: 1,
                        start_offset: 0,
                    }],
                }],
            },
            |version, response| {
                let partition = &response.responses[0].partitions[0];
                assert_eq!((response.error_code, partition.error_code), (0, 0), "v{version}");
            },
        )
        .await;
    covered
        .each(
            client,
            |_| DescribeShareGroupOffsetsRequest {
                groups: vec![DescribeShareGroupOffsetsRequestGroup {
                    group_id: name("shared"),
                    topics: None,
                }],
            },
            |version, response| {
                let group = &response.groups[0];
                assert_eq!(group.error_code, 0, "v{version}");
                assert_eq!(group.topics[0].partitions.len(), 2);
            },
        )
        .await;
    covered
        .each(
            client,
            |_| DeleteShareGroupOffsetsRequest {
                group_id: name("shared"),
                topics: vec![DeleteShareGroupOffsetsRequestTopic {
                    topic_name: name("t"),
                }],
            },
            |version, response| {
                let codes = (response.error_code, response.responses[0].error_code);
                assert_eq!(codes, (0, 0), "v{version}");
            },
        )
        .await;
}
