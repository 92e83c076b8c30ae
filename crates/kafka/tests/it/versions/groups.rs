//! Groups and their offsets, at every version.

use super::{Covered, name};
use crate::harness::Client;
use bytes::Bytes;
use millstream_kafka_wire::*;

pub(super) async fn all(covered: &mut Covered, client: &mut Client, id: Uuid) {
    covered
        .each(
            client,
            |version| FindCoordinatorRequest {
                key: if version < 4 { name("g") } else { Str::new() },
                coordinator_keys: if version >= 4 { vec![name("g")] } else { Vec::new() },
                key_type: 0,
            },
            |version, response| {
                let (code, host) = match response.coordinators.first() {
                    Some(found) => (found.error_code, found.host.clone()),
                    None => (response.error_code, response.host.clone()),
                };
                assert_eq!((code, host.as_str()), (0, "broker.test"), "v{version}");
            },
        )
        .await;
    for version in ApiKey::JoinGroup.stable_versions() {
        one_generation(covered, client, version).await;
    }
    offsets(covered, client, id).await;
    described(covered, client).await;
    deleted(covered, client).await;
    consumer_group(covered, client).await;
}

async fn consumer_group(covered: &mut Covered, client: &mut Client) {
    covered.0.insert(ApiKey::ConsumerGroupHeartbeat.code());
    for version in ApiKey::ConsumerGroupHeartbeat.stable_versions() {
        let id = if version == 0 { "" } else { "made-by-the-client" };
        let mut member = crate::consumer_groups::Member::new("new-kind", id, &["t"]);
        let joined = member.beat(client, version).await;
        assert_eq!(
            (joined.error_code, joined.member_epoch > 0),
            (0, true),
            "v{version}"
        );
        member.epoch = -1;
        let left = member.beat(client, version).await;
        assert_eq!((left.error_code, left.member_epoch), (0, -1), "v{version}");
    }
    covered
        .each(
            client,
            |_| ConsumerGroupDescribeRequest {
                group_ids: vec![name("new-kind")],
                include_authorized_operations: true,
            },
            |version, response| {
                let group = &response.groups[0];
                assert_eq!(
                    (group.error_code, group.group_state.as_str()),
                    (0, "Empty"),
                    "v{version}"
                );
                assert!(group.authorized_operations > 0);
            },
        )
        .await;
}

async fn described(covered: &mut Covered, client: &mut Client) {
    covered
        .each(
            client,
            |version| DescribeGroupsRequest {
                groups: vec![name("offsets")],
                include_authorized_operations: version >= 3,
            },
            |version, response| {
                let group = &response.groups[0];
                assert_eq!(
                    (group.error_code, group.group_state.as_str()),
                    (0, "Empty"),
                    "v{version}"
                );
                assert_eq!(group.authorized_operations > 0, version >= 3);
            },
        )
        .await;
    covered
        .each(
            client,
            |_| ListGroupsRequest::default(),
            |_, response| {
                assert_eq!(response.error_code, 0);
                assert!(response.groups.iter().any(|group| group.group_id == "offsets"));
            },
        )
        .await;
}

async fn deleted(covered: &mut Covered, client: &mut Client) {
    covered.0.insert(ApiKey::DeleteGroups.code());
    for version in ApiKey::DeleteGroups.stable_versions() {
        let group = Str::from(format!("gone-{version}"));
        commit(client, 9, group.clone(), Uuid::ZERO).await;
        let groups_names = vec![group];
        let deleted = client.call(version, &DeleteGroupsRequest { groups_names }).await;
        assert_eq!(deleted.results[0].error_code, 0, "v{version}");
    }
}

/// A member joins, becomes the leader, assigns, beats and leaves; the other APIs at the version nearest to join's.
async fn one_generation(covered: &mut Covered, client: &mut Client, version: i16) {
    let group = Str::from(format!("g-{version}"));
    let mut join = JoinGroupRequest {
        group_id: group.clone(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: if version >= 1 { 10_000 } else { -1 },
        protocol_type: name("consumer"),
        protocols: vec![join_group::JoinGroupRequestProtocol {
            name: name("range"),
            metadata: Bytes::from_static(b"subscription"),
        }],
        ..Default::default()
    };
    let mut joined = client.call(version, &join).await;
    if joined.error_code == ErrorCode::MEMBER_ID_REQUIRED.0 {
        join.member_id = joined.member_id.clone();
        joined = client.call(version, &join).await;
    }
    assert_eq!(
        (joined.error_code, &joined.leader),
        (0, &joined.member_id),
        "v{version}"
    );
    let (member, generation) = (joined.member_id, joined.generation_id);
    let near = |key: ApiKey| version.min(*key.stable_versions().end());
    let at = near(ApiKey::SyncGroup);
    let sync = SyncGroupRequest {
        group_id: group.clone(),
        generation_id: generation,
        member_id: member.clone(),
        protocol_type: (at >= 5).then(|| name("consumer")),
        protocol_name: (at >= 5).then(|| name("range")),
        assignments: vec![sync_group::SyncGroupRequestAssignment {
            member_id: member.clone(),
            assignment: Bytes::from_static(b"all"),
        }],
        ..Default::default()
    };
    let synced = client.call(at, &sync).await;
    assert_eq!(
        (synced.error_code, &synced.assignment[..]),
        (0, &b"all"[..]),
        "v{at}"
    );
    let beat = HeartbeatRequest {
        group_id: group.clone(),
        generation_id: generation,
        member_id: member.clone(),
        ..Default::default()
    };
    assert_eq!(client.call(near(ApiKey::Heartbeat), &beat).await.error_code, 0);
    leave(client, near(ApiKey::LeaveGroup), group, member).await;
    for key in [
        ApiKey::JoinGroup,
        ApiKey::SyncGroup,
        ApiKey::Heartbeat,
        ApiKey::LeaveGroup,
    ] {
        assert!(near(key) <= *key.stable_versions().end());
        covered.0.insert(key.code());
    }
}

async fn leave(client: &mut Client, at: i16, group: Str, member: Str) {
    let leave = LeaveGroupRequest {
        group_id: group,
        member_id: if at < 3 { member.clone() } else { Str::new() },
        members: (at >= 3)
            .then(|| leave_group::MemberIdentity {
                member_id: member,
                ..Default::default()
            })
            .into_iter()
            .collect(),
    };
    let left = client.call(at, &leave).await;
    assert_eq!(left.error_code, 0, "v{at}");
    assert!(left.members.iter().all(|member| member.error_code == 0));
}

async fn commit(client: &mut Client, version: i16, group: Str, topic: Uuid) {
    let request = OffsetCommitRequest {
        group_id: group,
        generation_id_or_member_epoch: -1,
        topics: vec![offset_commit::OffsetCommitRequestTopic {
            name: if version < 10 { name("t") } else { Str::new() },
            topic_id: if version < 10 { Uuid::ZERO } else { topic },
            partitions: vec![offset_commit::OffsetCommitRequestPartition {
                partition_index: 1,
                committed_offset: i64::from(version),
                committed_leader_epoch: -1,
                committed_metadata: Some(name("note")),
            }],
        }],
        ..Default::default()
    };
    let committed = client.call(version, &request).await;
    assert_eq!(committed.topics[0].partitions[0].error_code, 0, "v{version}");
}

async fn offsets(covered: &mut Covered, client: &mut Client, id: Uuid) {
    covered.0.insert(ApiKey::OffsetCommit.code());
    for version in ApiKey::OffsetCommit.stable_versions() {
        commit(client, version, name("offsets"), id).await;
    }
    let last = i64::from(*ApiKey::OffsetCommit.stable_versions().end());
    covered
        .each(
            client,
            |version| offset_fetch_at(version, id),
            |version, response| {
                let offset = match response.groups.first() {
                    Some(group) => group.topics[0].partitions[0].committed_offset,
                    None => response.topics[0].partitions[0].committed_offset,
                };
                assert_eq!((response.error_code, offset), (0, last), "v{version}");
            },
        )
        .await;
    covered
        .each(
            client,
            |_| OffsetDeleteRequest {
                group_id: name("offsets"),
                topics: vec![offset_delete::OffsetDeleteRequestTopic {
                    name: name("t"),
                    partitions: vec![offset_delete::OffsetDeleteRequestPartition { partition_index: 0 }],
                }],
            },
            |_, response| {
                assert_eq!(response.error_code, 0);
                assert_eq!(response.topics[0].partitions[0].error_code, 0);
            },
        )
        .await;
}

fn offset_fetch_at(version: i16, id: Uuid) -> OffsetFetchRequest {
    let mut request = OffsetFetchRequest {
        require_stable: version >= 7,
        ..Default::default()
    };
    if version < 8 {
        request.group_id = name("offsets");
        request.topics = Some(vec![offset_fetch::OffsetFetchRequestTopic {
            name: name("t"),
            partition_indexes: vec![1],
        }]);
        return request;
    }
    request.groups = vec![offset_fetch::OffsetFetchRequestGroup {
        group_id: name("offsets"),
        member_epoch: -1,
        topics: Some(vec![offset_fetch::OffsetFetchRequestTopics {
            name: if version < 10 { name("t") } else { Str::new() },
            topic_id: if version < 10 { Uuid::ZERO } else { id },
            partition_indexes: vec![1],
        }]),
        ..Default::default()
    }];
    request
}
