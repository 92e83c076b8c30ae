//! AlterPartitionReassignments (45): moves replicas of partitions to other brokers (KIP-455).
//!
//! Versions 0-1, both flexible. v1 may forbid a change of the replication factor (KIP-860).
//!
//! A partition has one owner and no replicas (docs/decisions/reassignments-without-replicas.md). An assignment to its owner is
//! what holds already, so it is done at once; any other names brokers that there are not. Nothing is ever under way, so there
//! is nothing to cancel.

use crate::access::{Operation, Resource};
use crate::api::partition_of;
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::ErrorCode;
use crate::node::Kafka;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, ReassignablePartition,
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use std::sync::Arc;

pub(crate) struct AlterPartitionReassignments;

impl Api for AlterPartitionReassignments {
    type Request = AlterPartitionReassignmentsRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: AlterPartitionReassignmentsRequest,
    ) -> Begun<AlterPartitionReassignmentsResponse> {
        if let Err(code) = kafka.need(&call, Operation::Alter, Resource::Cluster) {
            return Begun::Done(AlterPartitionReassignmentsResponse {
                error_code: code.0,
                error_message: Some(Str::from_static("Cluster authorization failed.")),
                ..Default::default()
            });
        }
        let responses = request.topics.into_iter().map(|topic| {
            let partitions = topic
                .partitions
                .iter()
                .map(|asked| reassign(&kafka, topic.name.as_str(), asked));
            ReassignableTopicResponse {
                partitions: partitions.collect(),
                name: topic.name,
            }
        });
        Begun::Done(AlterPartitionReassignmentsResponse {
            responses: responses.collect(),
            allow_replication_factor_change: request.allow_replication_factor_change,
            error_message: None,
            ..Default::default()
        })
    }
}

fn reassign(kafka: &Kafka, topic: &str, asked: &ReassignablePartition) -> ReassignablePartitionResponse {
    let outcome = judge(kafka, topic, asked);
    let (code, message) = outcome
        .err()
        .map_or((ErrorCode::NONE, None), |(code, what)| (code, Some(what)));
    ReassignablePartitionResponse {
        partition_index: asked.partition_index,
        error_code: code.0,
        error_message: message.map(Str::from),
    }
}

fn judge(kafka: &Kafka, topic: &str, asked: &ReassignablePartition) -> Result<(), (ErrorCode, String)> {
    partition_of(kafka, topic, asked.partition_index)
        .map_err(|code| (code, "there is no such partition".to_owned()))?;
    let Some(replicas) = &asked.replicas else {
        let what = "no reassignment of this partition is under way".to_owned();
        return Err((ErrorCode::NO_REASSIGNMENT_IN_PROGRESS, what));
    };
    let node_id = kafka.node_id();
    match replicas.as_slice() {
        [owner] if *owner == node_id => Ok(()),
        [] => Err(invalid("an assignment names at least one broker".to_owned())),
        named if named.iter().all(|id| *id == node_id) => {
            Err(invalid(format!("broker {node_id} is named twice")))
        }
        named => {
            let unknown = named
                .iter()
                .find(|id| **id != node_id)
                .expect("not all are this broker");
            Err(invalid(format!("there is no broker {unknown}")))
        }
    }
}

fn invalid(what: String) -> (ErrorCode, String) {
    (ErrorCode::INVALID_REPLICA_ASSIGNMENT, what)
}
