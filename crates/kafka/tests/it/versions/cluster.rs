//! Ownership, features and lists of the cluster, at every version.

use super::{Covered, name};
use crate::harness::Client;
use millstream_kafka_wire::*;

pub(super) async fn all(covered: &mut Covered, client: &mut Client) {
    ownership(covered, client).await;
    brokers(covered, client).await;
    quorum(covered, client).await;
    log_dirs(covered, client).await;
    features(covered, client).await;
    resources(covered, client).await;
    quotas(covered, client).await;
    telemetry(covered, client).await;
}

async fn ownership(covered: &mut Covered, client: &mut Client) {
    let election = |version| ElectLeadersRequest {
        election_type: i8::from(version > 0),
        topic_partitions: None,
        timeout_ms: 1,
    };
    covered
        .each(client, election, |_, response| {
            assert_eq!(response.error_code, 0);
            assert!(response.replica_election_results.is_empty(), "nothing needs one");
        })
        .await;
    let to_us = |_| AlterPartitionReassignmentsRequest {
        timeout_ms: 1,
        allow_replication_factor_change: true,
        topics: vec![alter_partition_reassignments::ReassignableTopic {
            name: name("t"),
            partitions: vec![alter_partition_reassignments::ReassignablePartition {
                partition_index: 0,
                replicas: Some(vec![1]),
            }],
        }],
    };
    covered
        .each(client, to_us, |_, response| {
            assert_eq!(response.responses[0].partitions[0].error_code, 0);
        })
        .await;
    let all = |_| ListPartitionReassignmentsRequest {
        timeout_ms: 1,
        topics: None,
    };
    covered
        .each(client, all, |_, response| {
            assert_eq!((response.error_code, response.topics.len()), (0, 0));
        })
        .await;
}

async fn brokers(covered: &mut Covered, client: &mut Client) {
    let unknown = |_| UnregisterBrokerRequest { broker_id: 99 };
    covered
        .each(client, unknown, |_, response| {
            assert_eq!(response.error_code, 102, "it is not registered");
        })
        .await;
}

async fn quorum(covered: &mut Covered, client: &mut Client) {
    let request = |_| DescribeQuorumRequest {
        topics: vec![describe_quorum::RequestTopicData {
            topic_name: name("__cluster_metadata"),
            partitions: vec![describe_quorum::RequestPartitionData { partition_index: 0 }],
        }],
    };
    covered
        .each(client, request, |version, response| {
            let partition = &response.topics[0].partitions[0];
            assert_eq!((partition.error_code, partition.leader_id), (0, 1));
            assert_eq!(
                partition.current_voters[0].log_end_offset,
                partition.high_watermark
            );
            assert_eq!(response.nodes.len(), usize::from(version >= 2));
        })
        .await;
}

async fn log_dirs(covered: &mut Covered, client: &mut Client) {
    let request = |_| AlterReplicaLogDirsRequest {
        dirs: vec![alter_replica_log_dirs::AlterReplicaLogDir {
            path: name("/data"),
            topics: vec![alter_replica_log_dirs::AlterReplicaLogDirTopic {
                name: name("t"),
                partitions: vec![0],
            }],
        }],
    };
    covered
        .each(client, request, |_, response| {
            assert_eq!(response.results[0].partitions[0].error_code, 0, "it is there");
        })
        .await;
}

async fn features(covered: &mut Covered, client: &mut Client) {
    let request = |version| UpdateFeaturesRequest {
        timeout_ms: 1,
        feature_updates: vec![update_features::FeatureUpdateKey {
            feature: name("metadata.version"),
            max_version_level: 29,
            allow_downgrade: version == 0,
            upgrade_type: if version == 0 { 1 } else { 2 },
        }],
        validate_only: version > 0,
    };
    covered
        .each(client, request, |version, response| {
            assert_eq!((response.error_code, response.error_message), (0, None));
            assert_eq!(response.results.len(), usize::from(version <= 1));
        })
        .await;
}

async fn resources(covered: &mut Covered, client: &mut Client) {
    let request = |_| ListConfigResourcesRequest::default();
    covered
        .each(client, request, |version, response| {
            assert_eq!(response.error_code, 0);
            assert_eq!(response.config_resources.is_empty(), version == 0);
        })
        .await;
}

async fn quotas(covered: &mut Covered, client: &mut Client) {
    let entity = || alter_client_quotas::RequestEntityData {
        entity_type: name("user"),
        entity_name: None,
    };
    let alter = |_| AlterClientQuotasRequest {
        entries: vec![alter_client_quotas::RequestEntryData {
            entity: vec![entity()],
            ops: vec![alter_client_quotas::OpData {
                key: name("producer_byte_rate"),
                value: 1e9,
                remove: false,
            }],
        }],
        validate_only: false,
    };
    covered
        .each(client, alter, |_, response| {
            assert_eq!(response.entries[0].error_code, 0)
        })
        .await;
    let describe = |_| DescribeClientQuotasRequest::default();
    covered
        .each(client, describe, |_, response| {
            assert_eq!(response.entries.expect("no error").len(), 1);
        })
        .await;
}

async fn telemetry(covered: &mut Covered, client: &mut Client) {
    let ask = |_| GetTelemetrySubscriptionsRequest {
        client_instance_id: Uuid::from_u128(9),
    };
    covered
        .each(client, ask, |_, response| {
            assert_eq!((response.error_code, response.requested_metrics.len()), (0, 0));
        })
        .await;
    let subscription_id = client
        .ask(&GetTelemetrySubscriptionsRequest {
            client_instance_id: Uuid::from_u128(10),
        })
        .await
        .subscription_id;
    let push = |_| PushTelemetryRequest {
        client_instance_id: Uuid::from_u128(10),
        subscription_id,
        ..Default::default()
    };
    covered
        .each(client, push, |_, response| assert_eq!(response.error_code, 0))
        .await;
}
