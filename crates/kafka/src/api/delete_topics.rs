//! DeleteTopics (20): deletes topics by name or by id.
//!
//! Versions 1-6. v4 flexible; v5 messages, exceeded quotas (KIP-599); v6 by id (KIP-516).

use crate::access::{Operation, Resource};
use crate::api::repeated::repeated;
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::group::TopicName;
use crate::node::Kafka;
use crate::throttle::{CanBeTold, QUOTA_EXCEEDED};
use millstream_broker::{Topic, TopicError, TopicId};
use millstream_kafka_wire::delete_topics::{
    DeletableTopicResult, DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse,
};
use millstream_kafka_wire::{Str, Uuid};
use std::sync::Arc;

pub(crate) struct DeleteTopics;

/// The first version whose clients know the error of an exceeded quota.
const TOLD_OF_QUOTAS_FROM: i16 = 5;

impl Api for DeleteTopics {
    type Request = DeleteTopicsRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DeleteTopicsRequest,
    ) -> Begun<DeleteTopicsResponse> {
        let by_name = request.topic_names.into_iter().map(|name| DeleteTopicState {
            name: Some(name),
            topic_id: Uuid::ZERO,
        });
        let asked: Vec<DeleteTopicState> = by_name.chain(request.topics).collect();
        let mut response = DeleteTopicsResponse::default();
        let twice = repeated(asked.iter().map(|state| (state.name.clone(), state.topic_id)));
        for (name, id) in &twice {
            let what = if name.is_some() {
                "Duplicate topic name."
            } else {
                "Duplicate topic id."
            };
            let refused = result(name.clone(), *id, ErrorCode::INVALID_REQUEST, what.into());
            response.responses.push(refused);
        }
        for state in asked {
            if !twice.contains(&(state.name.clone(), state.topic_id)) {
                response.responses.push(delete(&kafka, &call, state).await);
            }
        }
        Begun::Done(response)
    }
}

async fn delete(kafka: &Kafka, call: &Call, state: DeleteTopicState) -> DeletableTopicResult {
    let DeleteTopicState { name, topic_id } = state;
    let found = match (&name, topic_id) {
        (Some(name), Uuid::ZERO) => kafka.broker.topic(name.as_str()),
        (None, id) if id != Uuid::ZERO => kafka.broker.topic_by_id(&TopicId(id.0)),
        (Some(_), _) => {
            let what = "You may not specify both topic name and topic id.";
            return result(name, topic_id, ErrorCode::INVALID_REQUEST, what.into());
        }
        (None, _) => {
            let what = "Neither topic name nor id were specified.";
            return result(None, Uuid::ZERO, ErrorCode::INVALID_REQUEST, what.into());
        }
    };
    if let Some(refused) = not_allowed(kafka, call, name.as_ref(), found.as_deref()) {
        return refused;
    }
    let Some(topic) = found else {
        let (code, what) = match name {
            Some(_) => (
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                TopicError::Unknown.to_string(),
            ),
            None => (
                ErrorCode::UNKNOWN_TOPIC_ID,
                "This server does not host this topic ID.".into(),
            ),
        };
        return result(name, topic_id, code, what);
    };
    let (name, id) = (Str::from(topic.name().to_owned()), Uuid(topic.id().0));
    let can_be_told = CanBeTold::from(TOLD_OF_QUOTAS_FROM, call.version);
    if call.mutate(topic.partitions(), can_be_told).is_err() {
        return result(
            Some(name),
            id,
            ErrorCode::THROTTLING_QUOTA_EXCEEDED,
            QUOTA_EXCEEDED.into(),
        );
    }
    match kafka.broker.delete_topic(&topic).await {
        Ok(()) => {
            let (gone, gone_id) = (TopicName::from(name.as_str()), crate::group::TopicId(id.0));
            kafka.groups.topic_deleted(gone, gone_id).await;
            kafka.shares.queues.topic_deleted(topic.id());
            DeletableTopicResult {
                name: Some(name),
                topic_id: id,
                ..Default::default()
            }
        }
        // The code of its own came with version 3.
        Err(TopicError::DeletionDisabled) if call.version < 3 => {
            let what = TopicError::DeletionDisabled.to_string();
            result(Some(name), id, ErrorCode::INVALID_REQUEST, what)
        }
        Err(error) => result(Some(name), id, error.code(), error.to_string()),
    }
}

/// The refusal of who may not delete it. A name that was asked for is told back; that of an id only to who may know it.
fn not_allowed(
    kafka: &Kafka,
    call: &Call,
    asked: Option<&Str>,
    found: Option<&Topic>,
) -> Option<DeletableTopicResult> {
    let name = asked.map(Str::as_str).or(found.map(Topic::name))?;
    let may = |operation| kafka.authorize(call, operation, Resource::Topic(name));
    if may(Operation::Delete) {
        return None;
    }
    let told = asked
        .cloned()
        .or_else(|| may(Operation::Describe).then(|| Str::from(name.to_owned())));
    let id = match (asked, found) {
        (None, Some(topic)) => Uuid(topic.id().0),
        _ => Uuid::ZERO,
    };
    let what = "Topic authorization failed.";
    Some(result(
        told,
        id,
        ErrorCode::TOPIC_AUTHORIZATION_FAILED,
        what.into(),
    ))
}

fn result(name: Option<Str>, topic_id: Uuid, code: ErrorCode, message: String) -> DeletableTopicResult {
    // Null is a name only from version 6 on, where alone a topic can be asked for by its id.
    DeletableTopicResult {
        name,
        topic_id,
        error_code: code.0,
        error_message: Some(Str::from(message)),
    }
}
