//! ConsumerGroupHeartbeat (68): joining a consumer group, staying in it, leaving it (KIP-848).
//!
//! Versions 0-1. v1 the client makes its member id (KIP-1082), topics by pattern. What a request leaves out is as before.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::group::{
    Assignment, Assignor, Beaten, ClientInfo, ConsumerHeartbeat, GroupError, GroupId, InstanceId, MemberId,
    PatternReader, TopicId, TopicName,
};
use crate::node::Kafka;
use millstream_kafka_wire::consumer_group_heartbeat::{
    Assignment as WireAssignment, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
    RequestTopicPartitions, ResponseTopicPartitions,
};
use millstream_kafka_wire::{Str, Uuid};
use std::sync::Arc;

pub(crate) struct ConsumerGroupHeartbeat;

/// From here on the client makes the member's id.
const VERSION_CLIENT_MEMBER_ID: i16 = 1;

/// The epoch of a member that leaves.
const LEAVE: i32 = -1;

/// The epoch of a static member that leaves for a while.
const LEAVE_FOR_A_WHILE: i32 = -2;

impl Api for ConsumerGroupHeartbeat {
    type Request = ConsumerGroupHeartbeatRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: ConsumerGroupHeartbeatRequest,
    ) -> Begun<ConsumerGroupHeartbeatResponse> {
        if let Err(code) = allowed(&kafka, &call, &request) {
            return Begun::Done(refused(code, "Not authorized.".to_owned()));
        }
        let assignor = match check(call.version, &request).and_then(|()| assignor(&kafka, &request)) {
            Ok(assignor) => assignor,
            Err((code, message)) => return Begun::Done(refused(code, message)),
        };
        let answer = kafka
            .groups
            .consumer_heartbeat(ask(&kafka, &call, request, assignor))
            .await;
        Begun::Pending(Box::pin(async move { encode(answer.await) }))
    }
}

/// The group, and every topic that is named. Of those that a pattern matches the member is given what it may see (`group::Facts`).
fn allowed(kafka: &Kafka, call: &Call, request: &ConsumerGroupHeartbeatRequest) -> Result<(), ErrorCode> {
    kafka.need(call, Operation::Read, Resource::Group(&request.group_id))?;
    let mut names = request.subscribed_topic_names.iter().flatten();
    names.try_for_each(|name| kafka.need(call, Operation::Describe, Resource::Topic(name)))
}

type Refusal = (ErrorCode, String);

/// In Kafka's words, which clients show to their users.
fn check(version: i16, request: &ConsumerGroupHeartbeatRequest) -> Result<(), Refusal> {
    let invalid = |what: &str| Err((ErrorCode::INVALID_REQUEST, what.to_owned()));
    let is_empty = |text: &Option<Str>| text.as_deref().is_some_and(|text| text.trim().is_empty());
    let epoch = request.member_epoch;
    let must_have_id = version >= VERSION_CLIENT_MEMBER_ID || epoch != 0;
    match () {
        () if request.group_id.trim().is_empty() => invalid("GroupId can't be empty."),
        () if is_empty(&request.instance_id) => invalid("InstanceId can't be empty."),
        () if is_empty(&request.rack_id) => invalid("RackId can't be empty."),
        () if epoch < LEAVE_FOR_A_WHILE => invalid("MemberEpoch is invalid."),
        () if must_have_id && request.member_id.trim().is_empty() => invalid("MemberId can't be empty."),
        () if epoch == LEAVE_FOR_A_WHILE && request.instance_id.is_none() => {
            invalid("InstanceId can't be null.")
        }
        () if epoch != 0 => Ok(()),
        () if request.rebalance_timeout_ms == -1 => {
            invalid("RebalanceTimeoutMs must be provided in first request.")
        }
        () if request
            .topic_partitions
            .as_ref()
            .is_none_or(|owned| !owned.is_empty()) =>
        {
            invalid("TopicPartitions must be empty when (re-)joining.")
        }
        () if request.subscribed_topic_names.is_none() && request.subscribed_topic_regex.is_none() => {
            invalid("Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.")
        }
        () => Ok(()),
    }
}

fn assignor(kafka: &Kafka, request: &ConsumerGroupHeartbeatRequest) -> Result<Option<Assignor>, Refusal> {
    let Some(name) = &request.server_assignor else {
        return Ok(None);
    };
    let allowed = kafka.broker.settings().groups.consumer.assignors.clone();
    let found = Assignor::named(name).filter(|_| allowed.iter().any(|one| one == name.as_str()));
    found.map(Some).ok_or_else(|| {
        let all = allowed.join(", ");
        let what = format!("ServerAssignor {name} is not supported. Supported assignors: {all}.");
        (ErrorCode::UNSUPPORTED_ASSIGNOR, what)
    })
}

fn ask(
    kafka: &Kafka,
    call: &Call,
    request: ConsumerGroupHeartbeatRequest,
    assignor: Option<Assignor>,
) -> ConsumerHeartbeat {
    let client_id = call.client_id.as_deref().unwrap_or_default();
    let instance = request.instance_id.as_deref().map(InstanceId::from);
    let member = MemberId::given(&request.member_id)
        .unwrap_or_else(|| kafka.groups.new_member_id(client_id, instance.as_ref()));
    let names = |names: Vec<Str>| names.iter().map(|name| TopicName::from(name.as_str())).collect();
    ConsumerHeartbeat {
        group: GroupId::from(request.group_id.as_str()),
        member,
        epoch: request.member_epoch,
        instance,
        rack: request.rack_id.as_deref().map(Arc::from),
        client: ClientInfo {
            id: Arc::from(client_id),
            host: Arc::from(format!("/{}", call.peer.address.ip())),
        },
        rebalance_timeout_ms: u32::try_from(request.rebalance_timeout_ms).ok(),
        subscribed: request.subscribed_topic_names.map(names),
        pattern: request.subscribed_topic_regex.as_deref().map(Arc::from),
        reader: kafka.broker.authorizes().then(|| PatternReader {
            principal: Arc::from(call.principal.as_str()),
            host: call.peer.address.ip(),
        }),
        assignor,
        owned: request.topic_partitions.as_deref().map(owned),
    }
}

fn owned(topics: &[RequestTopicPartitions]) -> Assignment {
    let mut owned = Assignment::new();
    for topic in topics.iter().filter(|topic| !topic.partitions.is_empty()) {
        let partitions = owned.entry(TopicId(topic.topic_id.0)).or_default();
        partitions.extend(topic.partitions.iter().copied());
    }
    owned
}

fn refused(code: ErrorCode, message: String) -> ConsumerGroupHeartbeatResponse {
    ConsumerGroupHeartbeatResponse {
        error_code: code.0,
        error_message: Some(Str::from(message)),
        ..Default::default()
    }
}

fn encode(outcome: Result<Beaten, GroupError>) -> ConsumerGroupHeartbeatResponse {
    let beaten = match outcome {
        Ok(beaten) => beaten,
        Err(error) => return refused(error.code(), error.to_string()),
    };
    ConsumerGroupHeartbeatResponse {
        member_id: Some(Str::from(beaten.member.as_str())),
        member_epoch: beaten.epoch,
        heartbeat_interval_ms: match beaten.epoch {
            LEAVE | LEAVE_FOR_A_WHILE => 0,
            _ => i32::try_from(beaten.interval.as_millis()).unwrap_or(i32::MAX),
        },
        assignment: beaten.assignment.map(|assignment| WireAssignment {
            topic_partitions: assignment
                .into_iter()
                .map(|(topic, partitions)| ResponseTopicPartitions {
                    topic_id: Uuid(topic.0),
                    partitions: partitions.into_iter().collect(),
                })
                .collect(),
        }),
        ..Default::default()
    }
}
