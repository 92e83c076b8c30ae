//! DescribeTransactions (65): the state of transactional ids (KIP-664). Version 0.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use crate::transaction::{DescribedTransaction, Partitions, TransactionalId};
use millstream_kafka_wire::Str;
use millstream_kafka_wire::describe_transactions::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, TopicData, TransactionState,
};
use std::sync::Arc;

pub(crate) struct DescribeTransactions;

impl Api for DescribeTransactions {
    type Request = DescribeTransactionsRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DescribeTransactionsRequest,
    ) -> Begun<DescribeTransactionsResponse> {
        let mut response = DescribeTransactionsResponse::default();
        for id in request.transactional_ids {
            let described = describe(&kafka, &call, &id).await;
            response.transaction_states.push(encode(id, described));
        }
        Begun::Done(response)
    }
}

async fn describe(kafka: &Kafka, call: &Call, id: &Str) -> Result<DescribedTransaction, ErrorCode> {
    if id.is_empty() {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    kafka.need(call, Operation::Describe, Resource::TransactionalId(id.as_str()))?;
    let described = kafka
        .transactions
        .describe(TransactionalId::from(id.as_str()))
        .await;
    let mut described = described.map_err(|error| error.code())?;
    // Who may not see a topic does not see it here.
    let partitions = described.partitions.iter();
    let seen = partitions
        .filter(|(topic, _)| kafka.authorize(call, Operation::Describe, Resource::Topic(topic.as_str())));
    described.partitions = seen
        .map(|(topic, partition)| (topic.clone(), partition))
        .collect();
    Ok(described)
}

fn encode(id: Str, described: Result<DescribedTransaction, ErrorCode>) -> TransactionState {
    match described {
        Ok(found) => TransactionState {
            error_code: ErrorCode::NONE.0,
            transactional_id: id,
            transaction_state: Str::from_static(found.phase.name()),
            transaction_timeout_ms: found.timeout_ms,
            transaction_start_time_ms: found.started_ms,
            producer_id: found.producer.id,
            producer_epoch: found.producer.epoch,
            topics: topics(&found.partitions),
        },
        Err(code) => TransactionState {
            error_code: code.0,
            transactional_id: id,
            ..Default::default()
        },
    }
}

fn topics(partitions: &Partitions) -> Vec<TopicData> {
    let topics = partitions.topics().map(|(topic, partitions)| TopicData {
        topic: Str::from(topic.as_str().to_owned()),
        partitions: partitions.iter().copied().collect(),
    });
    topics.collect()
}
