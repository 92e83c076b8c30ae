//! DescribeGroups (15): state, members and shares of groups.
//!
//! Versions 0-6. v3 authorised operations (KIP-430); v4 static members (KIP-345); v5 flexible; v6 a missing group is an error with a
//! message, before it is a group in state Dead (KIP-1043).

use crate::access::{Operation, Resource};
use crate::api::consumer_group_describe::message;
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::group::{DescribedMember, GroupError, GroupId, GroupState};
use crate::node::Kafka;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup, DescribedGroupMember,
};
use std::sync::Arc;

pub(crate) struct DescribeGroups;

/// The first version in which a missing group is an error.
const VERSION_GROUP_NOT_FOUND: i16 = 6;

impl Api for DescribeGroups {
    type Request = DescribeGroupsRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DescribeGroupsRequest,
    ) -> Begun<DescribeGroupsResponse> {
        let mut response = DescribeGroupsResponse::default();
        for group in request.groups {
            if let Err(code) = kafka.need(&call, Operation::Describe, Resource::Group(group.as_str())) {
                response.groups.push(DescribedGroup {
                    error_code: code.0,
                    group_id: group,
                    ..Default::default()
                });
                continue;
            }
            let asked = request.include_authorized_operations;
            let operations = kafka.group_operations(&call, asked, group.as_str());
            let mut described = describe(&kafka, call.version, group).await;
            described.authorized_operations = operations;
            response.groups.push(described);
        }
        Begun::Done(response)
    }
}

async fn describe(kafka: &Kafka, version: i16, group_id: Str) -> DescribedGroup {
    let outcome = kafka.groups.describe(GroupId::from(group_id.as_str())).await;
    let name = |name: Option<crate::group::ProtocolName>| {
        name.map_or_else(Str::new, |name| Str::from(name.as_str()))
    };
    match outcome {
        Ok(group) => DescribedGroup {
            group_id,
            group_state: Str::from_static(group.state.name()),
            protocol_type: name(group.protocol_type),
            protocol_data: name(group.protocol),
            members: group.members.into_iter().map(encode).collect(),
            ..Default::default()
        },
        Err(error @ (GroupError::GroupIdNotFound | GroupError::NotOfKind(_))) => {
            missing(version, group_id, &error)
        }
        Err(error) => DescribedGroup {
            error_code: error.code().0,
            group_id,
            ..Default::default()
        },
    }
}

pub(super) fn missing(version: i16, group_id: Str, error: &GroupError) -> DescribedGroup {
    let told = version >= VERSION_GROUP_NOT_FOUND;
    DescribedGroup {
        error_code: if told {
            ErrorCode::GROUP_ID_NOT_FOUND.0
        } else {
            ErrorCode::NONE.0
        },
        error_message: told.then(|| Str::from(message(&group_id, error))),
        group_id,
        group_state: Str::from_static(GroupState::Dead.name()),
        ..Default::default()
    }
}

pub(super) fn encode(member: DescribedMember) -> DescribedGroupMember {
    DescribedGroupMember {
        member_id: Str::from(member.member.as_str()),
        group_instance_id: member.instance.map(|instance| Str::from(instance.as_str())),
        client_id: Str::from(&*member.client_id),
        client_host: Str::from(&*member.client_host),
        member_metadata: member.metadata,
        member_assignment: member.assignment,
    }
}
