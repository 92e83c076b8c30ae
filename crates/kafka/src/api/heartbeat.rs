//! Heartbeat (12): a member's sign of life; the answer tells of a rebalance.
//!
//! Versions 0-4. v3 static members (KIP-345); v4 flexible.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::code_of;
use crate::group::{GroupError, GroupId, InstanceId, MemberId};
use crate::node::Kafka;
use millstream_kafka_wire::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use std::sync::Arc;

pub(crate) struct Heartbeat;

impl Api for Heartbeat {
    type Request = HeartbeatRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(kafka: Arc<Kafka>, call: Call, request: HeartbeatRequest) -> Begun<HeartbeatResponse> {
        let Some(group) = GroupId::given(&request.group_id) else {
            return Begun::Done(encode(Err(GroupError::InvalidGroupId)));
        };
        if let Err(code) = kafka.need(&call, Operation::Read, Resource::Group(&request.group_id)) {
            return Begun::Done(HeartbeatResponse {
                error_code: code.0,
                ..Default::default()
            });
        }
        let ask = crate::group::HeartbeatRequest {
            group,
            generation: request.generation_id,
            member: MemberId::from(request.member_id.as_str()),
            instance: request.group_instance_id.as_deref().map(InstanceId::from),
        };
        let answer = kafka.groups.heartbeat(ask).await;
        Begun::Pending(Box::pin(async move { encode(answer.await) }))
    }
}

fn encode(outcome: Result<(), GroupError>) -> HeartbeatResponse {
    HeartbeatResponse {
        error_code: code_of(&outcome),
        ..Default::default()
    }
}
