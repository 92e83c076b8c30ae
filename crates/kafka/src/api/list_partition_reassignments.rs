//! ListPartitionReassignments (46): reassignments that are under way (KIP-455).
//!
//! Version 0, flexible. There never is one: ownership moves at once and without data
//! (docs/decisions/reassignments-without-replicas.md).

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::ErrorCode;
use crate::node::Kafka;
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
        let allowed = kafka.need(&call, Operation::Describe, Resource::Cluster);
        Begun::Done(ListPartitionReassignmentsResponse {
            error_code: allowed.err().unwrap_or(ErrorCode::NONE).0,
            error_message: None,
            ..Default::default()
        })
    }
}
