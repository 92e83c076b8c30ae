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
            let described = if id.is_empty() {
                Err(ErrorCode::INVALID_REQUEST)
            } else if let Err(code) = kafka.need(&call, Operation::Describe, Resource::TransactionalId(&id)) {
                Err(code)
            } else {
                let described = kafka
                    .transactions
                    .describe(TransactionalId::from(id.as_str()))
                    .await;
                described.map_err(|error| error.code())
            };
            let mut state = encode(id, described);
            // What somebody may not know of is not told.
            state
                .topics
                .retain(|topic| kafka.authorize(&call, Operation::Describe, Resource::Topic(&topic.topic)));
            response.transaction_states.push(state);
        }
        Begun::Done(response)
    }
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
