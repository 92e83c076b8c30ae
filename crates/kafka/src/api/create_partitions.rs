//! CreatePartitions (37): raises partition counts.
//!
//! Versions 0-3. v2 flexible; v3 exceeded quotas (KIP-599).

use crate::access::{Operation, Resource};
use crate::api::repeated::repeated;
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use crate::throttle::{CanBeTold, QUOTA_EXCEEDED};
use millstream_broker::{Dry, TopicError};
use millstream_kafka_wire::Str;
use millstream_kafka_wire::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic, CreatePartitionsTopicResult,
};
use std::sync::Arc;

pub(crate) struct CreatePartitions;

/// The first version whose clients know the error of an exceeded quota.
const TOLD_OF_QUOTAS_FROM: i16 = 3;

impl Api for CreatePartitions {
    type Request = CreatePartitionsRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: CreatePartitionsRequest,
    ) -> Begun<CreatePartitionsResponse> {
        let dry = if request.validate_only {
            Dry::CheckOnly
        } else {
            Dry::Run
        };
        let mut response = CreatePartitionsResponse::default();
        let twice = repeated(request.topics.iter().map(|topic| topic.name.clone()));
        for name in &twice {
            response.results.push(CreatePartitionsTopicResult {
                name: name.clone(),
                error_code: ErrorCode::INVALID_REQUEST.0,
                error_message: Some(Str::from_static("Duplicate topic name.")),
            });
        }
        for topic in request.topics {
            if twice.contains(&topic.name) {
                continue;
            }
            let outcome = raise(&kafka, &call, &topic, dry).await;
            let (code, message) = outcome
                .err()
                .map_or((ErrorCode::NONE, None), |(code, what)| (code, Some(what)));
            response.results.push(CreatePartitionsTopicResult {
                name: topic.name,
                error_code: code.0,
                error_message: message.map(Str::from),
            });
        }
        Begun::Done(response)
    }
}

async fn raise(
    kafka: &Kafka,
    call: &Call,
    topic: &CreatePartitionsTopic,
    dry: Dry,
) -> Result<(), (ErrorCode, String)> {
    kafka
        .need(call, Operation::Alter, Resource::Topic(topic.name.as_str()))
        .map_err(|code| (code, "The topic authorization is failed.".to_owned()))?;
    let held = kafka.broker.topic(topic.name.as_str());
    let held = held
        .ok_or_else(|| {
            (
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                TopicError::Unknown.to_string(),
            )
        })?
        .partitions();
    let count = u32::try_from(topic.count).map_err(|_| {
        (
            ErrorCode::INVALID_PARTITIONS,
            "The partition count must be positive.".to_owned(),
        )
    })?;
    if let Some(assignments) = &topic.assignments {
        let node_id = kafka.node_id();
        let fits = assignments.len() as u64 == u64::from(count.saturating_sub(held));
        if !fits
            || assignments
                .iter()
                .any(|assignment| assignment.broker_ids != [node_id])
        {
            let what = format!("one assignment to broker {node_id} is expected for each new partition");
            return Err((ErrorCode::INVALID_REPLICA_ASSIGNMENT, what));
        }
    }
    let can_be_told = CanBeTold::from(TOLD_OF_QUOTAS_FROM, call.version);
    let added = count.saturating_sub(held);
    if dry == Dry::Run && call.mutate(added, can_be_told).is_err() {
        return Err((ErrorCode::THROTTLING_QUOTA_EXCEEDED, QUOTA_EXCEEDED.to_owned()));
    }
    let raised = kafka.broker.add_partitions(topic.name.as_str(), count, dry).await;
    raised.map_err(|error| (error.code(), error.to_string()))
}
