//! SyncGroup (14): the leader hands in the shares, every member gets its own.
//!
//! Versions 0-5. v3 static members (KIP-345); v4 flexible; v5 protocol type and name, checked if sent (KIP-559). The answer waits for
//! the leader.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::Coded;
use crate::group::{GroupError, GroupId, InstanceId, MemberId, ProtocolName, SyncRequest, Synced};
use crate::node::Kafka;
use bytes::Bytes;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::sync_group::{SyncGroupRequest, SyncGroupResponse};
use std::sync::Arc;

pub(crate) struct SyncGroup;

impl Api for SyncGroup {
    type Request = SyncGroupRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(kafka: Arc<Kafka>, call: Call, request: SyncGroupRequest) -> Begun<SyncGroupResponse> {
        let Some(group) = GroupId::given(&request.group_id) else {
            return Begun::Done(encode(Err(GroupError::InvalidGroupId)));
        };
        if let Err(code) = kafka.need(&call, Operation::Read, Resource::Group(&request.group_id)) {
            return Begun::Done(SyncGroupResponse {
                error_code: code.0,
                ..Default::default()
            });
        }
        let answer = kafka.groups.sync(ask(group, &request)).await;
        Begun::Pending(Box::pin(async move { encode(answer.await) }))
    }
}

fn ask(group: GroupId, request: &SyncGroupRequest) -> SyncRequest {
    let name = |text: &Str| ProtocolName::from(text.as_str());
    let assignments = request.assignments.iter().map(|share| {
        // A copy: what a group keeps must not pin the frame that brought it.
        let assignment = Bytes::copy_from_slice(&share.assignment);
        (MemberId::from(share.member_id.as_str()), assignment)
    });
    SyncRequest {
        group,
        generation: request.generation_id,
        member: MemberId::from(request.member_id.as_str()),
        instance: request.group_instance_id.as_deref().map(InstanceId::from),
        protocol_type: request.protocol_type.as_ref().map(name),
        protocol: request.protocol_name.as_ref().map(name),
        assignments: assignments.collect(),
    }
}

pub(super) fn encode(outcome: Result<Synced, GroupError>) -> SyncGroupResponse {
    let text = |name: ProtocolName| Str::from(name.as_str());
    match outcome {
        Ok(synced) => SyncGroupResponse {
            protocol_type: synced.protocol_type.map(text),
            protocol_name: synced.protocol.map(text),
            assignment: synced.assignment,
            ..Default::default()
        },
        Err(error) => SyncGroupResponse {
            error_code: error.code().0,
            ..Default::default()
        },
    }
}
