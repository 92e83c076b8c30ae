//! Probes of the cluster's own APIs: ownership, features, quotas.

use super::*;

impl Probe {
    pub(super) async fn ownership(&mut self) {
        let elect = ElectLeadersRequest {
            topic_partitions: Some(vec![elect_leaders::TopicPartitions {
                topic: name("t"),
                partitions: vec![0],
            }]),
            ..Default::default()
        };
        self.refused(CLUSTER, elect, |answer| {
            let partition = &answer.replica_election_results[0].partition_result[0];
            assert_eq!(partition.error_code, answer.error_code);
            answer.error_code
        })
        .await;
        let reassign = AlterPartitionReassignmentsRequest {
            topics: vec![alter_partition_reassignments::ReassignableTopic {
                name: name("t"),
                partitions: vec![Default::default()],
            }],
            ..Default::default()
        };
        self.refused(CLUSTER, reassign, |answer| {
            assert_eq!(answer.responses[0].partitions[0].error_code, answer.error_code);
            answer.error_code
        })
        .await;
        let list = ListPartitionReassignmentsRequest {
            timeout_ms: 1,
            topics: None,
        };
        self.refused(CLUSTER, list, |answer| answer.error_code).await;
        let dirs = AlterReplicaLogDirsRequest {
            dirs: vec![alter_replica_log_dirs::AlterReplicaLogDir {
                path: name("/data"),
                topics: vec![alter_replica_log_dirs::AlterReplicaLogDirTopic {
                    name: name("t"),
                    partitions: vec![0],
                }],
            }],
        };
        self.refused(CLUSTER, dirs, |answer| answer.results[0].partitions[0].error_code)
            .await;
    }

    pub(super) async fn limits(&mut self) {
        let quorum = DescribeQuorumRequest { topics: Vec::new() };
        self.refused(CLUSTER, quorum, |answer| answer.error_code).await;
        let features = UpdateFeaturesRequest {
            timeout_ms: 1,
            feature_updates: Vec::new(),
            validate_only: false,
        };
        self.refused(CLUSTER, features, |answer| answer.error_code).await;
        let resources = ListConfigResourcesRequest::default();
        self.refused(CLUSTER, resources, |answer| answer.error_code).await;
        let describe = DescribeClientQuotasRequest::default();
        self.refused(CLUSTER, describe, |answer| {
            assert_eq!(answer.entries, None);
            answer.error_code
        })
        .await;
        let alter = AlterClientQuotasRequest {
            entries: vec![alter_client_quotas::RequestEntryData {
                entity: Vec::new(),
                ops: Vec::new(),
            }],
            validate_only: false,
        };
        self.refused(CLUSTER, alter, |answer| answer.entries[0].error_code)
            .await;
    }
}
