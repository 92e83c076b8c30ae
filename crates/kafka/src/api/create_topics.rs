//! CreateTopics (19): creates topics, or checks that they could be.
//!
//! Versions 2-7. v4 default partitions and replication factor (KIP-464); v5 flexible, settings in the answer (KIP-525);
//! v6 exceeded quotas (KIP-599); v7 topic ids (KIP-516).
//!
//! Any replication factor is accepted and one replica is shown: copies are the object store's business
//! (docs/decisions/replication-factor.md).

use crate::access::{Operation, Resource};
use crate::api::repeated::repeated;
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use crate::throttle::{CanBeTold, QUOTA_EXCEEDED};
use millstream_broker::{Dry, TopicDraft, TopicSpec};
use millstream_kafka_wire::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfigs, CreatableTopicResult,
    CreateTopicsRequest, CreateTopicsResponse,
};
use millstream_kafka_wire::{Str, Uuid};
use std::sync::Arc;

pub(crate) struct CreateTopics;

/// The first version whose clients know the error of an exceeded quota.
const TOLD_OF_QUOTAS_FROM: i16 = 6;

/// Why a topic is not created, for the answer.
struct TopicRefusal(ErrorCode, String);

impl Api for CreateTopics {
    type Request = CreateTopicsRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: CreateTopicsRequest,
    ) -> Begun<CreateTopicsResponse> {
        let dry = if request.validate_only {
            Dry::CheckOnly
        } else {
            Dry::Run
        };
        let mut response = CreateTopicsResponse::default();
        let twice = repeated(request.topics.iter().map(|topic| topic.name.clone()));
        for name in &twice {
            let refusal = TopicRefusal(ErrorCode::INVALID_REQUEST, "Duplicate topic name.".to_owned());
            response.topics.push(refused(name.clone(), refusal));
        }
        let any = kafka.authorize(&call, Operation::Create, Resource::Cluster);
        for topic in request.topics {
            if twice.contains(&topic.name) {
                continue;
            }
            let name = topic.name.clone();
            let allowed = any || kafka.authorize(&call, Operation::Create, Resource::Topic(&name));
            let mut result = match allowed {
                true => create(&kafka, &call, topic, dry).await,
                false => refused(name.clone(), not_allowed()),
            };
            if result.error_code == 0
                && !kafka.authorize(&call, Operation::DescribeConfigs, Resource::Topic(&name))
            {
                hide_configs(&mut result);
            }
            response.topics.push(result);
        }
        Begun::Done(response)
    }
}

fn not_allowed() -> TopicRefusal {
    let code = ErrorCode::TOPIC_AUTHORIZATION_FAILED;
    TopicRefusal(code, "Authorization failed.".to_owned())
}

/// Who may create and not describe learns that it was created, not what holds for it (KIP-525).
fn hide_configs(result: &mut CreatableTopicResult) {
    result.topic_config_error_code = ErrorCode::TOPIC_AUTHORIZATION_FAILED.0;
    result.num_partitions = -1;
    result.replication_factor = -1;
    result.configs = None;
}

async fn create(kafka: &Kafka, call: &Call, topic: CreatableTopic, dry: Dry) -> CreatableTopicResult {
    let name = topic.name.clone();
    let spec = match spec(kafka, topic) {
        Ok(spec) => spec,
        Err(refusal) => return refused(name, refusal),
    };
    let partitions = spec
        .partitions
        .unwrap_or_else(|| kafka.broker.settings().partitions_default);
    let can_be_told = CanBeTold::from(TOLD_OF_QUOTAS_FROM, call.version);
    if dry == Dry::Run && call.mutate(partitions, can_be_told).is_err() {
        let refusal = TopicRefusal(ErrorCode::THROTTLING_QUOTA_EXCEEDED, QUOTA_EXCEEDED.to_owned());
        return refused(name, refusal);
    }
    match kafka.broker.create_topic(&spec, dry).await {
        Ok(draft) => created(name, draft),
        Err(error) => refused(name, TopicRefusal(error.code(), error.to_string())),
    }
}

fn spec(kafka: &Kafka, topic: CreatableTopic) -> Result<TopicSpec, TopicRefusal> {
    let partitions = if topic.assignments.is_empty() {
        check_replication_factor(topic.replication_factor)?;
        match topic.num_partitions {
            -1 => None,
            given => Some(u32::try_from(given).map_err(|_| {
                let what = "Number of partitions was set to an invalid non-positive value.";
                TopicRefusal(ErrorCode::INVALID_PARTITIONS, what.to_owned())
            })?),
        }
    } else {
        if topic.num_partitions != -1 || topic.replication_factor != -1 {
            let what = "A manual partition assignment was specified, but numPartitions or replicationFactor was not set to -1.";
            return Err(TopicRefusal(ErrorCode::INVALID_REQUEST, what.to_owned()));
        }
        Some(check_assignments(kafka, &topic.assignments)?)
    };
    let configs = topic
        .configs
        .into_iter()
        .map(|c| (c.name.to_string(), c.value.map(|value| value.to_string())))
        .collect();
    Ok(TopicSpec {
        name: topic.name.to_string(),
        partitions,
        configs,
    })
}

fn check_replication_factor(factor: i16) -> Result<(), TopicRefusal> {
    if factor == -1 || factor >= 1 {
        return Ok(());
    }
    Err(TopicRefusal(
        ErrorCode::INVALID_REPLICATION_FACTOR,
        "Replication factor must be larger than 0, or -1 for the default.".into(),
    ))
}

/// A manual assignment must name partitions 0, 1, 2 ... and only this node.
fn check_assignments(kafka: &Kafka, assignments: &[CreatableReplicaAssignment]) -> Result<u32, TopicRefusal> {
    let mut indexes: Vec<i32> = assignments
        .iter()
        .map(|assignment| assignment.partition_index)
        .collect();
    indexes.sort_unstable();
    let dense = indexes
        .iter()
        .zip(0..)
        .all(|(index, expected)| *index == expected);
    if !dense {
        let what = "partitions should be a consecutive 0-based integer sequence";
        return Err(TopicRefusal(
            ErrorCode::INVALID_REPLICA_ASSIGNMENT,
            what.to_owned(),
        ));
    }
    let node_id = kafka.node_id();
    if let Some(unknown) = assignments
        .iter()
        .find(|assignment| assignment.broker_ids != [node_id])
    {
        let what = format!("replicas {:?}: the only broker is {node_id}", unknown.broker_ids);
        return Err(TopicRefusal(ErrorCode::INVALID_REPLICA_ASSIGNMENT, what));
    }
    Ok(u32::try_from(assignments.len()).unwrap_or(u32::MAX))
}

fn created(name: Str, draft: TopicDraft) -> CreatableTopicResult {
    let configs = draft.configs.into_iter().map(|entry| CreatableTopicConfigs {
        name: Str::from_static(entry.row.name),
        value: entry.value.map(Str::from),
        read_only: false,
        config_source: super::describe_configs::source_code(entry.source),
        is_sensitive: false,
    });
    CreatableTopicResult {
        name,
        topic_id: draft.id.map_or(Uuid::ZERO, |id| Uuid(id.0)),
        error_message: None,
        num_partitions: i32::try_from(draft.partitions).unwrap_or(i32::MAX),
        replication_factor: 1,
        configs: Some(configs.collect()),
        ..Default::default()
    }
}

fn refused(name: Str, TopicRefusal(code, message): TopicRefusal) -> CreatableTopicResult {
    CreatableTopicResult {
        name,
        error_code: code.0,
        error_message: Some(Str::from(message)),
        ..Default::default()
    }
}
