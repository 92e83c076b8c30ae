//! ElectLeaders (43): moves leadership back to the preferred replica, or to any that lives.
//!
//! Versions 0-2. v1 unclean elections (KIP-460); v2 flexible.
//!
//! A partition has one owner and no replicas (docs/decisions/reassignments-without-replicas.md): its owner is the preferred one
//! and alive, so no election is ever needed. That is the answer, as Kafka gives it for partitions in that state; when all
//! partitions are asked for, those that need nothing are not named.

use crate::access::{Operation, Resource};
use crate::api::partition_of;
use crate::dispatch::{Api, Begun, Call};
use crate::errors::ErrorCode;
use crate::node::Kafka;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::elect_leaders::{
    ElectLeadersRequest, ElectLeadersResponse, PartitionResult, ReplicaElectionResult,
};
use std::sync::Arc;

pub(crate) struct ElectLeaders;

/// Numbers of KIP-460.
const PREFERRED: i8 = 0;
const UNCLEAN: i8 = 1;

/// The first version with an error of the whole.
const TOP_ERROR_FROM: i16 = 1;

impl Api for ElectLeaders {
    type Request = ElectLeadersRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: ElectLeadersRequest,
    ) -> Begun<ElectLeadersResponse> {
        let mut response = ElectLeadersResponse::default();
        if !matches!(request.election_type, PREFERRED | UNCLEAN) {
            response.error_code = ErrorCode::INVALID_REQUEST.0;
            return Begun::Done(response);
        }
        let allowed = kafka.need(&call, Operation::Alter, Resource::Cluster);
        if let (Err(code), TOP_ERROR_FROM..) = (allowed, call.version) {
            response.error_code = code.0;
        }
        for asked in request.topic_partitions.unwrap_or_default() {
            let results = asked.partitions.into_iter().map(|partition_id| {
                let (code, what) = match allowed {
                    Ok(()) => judge(&kafka, &call, asked.topic.as_str(), partition_id),
                    Err(code) => (code, "Cluster authorization failed."),
                };
                PartitionResult {
                    partition_id,
                    error_code: code.0,
                    error_message: Some(Str::from_static(what)),
                }
            });
            response.replica_election_results.push(ReplicaElectionResult {
                partition_result: results.collect(),
                topic: asked.topic,
            });
        }
        Begun::Done(response)
    }
}

fn judge(kafka: &Kafka, _call: &Call, topic: &str, partition: i32) -> (ErrorCode, &'static str) {
    match partition_of(kafka, topic, partition) {
        Err(code) => (code, "there is no such partition"),
        Ok(()) => (
            ErrorCode::ELECTION_NOT_NEEDED,
            "the partition's owner is the preferred one and alive",
        ),
    }
}
