//! One request of each API, from somebody without any right, and the code that Kafka answers.

use super::{as_set, name, records};
use crate::harness::{Client, Server};
use millstream_broker::security::Principal;
use millstream_kafka::rights_of;
use millstream_kafka_wire::*;
use std::collections::BTreeSet;

const TOPIC: i16 = 29;
const GROUP: i16 = 30;
const CLUSTER: i16 = 31;
const NONE: i16 = 0;
const TOKEN: i16 = 65;
const TRANSACTION: i16 = 53;

/// Sends requests without a right, and notes which APIs it has sent.
pub struct Probe {
    server: Server,
    client: Client,
    pub probed: BTreeSet<i16>,
}

impl Probe {
    pub fn new(server: Server, client: Client) -> Self {
        Self {
            server,
            client,
            probed: BTreeSet::new(),
        }
    }

    /// The code that `code` finds in the answer is `expected`, and the API asked for rights of its row and for no others.
    async fn refused<R: Request>(&mut self, expected: i16, request: R, code: impl Fn(&R::Response) -> i16) {
        let api = R::KEY;
        let _ = self.server.broker.take_asked();
        let answer = self.client.ask(&request).await;
        assert_eq!(code(&answer), expected, "{}", api.name());
        let asked = as_set(self.server.broker.take_asked());
        let rights = rights_of(api).unwrap_or_else(|| panic!("{} has no row of rights", api.name()));
        assert!(!asked.is_empty(), "{} asked for nothing", api.name());
        for right in &asked {
            assert!(rights.contains(right), "{} asked for {right:?}", api.name());
        }
        self.probed.insert(api.code());
    }

    pub async fn all(&mut self) {
        self.records().await;
        self.groups().await;
        self.share_groups().await;
        self.offsets().await;
        self.topics().await;
        self.cluster().await;
        self.configs().await;
        self.security().await;
        self.tools().await;
        self.transactions().await;
    }

    async fn records(&mut self) {
        let id = self.server.broker.topic("t").expect("it was made").id();
        let id = Uuid(id.0);
        let produce = ProduceRequest {
            acks: -1,
            timeout_ms: 1000,
            topic_data: vec![produce::TopicProduceData {
                topic_id: id,
                partition_data: vec![produce::PartitionProduceData {
                    index: 0,
                    records: records(),
                }],
                ..Default::default()
            }],
            ..Default::default()
        };
        self.refused(TOPIC, produce, |answer| {
            answer.responses[0].partition_responses[0].error_code
        })
        .await;
        let fetch = FetchRequest {
            max_bytes: 1 << 20,
            topics: vec![fetch::FetchTopic {
                topic_id: id,
                partitions: vec![fetch::FetchPartition::default()],
                ..Default::default()
            }],
            ..Default::default()
        };
        self.refused(TOPIC, fetch, |answer| {
            answer.responses[0].partitions[0].error_code
        })
        .await;
        let list = ListOffsetsRequest {
            topics: vec![list_offsets::ListOffsetsTopic {
                name: name("t"),
                partitions: vec![list_offsets::ListOffsetsPartition::default()],
            }],
            ..Default::default()
        };
        self.refused(TOPIC, list, |answer| answer.topics[0].partitions[0].error_code)
            .await;
        let epochs = OffsetForLeaderEpochRequest {
            topics: vec![offset_for_leader_epoch::OffsetForLeaderTopic {
                topic: name("t"),
                partitions: vec![offset_for_leader_epoch::OffsetForLeaderPartition::default()],
            }],
            ..Default::default()
        };
        self.refused(TOPIC, epochs, |answer| answer.topics[0].partitions[0].error_code)
            .await;
        let ids = InitProducerIdRequest {
            transactional_id: None,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        };
        self.refused(CLUSTER, ids, |answer| answer.error_code).await;
    }

    async fn share_groups(&mut self) {
        let beat = ConsumerGroupHeartbeatRequest {
            group_id: name("g"),
            member_id: name("m"),
            rebalance_timeout_ms: 60_000,
            subscribed_topic_names: Some(vec![name("t")]),
            topic_partitions: Some(Vec::new()),
            ..Default::default()
        };
        self.refused(GROUP, beat, |answer| answer.error_code).await;
        let describe = ConsumerGroupDescribeRequest {
            group_ids: vec![name("g")],
            include_authorized_operations: false,
        };
        self.refused(GROUP, describe, |answer| answer.groups[0].error_code)
            .await;
        let (group_id, member_id) = (name("g"), name("m"));
        let beat = ShareGroupHeartbeatRequest {
            group_id: group_id.clone(),
            member_id: member_id.clone(),
            subscribed_topic_names: Some(vec![name("t")]),
            ..Default::default()
        };
        self.refused(GROUP, beat, |answer| answer.error_code).await;
        let describe = ShareGroupDescribeRequest {
            group_ids: vec![group_id.clone()],
            include_authorized_operations: false,
        };
        self.refused(GROUP, describe, |answer| answer.groups[0].error_code)
            .await;
        let fetch = ShareFetchRequest {
            group_id: Some(group_id.clone()),
            member_id: Some(member_id.clone()),
            ..Default::default()
        };
        self.refused(GROUP, fetch, |answer| answer.error_code).await;
        let acknowledge = ShareAcknowledgeRequest {
            group_id: Some(group_id.clone()),
            member_id: Some(member_id),
            share_session_epoch: 1,
            ..Default::default()
        };
        self.refused(GROUP, acknowledge, |answer| answer.error_code).await;
        let describe = DescribeShareGroupOffsetsRequest {
            groups: vec![
                describe_share_group_offsets::DescribeShareGroupOffsetsRequestGroup {
                    group_id: group_id.clone(),
                    topics: None,
                },
            ],
        };
        self.refused(GROUP, describe, |answer| answer.groups[0].error_code)
            .await;
        let alter = AlterShareGroupOffsetsRequest {
            group_id: group_id.clone(),
            topics: Vec::new(),
        };
        self.refused(GROUP, alter, |answer| answer.error_code).await;
        let delete = DeleteShareGroupOffsetsRequest {
            group_id,
            topics: Vec::new(),
        };
        self.refused(GROUP, delete, |answer| answer.error_code).await;
    }

    async fn groups(&mut self) {
        let join = JoinGroupRequest {
            group_id: name("g"),
            ..Default::default()
        };
        self.refused(GROUP, join, |answer| answer.error_code).await;
        let sync = SyncGroupRequest {
            group_id: name("g"),
            ..Default::default()
        };
        self.refused(GROUP, sync, |answer| answer.error_code).await;
        let beat = HeartbeatRequest {
            group_id: name("g"),
            ..Default::default()
        };
        self.refused(GROUP, beat, |answer| answer.error_code).await;
        let leave = LeaveGroupRequest {
            group_id: name("g"),
            ..Default::default()
        };
        self.refused(GROUP, leave, |answer| answer.error_code).await;
        let describe = DescribeGroupsRequest {
            groups: vec![name("g")],
            ..Default::default()
        };
        self.refused(GROUP, describe, |answer| answer.groups[0].error_code)
            .await;
        let list = ListGroupsRequest::default();
        self.refused(NONE, list, |answer| answer.error_code).await;
        let delete = DeleteGroupsRequest {
            groups_names: vec![name("g")],
        };
        self.refused(GROUP, delete, |answer| answer.results[0].error_code)
            .await;
        let find = FindCoordinatorRequest {
            coordinator_keys: vec![name("g")],
            ..Default::default()
        };
        self.refused(GROUP, find, |answer| answer.coordinators[0].error_code)
            .await;
    }

    async fn offsets(&mut self) {
        let id = self.server.broker.topic("t").expect("it was made").id();
        let commit = OffsetCommitRequest {
            group_id: name("g"),
            topics: vec![offset_commit::OffsetCommitRequestTopic {
                topic_id: Uuid(id.0),
                partitions: vec![offset_commit::OffsetCommitRequestPartition::default()],
                ..Default::default()
            }],
            ..Default::default()
        };
        self.refused(GROUP, commit, |answer| answer.topics[0].partitions[0].error_code)
            .await;
        let fetch = OffsetFetchRequest {
            groups: vec![offset_fetch::OffsetFetchRequestGroup {
                group_id: name("g"),
                ..Default::default()
            }],
            ..Default::default()
        };
        self.refused(GROUP, fetch, |answer| answer.groups[0].error_code)
            .await;
        let delete = OffsetDeleteRequest {
            group_id: name("g"),
            ..Default::default()
        };
        self.refused(GROUP, delete, |answer| answer.error_code).await;
    }

    async fn topics(&mut self) {
        let create = CreateTopicsRequest {
            topics: vec![create_topics::CreatableTopic {
                name: name("new"),
                num_partitions: 1,
                replication_factor: 1,
                ..Default::default()
            }],
            ..Default::default()
        };
        self.refused(TOPIC, create, |answer| answer.topics[0].error_code)
            .await;
        let raise = CreatePartitionsRequest {
            topics: vec![create_partitions::CreatePartitionsTopic {
                name: name("t"),
                count: 2,
                assignments: None,
            }],
            ..Default::default()
        };
        self.refused(TOPIC, raise, |answer| answer.results[0].error_code)
            .await;
        let delete = DeleteTopicsRequest {
            topics: vec![delete_topics::DeleteTopicState {
                name: Some(name("t")),
                topic_id: Uuid::ZERO,
            }],
            ..Default::default()
        };
        self.refused(TOPIC, delete, |answer| answer.responses[0].error_code)
            .await;
        let trim = DeleteRecordsRequest {
            topics: vec![delete_records::DeleteRecordsTopic {
                name: name("t"),
                partitions: vec![delete_records::DeleteRecordsPartition::default()],
            }],
            ..Default::default()
        };
        self.refused(TOPIC, trim, |answer| answer.topics[0].partitions[0].error_code)
            .await;
        let metadata = super::asked_metadata(Some(&["t"]));
        self.refused(TOPIC, metadata, |answer| answer.topics[0].error_code)
            .await;
        let pages = DescribeTopicPartitionsRequest {
            topics: vec![describe_topic_partitions::TopicRequest { name: name("t") }],
            response_partition_limit: 10,
            cursor: None,
        };
        self.refused(TOPIC, pages, |answer| answer.topics[0].error_code)
            .await;
    }

    async fn cluster(&mut self) {
        let describe = DescribeClusterRequest {
            include_cluster_authorized_operations: true,
            endpoint_type: 1,
            ..Default::default()
        };
        self.refused(NONE, describe, |answer| {
            assert_eq!(answer.cluster_authorized_operations, 0);
            answer.error_code
        })
        .await;
        self.refused(CLUSTER, DescribeLogDirsRequest::default(), |answer| {
            answer.error_code
        })
        .await;
    }

    async fn configs(&mut self) {
        for (kind, expected) in [(2, TOPIC), (4, CLUSTER), (32, GROUP)] {
            let describe = DescribeConfigsRequest {
                resources: vec![describe_configs::DescribeConfigsResource {
                    resource_type: kind,
                    resource_name: name("t"),
                    configuration_keys: None,
                }],
                ..Default::default()
            };
            self.refused(expected, describe, |answer| answer.results[0].error_code)
                .await;
            let alter = AlterConfigsRequest {
                resources: vec![alter_configs::AlterConfigsResource {
                    resource_type: kind,
                    resource_name: name("t"),
                    configs: Vec::new(),
                }],
                ..Default::default()
            };
            self.refused(expected, alter, |answer| answer.responses[0].error_code)
                .await;
            let alter = IncrementalAlterConfigsRequest {
                resources: vec![incremental_alter_configs::AlterConfigsResource {
                    resource_type: kind,
                    resource_name: name("t"),
                    configs: Vec::new(),
                }],
                ..Default::default()
            };
            self.refused(expected, alter, |answer| answer.responses[0].error_code)
                .await;
        }
    }

    async fn security(&mut self) {
        let describe = DescribeAclsRequest {
            resource_type_filter: 1,
            pattern_type_filter: 1,
            operation: 1,
            permission_type: 1,
            ..Default::default()
        };
        self.refused(CLUSTER, describe, |answer| answer.error_code).await;
        let create = CreateAclsRequest {
            creations: vec![create_acls::AclCreation::default()],
        };
        self.refused(CLUSTER, create, |answer| answer.results[0].error_code)
            .await;
        let delete = DeleteAclsRequest {
            filters: vec![delete_acls::DeleteAclsFilter::default()],
        };
        self.refused(CLUSTER, delete, |answer| answer.filter_results[0].error_code)
            .await;
        let describe = DescribeUserScramCredentialsRequest { users: None };
        self.refused(CLUSTER, describe, |answer| answer.error_code).await;
        let alter = AlterUserScramCredentialsRequest {
            deletions: vec![alter_user_scram_credentials::ScramCredentialDeletion {
                name: name("a"),
                mechanism: 1,
            }],
            upsertions: Vec::new(),
        };
        self.refused(CLUSTER, alter, |answer| answer.results[0].error_code)
            .await;
        // Tokens are for who has logged in.
        self.client = self.server.connect_as(Principal::user("somebody"));
        let create = CreateDelegationTokenRequest {
            owner_principal_type: Some(name("User")),
            owner_principal_name: Some(name("another")),
            max_lifetime_ms: -1,
            ..Default::default()
        };
        self.refused(TOKEN, create, |answer| answer.error_code).await;
        let own = CreateDelegationTokenRequest {
            owner_principal_type: None,
            owner_principal_name: None,
            max_lifetime_ms: -1,
            ..Default::default()
        };
        let mut other = self.server.connect_as(Principal::user("another"));
        assert_eq!(other.ask(&own).await.error_code, NONE);
        let list = DescribeDelegationTokenRequest { owners: None };
        self.refused(NONE, list, |answer| {
            assert!(answer.tokens.is_empty(), "another's tokens are not shown");
            answer.error_code
        })
        .await;
    }

    async fn tools(&mut self) {
        self.client = self.server.connect();
        let alter = AlterClientQuotasRequest {
            entries: vec![alter_client_quotas::RequestEntryData::default()],
            validate_only: false,
        };
        self.refused(CLUSTER, alter, |answer| answer.entries[0].error_code)
            .await;
        let describe = DescribeClientQuotasRequest::default();
        self.refused(CLUSTER, describe, |answer| answer.error_code).await;
        let reassign = AlterPartitionReassignmentsRequest::default();
        self.refused(CLUSTER, reassign, |answer| answer.error_code).await;
        let list = ListPartitionReassignmentsRequest::default();
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
        self.refused(CLUSTER, ElectLeadersRequest::default(), |answer| {
            answer.error_code
        })
        .await;
        self.refused(CLUSTER, DescribeQuorumRequest::default(), |answer| {
            answer.error_code
        })
        .await;
        self.refused(CLUSTER, UpdateFeaturesRequest::default(), |answer| {
            answer.error_code
        })
        .await;
        let list = ListConfigResourcesRequest::default();
        self.refused(CLUSTER, list, |answer| answer.error_code).await;
    }

    async fn transactions(&mut self) {
        let add = AddPartitionsToTxnRequest {
            transactions: vec![add_partitions_to_txn::AddPartitionsToTxnTransaction {
                transactional_id: name("tx"),
                ..Default::default()
            }],
            ..Default::default()
        };
        self.refused(CLUSTER, add, |answer| answer.error_code).await;
        let offsets = AddOffsetsToTxnRequest {
            transactional_id: name("tx"),
            group_id: name("g"),
            ..Default::default()
        };
        self.refused(TRANSACTION, offsets, |answer| answer.error_code)
            .await;
        let end = EndTxnRequest {
            transactional_id: name("tx"),
            ..Default::default()
        };
        self.refused(TRANSACTION, end, |answer| answer.error_code).await;
        let commit = TxnOffsetCommitRequest {
            transactional_id: name("tx"),
            group_id: name("g"),
            topics: vec![txn_offset_commit::TxnOffsetCommitRequestTopic {
                name: name("t"),
                partitions: vec![txn_offset_commit::TxnOffsetCommitRequestPartition::default()],
            }],
            ..Default::default()
        };
        self.refused(TRANSACTION, commit, |answer| {
            answer.topics[0].partitions[0].error_code
        })
        .await;
        let markers = WriteTxnMarkersRequest {
            markers: vec![write_txn_markers::WritableTxnMarker {
                topics: vec![write_txn_markers::WritableTxnMarkerTopic {
                    name: name("t"),
                    partition_indexes: vec![0],
                }],
                ..Default::default()
            }],
        };
        self.refused(CLUSTER, markers, |answer| {
            answer.markers[0].topics[0].partitions[0].error_code
        })
        .await;
        let describe = DescribeTransactionsRequest {
            transactional_ids: vec![name("tx")],
        };
        self.refused(TRANSACTION, describe, |answer| {
            answer.transaction_states[0].error_code
        })
        .await;
        let producers = DescribeProducersRequest {
            topics: vec![describe_producers::TopicRequest {
                name: name("t"),
                partition_indexes: vec![0],
            }],
        };
        self.refused(TOPIC, producers, |answer| {
            answer.topics[0].partitions[0].error_code
        })
        .await;
        // Nobody is told of what they may not describe.
        let mut admin = super::admin(&self.server);
        let find = FindCoordinatorRequest {
            key_type: 1,
            coordinator_keys: vec![name("tx")],
            ..Default::default()
        };
        assert_eq!(admin.ask(&find).await.coordinators[0].error_code, NONE);
        let init = InitProducerIdRequest {
            transactional_id: Some(name("tx")),
            transaction_timeout_ms: 60_000,
            producer_id: -1,
            producer_epoch: -1,
            ..Default::default()
        };
        assert_eq!(admin.ask(&init).await.error_code, NONE);
        self.refused(NONE, ListTransactionsRequest::default(), |answer| {
            assert!(answer.transaction_states.is_empty());
            answer.error_code
        })
        .await;
    }
}
