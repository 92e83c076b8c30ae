//! DescribeProducers (61): who has written to partitions, and whose transactions are open there (KIP-664). Version 0.

use crate::access::Operation;
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_broker::ProducerView;
use millstream_kafka_wire::describe_producers::{
    DescribeProducersRequest, DescribeProducersResponse, PartitionResponse, ProducerState, TopicResponse,
};
use std::sync::Arc;

pub(crate) struct DescribeProducers;

impl Api for DescribeProducers {
    type Request = DescribeProducersRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DescribeProducersRequest,
    ) -> Begun<DescribeProducersResponse> {
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partition_indexes.iter();
            TopicResponse {
                partitions: partitions
                    .map(|index| encode(*index, describe(&kafka, &call, &topic.name, *index)))
                    .collect(),
                name: topic.name,
            }
        });
        Begun::Done(DescribeProducersResponse {
            topics: topics.collect(),
            ..Default::default()
        })
    }
}

fn describe(kafka: &Kafka, call: &Call, topic: &str, index: i32) -> Result<Vec<ProducerView>, ErrorCode> {
    let topic = kafka.topic_for(call, Operation::Read, topic)?;
    let partition = u32::try_from(index).map_err(|_| ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    kafka
        .broker
        .producers(&topic, partition)
        .map_err(|error| error.code())
}

fn encode(index: i32, described: Result<Vec<ProducerView>, ErrorCode>) -> PartitionResponse {
    let mut response = PartitionResponse {
        partition_index: index,
        ..Default::default()
    };
    match described {
        Ok(producers) => response.active_producers = producers.iter().map(state).collect(),
        Err(code) => response.error_code = code.0,
    }
    response
}

fn state(view: &ProducerView) -> ProducerState {
    ProducerState {
        producer_id: view.producer_id,
        producer_epoch: i32::from(view.producer_epoch),
        last_sequence: view.last_sequence,
        last_timestamp: view.last_timestamp,
        coordinator_epoch: view.coordinator_epoch,
        current_txn_start_offset: view.transaction_start.map_or(-1, |start| start.0 as i64),
    }
}
