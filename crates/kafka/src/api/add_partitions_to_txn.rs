//! AddPartitionsToTxn (24): makes partitions part of a producer's transaction, before it writes to them (KIP-98).
//!
//! Versions 0-5. v2 PRODUCER_FENCED (before: INVALID_PRODUCER_EPOCH); v3 flexible; v4 many transactions, and questions without a change,
//! both from broker to broker (KIP-890). Clients of transaction.version 2 do not send it: their first batch adds its partition.
//!
//! All partitions of a request are added, or none.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::group::TopicName;
use crate::node::Kafka;
use crate::transaction::{
    AddRequest, EpochPolicy, Partitions, ProducerEpoch, TransactionError, TransactionalId, VerifyRequest,
};
use millstream_kafka_wire::Str;
use millstream_kafka_wire::add_partitions_to_txn::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
    AddPartitionsToTxnResult, AddPartitionsToTxnTopic, AddPartitionsToTxnTopicResult,
    AddPartitionsToTxnTransaction,
};
use std::sync::Arc;

pub(crate) struct AddPartitionsToTxn;

/// The first version with many transactions.
const VERSION_MANY: i16 = 4;

/// The first version that tells a fenced producer as such.
const VERSION_FENCED: i16 = 2;

impl Api for AddPartitionsToTxn {
    type Request = AddPartitionsToTxnRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: AddPartitionsToTxnRequest,
    ) -> Begun<AddPartitionsToTxnResponse> {
        if call.version < VERSION_MANY {
            let transaction = AddPartitionsToTxnTransaction {
                transactional_id: request.v3_and_below_transactional_id,
                producer_id: request.v3_and_below_producer_id,
                producer_epoch: request.v3_and_below_producer_epoch,
                verify_only: false,
                topics: request.v3_and_below_topics,
            };
            return Begun::Done(AddPartitionsToTxnResponse {
                results_by_topic_v3_and_below: one(&kafka, &call, &transaction).await,
                ..Default::default()
            });
        }
        if let Err(code) = kafka.need(&call, Operation::ClusterAction, Resource::Cluster) {
            return Begun::Done(AddPartitionsToTxnResponse {
                error_code: code.0,
                ..Default::default()
            });
        }
        let mut results = Vec::with_capacity(request.transactions.len());
        for transaction in request.transactions {
            results.push(AddPartitionsToTxnResult {
                topic_results: one(&kafka, &call, &transaction).await,
                transactional_id: transaction.transactional_id,
            });
        }
        Begun::Done(AddPartitionsToTxnResponse {
            results_by_transaction: results,
            ..Default::default()
        })
    }
}

async fn one(
    kafka: &Kafka,
    call: &Call,
    asked: &AddPartitionsToTxnTransaction,
) -> Vec<AddPartitionsToTxnTopicResult> {
    if asked.transactional_id.is_empty() {
        return encode(asked, |_, _| ErrorCode::INVALID_REQUEST);
    }
    let id = Resource::TransactionalId(asked.transactional_id.as_str());
    if call.version < VERSION_MANY
        && let Err(code) = kafka.need(call, Operation::Write, id)
    {
        return encode(asked, |_, _| code);
    }
    let check = |topic: &str, partition: i32| check(kafka, call, topic, partition);
    let partitions = partitions_of(&asked.topics);
    let all_pass = partitions
        .iter()
        .all(|(topic, partition)| check(topic.as_str(), partition).is_ok());
    if !all_pass && !asked.verify_only {
        return encode(asked, |topic, partition| {
            check(topic, partition)
                .err()
                .unwrap_or(ErrorCode::OPERATION_NOT_ATTEMPTED)
        });
    }
    let id = TransactionalId::from(asked.transactional_id.as_str());
    let producer = ProducerEpoch {
        id: asked.producer_id,
        epoch: asked.producer_epoch,
    };
    if asked.verify_only {
        let found = kafka
            .transactions
            .verify(VerifyRequest {
                id,
                producer,
                partitions,
            })
            .await;
        return encode(asked, |topic, partition| match &found {
            Ok(part) if part.contains(&TopicName::from(topic.as_str()), partition) => ErrorCode::NONE,
            Ok(_) => ErrorCode::TRANSACTION_ABORTABLE,
            Err(error) => told(*error, call.version),
        });
    }
    let add = AddRequest {
        id,
        producer,
        partitions,
        policy: policy(call.version),
    };
    let added = kafka.transactions.add(add).await;
    let code = added.map_or_else(|error| told(error, call.version), |()| ErrorCode::NONE);
    encode(asked, |_, _| code)
}

/// Whether the partition exists and the asker may write there. Brokers have asked their clients' rights already.
fn check(kafka: &Kafka, call: &Call, topic: &str, partition: i32) -> Result<(), ErrorCode> {
    let found = if call.version < VERSION_MANY {
        kafka.topic_for(call, Operation::Write, topic)?
    } else {
        let found = kafka.broker.topic(topic);
        found.ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?
    };
    if super::offset_commit::has_partition(&found, partition) {
        Ok(())
    } else {
        Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
    }
}

/// Brokers add partitions for clients whose first batch does it, and say so by the version.
fn policy(version: i16) -> EpochPolicy {
    if version < VERSION_MANY {
        EpochPolicy::PerProducer
    } else {
        EpochPolicy::PerTransaction
    }
}

fn told(error: TransactionError, version: i16) -> ErrorCode {
    match error {
        TransactionError::ProducerFenced if version < VERSION_FENCED => ErrorCode::INVALID_PRODUCER_EPOCH,
        other => other.code(),
    }
}

fn partitions_of(topics: &[AddPartitionsToTxnTopic]) -> Partitions {
    let all = topics.iter().flat_map(|topic| {
        let name = TopicName::from(topic.name.as_str());
        topic
            .partitions
            .iter()
            .map(move |partition| (name.clone(), *partition))
    });
    all.collect()
}

fn encode(
    asked: &AddPartitionsToTxnTransaction,
    code: impl Fn(&Str, i32) -> ErrorCode,
) -> Vec<AddPartitionsToTxnTopicResult> {
    let topics = asked.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter();
        let results = partitions.map(|partition| AddPartitionsToTxnPartitionResult {
            partition_index: *partition,
            partition_error_code: code(&topic.name, *partition).0,
        });
        AddPartitionsToTxnTopicResult {
            name: topic.name.clone(),
            results_by_partition: results.collect(),
        }
    });
    topics.collect()
}
