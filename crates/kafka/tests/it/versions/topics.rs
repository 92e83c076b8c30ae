//! Topics, the cluster and the settings of both, at every version.

use super::{Covered, name};
use crate::harness::Client;
use millstream_kafka::supported_apis;
use millstream_kafka_wire::*;

pub(super) async fn all(covered: &mut Covered, client: &mut Client) {
    api_versions(covered, client).await;
    metadata(covered, client).await;
    create_topics(covered, client).await;
    create_partitions(covered, client).await;
    delete_topics(covered, client).await;
    describe_topic_partitions(covered, client).await;
    describe_cluster(covered, client).await;
    describe_log_dirs(covered, client).await;
    describe_configs(covered, client).await;
    alter_configs(covered, client).await;
    incremental_alter_configs(covered, client).await;
}

async fn api_versions(covered: &mut Covered, client: &mut Client) {
    covered
        .each(
            client,
            |version| ApiVersionsRequest {
                client_software_name: if version >= 3 { name("test") } else { Str::new() },
                client_software_version: if version >= 3 { name("1.0") } else { Str::new() },
            },
            |_, response| {
                assert_eq!(response.error_code, 0);
                assert_eq!(response.api_keys.len(), supported_apis().len());
            },
        )
        .await;
}

async fn metadata(covered: &mut Covered, client: &mut Client) {
    covered
        .each(
            client,
            |version| MetadataRequest {
                topics: if version > 0 { None } else { Some(Vec::new()) },
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
}

async fn create_topics(covered: &mut Covered, client: &mut Client) {
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
}

async fn create_partitions(covered: &mut Covered, client: &mut Client) {
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
}

async fn delete_topics(covered: &mut Covered, client: &mut Client) {
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
}

async fn describe_topic_partitions(covered: &mut Covered, client: &mut Client) {
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
}

async fn describe_cluster(covered: &mut Covered, client: &mut Client) {
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
}

async fn describe_log_dirs(covered: &mut Covered, client: &mut Client) {
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

async fn describe_configs(covered: &mut Covered, client: &mut Client) {
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
}

async fn alter_configs(covered: &mut Covered, client: &mut Client) {
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
}

async fn incremental_alter_configs(covered: &mut Covered, client: &mut Client) {
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
