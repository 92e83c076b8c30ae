//! DeleteShareGroupOffsets (92): a share group without members forgets topics (KIP-932).
//!
//! Version 0.

use crate::access::{Operation, Resource};
use crate::api::alter_share_group_offsets::empty_group;
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use crate::share::SHARE_SPACE;
use millstream_broker::TopicId;
use millstream_broker::queue::QueueError;
use millstream_kafka_wire::delete_share_group_offsets::{
    DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse, DeleteShareGroupOffsetsResponseTopic,
};
use millstream_kafka_wire::{Str, Uuid};
use std::sync::Arc;

pub(crate) struct DeleteShareGroupOffsets;

impl Api for DeleteShareGroupOffsets {
    type Request = DeleteShareGroupOffsetsRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DeleteShareGroupOffsetsRequest,
    ) -> Begun<DeleteShareGroupOffsetsResponse> {
        let group = request.group_id;
        if let Err(code) = kafka.need(&call, Operation::Delete, Resource::Group(&group)) {
            return Begun::Done(DeleteShareGroupOffsetsResponse {
                error_code: code.0,
                ..Default::default()
            });
        }
        if let Err(error) = empty_group(&kafka, &group).await {
            return Begun::Done(DeleteShareGroupOffsetsResponse {
                error_code: error.code().0,
                error_message: Some(Str::from(error.to_string())),
                ..Default::default()
            });
        }
        let mut response = DeleteShareGroupOffsetsResponse::default();
        for topic in request.topics {
            response
                .responses
                .push(forget_topic(&kafka, &call, &group, topic.topic_name).await);
        }
        Begun::Done(response)
    }
}

async fn forget_topic(
    kafka: &Kafka,
    call: &Call,
    group: &Str,
    name: Str,
) -> DeleteShareGroupOffsetsResponseTopic {
    let topic = match kafka.topic_for(call, Operation::Read, &name) {
        Ok(topic) => topic,
        Err(code) => {
            return DeleteShareGroupOffsetsResponseTopic {
                topic_name: name,
                error_code: code.0,
                ..Default::default()
            };
        }
    };
    let outcome = forget(kafka, group, Some(topic.id())).await;
    let (code, message) = match outcome {
        Ok(_) => (ErrorCode::NONE, None),
        Err(error) => (error.code(), Some(Str::from(error.to_string()))),
    };
    DeleteShareGroupOffsetsResponseTopic {
        topic_name: name,
        topic_id: Uuid(topic.id().0),
        error_code: code.0,
        error_message: message,
    }
}

/// Deletes what is kept for a group of one topic, or of all; answers how many partitions that were.
pub(super) async fn forget(kafka: &Kafka, group: &str, topic: Option<TopicId>) -> Result<usize, QueueError> {
    let queues = &kafka.shares.queues;
    let wanted = |id: &millstream_broker::queue::SubscriptionId| {
        *id.name == *group && topic.is_none_or(|topic| id.topic == topic)
    };
    let found = queues.standing(SHARE_SPACE, wanted).await?;
    for standing in &found {
        queues.delete(&standing.id).await?;
    }
    Ok(found.len())
}
