//! TxnOffsetCommit (28): offsets that become committed with a producer's transaction (KIP-98).
//!
//! Versions 0-5. v2 leader epochs; v3 flexible, generation and member, so that a member that lost its partitions is refused (KIP-447); v4
//! TRANSACTION_ABORTABLE; v5 makes the group part of the transaction by itself (KIP-890).
//!
//! Until the transaction ends the offsets are pending: OffsetFetch shows the old ones, or asks to come again where stable ones are wanted.

use crate::access::{Operation, Resource};
use crate::api::add_offsets_to_txn::offsets_of;
use crate::api::offset_commit::has_partition;
use crate::api::produce_transaction::told_to_producer;
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode, code_of};
use crate::group::{
    CommitPartition, CommitRequest, CommitTopic, CommittedTopic, GroupError, GroupId, InstanceId, MemberId,
    OffsetProducer, TopicId, TopicName,
};
use crate::node::Kafka;
use crate::transaction::{AddRequest, EpochPolicy, ProducerEpoch, TransactionalId, VerifyRequest};
use millstream_kafka_wire::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
    TxnOffsetCommitResponse, TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use std::collections::BTreeSet;
use std::sync::Arc;

pub(crate) struct TxnOffsetCommit;

/// The first version that makes the group part of the transaction.
const VERSION_ADDS: i16 = 5;

/// The first version that understands TRANSACTION_ABORTABLE.
const VERSION_ABORTABLE: i16 = 4;

impl Api for TxnOffsetCommit {
    type Request = TxnOffsetCommitRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: TxnOffsetCommitRequest,
    ) -> Begun<TxnOffsetCommitResponse> {
        if let Err(code) = join(&kafka, &call, &request).await {
            return Begun::Done(encode(&request, |_, _| code.0));
        }
        let topics: Vec<CommitTopic> = request
            .topics
            .iter()
            .filter_map(|topic| check(&kafka, &call, topic))
            .collect();
        let missing = missing(&request, &topics);
        let committed = if topics.is_empty() {
            Ok(Vec::new())
        } else {
            kafka.groups.commit(ask(&request, topics)).await.await
        };
        Begun::Done(encode(&request, |topic, partition| {
            if missing.contains(&(topic.clone(), partition)) {
                let found = kafka.topic_for(&call, Operation::Read, topic.as_str());
                let denied = found.err();
                denied.unwrap_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION).0
            } else {
                code(&committed, topic, partition)
            }
        }))
    }
}

/// Makes sure that the group is part of the transaction.
async fn join(kafka: &Kafka, call: &Call, request: &TxnOffsetCommitRequest) -> Result<(), ErrorCode> {
    if request.transactional_id.is_empty() {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    let id = Resource::TransactionalId(request.transactional_id.as_str());
    kafka.need(call, Operation::Write, id)?;
    kafka.need(call, Operation::Read, Resource::Group(&request.group_id))?;
    let id = TransactionalId::from(request.transactional_id.as_str());
    let producer = ProducerEpoch {
        id: request.producer_id,
        epoch: request.producer_epoch,
    };
    let partitions = offsets_of(kafka, &request.group_id).await?;
    let joined = if call.version >= VERSION_ADDS {
        let add = AddRequest {
            id,
            producer,
            partitions,
            policy: EpochPolicy::PerTransaction,
        };
        kafka.transactions.add(add).await.map(|()| true)
    } else {
        let verify = VerifyRequest {
            id,
            producer,
            partitions: partitions.clone(),
        };
        let found = kafka.transactions.verify(verify).await;
        found.map(|part| part.covers(&partitions))
    };
    match joined {
        Ok(true) => Ok(()),
        Ok(false) if call.version >= VERSION_ABORTABLE => Err(ErrorCode::TRANSACTION_ABORTABLE),
        Ok(false) => Err(ErrorCode::INVALID_TXN_STATE),
        // What a producer retries differs from what a committer retries.
        Err(error) => Err(match told_to_producer(error) {
            ErrorCode::NOT_ENOUGH_REPLICAS => ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
            code => code,
        }),
    }
}

/// What of a topic goes to the coordinator of the group.
fn check(kafka: &Kafka, call: &Call, asked: &TxnOffsetCommitRequestTopic) -> Option<CommitTopic> {
    let topic = kafka.topic_for(call, Operation::Read, &asked.name).ok()?;
    let exist = asked
        .partitions
        .iter()
        .filter(|one| has_partition(&topic, one.partition_index));
    let partitions: Vec<CommitPartition> = exist.map(partition).collect();
    (!partitions.is_empty()).then(|| CommitTopic {
        topic: TopicName::from(topic.name()),
        topic_id: TopicId(topic.id().0),
        partitions,
    })
}

fn partition(asked: &TxnOffsetCommitRequestPartition) -> CommitPartition {
    CommitPartition {
        partition: asked.partition_index,
        offset: asked.committed_offset,
        leader_epoch: asked.committed_leader_epoch,
        metadata: Arc::from(asked.committed_metadata.as_deref().unwrap_or_default()),
    }
}

/// What was asked for and does not exist.
fn missing(request: &TxnOffsetCommitRequest, exist: &[CommitTopic]) -> BTreeSet<(TopicName, i32)> {
    let mut missing: BTreeSet<(TopicName, i32)> = request
        .topics
        .iter()
        .flat_map(|topic| {
            let name = TopicName::from(topic.name.as_str());
            let indexes = topic.partitions.iter().map(|one| one.partition_index);
            indexes.map(move |index| (name.clone(), index))
        })
        .collect();
    for topic in exist {
        for one in &topic.partitions {
            missing.remove(&(topic.topic.clone(), one.partition));
        }
    }
    missing
}

fn ask(request: &TxnOffsetCommitRequest, topics: Vec<CommitTopic>) -> CommitRequest {
    CommitRequest {
        group: GroupId::from(request.group_id.as_str()),
        generation: request.generation_id,
        member: MemberId::given(&request.member_id),
        instance: request.group_instance_id.as_deref().map(InstanceId::from),
        retention_ms: None,
        transaction: Some(OffsetProducer {
            id: request.producer_id,
            epoch: request.producer_epoch,
        }),
        group_not_found_supported: false,
        topics,
    }
}

fn code(committed: &Result<Vec<CommittedTopic>, GroupError>, topic: &TopicName, partition: i32) -> i16 {
    let topics = match committed {
        Ok(topics) => topics,
        Err(error) => return error.code().0,
    };
    let of_topic = topics.iter().filter(|committed| committed.topic == *topic);
    let mut outcomes = of_topic.flat_map(|committed| &committed.partitions);
    let found = outcomes.find(|(index, _)| *index == partition);
    found.map_or(ErrorCode::UNKNOWN_SERVER_ERROR.0, |(_, outcome)| code_of(outcome))
}

fn encode(
    request: &TxnOffsetCommitRequest,
    code: impl Fn(&TopicName, i32) -> i16,
) -> TxnOffsetCommitResponse {
    let topics = request.topics.iter().map(|topic| {
        let name = TopicName::from(topic.name.as_str());
        let partitions = topic
            .partitions
            .iter()
            .map(|one| TxnOffsetCommitResponsePartition {
                partition_index: one.partition_index,
                error_code: code(&name, one.partition_index),
            });
        TxnOffsetCommitResponseTopic {
            name: topic.name.clone(),
            partitions: partitions.collect(),
        }
    });
    TxnOffsetCommitResponse {
        topics: topics.collect(),
        ..Default::default()
    }
}
