//! DeleteTopics (20): deletes topics by name or by id.
//!
//! Versions 1-6. v4 flexible; v5 messages; v6 by id (KIP-516).

use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::group::TopicName;
use crate::node::Kafka;
use millstream_broker::TopicId;
use millstream_kafka_wire::delete_topics::{
    DeletableTopicResult, DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse,
};
use millstream_kafka_wire::{Str, Uuid};
use std::sync::Arc;

pub(crate) struct DeleteTopics;

impl Api for DeleteTopics {
    type Request = DeleteTopicsRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        _call: Call,
        request: DeleteTopicsRequest,
    ) -> Begun<DeleteTopicsResponse> {
        let by_name = request.topic_names.into_iter().map(|name| DeleteTopicState {
            name: Some(name),
            topic_id: Uuid::ZERO,
        });
        let asked: Vec<DeleteTopicState> = by_name.chain(request.topics).collect();
        let mut response = DeleteTopicsResponse::default();
        for state in asked {
            response.responses.push(delete(&kafka, state).await);
        }
        Begun::Done(response)
    }
}

async fn delete(kafka: &Kafka, state: DeleteTopicState) -> DeletableTopicResult {
    let DeleteTopicState { name, topic_id } = state;
    let (name, id) = match (name, topic_id) {
        (Some(name), Uuid::ZERO) => {
            let id = kafka
                .broker
                .topic(name.as_str())
                .map_or(Uuid::ZERO, |topic| Uuid(topic.id().0));
            (name, id)
        }
        (None, id) if id != Uuid::ZERO => match kafka.broker.topic_by_id(&TopicId(id.0)) {
            Some(topic) => (Str::from(topic.name().to_owned()), id),
            None => {
                return result(
                    None,
                    id,
                    ErrorCode::UNKNOWN_TOPIC_ID,
                    "This server does not host this topic ID.".into(),
                );
            }
        },
        (name, id) => {
            let what = "A topic is named by its name or by its id, not by both, nor by neither.";
            return result(name, id, ErrorCode::INVALID_REQUEST, what.into());
        }
    };
    match kafka.broker.delete_topic(name.as_str()).await {
        Ok(()) => {
            let (gone, gone_id) = (TopicName::from(name.as_str()), crate::group::TopicId(id.0));
            kafka.groups.topic_deleted(gone, gone_id).await;
            DeletableTopicResult {
                name: Some(name),
                topic_id: id,
                ..Default::default()
            }
        }
        Err(error) => result(Some(name), id, error.code(), error.to_string()),
    }
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
