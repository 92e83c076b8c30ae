//! Topics: made, listed, changed and deleted.

use super::*;
use crate::requests::metadata_of;
use millstream_kafka_wire::*;

pub fn rows() -> Vec<Probe> {
    let create = || CreateTopicsRequest {
        topics: vec![create_topics::CreatableTopic {
            name: name("new"),
            num_partitions: 1,
            replication_factor: 1,
            ..Default::default()
        }],
        ..Default::default()
    };
    let tried = CreateTopicsRequest {
        validate_only: true,
        ..create()
    };
    let raise = CreatePartitionsRequest {
        topics: vec![create_partitions::CreatePartitionsTopic {
            name: name("t"),
            count: 2,
            assignments: None,
        }],
        ..Default::default()
    };
    let delete = DeleteTopicsRequest {
        topics: vec![delete_topics::DeleteTopicState {
            name: Some(name("t")),
            topic_id: Uuid::ZERO,
        }],
        ..Default::default()
    };
    let trim = DeleteRecordsRequest {
        topics: vec![delete_records::DeleteRecordsTopic {
            name: name("t"),
            partitions: vec![delete_records::DeleteRecordsPartition::default()],
        }],
        ..Default::default()
    };
    let pages = DescribeTopicPartitionsRequest {
        topics: vec![describe_topic_partitions::TopicRequest { name: name("t") }],
        response_partition_limit: 10,
        cursor: None,
    };
    let every = MetadataRequest {
        topics: None,
        ..Default::default()
    };
    vec![
        probe(TOPIC, create(), |answer| answer.topics[0].error_code),
        // Who may make it and may not read settings gets the topic without them; here it is only tried.
        probe(TOPIC, tried, |answer| answer.topics[0].topic_config_error_code).given(&[CREATE_TOPIC]),
        probe(TOPIC, raise, |answer| answer.results[0].error_code),
        probe(TOPIC, delete, |answer| answer.responses[0].error_code),
        probe(TOPIC, trim, |answer| answer.topics[0].partitions[0].error_code),
        probe(TOPIC, metadata_of(&["t"], true), |answer| {
            answer.topics[0].error_code
        }),
        probe(TOPIC, metadata_of(&["new"], true), |answer| {
            answer.topics[0].error_code
        })
        .given(&[DESCRIBE_TOPIC]),
        probe(HIDDEN, every, |answer| unless_hidden(0, answer.topics.is_empty())),
        probe(TOPIC, pages, |answer| answer.topics[0].error_code),
    ]
}

const CREATE_TOPIC: Right = (Operation::Create, ResourceType::Topic);
const DESCRIBE_TOPIC: Right = (Operation::Describe, ResourceType::Topic);
