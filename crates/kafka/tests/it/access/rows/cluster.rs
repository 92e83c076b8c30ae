//! The cluster and its tools, quotas, and clients' own metrics.

use super::*;
use millstream_kafka_wire::*;

/// Kafka's UNKNOWN_SUBSCRIPTION_ID, whoever pushes.
const NO_SUBSCRIPTION: i16 = 117;

pub fn rows() -> Vec<Probe> {
    let describe = DescribeClusterRequest {
        include_cluster_authorized_operations: true,
        endpoint_type: 1,
        ..Default::default()
    };
    let quotas = AlterClientQuotasRequest {
        entries: vec![alter_client_quotas::RequestEntryData::default()],
        validate_only: false,
    };
    let dirs = AlterReplicaLogDirsRequest {
        dirs: vec![alter_replica_log_dirs::AlterReplicaLogDir {
            path: name("/data"),
            topics: vec![alter_replica_log_dirs::AlterReplicaLogDirTopic {
                name: name("t"),
                partitions: vec![0],
            }],
        }],
    };
    let push = PushTelemetryRequest {
        client_instance_id: Uuid([7; 16]),
        ..Default::default()
    };
    vec![
        probe(HIDDEN, describe, |answer| {
            unless_hidden(answer.error_code, answer.cluster_authorized_operations == 0)
        }),
        probe(CLUSTER, DescribeLogDirsRequest::default(), |answer| {
            answer.error_code
        }),
        probe(CLUSTER, dirs, |answer| answer.results[0].partitions[0].error_code),
        probe(CLUSTER, quotas, |answer| answer.entries[0].error_code),
        probe(CLUSTER, DescribeClientQuotasRequest::default(), |answer| {
            answer.error_code
        }),
        probe(CLUSTER, AlterPartitionReassignmentsRequest::default(), |answer| {
            answer.error_code
        }),
        probe(CLUSTER, ListPartitionReassignmentsRequest::default(), |answer| {
            answer.error_code
        }),
        probe(CLUSTER, ElectLeadersRequest::default(), |answer| {
            answer.error_code
        }),
        probe(CLUSTER, DescribeQuorumRequest::default(), |answer| {
            answer.error_code
        }),
        probe(CLUSTER, UpdateFeaturesRequest::default(), |answer| {
            answer.error_code
        }),
        probe(CLUSTER, UnregisterBrokerRequest { broker_id: 99 }, |answer| {
            answer.error_code
        }),
        probe(
            0,
            ApiVersionsRequest {
                client_software_name: name("t"),
                client_software_version: name("1"),
            },
            |answer| answer.error_code,
        ),
        probe(0, GetTelemetrySubscriptionsRequest::default(), |answer| {
            answer.error_code
        }),
        probe(NO_SUBSCRIPTION, push, |answer| answer.error_code),
    ]
}
