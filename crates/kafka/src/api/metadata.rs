//! Metadata (3): brokers, topics, who leads each partition; creates missing topics if asked to and allowed.
//!
//! Versions 0-13. v4 the client may forbid creation; v8 authorised operations (KIP-430); v9 flexible; v10 topic ids, v12 lookup by id
//! (KIP-516); v13 top-level error (KIP-1102).
//!
//! No list at all, and in version 0 an empty one, means every topic. A topic that is named twice is answered once.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::Topic;
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
struct Shown<'a> {
    kafka: &'a Kafka,
    call: &'a Call,
    /// Whether the asker wants to know what they may do.
    rights_asked: bool,
}

impl Api for Metadata {
    type Request = MetadataRequest;
    /// It may create a topic, which later requests of the connection must see.
    const ORDER: Order = Order::Sequenced;

    async fn begin(kafka: Arc<Kafka>, call: Call, request: MetadataRequest) -> Begun<MetadataResponse> {
        let may_create = call.version < MAY_FORBID_CREATION_FROM || request.allow_auto_topic_creation;
        let shown = Shown {
            kafka: &kafka,
            call: &call,
            rights_asked: request.include_topic_authorized_operations,
        };
        let topics = match request
            .topics
            .filter(|asked| call.version > 0 || !asked.is_empty())
        {
            Some(asked) => some_topics(asked, may_create, shown).await,
            None => {
                let mut all = kafka.broker.topics();
                // What somebody may not know of is not told.
                all.retain(|topic| {
                    kafka.authorize(&call, Operation::Describe, Resource::Topic(topic.name()))
                });
                all.iter().map(|topic| encode_topic(topic, shown)).collect()
            }
        };
        Begun::Done(MetadataResponse {
            brokers: brokers(&kafka, &call),
            cluster_id: Some(Str::from(kafka.broker.cluster_id())),
            controller_id: kafka.node_id(),
            topics,
            cluster_authorized_operations: kafka
                .cluster_operations(&call, request.include_cluster_authorized_operations),
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
    asked: Vec<MetadataRequestTopic>,
    may_create: bool,
    shown: Shown<'_>,
) -> Vec<MetadataResponseTopic> {
    let mut seen = HashSet::with_capacity(asked.len());
    let mut topics = Vec::with_capacity(asked.len());
    for topic in asked {
        if seen.insert((topic.name.clone(), topic.topic_id)) {
            topics.push(one_topic(topic, may_create, shown).await);
        }
    }
    topics
}

async fn one_topic(
    mut asked: MetadataRequestTopic,
    may_create: bool,
    shown: Shown<'_>,
) -> MetadataResponseTopic {
    let Shown { kafka, call, .. } = shown;
    let by_id_fits = call.version >= TOPIC_IDS_FROM;
    if asked.topic_id != Uuid::ZERO {
        // The Java client asks by id with an empty name where the protocol has null.
        asked.name = asked.name.filter(|name| !name.is_empty());
    }
    let found = match (&asked.name, asked.topic_id) {
        (Some(name), Uuid::ZERO) => find_by_name(kafka, call, name.as_str(), may_create).await,
        (None, id) if by_id_fits => kafka.topic_by_id_for(call, Operation::Describe, id),
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

async fn find_by_name(
    kafka: &Kafka,
    call: &Call,
    name: &str,
    may_create: bool,
) -> Result<Arc<Topic>, ErrorCode> {
    match kafka.topic_for(call, Operation::Describe, name) {
        Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION) => {}
        found => return found,
    }
    if !may_create {
        let valid = kafka.broker.check_topic_name(name);
        return Err(valid.map_or_else(|error| error.code(), |()| ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    }
    let creates = kafka.broker.would_create(name);
    if creates && !kafka.authorize(call, Operation::Create, Resource::Cluster) {
        kafka.need(call, Operation::Create, Resource::Topic(name))?;
    }
    kafka
        .broker
        .topic_or_create(name)
        .await
        .map_err(|error| error.code())
}

fn encode_topic(topic: &Topic, shown: Shown<'_>) -> MetadataResponseTopic {
    let Shown { kafka, call, .. } = shown;
    let node_id = kafka.node_id();
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
        topic_authorized_operations: kafka.topic_operations(call, shown.rights_asked, topic.name()),
        ..Default::default()
    }
}
