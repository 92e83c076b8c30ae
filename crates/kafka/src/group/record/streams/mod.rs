//! The records of streams groups (KIP-1071) and the state that they add up to: the topology, the members, and the tasks that each of
//! them has and is to have.
//!
//! Owns: the keys and the fold. Never: when to write (`machine/streams`), the values' bytes (`codec`).
//!
//! **Invariant** (trap T12): a live group's membership is this fold over the records it has written, and replay is the same fold.

mod codec;

use super::{MemberState, Record, key_of, put_of_member};
use crate::group::name::{GroupId, InstanceId, MemberId, SubtopologyId, TopicName};
use crate::group::request::ClientInfo;
use crate::state::RecordError;
use crate::state::codec::Reader;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// First byte of the key of the group's epoch.
pub const KEY_STREAMS_EPOCH: u8 = 48;
/// Of the topology.
pub const KEY_STREAMS_TOPOLOGY: u8 = 49;
/// Of what a member told.
pub const KEY_STREAMS_MEMBER: u8 = 50;
/// Of the epoch of the targets.
pub const KEY_STREAMS_TARGET_EPOCH: u8 = 51;
/// Of what a member is to have.
pub const KEY_STREAMS_TARGET: u8 = 52;
/// Of what a member has.
pub const KEY_STREAMS_CURRENT: u8 = 53;

/// One change of a streams group; `None` deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamsRecord {
    /// The group's epoch.
    Epoch(Option<StreamsEpoch>),
    /// What the application does.
    Topology(Option<Arc<Topology>>),
    /// What a member told of itself.
    Member(MemberId, Option<Arc<StreamsMember>>),
    /// The epoch for which the targets were computed.
    TargetEpoch(Option<i32>),
    /// What a member is to have.
    Target(MemberId, Option<Arc<Tasks>>),
    /// What a member has.
    Current(MemberId, Option<Arc<StreamsCurrent>>),
}

/// The epoch of a streams group and what it was raised for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamsEpoch {
    /// Rises with every change of members, topics or settings of the assignment.
    pub epoch: i32,
    /// Hash of the topics that the topology names: names, ids, partition counts.
    pub topics: u64,
    /// How many members beside the active one keep a copy of a task's state.
    pub standby_replicas: u32,
}

/// What an application does, as its members tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// Its version.
    pub epoch: i32,
    /// Its parts.
    pub subtopologies: BTreeMap<SubtopologyId, Subtopology>,
}

impl Topology {
    /// Every topic that it names.
    #[must_use]
    pub fn names(&self) -> BTreeSet<&TopicName> {
        self.subtopologies.values().flat_map(Subtopology::names).collect()
    }
}

impl Subtopology {
    fn names(&self) -> impl Iterator<Item = &TopicName> {
        let sources = self.sources.iter().chain(self.repartition_sources.keys());
        sources
            .chain(&self.repartition_sinks)
            .chain(self.changelogs.keys())
    }
}

/// A part of a topology: for each partition of its widest source there is one task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subtopology {
    /// Topics that others make.
    pub sources: BTreeSet<TopicName>,
    /// Repartition topics that it reads; made for the application.
    pub repartition_sources: BTreeMap<TopicName, InternalTopic>,
    /// Repartition topics that it writes.
    pub repartition_sinks: BTreeSet<TopicName>,
    /// Where its state is kept; made for the application.
    pub changelogs: BTreeMap<TopicName, InternalTopic>,
    /// Sets of its sources that must have as many partitions as one another.
    pub copartitioned: Vec<BTreeSet<TopicName>>,
}

/// A topic that is made for the application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InternalTopic {
    /// 0: follows from the other topics.
    pub partitions: u32,
    /// As told; 0: the broker's.
    pub replication_factor: i16,
    /// Its settings.
    pub configs: BTreeMap<String, String>,
}

/// One partition's worth of a subtopology.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Task {
    /// Of which part.
    pub subtopology: SubtopologyId,
    /// Of which partition.
    pub partition: i32,
}

/// Tasks.
pub type TaskSet = BTreeSet<Task>;

/// Tasks by what is done with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tasks {
    /// Processed.
    pub active: TaskSet,
    /// Their state is kept up to date.
    pub standby: TaskSet,
    /// Their state is being built, so that they may be moved.
    pub warmup: TaskSet,
}

impl Tasks {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.active.is_empty() && self.standby.is_empty() && self.warmup.is_empty()
    }

    /// Each set with the one of the same role.
    #[must_use]
    pub fn zip(&self, other: &Self, with: impl Fn(&TaskSet, &TaskSet) -> TaskSet) -> Self {
        Self {
            active: with(&self.active, &other.active),
            standby: with(&self.standby, &other.standby),
            warmup: with(&self.warmup, &other.warmup),
        }
    }

    /// Whether all of these are among the others, in the same roles.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.active.is_subset(&other.active)
            && self.standby.is_subset(&other.standby)
            && self.warmup.is_subset(&other.warmup)
    }

    /// Whether none of these is among the others in the same role.
    #[must_use]
    pub fn is_disjoint(&self, other: &Self) -> bool {
        self.active.is_disjoint(&other.active)
            && self.standby.is_disjoint(&other.standby)
            && self.warmup.is_disjoint(&other.warmup)
    }

    /// All of them, whatever is done with them.
    pub fn all(&self) -> impl Iterator<Item = &Task> {
        self.active.iter().chain(&self.standby).chain(&self.warmup)
    }
}

/// What a member told of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamsMember {
    /// Its instance id, if it is static.
    pub instance: Option<InstanceId>,
    /// Where it runs.
    pub rack: Option<Arc<str>>,
    /// Who it says it is.
    pub client: ClientInfo,
    /// How long it may take to give tasks back, milliseconds.
    pub rebalance_timeout_ms: u32,
    /// The version of the topology that it runs.
    pub topology_epoch: i32,
    /// The process that it is a thread of: state on disk is the process's.
    pub process: Arc<str>,
    /// Where its state can be asked for.
    pub endpoint: Option<(Arc<str>, u16)>,
    /// What its owner says of it.
    pub tags: BTreeMap<String, String>,
}

/// What a member has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamsCurrent {
    /// Its epoch.
    pub epoch: i32,
    /// The one before: an answer may have been lost.
    pub previous_epoch: i32,
    /// How far it has come.
    pub state: MemberState,
    /// Its tasks.
    pub assigned: Tasks,
    /// Tasks that it was told to give back and has not yet.
    pub revoking: Tasks,
    /// Since which of its epochs it has had each active task without a break, those that it is to give back included.
    pub since: BTreeMap<Task, i32>,
}

/// The durable half of a streams group: the fold of its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamsState {
    /// `None`: there is no streams group.
    pub epoch: Option<StreamsEpoch>,
    /// What the application does.
    pub topology: Option<Arc<Topology>>,
    /// What members told.
    pub members: BTreeMap<MemberId, Arc<StreamsMember>>,
    /// The epoch for which the targets were computed.
    pub target_epoch: i32,
    /// What members are to have.
    pub targets: BTreeMap<MemberId, Arc<Tasks>>,
    /// What members have.
    pub currents: BTreeMap<MemberId, Arc<StreamsCurrent>>,
}

impl StreamsState {
    /// Folds one record in.
    pub fn apply(&mut self, record: StreamsRecord) {
        match record {
            StreamsRecord::Epoch(epoch) => self.epoch = epoch,
            StreamsRecord::Topology(topology) => self.topology = topology,
            StreamsRecord::TargetEpoch(epoch) => self.target_epoch = epoch.unwrap_or_default(),
            StreamsRecord::Member(member, value) => put_of_member(&mut self.members, member, value),
            StreamsRecord::Target(member, value) => put_of_member(&mut self.targets, member, value),
            StreamsRecord::Current(member, value) => put_of_member(&mut self.currents, member, value),
        }
    }

    /// Whether nothing is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What deletes everything that is stored.
    #[must_use]
    pub fn tombstones(&self, group: &GroupId) -> Vec<Record> {
        let currents = self.currents.keys().cloned();
        let targets = self.targets.keys().cloned();
        let members = self.members.keys().cloned();
        let mut all: Vec<StreamsRecord> = currents.map(|id| StreamsRecord::Current(id, None)).collect();
        all.extend(targets.map(|id| StreamsRecord::Target(id, None)));
        all.extend(members.map(|id| StreamsRecord::Member(id, None)));
        if self.target_epoch != 0 {
            all.push(StreamsRecord::TargetEpoch(None));
        }
        if self.topology.is_some() {
            all.push(StreamsRecord::Topology(None));
        }
        // The epoch last: while it is there, what is left is a streams group.
        if self.epoch.is_some() {
            all.push(StreamsRecord::Epoch(None));
        }
        let of_group = |record| Record::Streams(group.clone(), record);
        all.into_iter().map(of_group).collect()
    }
}

impl StreamsRecord {
    /// Whether it deletes its key.
    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        match self {
            Self::Epoch(value) => value.is_none(),
            Self::Topology(value) => value.is_none(),
            Self::TargetEpoch(value) => value.is_none(),
            Self::Member(_, value) => value.is_none(),
            Self::Target(_, value) => value.is_none(),
            Self::Current(_, value) => value.is_none(),
        }
    }

    pub(super) fn encode(&self, group: &GroupId) -> (Vec<u8>, Option<Vec<u8>>) {
        let key = |kind: u8, member: Option<&MemberId>| key_of(kind, group, member);
        match self {
            Self::Epoch(value) => (key(KEY_STREAMS_EPOCH, None), value.as_ref().map(codec::epoch)),
            Self::Topology(value) => (
                key(KEY_STREAMS_TOPOLOGY, None),
                value.as_deref().map(codec::topology),
            ),
            Self::TargetEpoch(value) => (
                key(KEY_STREAMS_TARGET_EPOCH, None),
                value.map(codec::target_epoch),
            ),
            Self::Member(id, value) => (
                key(KEY_STREAMS_MEMBER, Some(id)),
                value.as_deref().map(codec::member),
            ),
            Self::Target(id, value) => (
                key(KEY_STREAMS_TARGET, Some(id)),
                value.as_deref().map(codec::target),
            ),
            Self::Current(id, value) => (
                key(KEY_STREAMS_CURRENT, Some(id)),
                value.as_deref().map(codec::current),
            ),
        }
    }

    /// `None`: a key of another kind.
    pub(super) fn decode(
        kind: u8,
        key: &mut Reader<'_>,
        value: Option<&[u8]>,
    ) -> Result<Option<Self>, RecordError> {
        let mut member = || key.text().map(MemberId::from);
        let record = match kind {
            KEY_STREAMS_EPOCH => Self::Epoch(value.map(codec::read_epoch).transpose()?),
            KEY_STREAMS_TOPOLOGY => {
                Self::Topology(value.map(codec::read_topology).transpose()?.map(Arc::new))
            }
            KEY_STREAMS_TARGET_EPOCH => Self::TargetEpoch(value.map(codec::read_target_epoch).transpose()?),
            KEY_STREAMS_MEMBER => {
                let told = value.map(codec::read_member).transpose()?;
                Self::Member(member()?, told.map(Arc::new))
            }
            KEY_STREAMS_TARGET => {
                let tasks = value.map(codec::read_target).transpose()?;
                Self::Target(member()?, tasks.map(Arc::new))
            }
            KEY_STREAMS_CURRENT => {
                let current = value.map(codec::read_current).transpose()?;
                Self::Current(member()?, current.map(Arc::new))
            }
            _ => return Ok(None),
        };
        Ok(Some(record))
    }
}
