//! What the coordinator of streams groups (KIP-1071) is asked and answers.
//!
//! Owns: the questions and answers of that kind of group, already decoded, checked and authorised by `api/`. Never: wire versions, a
//! clock.

use super::answer::GroupState;
use super::name::{GroupId, InstanceId, MemberId, TopicName};
use super::record::{InternalTopic, StreamsMember, Task, Tasks, Topology};
use super::request::ClientInfo;
use millstream_broker::StreamsGroupSettings;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// StreamsGroupHeartbeat: `None` means "as before".
#[derive(Clone, Debug)]
pub struct StreamsHeartbeat {
    /// The group.
    pub group: GroupId,
    /// The member; its client made the id.
    pub member: MemberId,
    /// 0: joins; above: its epoch; below: leaves.
    pub epoch: i32,
    /// The version of the partitions by endpoint that it knows.
    pub endpoints_epoch: i32,
    /// Set for static members.
    pub instance: Option<InstanceId>,
    /// Where it runs.
    pub rack: Option<Arc<str>>,
    /// Who asks.
    pub client: ClientInfo,
    /// How long it may take to give tasks back, milliseconds.
    pub rebalance_timeout_ms: Option<u32>,
    /// What the application does; set when it joins.
    pub topology: Option<Arc<Topology>>,
    /// What it has.
    pub owned: Option<Tasks>,
    /// The process that it is a thread of.
    pub process: Option<Arc<str>>,
    /// Where its state can be asked for.
    pub endpoint: Option<(Arc<str>, u16)>,
    /// What its owner says of it.
    pub tags: Option<BTreeMap<String, String>>,
    /// The application is to end everywhere.
    pub shuts_down: bool,
    /// The settings of the group, as they are now.
    pub terms: StreamsGroupSettings,
}

impl StreamsHeartbeat {
    /// Whether it tells everything, so that it is to be told everything too: an answer may have been lost.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.epoch == 0 || (self.rebalance_timeout_ms.is_some() && self.owned.is_some())
    }
}

/// What a member of a streams group is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamsBeaten {
    /// Who.
    pub member: MemberId,
    /// Its epoch from now on; below zero: it has left.
    pub epoch: i32,
    /// When to send the next heartbeat.
    pub interval: Duration,
    /// All it has, if that is news or it asked for it.
    pub assignment: Option<Tasks>,
    /// What is the matter with the application.
    pub statuses: Vec<(StreamsStatus, String)>,
    /// Topics that the application needs and that are not there.
    pub missing: Vec<MissingTopic>,
    /// The version of what follows.
    pub endpoints_epoch: i32,
    /// What can be asked for where, if the member knows another version.
    pub endpoints: Option<Vec<EndpointPartitions>>,
}

/// What may be the matter with an application; the numbers are those of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamsStatus {
    /// The member runs an older version of the topology.
    StaleTopology = 0,
    /// Topics that others were to make are not there.
    MissingSourceTopics = 1,
    /// Partition counts do not fit each other.
    IncorrectlyPartitionedTopics = 2,
    /// Topics of the application are not there yet.
    MissingInternalTopics = 3,
    /// A member has asked the whole application to end.
    ShutdownApplication = 4,
    /// More members or changes are waited for before tasks are assigned.
    AssignmentDelayed = 5,
}

/// A topic to be made for an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingTopic {
    /// Its name.
    pub name: TopicName,
    /// Its settings, and how many partitions it is to have.
    pub topic: InternalTopic,
}

/// The partitions whose records and state one endpoint has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointPartitions {
    /// Host and port.
    pub endpoint: (Arc<str>, u16),
    /// Of active tasks.
    pub active: BTreeMap<TopicName, BTreeSet<i32>>,
    /// Of standby tasks.
    pub standby: BTreeMap<TopicName, BTreeSet<i32>>,
}

/// A streams group in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedStreamsGroup {
    /// The group.
    pub group: GroupId,
    /// Its state.
    pub state: GroupState,
    /// Its epoch.
    pub epoch: i32,
    /// The epoch of the target assignment.
    pub target_epoch: i32,
    /// What the application does, with partition counts as far as they are known.
    pub topology: Option<Topology>,
    /// Its members.
    pub members: Vec<DescribedStreamsMember>,
}

/// A member of a streams group in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedStreamsMember {
    /// Its id.
    pub member: MemberId,
    /// Its epoch.
    pub epoch: i32,
    /// What it told of itself.
    pub told: Arc<StreamsMember>,
    /// What it has.
    pub assigned: Tasks,
    /// What it is to have.
    pub target: Arc<Tasks>,
}

/// Tasks by subtopology, as they are told.
#[must_use]
pub fn by_subtopology<'a>(tasks: impl IntoIterator<Item = &'a Task>) -> BTreeMap<&'a str, Vec<i32>> {
    let mut grouped: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for task in tasks {
        grouped
            .entry(task.subtopology.as_str())
            .or_default()
            .push(task.partition);
    }
    grouped
}
