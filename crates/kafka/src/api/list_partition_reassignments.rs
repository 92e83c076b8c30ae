//! ListPartitionReassignments (46): reassignments that are under way (KIP-455).
//!
//! Version 0, flexible. There never is one: ownership moves at once and without data
//! (docs/decisions/reassignments-without-replicas.md).

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::node::Kafka;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};
use std::sync::Arc;

pub(crate) struct ListPartitionReassignments;

impl Api for ListPartitionReassignments {
    type Request = ListPartitionReassignmentsRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        _request: ListPartitionReassignmentsRequest,
    ) -> Begun<ListPartitionReassignmentsResponse> {
        if let Err(code) = kafka.need(&call, Operation::Describe, Resource::Cluster) {
            return Begun::Done(ListPartitionReassignmentsResponse {
                error_code: code.0,
                error_message: Some(Str::from_static("Cluster authorization failed.")),
                ..Default::default()
            });
        }
        Begun::Done(ListPartitionReassignmentsResponse {
            error_message: None,
            ..Default::default()
        })
    }
}
