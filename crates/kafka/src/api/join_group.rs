//! JoinGroup (11): asks for a place in the next generation of a group.
//!
//! Versions 0-9. v1 rebalance timeout (KIP-62); v4 new members come back with the id they are given (KIP-394); v5 static
//! members (KIP-345); v6 flexible; v7 protocol type, protocol may be null (KIP-559); v8 reason (KIP-800);
//! v9 a leader may keep the assignment (KIP-814). The answer waits for the other members.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::Coded;
use crate::group::{
    ClientInfo, GroupError, GroupId, InstanceId, JoinRefused, JoinRequest, Joined, MemberId, Protocol,
    ProtocolName,
};
use crate::node::Kafka;
use bytes::Bytes;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::join_group::{JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember};
use std::sync::Arc;

pub(crate) struct JoinGroup;

/// From here on a new member needs a second round trip.
const VERSION_MEMBER_ID_REQUIRED: i16 = 4;

/// From here on "no protocol" is null; before it is the empty text.
const VERSION_NULL_PROTOCOL: i16 = 7;

/// From here on the leader understands that it may keep the assignment.
const VERSION_SKIP_ASSIGNMENT: i16 = 9;

impl Api for JoinGroup {
    type Request = JoinGroupRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(kafka: Arc<Kafka>, call: Call, request: JoinGroupRequest) -> Begun<JoinGroupResponse> {
        let Some(group) = GroupId::given(&request.group_id) else {
            let refused = JoinRefused {
                error: GroupError::InvalidGroupId,
                member: MemberId::given(&request.member_id),
            };
            return Begun::Done(encode(call.version, Err(refused)));
        };
        if let Err(code) = kafka.need(&call, Operation::Read, Resource::Group(&request.group_id)) {
            return Begun::Done(JoinGroupResponse {
                error_code: code.0,
                protocol_name: (call.version < VERSION_NULL_PROTOCOL).then(Str::new),
                member_id: request.member_id,
                ..Default::default()
            });
        }
        let answer = kafka.groups.join(ask(&kafka, &call, group, &request)).await;
        Begun::Pending(Box::pin(async move { encode(call.version, answer.await) }))
    }
}

fn ask(kafka: &Kafka, call: &Call, group: GroupId, request: &JoinGroupRequest) -> JoinRequest {
    let client_id = call.client_id.as_deref().unwrap_or_default();
    let instance = request.group_instance_id.as_deref().map(InstanceId::from);
    let protocols = request.protocols.iter().map(|protocol| Protocol {
        name: ProtocolName::from(protocol.name.as_str()),
        // A copy: what a group keeps must not pin the frame that brought it.
        metadata: Bytes::copy_from_slice(&protocol.metadata),
    });
    JoinRequest {
        group,
        member: MemberId::given(&request.member_id),
        fresh_member: kafka.groups.new_member_id(client_id, instance.as_ref()),
        instance,
        client: ClientInfo {
            id: Arc::from(client_id),
            host: Arc::from(format!("/{}", call.peer.address.ip())),
        },
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms: match call.version {
            0 => request.session_timeout_ms,
            _ => request.rebalance_timeout_ms,
        },
        protocol_type: ProtocolName::from(request.protocol_type.as_str()),
        protocols: protocols.collect(),
        member_id_required: call.version >= VERSION_MEMBER_ID_REQUIRED,
        skip_assignment_supported: call.version >= VERSION_SKIP_ASSIGNMENT,
    }
}

pub(super) fn encode(version: i16, outcome: Result<Joined, JoinRefused>) -> JoinGroupResponse {
    let no_protocol = (version < VERSION_NULL_PROTOCOL).then(Str::new);
    let text = |name: &ProtocolName| Str::from(name.as_str());
    match outcome {
        Ok(joined) => JoinGroupResponse {
            generation_id: joined.generation,
            protocol_type: joined.protocol_type.as_ref().map(text),
            protocol_name: joined.protocol.as_ref().map(text).or(no_protocol),
            leader: joined
                .leader
                .map_or_else(Str::new, |leader| Str::from(leader.as_str())),
            skip_assignment: joined.skip_assignment,
            member_id: Str::from(joined.member.as_str()),
            members: joined
                .members
                .into_iter()
                .map(|member| JoinGroupResponseMember {
                    member_id: Str::from(member.member.as_str()),
                    group_instance_id: member.instance.map(|instance| Str::from(instance.as_str())),
                    metadata: member.metadata,
                })
                .collect(),
            ..Default::default()
        },
        Err(refused) => JoinGroupResponse {
            error_code: refused.error.code().0,
            protocol_name: no_protocol,
            member_id: refused
                .member
                .map_or_else(Str::new, |member| Str::from(member.as_str())),
            ..Default::default()
        },
    }
}
