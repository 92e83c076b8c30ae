//! DescribeQuorum (55): who votes on the cluster's metadata (KIP-595).
//!
//! Versions 0-2, all flexible. v1 times of the last fetch (KIP-836); v2 messages, nodes and directory ids (KIP-853).
//!
//! There is no quorum of brokers: the metadata store decides. What tools are told is true of it: this broker acts on the metadata as
//! of one revision, which stands for the log's end, and nobody lags behind it.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::ErrorCode;
use crate::node::Kafka;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::describe_quorum::{
    DescribeQuorumRequest, DescribeQuorumResponse, Listener, Node, ReplicaState, ResponsePartitionData,
    ResponseTopicData,
};
use std::sync::Arc;

pub(crate) struct DescribeQuorum;

/// The topic under whose name Kafka's tools ask.
const METADATA_TOPIC: &str = "__cluster_metadata";
/// Its only partition.
const METADATA_PARTITION: i32 = 0;
/// The first version that names nodes, and has messages.
const NODES_FROM: i16 = 2;
/// Leadership never moved.
const LEADER_EPOCH: i32 = 1;

impl Api for DescribeQuorum {
    type Request = DescribeQuorumRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DescribeQuorumRequest,
    ) -> Begun<DescribeQuorumResponse> {
        if let Err(code) = kafka.need(&call, Operation::Describe, Resource::Cluster) {
            return Begun::Done(DescribeQuorumResponse {
                error_code: code.0,
                ..Default::default()
            });
        }
        let topics = request.topics.into_iter().map(|topic| {
            let is_metadata = topic.topic_name.as_str() == METADATA_TOPIC;
            let partitions = topic.partitions.iter().map(|asked| match asked.partition_index {
                METADATA_PARTITION if is_metadata => voter(&kafka),
                other => unknown(other),
            });
            ResponseTopicData {
                partitions: partitions.collect(),
                topic_name: topic.topic_name,
            }
        });
        Begun::Done(DescribeQuorumResponse {
            topics: topics.collect(),
            nodes: match call.version {
                NODES_FROM.. => node(&kafka, &call).into_iter().collect(),
                _ => Vec::new(),
            },
            error_message: None,
            ..Default::default()
        })
    }
}

fn voter(kafka: &Kafka) -> ResponsePartitionData {
    let end = i64::try_from(kafka.broker.metadata_revision()).unwrap_or(i64::MAX);
    let now = kafka.broker.clock().wall_ms();
    ResponsePartitionData {
        partition_index: METADATA_PARTITION,
        leader_id: kafka.node_id(),
        leader_epoch: LEADER_EPOCH,
        high_watermark: end,
        current_voters: vec![ReplicaState {
            replica_id: kafka.node_id(),
            log_end_offset: end,
            last_fetch_timestamp: now,
            last_caught_up_timestamp: now,
            ..Default::default()
        }],
        error_message: None,
        ..Default::default()
    }
}

fn unknown(partition_index: i32) -> ResponsePartitionData {
    ResponsePartitionData {
        partition_index,
        error_code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0,
        error_message: Some(Str::from_static("only the metadata has a quorum")),
        leader_id: -1,
        ..Default::default()
    }
}

fn node(kafka: &Kafka, call: &Call) -> Option<Node> {
    let address = kafka.advertised(&call.peer)?;
    Some(Node {
        node_id: kafka.node_id(),
        listeners: vec![Listener {
            name: Str::from(address.listener),
            host: Str::from(address.host),
            port: address.port,
        }],
    })
}
