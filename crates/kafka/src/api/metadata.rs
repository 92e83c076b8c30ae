//! Metadata (3): brokers, topics, who leads each partition; creates missing topics if asked to and allowed.
//!
//! Versions 0-13. v4 the client may forbid creation; v8 authorised operations (KIP-430); v9 flexible; v10 topic ids, v12 lookup by id
//! (KIP-516); v13 top-level error (KIP-1102).

use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::{Topic, TopicId};
use millstream_kafka_wire::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker,
    MetadataResponsePartition, MetadataResponseTopic,
};
use millstream_kafka_wire::{Str, Uuid};
use std::sync::Arc;

pub(crate) struct Metadata;

impl Api for Metadata {
    type Request = MetadataRequest;

    async fn begin(kafka: Arc<Kafka>, call: Call, request: MetadataRequest) -> Begun<MetadataResponse> {
        let may_create = call.version < 4 || request.allow_auto_topic_creation;
        let node_id = kafka.node_id();
        let mut response = MetadataResponse {
            brokers: brokers(&kafka, &call),
            cluster_id: Some(Str::from(kafka.broker.cluster_id())),
            controller_id: node_id,
            ..Default::default()
        };
        match request.topics {
            Some(asked) if call.version > 0 || !asked.is_empty() => {
                for topic in asked {
                    response.topics.push(one_topic(&kafka, topic, may_create).await);
                }
            }
            _ => {
                let all = kafka.broker.topics();
                response
                    .topics
                    .extend(all.iter().map(|topic| encode_topic(topic, node_id)));
            }
        }
        Begun::Done(response)
    }
}

/// This node, at the address of the listener that the client came in by.
fn brokers(kafka: &Kafka, call: &Call) -> Vec<MetadataResponseBroker> {
    let address = kafka.advertised(&call.peer);
    let broker = address.map(|address| MetadataResponseBroker {
        node_id: kafka.node_id(),
        host: Str::from(address.host),
        port: i32::from(address.port),
        rack: kafka.config.rack.clone().map(Str::from),
    });
    broker.into_iter().collect()
}

async fn one_topic(kafka: &Kafka, asked: MetadataRequestTopic, may_create: bool) -> MetadataResponseTopic {
    let found = match (&asked.name, asked.topic_id) {
        (Some(name), Uuid::ZERO) => find_by_name(kafka, name.as_str(), may_create).await,
        (None, id) => kafka
            .broker
            .topic_by_id(&TopicId(id.0))
            .ok_or(ErrorCode::UNKNOWN_TOPIC_ID),
        (Some(_), _) => Err(ErrorCode::INVALID_REQUEST),
    };
    match found {
        Ok(topic) => encode_topic(&topic, kafka.node_id()),
        Err(code) => MetadataResponseTopic {
            error_code: code.0,
            name: asked.name.or_else(|| Some(Str::new())),
            topic_id: asked.topic_id,
            ..Default::default()
        },
    }
}

async fn find_by_name(kafka: &Kafka, name: &str, may_create: bool) -> Result<Arc<Topic>, ErrorCode> {
    if let Some(topic) = kafka.broker.topic(name) {
        return Ok(topic);
    }
    if !may_create {
        return Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    }
    kafka
        .broker
        .topic_or_create(name)
        .await
        .map_err(|error| error.code())
}

fn encode_topic(topic: &Topic, node_id: i32) -> MetadataResponseTopic {
    let partitions = (0..topic.partitions()).filter_map(|index| {
        let stream = topic.stream(index)?;
        Some(MetadataResponsePartition {
            partition_index: i32::try_from(index).ok()?,
            leader_id: node_id,
            leader_epoch: i32::try_from(stream.epoch().0).unwrap_or(i32::MAX),
            replica_nodes: vec![node_id],
            isr_nodes: vec![node_id],
            ..Default::default()
        })
    });
    MetadataResponseTopic {
        name: Some(Str::from(topic.name().to_owned())),
        topic_id: Uuid(topic.id().0),
        is_internal: topic.is_internal(),
        partitions: partitions.collect(),
        ..Default::default()
    }
}
