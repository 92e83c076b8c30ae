//! The answers of the group APIs encode at every version that is advertised, whatever the outcome.

use crate::dispatch::Api;
use crate::group::{DescribedMember, GroupError, JoinRefused, Joined, JoinedMember, Leaver, Synced};
use bytes::Bytes;
use millstream_kafka_wire::{Request, encode_response};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// Encodes and reads back.
fn travels<R: Request>(version: i16, response: &R::Response)
where
    R::Response: std::fmt::Debug,
{
    let frame = encode_response(response, version, 7).unwrap_or_else(|error| {
        panic!("version {version} does not encode {response:?}: {error:?}");
    });
    assert!(frame.len() >= 8, "a length and a correlation id");
}

fn versions<A: Api>() -> RangeInclusive<i16> {
    A::VERSIONS
}

#[test]
fn join_group_answers_encode_at_every_version() {
    let joined = Joined {
        member: "m".into(),
        generation: 3,
        protocol_type: Some("consumer".into()),
        protocol: Some("range".into()),
        leader: Some("m".into()),
        skip_assignment: false,
        members: vec![JoinedMember {
            member: "m".into(),
            instance: None,
            metadata: Bytes::from_static(b"x"),
        }],
    };
    let refused = JoinRefused {
        error: GroupError::MemberIdRequired,
        member: Some("m".into()),
    };
    for version in versions::<super::join_group::JoinGroup>() {
        travels::<millstream_kafka_wire::join_group::JoinGroupRequest>(
            version,
            &super::join_group::encode(version, Ok(joined.clone())),
        );
        travels::<millstream_kafka_wire::join_group::JoinGroupRequest>(
            version,
            &super::join_group::encode(version, Err(refused.clone())),
        );
    }
}

#[test]
fn sync_and_leave_answers_encode_at_every_version() {
    let synced = Synced {
        protocol_type: Some("consumer".into()),
        protocol: Some("range".into()),
        assignment: Bytes::from_static(b"share"),
    };
    for version in versions::<super::sync_group::SyncGroup>() {
        for outcome in [Ok(synced.clone()), Err(GroupError::RebalanceInProgress)] {
            travels::<millstream_kafka_wire::sync_group::SyncGroupRequest>(
                version,
                &super::sync_group::encode(outcome),
            );
        }
    }
    let leaver = Leaver {
        member: Some("m".into()),
        instance: Some("i".into()),
    };
    for version in versions::<super::leave_group::LeaveGroup>() {
        let results = vec![(leaver.clone(), Err(GroupError::UnknownMemberId))];
        for outcome in [Ok(results), Err(GroupError::NotCoordinator)] {
            let response = super::leave_group::encode(version, outcome);
            travels::<millstream_kafka_wire::leave_group::LeaveGroupRequest>(version, &response);
            if version < 3 {
                assert_ne!(response.error_code, 0, "the one member's error is the answer's");
            }
        }
    }
}

#[test]
fn described_groups_encode_at_every_version() {
    use millstream_kafka_wire::describe_groups::{DescribeGroupsRequest, DescribeGroupsResponse};
    let member = DescribedMember {
        member: "m".into(),
        instance: Some("i".into()),
        client_id: Arc::from("c"),
        client_host: Arc::from("/h"),
        metadata: Bytes::new(),
        assignment: Bytes::new(),
    };
    for version in versions::<super::describe_groups::DescribeGroups>() {
        let mut missing = super::describe_groups::missing(version, "g".into(), &GroupError::GroupIdNotFound);
        assert_eq!(missing.error_code == 0, version < 6);
        missing
            .members
            .push(super::describe_groups::encode(member.clone()));
        let response = DescribeGroupsResponse {
            groups: vec![missing],
            ..Default::default()
        };
        travels::<DescribeGroupsRequest>(version, &response);
    }
}

#[test]
fn refused_offset_fetches_encode_at_every_version() {
    use super::offset_fetch::{OffsetFetch, encode_one, one_group, refused_group};
    use millstream_kafka_wire::Uuid;
    use millstream_kafka_wire::offset_fetch::*;
    for version in versions::<OffsetFetch>() {
        let response = if version < 8 {
            let asked = one_group(OffsetFetchRequest {
                group_id: "g".into(),
                topics: Some(vec![OffsetFetchRequestTopic {
                    name: "t".into(),
                    partition_indexes: vec![0, 1],
                }]),
                ..Default::default()
            });
            encode_one(
                version,
                refused_group(version, asked, crate::errors::ErrorCode::NOT_COORDINATOR),
            )
        } else {
            let asked = OffsetFetchRequestGroup {
                group_id: "g".into(),
                topics: Some(vec![OffsetFetchRequestTopics {
                    name: "t".into(),
                    topic_id: Uuid([1; 16]),
                    partition_indexes: vec![0],
                }]),
                ..Default::default()
            };
            OffsetFetchResponse {
                groups: vec![refused_group(
                    version,
                    asked,
                    crate::errors::ErrorCode::NOT_COORDINATOR,
                )],
                ..Default::default()
            }
        };
        if version == 1 {
            assert!(
                response.topics[0]
                    .partitions
                    .iter()
                    .all(|partition| partition.error_code == 16)
            );
        }
        travels::<OffsetFetchRequest>(version, &response);
    }
}
