//! Membership in a consumer group, the classic protocol: join, share the partitions out when chosen as leader, heartbeat, leave.
//!
//! The state is a value; the caller's loop decides when to heartbeat and when to join again. Partitions are shared out by range,
//! topic by topic, which every other client understands.

use super::cluster::{Cluster, Missing, Retry};
use super::error::ClientError;
use super::offsets::{Committer, TopicPartition};
use bytes::Bytes;
use millstream_kafka_wire::consumer_protocol::{
    AssignedPartition, ConsumerProtocolAssignment, ConsumerProtocolSubscription, decode_versioned,
    encode_versioned,
};
use millstream_kafka_wire::join_group::JoinGroupRequestProtocol;
use millstream_kafka_wire::leave_group::MemberIdentity;
use millstream_kafka_wire::sync_group::SyncGroupRequestAssignment;
use millstream_kafka_wire::{
    ErrorCode, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, Str,
    SyncGroupRequest,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// A member that is silent for so long is taken for dead.
const SESSION_TIMEOUT_MS: i32 = 30_000;

/// How often a member says that it lives.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(3);

/// How long the others wait for a member to join again.
const REBALANCE_TIMEOUT_MS: i32 = 60_000;

/// Versions of the subscription and the assignment that are written.
const PROTOCOL_VERSION: i16 = 1;

/// Name of the one assignment strategy that is offered.
const ASSIGNOR: &str = "range";

/// A place in a generation of a group.
pub struct Member {
    group: String,
    topics: Vec<String>,
    member_id: String,
    generation: i32,
    /// What this member reads, in this generation.
    pub assigned: Vec<TopicPartition>,
}

/// What a heartbeat learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulse {
    /// All is as it was.
    Steady,
    /// The group shares its partitions out anew: commit, then join again.
    Rebalance,
}

impl Member {
    /// Joins a group to read `topics`.
    pub async fn join(cluster: &mut Cluster, group: &str, topics: &[String]) -> Result<Self, ClientError> {
        let mut member = Self {
            group: group.to_owned(),
            topics: topics.to_vec(),
            member_id: String::new(),
            generation: -1,
            assigned: Vec::new(),
        };
        member.rejoin(cluster).await?;
        Ok(member)
    }

    /// Joins again, as the same member when the coordinator still knows it.
    pub async fn rejoin(&mut self, cluster: &mut Cluster) -> Result<(), ClientError> {
        let mut retry = Retry::default();
        loop {
            let joined = self.send_join(cluster).await?;
            match ErrorCode(joined.error_code) {
                ErrorCode::NONE => {}
                ErrorCode::MEMBER_ID_REQUIRED => {
                    self.member_id = joined.member_id.as_str().to_owned();
                    continue;
                }
                ErrorCode::UNKNOWN_MEMBER_ID if !self.member_id.is_empty() => {
                    self.member_id.clear();
                    continue;
                }
                ErrorCode::REBALANCE_IN_PROGRESS => continue,
                // The group is being loaded, or has moved: a broker that has just started says so for a moment.
                code @ (ErrorCode::NOT_COORDINATOR
                | ErrorCode::COORDINATOR_NOT_AVAILABLE
                | ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) => {
                    retry.after(self.refused_join(code)).await?;
                    continue;
                }
                code => return Err(self.refused_join(code)),
            }
            self.member_id = joined.member_id.as_str().to_owned();
            self.generation = joined.generation_id;
            if self.sync(cluster, &joined).await? == Pulse::Steady {
                return Ok(());
            }
        }
    }

    fn refused_join(&self, code: ErrorCode) -> ClientError {
        ClientError::refused(format!("join of group {}", self.group), code)
    }

    /// Who commits for this member.
    #[must_use]
    pub fn committer(&self) -> Committer {
        Committer {
            member_id: self.member_id.clone(),
            generation: self.generation,
        }
    }

    /// Says that this member lives.
    pub async fn heartbeat(&self, cluster: &mut Cluster) -> Result<Pulse, ClientError> {
        let request = HeartbeatRequest {
            group_id: Str::from(self.group.as_str()),
            generation_id: self.generation,
            member_id: Str::from(self.member_id.as_str()),
            group_instance_id: None,
        };
        let answer = cluster
            .ask_coordinator(&self.group, &request, 0..=4, |answer| answer.error_code)
            .await?;
        self.pulse(answer.error_code)
    }

    /// Leaves, so that the others need not wait for the session to run out.
    pub async fn leave(&self, cluster: &mut Cluster) -> Result<(), ClientError> {
        let coordinator = cluster.coordinator(&self.group).await?;
        let version = cluster
            .node(coordinator)
            .await?
            .version::<LeaveGroupRequest>(0..=5)?;
        let member_id = Str::from(self.member_id.as_str());
        let group_id = Str::from(self.group.as_str());
        // From version 3 on several members may leave at once (KIP-345).
        let request = match version {
            3.. => LeaveGroupRequest {
                group_id,
                members: vec![MemberIdentity {
                    member_id,
                    group_instance_id: None,
                    ..Default::default()
                }],
                ..Default::default()
            },
            _ => LeaveGroupRequest {
                group_id,
                member_id,
                ..Default::default()
            },
        };
        let answer = cluster
            .ask_coordinator(&self.group, &request, version..=version, |answer| {
                answer.error_code
            })
            .await?;
        ClientError::check(
            || format!("leaving group {}", self.group),
            answer.error_code,
            None,
        )
    }

    fn pulse(&self, code: i16) -> Result<Pulse, ClientError> {
        match ErrorCode(code) {
            ErrorCode::NONE => Ok(Pulse::Steady),
            ErrorCode::REBALANCE_IN_PROGRESS
            | ErrorCode::ILLEGAL_GENERATION
            | ErrorCode::UNKNOWN_MEMBER_ID => Ok(Pulse::Rebalance),
            code => Err(ClientError::refused(format!("group {}", self.group), code)),
        }
    }

    async fn send_join(&self, cluster: &mut Cluster) -> Result<JoinGroupResponse, ClientError> {
        let subscription = ConsumerProtocolSubscription {
            topics: self
                .topics
                .iter()
                .map(|topic| Str::from(topic.as_str()))
                .collect(),
            ..Default::default()
        };
        let request = JoinGroupRequest {
            group_id: Str::from(self.group.as_str()),
            session_timeout_ms: SESSION_TIMEOUT_MS,
            rebalance_timeout_ms: REBALANCE_TIMEOUT_MS,
            member_id: Str::from(self.member_id.as_str()),
            protocol_type: Str::from_static("consumer"),
            protocols: vec![JoinGroupRequestProtocol {
                name: Str::from_static(ASSIGNOR),
                metadata: encode_versioned(&subscription, PROTOCOL_VERSION)?,
            }],
            ..Default::default()
        };
        // The coordinator answers when everybody has joined: that may take the rebalance timeout.
        let coordinator = cluster.coordinator(&self.group).await?;
        let wait = Duration::from_millis(REBALANCE_TIMEOUT_MS as u64);
        cluster
            .node(coordinator)
            .await?
            .call_slow(&request, 1..=9, wait)
            .await
    }

    async fn sync(
        &mut self,
        cluster: &mut Cluster,
        joined: &JoinGroupResponse,
    ) -> Result<Pulse, ClientError> {
        let is_leader = joined.leader == joined.member_id;
        let assignments = match is_leader && !joined.skip_assignment {
            true => share_out(cluster, joined).await?,
            false => Vec::new(),
        };
        let version = {
            let coordinator = cluster.coordinator(&self.group).await?;
            cluster
                .node(coordinator)
                .await?
                .version::<SyncGroupRequest>(0..=5)?
        };
        let named = version >= 5;
        let request = SyncGroupRequest {
            group_id: Str::from(self.group.as_str()),
            generation_id: self.generation,
            member_id: Str::from(self.member_id.as_str()),
            protocol_type: named.then(|| Str::from_static("consumer")),
            protocol_name: named.then(|| Str::from_static(ASSIGNOR)),
            assignments,
            ..Default::default()
        };
        let code_of = |answer: &millstream_kafka_wire::SyncGroupResponse| answer.error_code;
        let answer = cluster
            .ask_coordinator(&self.group, &request, version..=version, code_of)
            .await?;
        let pulse = self.pulse(answer.error_code)?;
        if pulse == Pulse::Steady {
            self.assigned = read_assignment(&self.group, &answer.assignment)?;
        }
        Ok(pulse)
    }
}

fn read_assignment(group: &str, bytes: &Bytes) -> Result<Vec<TopicPartition>, ClientError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let (_, assignment) = decode_versioned::<ConsumerProtocolAssignment>(bytes).map_err(|error| {
        ClientError::Unexpected(format!("group {group}: an assignment cannot be read: {error}"))
    })?;
    let mut places = Vec::new();
    for topic in &assignment.assigned_partitions {
        for partition in &topic.partitions {
            places.push(TopicPartition {
                topic: topic.topic.as_str().to_owned(),
                partition: usize::try_from(*partition).unwrap_or(usize::MAX),
            });
        }
    }
    Ok(places)
}

/// The leader's work: who reads what.
async fn share_out(
    cluster: &mut Cluster,
    joined: &JoinGroupResponse,
) -> Result<Vec<SyncGroupRequestAssignment>, ClientError> {
    let mut subscribers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut shares: BTreeMap<String, Vec<AssignedPartition>> = BTreeMap::new();
    for member in &joined.members {
        let id = member.member_id.as_str().to_owned();
        let (_, subscription) =
            decode_versioned::<ConsumerProtocolSubscription>(&member.metadata).map_err(|error| {
                ClientError::Unexpected(format!(
                    "member {id} sent a subscription that cannot be read: {error}"
                ))
            })?;
        for topic in subscription.topics {
            subscribers
                .entry(topic.as_str().to_owned())
                .or_default()
                .push(id.clone());
        }
        shares.insert(id, Vec::new());
    }
    for (topic, mut members) in subscribers {
        let partitions = match cluster.layout(&topic, Missing::Refuse).await {
            Ok(layout) => layout.leaders.len(),
            // Subscribed to, but not there (yet): nobody reads it.
            Err(error) if error.code().is_some() => 0,
            Err(error) => return Err(error),
        };
        members.sort_unstable();
        for (member, range) in members.iter().zip(ranges(partitions, members.len())) {
            let partitions = range
                .filter_map(|partition| i32::try_from(partition).ok())
                .collect();
            let share = AssignedPartition {
                topic: Str::from(topic.as_str()),
                partitions,
            };
            shares.entry(member.clone()).or_default().push(share);
        }
    }
    let mut assignments = Vec::with_capacity(shares.len());
    for (member, assigned_partitions) in shares {
        let assignment = ConsumerProtocolAssignment {
            assigned_partitions,
            user_data: None,
        };
        assignments.push(SyncGroupRequestAssignment {
            member_id: Str::from(member),
            assignment: encode_versioned(&assignment, PROTOCOL_VERSION)?,
        });
    }
    Ok(assignments)
}

/// `partitions` cut into `members` ranges whose lengths differ by one at most, longer ones first.
pub fn ranges(partitions: usize, members: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let members = members.max(1);
    let (each, more) = (partitions / members, partitions % members);
    (0..members).map(move |index| {
        let start = index * each + index.min(more);
        start..start + each + usize::from(index < more)
    })
}
