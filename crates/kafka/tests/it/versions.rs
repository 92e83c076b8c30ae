//! Every API that is advertised, at every version that is advertised: asked at that version, answered at it, without an error.

use crate::harness::{Client, Server};
use crate::requests::{fetch, fetched, produce_to, produced, values};
use bytes::Bytes;
use millstream_broker::testing::batch_of;
use millstream_kafka::supported_apis;
use millstream_kafka_wire::*;
use std::collections::BTreeSet;

/// What has been asked.
#[derive(Default)]
struct Covered(BTreeSet<i16>);

impl Covered {
    /// Asks at each version, newest last, and hands the answer to `check`.
    async fn each<M: Request>(
        &mut self,
        client: &mut Client,
        request: impl Fn(i16) -> M,
        check: impl Fn(i16, M::Response),
    ) {
        self.0.insert(M::KEY.code());
        for version in M::KEY.stable_versions() {
            let response = client.call(version, &request(version)).await;
            check(version, response);
        }
    }
}

fn name(text: &'static str) -> Str {
    Str::from_static(text)
}

async fn topic_id(client: &mut Client, topic: &str) -> Uuid {
    let described = client.ask(&crate::requests::metadata_of(&[topic], false)).await;
    described.topics[0].topic_id
}

#[tokio::test(start_paused = true)]
async fn every_advertised_version_of_every_api_is_answered_without_error() {
    let server = Server::start().await;
    server.topic("t", 2, &[]).await;
    let mut client = server.connect();
    let id = topic_id(&mut client, "t").await;
    let mut covered = Covered::default();
    records(&mut covered, &mut client, id).await;
    topics(&mut covered, &mut client).await;
    settings(&mut covered, &mut client).await;
    groups(&mut covered, &mut client, id).await;
    let advertised: BTreeSet<i16> = supported_apis().iter().map(|api| api.key).collect();
    assert_eq!(covered.0, advertised, "an API without a line here");
}

async fn records(covered: &mut Covered, client: &mut Client, id: Uuid) {
    let request = |_| produce_to("t", id, &[(0, batch_of(&["a"]))]);
    let first = *ApiKey::Produce.stable_versions().start();
    let check = |version, response: ProduceResponse| {
        let partition = produced(&response);
        assert_eq!(partition.error_code, 0);
        assert_eq!(partition.base_offset, i64::from(version - first));
        assert_eq!(
            (partition.log_append_time_ms, &partition.error_message),
            (-1, &None)
        );
        assert_eq!(response.responses[0].topic_id != Uuid::ZERO, version >= 13);
    };
    covered.each(client, request, check).await;

    let request = |_| fetch("t", id, &[(0, 1)]);
    let check = |_, response: FetchResponse| {
        let partitions = fetched(&response);
        assert_eq!((response.error_code, partitions[0].error_code), (0, 0));
        assert_eq!(values(partitions[0])[0], (1, "a".to_owned()));
    };
    covered.each(client, request, check).await;

    let request = |version| ListOffsetsRequest {
        replica_id: -1,
        topics: vec![list_offsets::ListOffsetsTopic {
            name: name("t"),
            partitions: vec![list_offsets::ListOffsetsPartition {
                partition_index: 0,
                timestamp: -1,
                current_leader_epoch: -1,
            }],
        }],
        isolation_level: i8::from(version >= 2),
        ..Default::default()
    };
    let check = |_, response: ListOffsetsResponse| {
        let partition = &response.topics[0].partitions[0];
        assert_eq!((partition.error_code, partition.offset), (0, 11));
    };
    covered.each(client, request, check).await;

    let request = |version| OffsetForLeaderEpochRequest {
        replica_id: if version >= 3 { -1 } else { -2 },
        topics: vec![offset_for_leader_epoch::OffsetForLeaderTopic {
            topic: name("t"),
            partitions: vec![offset_for_leader_epoch::OffsetForLeaderPartition {
                partition: 0,
                current_leader_epoch: -1,
                leader_epoch: 0,
            }],
        }],
    };
    let check = |_, response: OffsetForLeaderEpochResponse| {
        assert_eq!(response.topics[0].partitions[0].error_code, 0);
    };
    covered.each(client, request, check).await;

    let request = |_| DeleteRecordsRequest {
        topics: vec![delete_records::DeleteRecordsTopic {
            name: name("t"),
            partitions: vec![delete_records::DeleteRecordsPartition {
                partition_index: 0,
                offset: 3,
            }],
        }],
        timeout_ms: 1,
    };
    let check = |_, response: DeleteRecordsResponse| {
        let partition = &response.topics[0].partitions[0];
        assert_eq!((partition.error_code, partition.low_watermark), (0, 3));
    };
    covered.each(client, request, check).await;

    let request = |_| InitProducerIdRequest {
        transactional_id: None,
        ..Default::default()
    };
    let check = |version, response: InitProducerIdResponse| {
        assert_eq!(
            (response.error_code, response.producer_epoch),
            (0, 0),
            "v{version}"
        );
        assert!(response.producer_id >= 0);
    };
    covered.each(client, request, check).await;
}

async fn topics(covered: &mut Covered, client: &mut Client) {
    covered
        .each(
            client,
            |version| ApiVersionsRequest {
                client_software_name: if version >= 3 { name("test") } else { Str::new() },
                client_software_version: if version >= 3 { name("1.0") } else { Str::new() },
                ..Default::default()
            },
            |_, response| {
                assert_eq!(response.error_code, 0);
                assert_eq!(response.api_keys.len(), supported_apis().len());
            },
        )
        .await;
    covered
        .each(
            client,
            |version| MetadataRequest {
                topics: (version > 0).then_some(None).unwrap_or_else(|| Some(Vec::new())),
                allow_auto_topic_creation: true,
                include_topic_authorized_operations: version >= 8,
                include_cluster_authorized_operations: (8..=10).contains(&version),
            },
            |version, response| {
                assert_eq!(response.topics.len(), 1, "v{version}: all topics");
                assert_eq!(response.topics[0].partitions.len(), 2);
                let asked = response.topics[0].topic_authorized_operations;
                assert_eq!(asked > 0, version >= 8);
                assert_eq!(response.brokers[0].host.as_str(), "broker.test");
            },
        )
        .await;
    covered
        .each(
            client,
            |version| CreateTopicsRequest {
                topics: vec![create_topics::CreatableTopic {
                    name: Str::from(format!("made-at-{version}")),
                    num_partitions: 3,
                    replication_factor: 1,
                    configs: vec![create_topics::CreatableTopicConfig {
                        name: name("retention.ms"),
                        value: Some(name("7")),
                    }],
                    ..Default::default()
                }],
                timeout_ms: 1,
                validate_only: false,
            },
            |version, response| {
                let topic = &response.topics[0];
                assert_eq!((topic.error_code, &topic.error_message), (0, &None));
                assert_eq!(topic.topic_id != Uuid::ZERO, version >= 7);
                assert_eq!(topic.num_partitions, if version >= 5 { 3 } else { -1 });
            },
        )
        .await;
    covered
        .each(
            client,
            |version| CreatePartitionsRequest {
                topics: vec![create_partitions::CreatePartitionsTopic {
                    name: name("made-at-7"),
                    count: 4 + i32::from(version),
                    assignments: None,
                }],
                timeout_ms: 1,
                validate_only: false,
            },
            |_, response| {
                let topic = &response.results[0];
                assert_eq!((topic.error_code, &topic.error_message), (0, &None));
            },
        )
        .await;
    covered
        .each(
            client,
            |version| {
                let gone = Str::from(format!("made-at-{}", version + 1));
                DeleteTopicsRequest {
                    topic_names: if version < 6 {
                        vec![gone.clone()]
                    } else {
                        Vec::new()
                    },
                    topics: (version >= 6)
                        .then(|| delete_topics::DeleteTopicState {
                            name: Some(gone),
                            topic_id: Uuid::ZERO,
                        })
                        .into_iter()
                        .collect(),
                    timeout_ms: 1,
                }
            },
            |version, response| {
                let topic = &response.responses[0];
                assert_eq!((topic.error_code, &topic.error_message), (0, &None), "v{version}");
            },
        )
        .await;
    covered
        .each(
            client,
            |_| DescribeTopicPartitionsRequest {
                topics: vec![describe_topic_partitions::TopicRequest { name: name("t") }],
                response_partition_limit: 100,
                cursor: None,
            },
            |_, response| {
                let topic = &response.topics[0];
                assert_eq!((topic.error_code, topic.partitions.len()), (0, 2));
                assert!(topic.topic_authorized_operations > 0);
            },
        )
        .await;
    covered
        .each(
            client,
            |_| DescribeClusterRequest {
                include_cluster_authorized_operations: true,
                endpoint_type: 1,
                include_fenced_brokers: false,
            },
            |_, response| {
                assert_eq!((response.error_code, response.brokers.len()), (0, 1));
                assert!(response.cluster_authorized_operations > 0);
            },
        )
        .await;
    covered
        .each(
            client,
            |_| DescribeLogDirsRequest { topics: None },
            |_, response| {
                let dir = &response.results[0];
                assert_eq!(
                    (response.error_code, dir.error_code, dir.log_dir.as_str()),
                    (0, 0, "/data")
                );
                let topic = dir
                    .topics
                    .iter()
                    .find(|topic| topic.name == "t")
                    .expect("all topics");
                assert!(topic.partitions[0].partition_size > 0);
            },
        )
        .await;
}

async fn settings(covered: &mut Covered, client: &mut Client) {
    covered
        .each(
            client,
            |version| DescribeConfigsRequest {
                resources: vec![describe_configs::DescribeConfigsResource {
                    resource_type: 2,
                    resource_name: name("t"),
                    configuration_keys: None,
                }],
                include_synonyms: true,
                include_documentation: version >= 3,
            },
            |version, response| {
                let result = &response.results[0];
                assert_eq!((result.error_code, &result.error_message), (0, &None));
                assert!(result.configs.len() > 20);
                let is_documented = |doc: &Option<Str>| doc.as_ref().is_some_and(|doc| !doc.is_empty());
                let documented = result
                    .configs
                    .iter()
                    .all(|config| is_documented(&config.documentation));
                assert_eq!(documented, version >= 3);
            },
        )
        .await;
    covered
        .each(
            client,
            |_| AlterConfigsRequest {
                resources: vec![alter_configs::AlterConfigsResource {
                    resource_type: 2,
                    resource_name: name("t"),
                    configs: vec![alter_configs::AlterableConfig {
                        name: name("retention.ms"),
                        value: Some(name("5")),
                    }],
                }],
                validate_only: false,
            },
            |_, response| {
                let result = &response.responses[0];
                assert_eq!((result.error_code, &result.error_message), (0, &None));
            },
        )
        .await;
    covered
        .each(
            client,
            |_| IncrementalAlterConfigsRequest {
                resources: vec![incremental_alter_configs::AlterConfigsResource {
                    resource_type: 2,
                    resource_name: name("t"),
                    configs: vec![incremental_alter_configs::AlterableConfig {
                        name: name("retention.ms"),
                        config_operation: 1,
                        value: None,
                    }],
                }],
                validate_only: false,
            },
            |_, response| {
                let result = &response.responses[0];
                assert_eq!((result.error_code, &result.error_message), (0, &None));
            },
        )
        .await;
}

async fn groups(covered: &mut Covered, client: &mut Client, id: Uuid) {
    covered
        .each(
            client,
            |version| FindCoordinatorRequest {
                key: if version < 4 { name("g") } else { Str::new() },
                coordinator_keys: if version >= 4 { vec![name("g")] } else { Vec::new() },
                key_type: 0,
            },
            |version, response| {
                let (code, host) = match response.coordinators.first() {
                    Some(found) => (found.error_code, found.host.clone()),
                    None => (response.error_code, response.host.clone()),
                };
                assert_eq!((code, host.as_str()), (0, "broker.test"), "v{version}");
            },
        )
        .await;
    for version in ApiKey::JoinGroup.stable_versions() {
        one_generation(covered, client, version).await;
    }
    offsets(covered, client, id).await;
    covered
        .each(
            client,
            |version| DescribeGroupsRequest {
                groups: vec![name("offsets")],
                include_authorized_operations: version >= 3,
            },
            |version, response| {
                let group = &response.groups[0];
                assert_eq!(
                    (group.error_code, group.group_state.as_str()),
                    (0, "Empty"),
                    "v{version}"
                );
                assert_eq!(group.authorized_operations > 0, version >= 3);
            },
        )
        .await;
    covered
        .each(
            client,
            |_| ListGroupsRequest::default(),
            |_, response| {
                assert_eq!(response.error_code, 0);
                assert!(response.groups.iter().any(|group| group.group_id == "offsets"));
            },
        )
        .await;
    covered.0.insert(ApiKey::DeleteGroups.code());
    for version in ApiKey::DeleteGroups.stable_versions() {
        let group = Str::from(format!("gone-{version}"));
        commit(client, 9, group.clone(), Uuid::ZERO).await;
        let groups_names = vec![group];
        let deleted = client.call(version, &DeleteGroupsRequest { groups_names }).await;
        assert_eq!(deleted.results[0].error_code, 0, "v{version}");
    }
}

/// A member joins, becomes the leader, assigns, beats and leaves; the other APIs at the version nearest to join's.
async fn one_generation(covered: &mut Covered, client: &mut Client, version: i16) {
    let group = Str::from(format!("g-{version}"));
    let mut join = JoinGroupRequest {
        group_id: group.clone(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: if version >= 1 { 10_000 } else { -1 },
        protocol_type: name("consumer"),
        protocols: vec![join_group::JoinGroupRequestProtocol {
            name: name("range"),
            metadata: Bytes::from_static(b"subscription"),
        }],
        ..Default::default()
    };
    let mut joined = client.call(version, &join).await;
    if joined.error_code == ErrorCode::MEMBER_ID_REQUIRED.0 {
        join.member_id = joined.member_id.clone();
        joined = client.call(version, &join).await;
    }
    assert_eq!(
        (joined.error_code, &joined.leader),
        (0, &joined.member_id),
        "v{version}"
    );
    let (member, generation) = (joined.member_id, joined.generation_id);
    let near = |key: ApiKey| version.min(*key.stable_versions().end());
    let at = near(ApiKey::SyncGroup);
    let sync = SyncGroupRequest {
        group_id: group.clone(),
        generation_id: generation,
        member_id: member.clone(),
        protocol_type: (at >= 5).then(|| name("consumer")),
        protocol_name: (at >= 5).then(|| name("range")),
        assignments: vec![sync_group::SyncGroupRequestAssignment {
            member_id: member.clone(),
            assignment: Bytes::from_static(b"all"),
        }],
        ..Default::default()
    };
    let synced = client.call(at, &sync).await;
    assert_eq!(
        (synced.error_code, &synced.assignment[..]),
        (0, &b"all"[..]),
        "v{at}"
    );
    let beat = HeartbeatRequest {
        group_id: group.clone(),
        generation_id: generation,
        member_id: member.clone(),
        ..Default::default()
    };
    assert_eq!(client.call(near(ApiKey::Heartbeat), &beat).await.error_code, 0);
    let at = near(ApiKey::LeaveGroup);
    let leave = LeaveGroupRequest {
        group_id: group,
        member_id: if at < 3 { member.clone() } else { Str::new() },
        members: (at >= 3)
            .then(|| leave_group::MemberIdentity {
                member_id: member,
                ..Default::default()
            })
            .into_iter()
            .collect(),
    };
    let left = client.call(at, &leave).await;
    assert_eq!(left.error_code, 0, "v{at}");
    assert!(left.members.iter().all(|member| member.error_code == 0));
    for key in [
        ApiKey::JoinGroup,
        ApiKey::SyncGroup,
        ApiKey::Heartbeat,
        ApiKey::LeaveGroup,
    ] {
        assert!(near(key) <= *key.stable_versions().end());
        covered.0.insert(key.code());
    }
}

async fn commit(client: &mut Client, version: i16, group: Str, topic: Uuid) {
    let request = OffsetCommitRequest {
        group_id: group,
        generation_id_or_member_epoch: -1,
        topics: vec![offset_commit::OffsetCommitRequestTopic {
            name: if version < 10 { name("t") } else { Str::new() },
            topic_id: if version < 10 { Uuid::ZERO } else { topic },
            partitions: vec![offset_commit::OffsetCommitRequestPartition {
                partition_index: 1,
                committed_offset: i64::from(version),
                committed_leader_epoch: -1,
                committed_metadata: Some(name("note")),
            }],
        }],
        ..Default::default()
    };
    let committed = client.call(version, &request).await;
    assert_eq!(committed.topics[0].partitions[0].error_code, 0, "v{version}");
}

async fn offsets(covered: &mut Covered, client: &mut Client, id: Uuid) {
    covered.0.insert(ApiKey::OffsetCommit.code());
    for version in ApiKey::OffsetCommit.stable_versions() {
        commit(client, version, name("offsets"), id).await;
    }
    let last = i64::from(*ApiKey::OffsetCommit.stable_versions().end());
    covered
        .each(
            client,
            |version| offset_fetch_at(version, id),
            |version, response| {
                let offset = match response.groups.first() {
                    Some(group) => group.topics[0].partitions[0].committed_offset,
                    None => response.topics[0].partitions[0].committed_offset,
                };
                assert_eq!((response.error_code, offset), (0, last), "v{version}");
            },
        )
        .await;
    covered
        .each(
            client,
            |_| OffsetDeleteRequest {
                group_id: name("offsets"),
                topics: vec![offset_delete::OffsetDeleteRequestTopic {
                    name: name("t"),
                    partitions: vec![offset_delete::OffsetDeleteRequestPartition { partition_index: 0 }],
                }],
            },
            |_, response| {
                assert_eq!(response.error_code, 0);
                assert_eq!(response.topics[0].partitions[0].error_code, 0);
            },
        )
        .await;
}

fn offset_fetch_at(version: i16, id: Uuid) -> OffsetFetchRequest {
    let mut request = OffsetFetchRequest {
        require_stable: version >= 7,
        ..Default::default()
    };
    if version < 8 {
        request.group_id = name("offsets");
        request.topics = Some(vec![offset_fetch::OffsetFetchRequestTopic {
            name: name("t"),
            partition_indexes: vec![1],
        }]);
        return request;
    }
    request.groups = vec![offset_fetch::OffsetFetchRequestGroup {
        group_id: name("offsets"),
        member_epoch: -1,
        topics: Some(vec![offset_fetch::OffsetFetchRequestTopics {
            name: if version < 10 { name("t") } else { Str::new() },
            topic_id: if version < 10 { Uuid::ZERO } else { id },
            partition_indexes: vec![1],
        }]),
        ..Default::default()
    }];
    request
}
