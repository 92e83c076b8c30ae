//! OffsetCommit (8): stores how far a group has read.
//!
//! Versions 2-10. v2-4 retention time (KIP-211 ended it); v6 leader epochs (KIP-320); v7 static members (KIP-345); v8 flexible;
//! v9 a missing group is told as such (KIP-848); v10 topic ids (KIP-848). Answered once the offsets are durable.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode, code_of};
use crate::group::{
    CommitPartition, CommitRequest, CommitTopic, CommittedTopic, GroupError, GroupId, InstanceId, MemberId,
    TopicName,
};
use crate::node::Kafka;
use millstream_broker::Topic;
use millstream_kafka_wire::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponse,
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use std::sync::Arc;

pub(crate) struct OffsetCommit;

/// The first version that tells a missing group from an illegal generation.
const VERSION_GROUP_NOT_FOUND: i16 = 9;

/// The first version that names topics by id.
const VERSION_TOPIC_IDS: i16 = 10;

impl Api for OffsetCommit {
    type Request = OffsetCommitRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: OffsetCommitRequest,
    ) -> Begun<OffsetCommitResponse> {
        let allowed = kafka.need(&call, Operation::Read, Resource::Group(&request.group_id));
        let topics: Vec<Checked> = request
            .topics
            .iter()
            .map(|topic| match allowed {
                Ok(()) => check(&kafka, &call, topic),
                Err(code) => Checked::refused(code, topic),
            })
            .collect();
        let accepted: Vec<CommitTopic> = topics
            .iter()
            .filter_map(|checked| checked.accepted.clone())
            .collect();
        if accepted.is_empty() {
            return Begun::Done(encode(&request, &topics, &Ok(Vec::new())));
        }
        let answer = kafka.groups.commit(ask(&call, &request, accepted)).await;
        Begun::Pending(Box::pin(async move { encode(&request, &topics, &answer.await) }))
    }
}

/// A topic of the request, looked up.
struct Checked {
    /// What goes to the coordinator.
    accepted: Option<CommitTopic>,
    /// One a partition: refused here, or (`None`) answered by the coordinator.
    refused: Vec<Option<ErrorCode>>,
}

impl Checked {
    /// Nothing of the topic goes to the coordinator.
    fn refused(code: ErrorCode, asked: &OffsetCommitRequestTopic) -> Self {
        Self {
            accepted: None,
            refused: vec![Some(code); asked.partitions.len()],
        }
    }
}

fn check(kafka: &Kafka, call: &Call, asked: &OffsetCommitRequestTopic) -> Checked {
    let found = match call.version >= VERSION_TOPIC_IDS {
        true => kafka.topic_by_id_for(call, Operation::Read, asked.topic_id),
        false => kafka.topic_for(call, Operation::Read, &asked.name),
    };
    let topic = match found {
        Ok(topic) => topic,
        Err(code) => return Checked::refused(code, asked),
    };
    let exists = |partition: &OffsetCommitRequestPartition| has_partition(&topic, partition.partition_index);
    let refuse = |partition| (!exists(partition)).then_some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let partitions: Vec<CommitPartition> = asked
        .partitions
        .iter()
        .filter(|&one| exists(one))
        .map(partition)
        .collect();
    Checked {
        accepted: (!partitions.is_empty()).then(|| CommitTopic {
            topic: TopicName::from(topic.name()),
            topic_id: crate::group::TopicId(topic.id().0),
            partitions,
        }),
        refused: asked.partitions.iter().map(refuse).collect(),
    }
}

pub(crate) fn has_partition(topic: &Topic, index: i32) -> bool {
    u32::try_from(index).is_ok_and(|index| index < topic.partitions())
}

fn partition(asked: &OffsetCommitRequestPartition) -> CommitPartition {
    CommitPartition {
        partition: asked.partition_index,
        offset: asked.committed_offset,
        leader_epoch: asked.committed_leader_epoch,
        metadata: Arc::from(asked.committed_metadata.as_deref().unwrap_or_default()),
    }
}

fn ask(call: &Call, request: &OffsetCommitRequest, topics: Vec<CommitTopic>) -> CommitRequest {
    CommitRequest {
        group: GroupId::from(request.group_id.as_str()),
        generation: request.generation_id_or_member_epoch,
        member: MemberId::given(&request.member_id),
        instance: request.group_instance_id.as_deref().map(InstanceId::from),
        retention_ms: Some(request.retention_time_ms).filter(|&ms| ms >= 0),
        transaction: None,
        group_not_found_supported: call.version >= VERSION_GROUP_NOT_FOUND,
        topics,
    }
}

/// Puts the coordinator's answers back between those that were refused here, in the order of the request.
fn encode(
    request: &OffsetCommitRequest,
    topics: &[Checked],
    outcome: &Result<Vec<CommittedTopic>, GroupError>,
) -> OffsetCommitResponse {
    let answers = outcome.iter().flatten().flat_map(|topic| &topic.partitions);
    let mut answers = answers.map(|(_, outcome)| code_of(outcome));
    let of_all = outcome.as_ref().err().map(Coded::code);
    let mut code = |refused: &Option<ErrorCode>| match (*refused, of_all) {
        (Some(code), _) | (None, Some(code)) => code.0,
        (None, None) => answers.next().unwrap_or(ErrorCode::UNKNOWN_SERVER_ERROR.0),
    };
    let mut response = OffsetCommitResponse::default();
    for (asked, checked) in request.topics.iter().zip(topics) {
        let pairs = asked.partitions.iter().zip(&checked.refused);
        let partitions = pairs.map(|(partition, refused)| OffsetCommitResponsePartition {
            partition_index: partition.partition_index,
            error_code: code(refused),
        });
        response.topics.push(OffsetCommitResponseTopic {
            name: asked.name.clone(),
            topic_id: asked.topic_id,
            partitions: partitions.collect(),
        });
    }
    response
}
