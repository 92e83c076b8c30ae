//! OffsetFetch (9): how far a group has read.
//!
//! Versions 1-10. v2 all offsets of a group, error of the whole; v5 leader epochs (KIP-320); v6 flexible; v7 stable offsets
//! (KIP-447); v8 many groups (KIP-709); v9 members of consumer groups with their epochs (KIP-848); v10 topic ids (KIP-848).
//! Only durable offsets are shown.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::group::{
    FetchRequest, FetchTopic, FetchedOffset, FetchedTopic, GroupError, GroupId, MemberId, TopicId, TopicName,
};
use crate::node::Kafka;
use futures_util::future::BoxFuture;
use millstream_kafka_wire::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponse,
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use millstream_kafka_wire::{Str, Uuid};
use std::future::ready;
use std::sync::Arc;

pub(crate) struct OffsetFetch;

/// The first version with an error of the whole.
const VERSION_TOP_ERROR: i16 = 2;

/// The first version with many groups.
const VERSION_MANY_GROUPS: i16 = 8;

/// The first version that names topics by id.
const VERSION_TOPIC_IDS: i16 = 10;

impl Api for OffsetFetch {
    type Request = OffsetFetchRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(kafka: Arc<Kafka>, call: Call, request: OffsetFetchRequest) -> Begun<OffsetFetchResponse> {
        let version = call.version;
        let call = Arc::new(call);
        let require_stable = request.require_stable;
        if version < VERSION_MANY_GROUPS {
            let group = one_group(request);
            let answer = fetch_group(kafka, call, group, require_stable).await;
            return Begun::Pending(Box::pin(async move { encode_one(version, answer.await) }));
        }
        let mut answers = Vec::with_capacity(request.groups.len());
        for group in request.groups {
            answers.push(fetch_group(kafka.clone(), call.clone(), group, require_stable).await);
        }
        Begun::Pending(Box::pin(async move {
            let mut response = OffsetFetchResponse::default();
            for answer in answers {
                response.groups.push(answer.await);
            }
            response
        }))
    }
}

/// The older form of the request as the newer one.
pub(super) fn one_group(request: OffsetFetchRequest) -> OffsetFetchRequestGroup {
    let topics = request.topics.map(|topics| {
        let newer = topics.into_iter().map(|topic| OffsetFetchRequestTopics {
            name: topic.name,
            topic_id: Uuid::ZERO,
            partition_indexes: topic.partition_indexes,
        });
        newer.collect()
    });
    OffsetFetchRequestGroup {
        group_id: request.group_id,
        topics,
        ..Default::default()
    }
}

/// Asks; the answer is awaited by the caller.
async fn fetch_group(
    kafka: Arc<Kafka>,
    call: Arc<Call>,
    asked: OffsetFetchRequestGroup,
    require_stable: bool,
) -> BoxFuture<'static, OffsetFetchResponseGroup> {
    let version = call.version;
    let by_id = version >= VERSION_TOPIC_IDS;
    if let Err(code) = kafka.need(&call, Operation::Describe, Resource::Group(&asked.group_id)) {
        return Box::pin(ready(refused_group(version, asked, code)));
    }
    let mut unknown = Vec::new();
    let topics = asked.topics.as_ref().map(|topics| {
        let mut known = Vec::with_capacity(topics.len());
        for topic in topics {
            match name_of(&kafka, &call, topic) {
                Ok(topic) => known.push(topic),
                Err(code) => unknown.push(refused(topic, code)),
            }
        }
        known
    });
    let all = topics.is_none();
    let request = FetchRequest {
        group: GroupId::from(asked.group_id.as_str()),
        member: asked.member_id.as_deref().map(MemberId::from),
        member_epoch: asked.member_epoch,
        topics,
        require_stable,
    };
    let answer = kafka.groups.fetch(request).await;
    Box::pin(async move {
        let mut topics = unknown;
        match answer.await {
            Ok(fetched) => {
                // Those that were asked for by name were looked at before.
                let may_know = |topic: &FetchedTopic| {
                    !all || kafka.authorize(&call, Operation::Describe, Resource::Topic(topic.topic.as_str()))
                };
                let fetched = fetched.into_iter().filter(may_know);
                topics.extend(fetched.filter_map(|topic| encode_topic(&kafka, by_id, all, topic)));
                OffsetFetchResponseGroup {
                    group_id: asked.group_id,
                    topics,
                    ..Default::default()
                }
            }
            Err(error) => refused_group(version, asked, error.code()),
        }
    })
}

pub(super) fn refused_group(
    version: i16,
    asked: OffsetFetchRequestGroup,
    code: ErrorCode,
) -> OffsetFetchResponseGroup {
    // Version 1 has no place for an error of the whole: every partition carries it.
    let carriers = asked
        .topics
        .iter()
        .flatten()
        .filter(|_| version < VERSION_TOP_ERROR);
    OffsetFetchResponseGroup {
        error_code: code.0,
        topics: carriers.map(|topic| refused(topic, code)).collect(),
        group_id: asked.group_id,
    }
}

/// The topic by its name, with its present id, so that offsets of a namesake that is gone are not shown.
fn name_of(kafka: &Kafka, call: &Call, asked: &OffsetFetchRequestTopics) -> Result<FetchTopic, ErrorCode> {
    let found = match call.version >= VERSION_TOPIC_IDS {
        true => Some(kafka.topic_by_id_for(call, Operation::Describe, asked.topic_id)?),
        false => match kafka.topic_for(call, Operation::Describe, &asked.name) {
            // Offsets of a topic that is gone are still shown.
            Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION) => None,
            found => Some(found?),
        },
    };
    let name = found.as_ref().map_or(asked.name.as_str(), |topic| topic.name());
    Ok(FetchTopic {
        topic: TopicName::from(name),
        topic_id: found
            .as_ref()
            .map_or(TopicId::UNKNOWN, |topic| TopicId(topic.id().0)),
        partitions: asked.partition_indexes.clone(),
    })
}

/// `None`: asked for all, and the topic is gone; by its id nobody could tell which it was.
fn encode_topic(
    kafka: &Kafka,
    by_id: bool,
    all: bool,
    topic: FetchedTopic,
) -> Option<OffsetFetchResponseTopics> {
    let topic_id = match (by_id, all) {
        (false, _) => Uuid::ZERO,
        (true, false) => Uuid(topic.topic_id.0),
        (true, true) => Uuid(kafka.broker.topic(topic.topic.as_str())?.id().0),
    };
    let partitions = topic
        .partitions
        .into_iter()
        .map(|(index, outcome)| encode_partition(index, outcome));
    Some(OffsetFetchResponseTopics {
        name: Str::from(topic.topic.as_str()),
        topic_id,
        partitions: partitions.collect(),
    })
}

fn encode_partition(
    index: i32,
    outcome: Result<Option<FetchedOffset>, GroupError>,
) -> OffsetFetchResponsePartitions {
    let nothing = OffsetFetchResponsePartitions {
        partition_index: index,
        committed_offset: -1,
        committed_leader_epoch: -1,
        metadata: Some(Str::new()),
        error_code: ErrorCode::NONE.0,
    };
    match outcome {
        Ok(Some(offset)) => OffsetFetchResponsePartitions {
            committed_offset: offset.offset,
            committed_leader_epoch: offset.leader_epoch,
            metadata: Some(Str::from(&*offset.metadata)),
            ..nothing
        },
        Ok(None) => nothing,
        Err(error) => OffsetFetchResponsePartitions {
            error_code: error.code().0,
            ..nothing
        },
    }
}

fn refused(topic: &OffsetFetchRequestTopics, code: ErrorCode) -> OffsetFetchResponseTopics {
    let partitions = topic
        .partition_indexes
        .iter()
        .map(|&index| OffsetFetchResponsePartitions {
            error_code: code.0,
            ..encode_partition(index, Ok(None))
        });
    OffsetFetchResponseTopics {
        name: topic.name.clone(),
        topic_id: topic.topic_id,
        partitions: partitions.collect(),
    }
}

/// The newer form of the answer as the older one.
pub(super) fn encode_one(version: i16, group: OffsetFetchResponseGroup) -> OffsetFetchResponse {
    let topics = group.topics.into_iter().map(|topic| OffsetFetchResponseTopic {
        name: topic.name,
        partitions: topic
            .partitions
            .into_iter()
            .map(|partition| OffsetFetchResponsePartition {
                partition_index: partition.partition_index,
                committed_offset: partition.committed_offset,
                committed_leader_epoch: partition.committed_leader_epoch,
                metadata: partition.metadata,
                error_code: partition.error_code,
            })
            .collect(),
    });
    OffsetFetchResponse {
        topics: topics.collect(),
        error_code: if version < VERSION_TOP_ERROR {
            0
        } else {
            group.error_code
        },
        ..Default::default()
    }
}
