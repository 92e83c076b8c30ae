//! LeaveGroup (13): members go at once instead of falling silent.
//!
//! Versions 0-5. v3 several members, static ones by instance id (KIP-345); v4 flexible; v5 reason (KIP-800). Up to version 2 the
//! one member's error is the answer's.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, code_of};
use crate::group::{GroupError, GroupId, InstanceId, LeaveRequest, LeaveResults, Leaver, MemberId};
use crate::node::Kafka;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberResponse};
use std::sync::Arc;

pub(crate) struct LeaveGroup;

/// The first version with several members.
const VERSION_MANY_MEMBERS: i16 = 3;

impl Api for LeaveGroup {
    type Request = LeaveGroupRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(kafka: Arc<Kafka>, call: Call, request: LeaveGroupRequest) -> Begun<LeaveGroupResponse> {
        let version = call.version;
        let Some(group) = GroupId::given(&request.group_id) else {
            return Begun::Done(encode(version, Err(GroupError::InvalidGroupId)));
        };
        if let Err(code) = kafka.need(&call, Operation::Read, Resource::Group(&request.group_id)) {
            return Begun::Done(LeaveGroupResponse {
                error_code: code.0,
                ..Default::default()
            });
        }
        let members = leavers(version, &request);
        let answer = kafka.groups.leave(LeaveRequest { group, members }).await;
        Begun::Pending(Box::pin(async move { encode(version, answer.await) }))
    }
}

fn leavers(version: i16, request: &LeaveGroupRequest) -> Vec<Leaver> {
    if version < VERSION_MANY_MEMBERS {
        return vec![Leaver {
            member: MemberId::given(&request.member_id),
            instance: None,
        }];
    }
    let members = request.members.iter().map(|member| Leaver {
        member: MemberId::given(&member.member_id),
        instance: member.group_instance_id.as_deref().map(InstanceId::from),
    });
    members.collect()
}

pub(super) fn encode(version: i16, outcome: Result<LeaveResults, GroupError>) -> LeaveGroupResponse {
    let results = match outcome {
        Ok(results) => results,
        Err(error) => {
            return LeaveGroupResponse {
                error_code: error.code().0,
                ..Default::default()
            };
        }
    };
    if version < VERSION_MANY_MEMBERS {
        return LeaveGroupResponse {
            error_code: results.first().map_or(0, |(_, outcome)| code_of(outcome)),
            ..Default::default()
        };
    }
    let members = results.into_iter().map(|(leaver, outcome)| MemberResponse {
        member_id: leaver
            .member
            .map_or_else(Str::new, |member| Str::from(member.as_str())),
        group_instance_id: leaver.instance.map(|instance| Str::from(instance.as_str())),
        error_code: code_of(&outcome),
    });
    LeaveGroupResponse {
        members: members.collect(),
        ..Default::default()
    }
}
