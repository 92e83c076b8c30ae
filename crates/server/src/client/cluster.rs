//! The brokers as the CLI knows them: which there are, who leads what, one connection to each. And how often something is retried.

use super::connection::Connection;
use super::error::ClientError;
use super::security::ClientSecurity;
use crate::config::value::HostPort;
use millstream_kafka_wire::metadata::MetadataRequestTopic;
use millstream_kafka_wire::{
    ErrorCode, FindCoordinatorRequest, FindCoordinatorResponse, MetadataRequest, MetadataResponse, Request,
    Str,
};
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Attempts at something that is worth a retry; with the pauses below, about twenty seconds.
const ATTEMPTS_MAX: u32 = 24;

/// The first pause between attempts; each is twice as long, up to [`PAUSE_MS_MAX`].
const PAUSE_MS: u64 = 25;

/// The longest pause between attempts.
const PAUSE_MS_MAX: u64 = 1_000;

/// Counts attempts and paces them.
#[derive(Default)]
pub struct Retry {
    attempts: u32,
}

impl Retry {
    /// Waits before the next attempt, or gives the error back when waiting does not help (any more).
    pub async fn after(&mut self, error: ClientError) -> Result<(), ClientError> {
        self.attempts += 1;
        if !error.is_retriable() || self.attempts >= ATTEMPTS_MAX {
            return Err(error);
        }
        let pause = PAUSE_MS << (self.attempts - 1).min(16);
        tokio::time::sleep(Duration::from_millis(pause.min(PAUSE_MS_MAX))).await;
        Ok(())
    }
}

/// Whether a topic that is asked for may come into being by that.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// An unknown topic is an error.
    Refuse,
    /// The broker may create it, if its settings say so.
    Create,
}

/// A topic's partitions: number and leader, by number.
#[derive(Clone, Debug)]
pub struct TopicLayout {
    /// Name.
    pub name: String,
    /// Leader of each partition; the index is the partition's number.
    pub leaders: Vec<i32>,
}

/// See the module.
pub struct Cluster {
    bootstrap: HostPort,
    security: ClientSecurity,
    nodes: HashMap<i32, HostPort>,
    connections: HashMap<i32, Connection>,
}

/// The bootstrap address has no broker's id yet.
const BOOTSTRAP_NODE: i32 = -1;

impl Cluster {
    /// Connects to the bootstrap address.
    pub async fn connect(bootstrap: &HostPort, security: &ClientSecurity) -> Result<Self, ClientError> {
        let mut cluster = Self {
            bootstrap: bootstrap.clone(),
            security: security.clone(),
            nodes: HashMap::new(),
            connections: HashMap::new(),
        };
        cluster.node(BOOTSTRAP_NODE).await?;
        Ok(cluster)
    }

    /// A connection to the broker; opened if there is none.
    pub async fn node(&mut self, id: i32) -> Result<&mut Connection, ClientError> {
        if self.connections.get(&id).is_none_or(Connection::is_in_doubt) {
            let opened = self.open(id).await?;
            self.connections.insert(id, opened);
        }
        Ok(self.connections.get_mut(&id).expect("it was put there just now"))
    }

    /// A connection of the caller's own.
    pub async fn open(&self, id: i32) -> Result<Connection, ClientError> {
        let address = self.nodes.get(&id).unwrap_or(&self.bootstrap);
        Connection::open(address, &self.security).await
    }

    /// Lets a connection go, after an error that leaves it in doubt.
    pub fn forget(&mut self, id: i32) {
        self.connections.remove(&id);
    }

    /// Asks any broker, again and again while that helps.
    pub async fn ask<R: Request>(
        &mut self,
        request: &R,
        versions: RangeInclusive<i16>,
    ) -> Result<R::Response, ClientError> {
        self.ask_node(BOOTSTRAP_NODE, request, versions).await
    }

    /// Asks one broker. A broken connection is opened anew; the answer's own error codes are the caller's.
    pub async fn ask_node<R: Request>(
        &mut self,
        id: i32,
        request: &R,
        versions: RangeInclusive<i16>,
    ) -> Result<R::Response, ClientError> {
        let mut retry = Retry::default();
        loop {
            let answer = match self.node(id).await {
                Ok(connection) => connection.call(request, versions.clone()).await,
                Err(error) => Err(error),
            };
            match answer {
                Ok(answer) => return Ok(answer),
                Err(error) => {
                    self.forget(id);
                    retry.after(error).await?;
                }
            }
        }
    }

    /// The cluster's description; `None` for all topics.
    pub async fn metadata(
        &mut self,
        names: Option<&[&str]>,
        missing: Missing,
    ) -> Result<MetadataResponse, ClientError> {
        let topic = |name: &&str| MetadataRequestTopic {
            name: Some(Str::from(*name)),
            ..Default::default()
        };
        let request = MetadataRequest {
            topics: names.map(|names| names.iter().map(topic).collect()),
            allow_auto_topic_creation: missing == Missing::Create,
            ..Default::default()
        };
        let answer = self.ask(&request, 4..=12).await?;
        for broker in &answer.brokers {
            let port = u16::try_from(broker.port).unwrap_or_default();
            let host = broker.host.as_str().to_owned();
            let address = HostPort { host, port };
            if self
                .nodes
                .insert(broker.node_id, address.clone())
                .is_some_and(|old| old != address)
            {
                self.forget(broker.node_id);
            }
        }
        Ok(answer)
    }

    /// A topic's partitions and leaders; waits for a topic that is coming into being and for partitions without a leader.
    pub async fn layout(&mut self, name: &str, missing: Missing) -> Result<TopicLayout, ClientError> {
        let mut retry = Retry::default();
        loop {
            let answer = self.metadata(Some(&[name]), missing).await?;
            match layout_of(name, &answer) {
                Ok(layout) => return Ok(layout),
                // The broker was asked to create the topic, so it is on its way.
                Err(error)
                    if missing == Missing::Create
                        && error.code() == Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION) =>
                {
                    let again =
                        ClientError::refused(format!("topic {name}"), ErrorCode::NOT_LEADER_OR_FOLLOWER);
                    retry.after(again).await.map_err(|_| error)?;
                }
                Err(error) => retry.after(error).await?,
            }
        }
    }

    /// Ids of all brokers.
    pub async fn broker_ids(&mut self) -> Result<Vec<i32>, ClientError> {
        let answer = self.metadata(Some(&[]), Missing::Refuse).await?;
        let mut ids: Vec<i32> = answer.brokers.iter().map(|broker| broker.node_id).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The broker that coordinates a group.
    pub async fn coordinator(&mut self, group: &str) -> Result<i32, ClientError> {
        let mut retry = Retry::default();
        loop {
            let request = FindCoordinatorRequest {
                key: Str::from(group),
                coordinator_keys: vec![Str::from(group)],
                ..Default::default()
            };
            let version = self
                .node(BOOTSTRAP_NODE)
                .await?
                .version::<FindCoordinatorRequest>(0..=6)?;
            // Versions below 4 have one key and no list (KIP-699); a field that a version lacks must be empty.
            let request = match version {
                4.. => FindCoordinatorRequest {
                    key: Str::new(),
                    ..request
                },
                _ => FindCoordinatorRequest {
                    coordinator_keys: Vec::new(),
                    ..request
                },
            };
            let answer = self.ask(&request, version..=version).await?;
            match self.coordinator_of(group, &answer) {
                Ok(id) => return Ok(id),
                Err(error) => retry.after(error).await?,
            }
        }
    }

    fn coordinator_of(&mut self, group: &str, answer: &FindCoordinatorResponse) -> Result<i32, ClientError> {
        let what = || format!("coordinator of group {group}");
        let (code, message, id, host, port) = match answer.coordinators.first() {
            Some(found) => (
                found.error_code,
                &found.error_message,
                found.node_id,
                &found.host,
                found.port,
            ),
            None => (
                answer.error_code,
                &answer.error_message,
                answer.node_id,
                &answer.host,
                answer.port,
            ),
        };
        ClientError::check(what, code, message.as_deref())?;
        let port = u16::try_from(port).unwrap_or_default();
        let host = host.as_str().to_owned();
        self.nodes.insert(id, HostPort { host, port });
        Ok(id)
    }

    /// Asks a group's coordinator; looks for it anew when the group has moved. `code_of` finds the error code in an answer.
    pub async fn ask_coordinator<R: Request>(
        &mut self,
        group: &str,
        request: &R,
        versions: RangeInclusive<i16>,
        code_of: impl Fn(&R::Response) -> i16,
    ) -> Result<R::Response, ClientError> {
        let mut retry = Retry::default();
        loop {
            let id = self.coordinator(group).await?;
            let answer = self.ask_node(id, request, versions.clone()).await?;
            match ErrorCode(code_of(&answer)) {
                code @ (ErrorCode::NOT_COORDINATOR
                | ErrorCode::COORDINATOR_NOT_AVAILABLE
                | ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) => {
                    retry
                        .after(ClientError::refused(format!("group {group}"), code))
                        .await?;
                }
                _ => return Ok(answer),
            }
        }
    }
}

fn layout_of(name: &str, answer: &MetadataResponse) -> Result<TopicLayout, ClientError> {
    let topic = answer
        .topics
        .iter()
        .find(|topic| topic.name.as_deref() == Some(name));
    let topic = topic.ok_or_else(|| {
        ClientError::refused(format!("topic {name}"), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
    })?;
    ClientError::check(|| format!("topic {name}"), topic.error_code, None)?;
    let mut partitions: Vec<_> = topic.partitions.iter().collect();
    partitions.sort_unstable_by_key(|partition| partition.partition_index);
    let mut leaders = Vec::with_capacity(partitions.len());
    for (expected, partition) in partitions.into_iter().enumerate() {
        if partition.partition_index != i32::try_from(expected).unwrap_or(i32::MAX) {
            return Err(ClientError::Unexpected(format!(
                "topic {name}: partition {expected} is missing"
            )));
        }
        ClientError::check(
            || format!("topic {name}, partition {expected}"),
            partition.error_code,
            None,
        )?;
        leaders.push(partition.leader_id);
    }
    Ok(TopicLayout {
        name: name.to_owned(),
        leaders,
    })
}
