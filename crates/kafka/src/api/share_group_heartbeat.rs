//! ShareGroupHeartbeat (76): joining a share group, staying, learning of a new share, and leaving (KIP-932).
//!
//! Version 1. The client makes the member id. 0 was that of the early access and is gone.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::group::{ClientInfo, GroupId, MemberId, ShareBeaten, ShareHeartbeat, TopicName};
use crate::node::Kafka;
use millstream_kafka_wire::share_group_heartbeat::{
    Assignment, ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse, TopicPartitions,
};
use millstream_kafka_wire::{Str, Uuid};
use std::sync::Arc;

pub(crate) struct ShareGroupHeartbeat;

/// The lowest epoch that means anything: the member leaves.
const EPOCH_LEAVE: i32 = -1;

impl Api for ShareGroupHeartbeat {
    type Request = ShareGroupHeartbeatRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: ShareGroupHeartbeatRequest,
    ) -> Begun<ShareGroupHeartbeatResponse> {
        if let Err(message) = check(&request) {
            return Begun::Done(refused(ErrorCode::INVALID_REQUEST, message.to_owned()));
        }
        if let Err(code) = allowed(&kafka, &call, &request) {
            return Begun::Done(refused(code, "Not authorized.".to_owned()));
        }
        if let Err(error) = kafka.groups.ensure_started().await {
            return Begun::Done(refused(error.code(), error.to_string()));
        }
        let answer = kafka.groups.share_heartbeat(ask(&kafka, &call, &request)).await;
        Begun::Pending(Box::pin(async move {
            match answer.await {
                Ok(beaten) => encode(beaten),
                Err(error) => refused(error.code(), error.to_string()),
            }
        }))
    }
}

/// The group, and every topic that is named.
fn allowed(kafka: &Kafka, call: &Call, request: &ShareGroupHeartbeatRequest) -> Result<(), ErrorCode> {
    kafka.need(call, Operation::Read, Resource::Group(&request.group_id))?;
    let mut names = request.subscribed_topic_names.iter().flatten();
    names.try_for_each(|name| kafka.need(call, Operation::Describe, Resource::Topic(name)))
}

/// In Kafka's words, which clients log.
fn check(request: &ShareGroupHeartbeatRequest) -> Result<(), &'static str> {
    if request.member_id.is_empty() {
        return Err("MemberId can't be empty.");
    }
    if request.group_id.is_empty() {
        return Err("GroupId can't be empty.");
    }
    if request.rack_id.as_ref().is_some_and(|rack| rack.is_empty()) {
        return Err("RackId can't be empty.");
    }
    if request.member_epoch < EPOCH_LEAVE {
        return Err("MemberEpoch is invalid.");
    }
    let subscribes = request
        .subscribed_topic_names
        .as_ref()
        .is_some_and(|names| !names.is_empty());
    if request.member_epoch == 0 && !subscribes {
        return Err("SubscribedTopicNames must be set in first request.");
    }
    Ok(())
}

fn ask(kafka: &Kafka, call: &Call, request: &ShareGroupHeartbeatRequest) -> ShareHeartbeat {
    let names = |names: &Vec<Str>| names.iter().map(|name| TopicName::from(name.as_str())).collect();
    ShareHeartbeat {
        group: GroupId::from(request.group_id.as_str()),
        member: MemberId::from(request.member_id.as_str()),
        epoch: request.member_epoch,
        rack: request.rack_id.as_deref().map(Arc::from),
        client: ClientInfo {
            id: Arc::from(call.client_id.as_deref().unwrap_or_default()),
            host: Arc::from(format!("/{}", call.peer.address.ip())),
        },
        subscribed: request.subscribed_topic_names.as_ref().map(names),
        terms: kafka.shares.terms(&request.group_id),
    }
}

fn encode(beaten: ShareBeaten) -> ShareGroupHeartbeatResponse {
    ShareGroupHeartbeatResponse {
        member_id: Some(Str::from(beaten.member.as_str())),
        member_epoch: beaten.epoch,
        heartbeat_interval_ms: i32::try_from(beaten.interval.as_millis()).unwrap_or(i32::MAX),
        assignment: beaten.assignment.map(|assignment| Assignment {
            topic_partitions: assignment
                .iter()
                .map(|(topic, partitions)| TopicPartitions {
                    topic_id: Uuid(topic.0),
                    partitions: partitions.iter().copied().collect(),
                })
                .collect(),
        }),
        ..Default::default()
    }
}

fn refused(code: ErrorCode, message: String) -> ShareGroupHeartbeatResponse {
    ShareGroupHeartbeatResponse {
        error_code: code.0,
        error_message: Some(Str::from(message)),
        ..Default::default()
    }
}
