//! Requests as the tests need them, at any version.

use bytes::Bytes;
use millstream_broker::testing::records_of;
use millstream_kafka_wire::fetch::{FetchPartition, FetchTopic, PartitionData};
use millstream_kafka_wire::metadata::MetadataRequestTopic;
use millstream_kafka_wire::produce::{PartitionProduceData, PartitionProduceResponse, TopicProduceData};
use millstream_kafka_wire::{
    FetchRequest, FetchResponse, MetadataRequest, ProduceRequest, ProduceResponse, Records, Str, Uuid,
};

/// A produce request of one batch a partition; topics by id from 13 on.
pub fn produce_to(topic: &str, id: Uuid, batches: &[(i32, Bytes)]) -> ProduceRequest {
    let partition_data = batches.iter().map(|(index, batch)| PartitionProduceData {
        index: *index,
        records: Some(Records::from(batch.clone())),
    });
    ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![TopicProduceData {
            name: Str::from(topic),
            topic_id: id,
            partition_data: partition_data.collect(),
        }],
        ..Default::default()
    }
}

/// By name, for versions below 13.
pub fn produce(topic: &str, partition: i32, batch: Bytes) -> ProduceRequest {
    produce_to(topic, Uuid::ZERO, &[(partition, batch)])
}

/// The version at which the tests produce by name.
pub const PRODUCE_BY_NAME: i16 = 12;

/// The only partition of an answer.
pub fn produced(response: &ProduceResponse) -> &PartitionProduceResponse {
    let [topic] = &response.responses[..] else {
        panic!("one topic: {response:?}")
    };
    let [partition] = &topic.partition_responses[..] else {
        panic!("one partition: {response:?}")
    };
    partition
}

pub fn fetch_partition(partition: i32, from: i64) -> FetchPartition {
    FetchPartition {
        partition,
        fetch_offset: from,
        partition_max_bytes: 1 << 20,
        current_leader_epoch: -1,
        last_fetched_epoch: -1,
        log_start_offset: -1,
        ..Default::default()
    }
}

pub fn fetch_topic(topic: &str, id: Uuid, partitions: &[(i32, i64)]) -> FetchTopic {
    FetchTopic {
        topic: Str::from(topic),
        topic_id: id,
        partitions: partitions
            .iter()
            .map(|(partition, from)| fetch_partition(*partition, *from))
            .collect(),
    }
}

/// A fetch without a session that does not wait.
pub fn fetch(topic: &str, id: Uuid, partitions: &[(i32, i64)]) -> FetchRequest {
    FetchRequest {
        replica_id: -1,
        max_wait_ms: 0,
        min_bytes: 1,
        max_bytes: 50 << 20,
        session_epoch: -1,
        topics: vec![fetch_topic(topic, id, partitions)],
        ..Default::default()
    }
}

/// The version at which the tests fetch by name.
pub const FETCH_BY_NAME: i16 = 12;

/// Every partition of an answer, in its order.
pub fn fetched(response: &FetchResponse) -> Vec<&PartitionData> {
    response
        .responses
        .iter()
        .flat_map(|topic| &topic.partitions)
        .collect()
}

/// Offsets and values of what a partition gave.
pub fn values(data: &PartitionData) -> Vec<(u64, String)> {
    let chunks: Vec<Bytes> = data
        .records
        .iter()
        .flat_map(|records| records.chunks().cloned())
        .collect();
    records_of(&chunks)
}

pub fn metadata_of(names: &[&str], create: bool) -> MetadataRequest {
    let topics = names.iter().map(|name| MetadataRequestTopic {
        name: Some(Str::from(*name)),
        topic_id: Uuid::ZERO,
    });
    MetadataRequest {
        topics: Some(topics.collect()),
        allow_auto_topic_creation: create,
        ..Default::default()
    }
}
