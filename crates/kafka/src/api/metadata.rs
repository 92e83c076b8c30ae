//! Metadata (3): brokers, topics, who leads each partition; creates missing topics if asked to and allowed.
//!
//! Versions 0-13. v4 the client may forbid creation; v8 authorised operations (KIP-430); v9 flexible; v10 topic ids, v12 lookup by id
//! (KIP-516); v13 top-level error (KIP-1102).
//!
//! No list at all, and in version 0 an empty one, means every topic. A topic that is named twice is answered once.

use crate::authorized::{cluster_operations, topic_operations};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::{Topic, TopicId};
use millstream_kafka_wire::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker,
    MetadataResponsePartition, MetadataResponseTopic,
};
use millstream_kafka_wire::{Str, Uuid};
use std::collections::HashSet;
use std::sync::Arc;

pub(crate) struct Metadata;

/// The first version that takes and tells topic ids in place of names.
const TOPIC_IDS_FROM: i16 = 12;

/// The first version that lets the client forbid creation.
const MAY_FORBID_CREATION_FROM: i16 = 4;

/// How the topics of an answer are shown.
#[derive(Clone, Copy)]
struct Shown {
    node_id: i32,
    version: i16,
    operations: i32,
}

impl Api for Metadata {
    type Request = MetadataRequest;
    /// It may create a topic, which later requests of the connection must see.
    const ORDER: Order = Order::Sequenced;

    async fn begin(kafka: Arc<Kafka>, call: Call, request: MetadataRequest) -> Begun<MetadataResponse> {
        let may_create = call.version < MAY_FORBID_CREATION_FROM || request.allow_auto_topic_creation;
        let shown = Shown {
            node_id: kafka.node_id(),
            version: call.version,
            operations: topic_operations(request.include_topic_authorized_operations),
        };
        let topics = match request
            .topics
            .filter(|asked| call.version > 0 || !asked.is_empty())
        {
            Some(asked) => some_topics(&kafka, asked, may_create, shown).await,
            None => {
                let all = kafka.broker.topics();
                all.iter().map(|topic| encode_topic(topic, shown)).collect()
            }
        };
        Begun::Done(MetadataResponse {
            brokers: brokers(&kafka, &call),
            cluster_id: Some(Str::from(kafka.broker.cluster_id())),
            controller_id: shown.node_id,
            topics,
            cluster_authorized_operations: cluster_operations(request.include_cluster_authorized_operations),
            ..Default::default()
        })
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

async fn some_topics(
    kafka: &Kafka,
    asked: Vec<MetadataRequestTopic>,
    may_create: bool,
    shown: Shown,
) -> Vec<MetadataResponseTopic> {
    let mut seen = HashSet::with_capacity(asked.len());
    let mut topics = Vec::with_capacity(asked.len());
    for topic in asked {
        if seen.insert((topic.name.clone(), topic.topic_id)) {
            topics.push(one_topic(kafka, topic, may_create, shown).await);
        }
    }
    topics
}

async fn one_topic(
    kafka: &Kafka,
    mut asked: MetadataRequestTopic,
    may_create: bool,
    shown: Shown,
) -> MetadataResponseTopic {
    let by_id_fits = shown.version >= TOPIC_IDS_FROM;
    if asked.topic_id != Uuid::ZERO {
        // The Java client asks by id with an empty name where the protocol has null.
        asked.name = asked.name.filter(|name| !name.is_empty());
    }
    let found = match (&asked.name, asked.topic_id) {
        (Some(name), Uuid::ZERO) => find_by_name(kafka, name.as_str(), may_create).await,
        (None, id) if by_id_fits => {
            let topic = kafka.broker.topic_by_id(&TopicId(id.0));
            topic.ok_or(ErrorCode::UNKNOWN_TOPIC_ID)
        }
        _ => Err(ErrorCode::INVALID_REQUEST),
    };
    match found {
        Ok(topic) => encode_topic(&topic, shown),
        Err(code) => MetadataResponseTopic {
            error_code: code.0,
            // Null is a name only where ids are.
            name: asked.name.or_else(|| (!by_id_fits).then(Str::new)),
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
        let valid = kafka.broker.check_topic_name(name);
        return Err(valid.map_or_else(|error| error.code(), |()| ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    }
    kafka
        .broker
        .topic_or_create(name)
        .await
        .map_err(|error| error.code())
}

fn encode_topic(topic: &Topic, shown: Shown) -> MetadataResponseTopic {
    let node_id = shown.node_id;
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
        topic_authorized_operations: shown.operations,
        ..Default::default()
    }
}
