//! Administrative requests: topics, their settings, groups.

use super::cluster::Cluster;
use super::error::ClientError;
use millstream_kafka_wire::create_partitions::CreatePartitionsTopic;
use millstream_kafka_wire::create_topics::{CreatableTopic, CreatableTopicConfig};
use millstream_kafka_wire::delete_topics::DeleteTopicState;
use millstream_kafka_wire::describe_configs::DescribeConfigsResource;
use millstream_kafka_wire::describe_groups::DescribedGroup;
use millstream_kafka_wire::incremental_alter_configs::{AlterConfigsResource, AlterableConfig};
use millstream_kafka_wire::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteGroupsRequest, DeleteTopicsRequest,
    DescribeConfigsRequest, DescribeGroupsRequest, IncrementalAlterConfigsRequest, ListGroupsRequest, Str,
};

/// How long the broker may take for a change.
const TIMEOUT_MS: i32 = 30_000;

/// Resource type of topics in requests about settings.
const TOPIC_RESOURCE: i8 = 2;

/// `config_source` of a setting that was made on the topic itself.
const SOURCE_TOPIC: i8 = 1;

/// A setting of a topic.
#[derive(Clone, Debug, serde::Serialize)]
pub struct TopicConfig {
    /// Name.
    pub name: String,
    /// Value.
    pub value: Option<String>,
    /// Whether it was made on the topic itself.
    pub set_on_topic: bool,
}

/// Creates a topic; `None` asks for the broker's default number of partitions.
pub async fn create_topic(
    cluster: &mut Cluster,
    name: &str,
    partitions: Option<i32>,
    configs: &[(String, String)],
) -> Result<(), ClientError> {
    let topic = CreatableTopic {
        name: Str::from(name),
        num_partitions: partitions.unwrap_or(-1),
        replication_factor: -1,
        configs: configs
            .iter()
            .map(|(name, value)| CreatableTopicConfig {
                name: Str::from(name.as_str()),
                value: Some(Str::from(value.as_str())),
            })
            .collect(),
        ..Default::default()
    };
    let request = CreateTopicsRequest {
        topics: vec![topic],
        timeout_ms: TIMEOUT_MS,
        validate_only: false,
    };
    let answer = cluster.ask(&request, 4..=7).await?;
    for topic in &answer.topics {
        ClientError::check(
            || format!("topic {name}"),
            topic.error_code,
            topic.error_message.as_deref(),
        )?;
    }
    Ok(())
}

/// Deletes a topic.
pub async fn delete_topic(cluster: &mut Cluster, name: &str) -> Result<(), ClientError> {
    let request = DeleteTopicsRequest {
        topic_names: vec![Str::from(name)],
        timeout_ms: TIMEOUT_MS,
        ..Default::default()
    };
    // From version 6 on topics may be named by id, in another field.
    let version = cluster.node(-1).await?.version::<DeleteTopicsRequest>(1..=6)?;
    let request = match version {
        6.. => DeleteTopicsRequest {
            topics: vec![DeleteTopicState {
                name: Some(Str::from(name)),
                ..Default::default()
            }],
            topic_names: Vec::new(),
            ..request
        },
        _ => request,
    };
    let answer = cluster.ask(&request, version..=version).await?;
    for topic in &answer.responses {
        ClientError::check(
            || format!("topic {name}"),
            topic.error_code,
            topic.error_message.as_deref(),
        )?;
    }
    Ok(())
}

/// Raises the number of partitions of a topic.
pub async fn add_partitions(cluster: &mut Cluster, name: &str, count: i32) -> Result<(), ClientError> {
    let topic = CreatePartitionsTopic {
        name: Str::from(name),
        count,
        assignments: None,
    };
    let request = CreatePartitionsRequest {
        topics: vec![topic],
        timeout_ms: TIMEOUT_MS,
        validate_only: false,
    };
    let answer = cluster.ask(&request, 0..=3).await?;
    for result in &answer.results {
        ClientError::check(
            || format!("topic {name}"),
            result.error_code,
            result.error_message.as_deref(),
        )?;
    }
    Ok(())
}

/// All settings of a topic.
pub async fn topic_configs(cluster: &mut Cluster, name: &str) -> Result<Vec<TopicConfig>, ClientError> {
    let resource = DescribeConfigsResource {
        resource_type: TOPIC_RESOURCE,
        resource_name: Str::from(name),
        configuration_keys: None,
    };
    let request = DescribeConfigsRequest {
        resources: vec![resource],
        ..Default::default()
    };
    let answer = cluster.ask(&request, 1..=4).await?;
    let mut configs = Vec::new();
    for result in &answer.results {
        ClientError::check(
            || format!("settings of topic {name}"),
            result.error_code,
            result.error_message.as_deref(),
        )?;
        configs.extend(result.configs.iter().map(|config| TopicConfig {
            name: config.name.as_str().to_owned(),
            value: config.value.as_deref().map(str::to_owned),
            set_on_topic: config.config_source == SOURCE_TOPIC,
        }));
    }
    configs.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(configs)
}

/// Sets (`Some`) or takes back (`None`) settings of a topic.
pub async fn alter_topic_configs(
    cluster: &mut Cluster,
    name: &str,
    changes: &[(String, Option<String>)],
) -> Result<(), ClientError> {
    /// Operations of IncrementalAlterConfigs (KIP-339).
    const SET: i8 = 0;
    const DELETE: i8 = 1;
    let change = |(name, value): &(String, Option<String>)| AlterableConfig {
        name: Str::from(name.as_str()),
        config_operation: if value.is_some() { SET } else { DELETE },
        value: value.as_deref().map(Str::from),
    };
    let resource = AlterConfigsResource {
        resource_type: TOPIC_RESOURCE,
        resource_name: Str::from(name),
        configs: changes.iter().map(change).collect(),
    };
    let request = IncrementalAlterConfigsRequest {
        resources: vec![resource],
        validate_only: false,
    };
    let answer = cluster.ask(&request, 0..=1).await?;
    for result in &answer.responses {
        ClientError::check(
            || format!("settings of topic {name}"),
            result.error_code,
            result.error_message.as_deref(),
        )?;
    }
    Ok(())
}

/// A group in a list.
#[derive(Clone, Debug, serde::Serialize)]
pub struct GroupListing {
    /// Id.
    pub id: String,
    /// State, as Kafka names it; empty from old brokers.
    pub state: String,
    /// Kind: classic, consumer, share; empty from old brokers.
    pub kind: String,
}

/// All groups of all brokers, by id.
pub async fn list_groups(cluster: &mut Cluster) -> Result<Vec<GroupListing>, ClientError> {
    let mut groups = Vec::new();
    for broker in cluster.broker_ids().await? {
        let answer = cluster
            .ask_node(broker, &ListGroupsRequest::default(), 0..=5)
            .await?;
        ClientError::check(|| format!("groups of broker {broker}"), answer.error_code, None)?;
        groups.extend(answer.groups.iter().map(|group| GroupListing {
            id: group.group_id.as_str().to_owned(),
            state: group.group_state.as_str().to_owned(),
            kind: group.group_type.as_str().to_owned(),
        }));
    }
    groups.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(groups)
}

/// One group with its members.
pub async fn describe_group(cluster: &mut Cluster, group: &str) -> Result<DescribedGroup, ClientError> {
    let request = DescribeGroupsRequest {
        groups: vec![Str::from(group)],
        ..Default::default()
    };
    let code_of = |answer: &millstream_kafka_wire::DescribeGroupsResponse| {
        answer.groups.first().map_or(0, |group| group.error_code)
    };
    let mut answer = cluster.ask_coordinator(group, &request, 0..=6, code_of).await?;
    let found = answer.groups.pop();
    let found =
        found.ok_or_else(|| ClientError::Unexpected(format!("group {group}: the answer leaves it out")))?;
    ClientError::check(
        || format!("group {group}"),
        found.error_code,
        found.error_message.as_deref(),
    )?;
    Ok(found)
}

/// Deletes a group and what it has committed.
pub async fn delete_group(cluster: &mut Cluster, group: &str) -> Result<(), ClientError> {
    let request = DeleteGroupsRequest {
        groups_names: vec![Str::from(group)],
    };
    let code_of = |answer: &millstream_kafka_wire::DeleteGroupsResponse| {
        answer.results.first().map_or(0, |result| result.error_code)
    };
    let answer = cluster.ask_coordinator(group, &request, 0..=2, code_of).await?;
    ClientError::check(|| format!("group {group}"), code_of(&answer), None)
}
