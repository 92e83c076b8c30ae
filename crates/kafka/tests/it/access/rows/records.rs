//! Records: writing, reading, positions.

use super::*;
use crate::requests::{fetch, produce_to};
use millstream_broker::testing::batch_of;
use millstream_kafka_wire::*;

const WRITE_TOPIC: &[Right] = &[(Operation::Write, ResourceType::Topic)];

pub fn rows(stage: &Stage) -> Vec<Probe> {
    let written = || produce_to("t", stage.topic, &[(0, batch_of(&["x"]))]);
    let refused = |answer: &ProduceResponse| answer.responses[0].partition_responses[0].error_code;
    let list = ListOffsetsRequest {
        topics: vec![list_offsets::ListOffsetsTopic {
            name: name("t"),
            partitions: vec![list_offsets::ListOffsetsPartition::default()],
        }],
        ..Default::default()
    };
    let epochs = OffsetForLeaderEpochRequest {
        topics: vec![offset_for_leader_epoch::OffsetForLeaderTopic {
            topic: name("t"),
            partitions: vec![offset_for_leader_epoch::OffsetForLeaderPartition::default()],
        }],
        ..Default::default()
    };
    let producers = DescribeProducersRequest {
        topics: vec![describe_producers::TopicRequest {
            name: name("t"),
            partition_indexes: vec![0],
        }],
    };
    let in_transaction = ProduceRequest {
        transactional_id: Some(name("tx")),
        ..written()
    };
    vec![
        probe(TOPIC, written(), refused),
        probe(TRANSACTION, in_transaction, refused).given(WRITE_TOPIC),
        probe(TOPIC, fetch("t", stage.topic, &[(0, 0)]), |answer| {
            answer.responses[0].partitions[0].error_code
        }),
        probe(TOPIC, list, |answer| answer.topics[0].partitions[0].error_code),
        probe(TOPIC, epochs, |answer| answer.topics[0].partitions[0].error_code),
        probe(TOPIC, producers, |answer| {
            answer.topics[0].partitions[0].error_code
        }),
        probe(CLUSTER, producer_id(None), |answer| answer.error_code),
        probe(TRANSACTION, producer_id(Some(name("tx"))), |answer| {
            answer.error_code
        }),
    ]
}

fn producer_id(transactional_id: Option<Str>) -> InitProducerIdRequest {
    InitProducerIdRequest {
        transactional_id,
        transaction_timeout_ms: 60_000,
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    }
}
