//! What the coordinator answers, and what it asks of its driver.
//!
//! Owns: the outputs of the state machine. Never: wire versions and error codes; `api/` maps them.

use super::assignor::{Assignment, Assignor};
use super::error::GroupError;
use super::name::{GroupId, InstanceId, MemberId, ProtocolName, TopicId, TopicName};
use super::record::{ShareMember, Subscription};
use super::request::{ClientInfo, Leaver};
use super::streams::{DescribedStreamsGroup, StreamsBeaten};
use crate::state::{PersistToken, RequestId};
use bytes::Bytes;
use millstream_broker::StateRecord;
use std::sync::Arc;
use std::time::Duration;

/// What the driver has to do after a step, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Answer a request. Each request is answered exactly once.
    Reply(RequestId, Answer),
    /// Append these records, atomically and after all earlier ones, then report `Input::Persisted`. Without records it only
    /// waits for the earlier ones.
    Persist(PersistToken, Vec<StateRecord>),
    /// A write failed that the state had run ahead of: read the stream anew. Whoever waits is to look for the coordinator again.
    Reload,
}

/// One result a leaver, in the order asked.
pub type LeaveResults = Vec<(Leaver, Result<(), GroupError>)>;

/// The answer to the request of the same name.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// JoinGroup.
    Join(Result<Joined, JoinRefused>),
    /// SyncGroup.
    Sync(Result<Synced, GroupError>),
    /// Heartbeat.
    Heartbeat(Result<(), GroupError>),
    /// LeaveGroup, one result a leaver, in order.
    Leave(Result<LeaveResults, GroupError>),
    /// OffsetCommit.
    Commit(Result<Vec<CommittedTopic>, GroupError>),
    /// The end of a transaction.
    EndOffsets(Result<(), GroupError>),
    /// OffsetFetch.
    Fetch(Result<Vec<FetchedTopic>, GroupError>),
    /// OffsetDelete.
    DeleteOffsets(Result<Vec<CommittedTopic>, GroupError>),
    /// ListGroups.
    List(Vec<ListedGroup>),
    /// DescribeGroups.
    Describe(Result<DescribedGroup, GroupError>),
    /// DeleteGroups.
    Delete(Result<(), GroupError>),
    /// ConsumerGroupHeartbeat.
    ConsumerHeartbeat(Result<Beaten, GroupError>),
    /// ConsumerGroupDescribe.
    DescribeConsumer(Result<DescribedConsumerGroup, GroupError>),
    /// ShareGroupHeartbeat.
    ShareHeartbeat(Result<ShareBeaten, GroupError>),
    /// ShareGroupDescribe.
    DescribeShare(Result<DescribedShareGroup, GroupError>),
    /// StreamsGroupHeartbeat.
    StreamsHeartbeat(Result<StreamsBeaten, GroupError>),
    /// StreamsGroupDescribe.
    DescribeStreams(Result<DescribedStreamsGroup, GroupError>),
    /// The share group is there, and has no members.
    EmptyShare(Result<(), GroupError>),
}

/// What a member of a consumer group is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beaten {
    /// Who.
    pub member: MemberId,
    /// Its epoch from now on; -1 and -2: it has left.
    pub epoch: i32,
    /// When to send the next heartbeat.
    pub interval: Duration,
    /// All it has, if that is news or it asked for it.
    pub assignment: Option<Assignment>,
}

/// What a member of a share group is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareBeaten {
    /// Who.
    pub member: MemberId,
    /// Its epoch from now on; -1: it has left.
    pub epoch: i32,
    /// When to send the next heartbeat.
    pub interval: Duration,
    /// All it has, if that is news or it asked for it.
    pub assignment: Option<Arc<Assignment>>,
}

/// A share group in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedShareGroup {
    /// The group.
    pub group: GroupId,
    /// Its state.
    pub state: GroupState,
    /// Its epoch.
    pub epoch: i32,
    /// Its members.
    pub members: Vec<DescribedShareMember>,
}

/// A member of a share group in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedShareMember {
    /// Its id.
    pub member: MemberId,
    /// The epoch that it was told last.
    pub epoch: i32,
    /// What it told of itself.
    pub told: Arc<ShareMember>,
    /// What it consumes.
    pub assigned: Arc<Assignment>,
}

/// A place in a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Whose place.
    pub member: MemberId,
    /// The generation.
    pub generation: i32,
    /// The kind of group.
    pub protocol_type: Option<ProtocolName>,
    /// The protocol that the members' votes selected.
    pub protocol: Option<ProtocolName>,
    /// Who assigns.
    pub leader: Option<MemberId>,
    /// Whether the leader keeps the present assignment (KIP-814).
    pub skip_assignment: bool,
    /// All members, for the leader only.
    pub members: Vec<JoinedMember>,
}

/// What the leader learns of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinedMember {
    /// Its id.
    pub member: MemberId,
    /// Its instance id, if it is static.
    pub instance: Option<InstanceId>,
    /// Its metadata under the selected protocol.
    pub metadata: Bytes,
}

/// No place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRefused {
    /// Why.
    pub error: GroupError,
    /// The id to come back with, or the id that was sent.
    pub member: Option<MemberId>,
}

/// An assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// The kind of group.
    pub protocol_type: Option<ProtocolName>,
    /// The selected protocol.
    pub protocol: Option<ProtocolName>,
    /// The member's share, opaque.
    pub assignment: Bytes,
}

/// Results for the partitions of one topic, in the order asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedTopic {
    /// The topic.
    pub topic: TopicName,
    /// Its id as the request gave it.
    pub topic_id: TopicId,
    /// One result a partition.
    pub partitions: Vec<(i32, Result<(), GroupError>)>,
}

/// Offsets of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedTopic {
    /// The topic.
    pub topic: TopicName,
    /// Its id: as asked, or as stored if everything was asked for.
    pub topic_id: TopicId,
    /// `Ok(None)`: nothing is committed.
    pub partitions: Vec<(i32, Result<Option<FetchedOffset>, GroupError>)>,
}

/// One committed offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedOffset {
    /// The next offset to read.
    pub offset: i64,
    /// -1: unknown.
    pub leader_epoch: i32,
    /// Free text of the client.
    pub metadata: Arc<str>,
}

/// The state of a group; the names are Kafka's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupState {
    /// No members; offsets may be kept.
    Empty,
    /// Members are asked to join again.
    PreparingRebalance,
    /// All have joined; the leader's assignment is awaited.
    CompletingRebalance,
    /// Everybody has an assignment.
    Stable,
    /// The topics that the members need are not there, or do not fit each other (streams groups).
    NotReady,
    /// A new target assignment is about to be computed (consumer groups).
    Assigning,
    /// Members are on their way to their targets (consumer groups).
    Reconciling,
    /// Being deleted.
    Dead,
}

impl GroupState {
    /// As clients see it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
            Self::NotReady => "NotReady",
            Self::Assigning => "Assigning",
            Self::Reconciling => "Reconciling",
            Self::Dead => "Dead",
        }
    }
}

/// What governs a group's membership (Kafka: the group type, KIP-848).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKind {
    /// Members agree among themselves; groups that only hold offsets, too.
    Classic,
    /// The coordinator assigns (KIP-848).
    Consumer,
    /// Members share partitions, and records one by one (KIP-932).
    Share,
    /// The coordinator deals out the tasks of an application (KIP-1071).
    Streams,
}

impl GroupKind {
    /// As clients see it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Consumer => "consumer",
            Self::Share => "share",
            Self::Streams => "streams",
        }
    }
}

/// A group in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGroup {
    /// The group.
    pub group: GroupId,
    /// What the members do together; empty for groups that only hold offsets.
    pub protocol_type: Option<ProtocolName>,
    /// Its state.
    pub state: GroupState,
    /// What governs its membership.
    pub kind: GroupKind,
}

/// A group in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedGroup {
    /// The group.
    pub group: GroupId,
    /// Its state.
    pub state: GroupState,
    /// The kind.
    pub protocol_type: Option<ProtocolName>,
    /// The selected protocol, known while stable.
    pub protocol: Option<ProtocolName>,
    /// Its members.
    pub members: Vec<DescribedMember>,
}

/// A consumer group in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedConsumerGroup {
    /// The group.
    pub group: GroupId,
    /// Its state.
    pub state: GroupState,
    /// Its epoch.
    pub epoch: i32,
    /// The epoch of the target assignment.
    pub target_epoch: i32,
    /// Who assigns.
    pub assignor: Assignor,
    /// Its members.
    pub members: Vec<DescribedConsumerMember>,
}

/// A member of a consumer group in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedConsumerMember {
    /// Its id.
    pub member: MemberId,
    /// Its instance id, if it is static.
    pub instance: Option<InstanceId>,
    /// Where it runs.
    pub rack: Option<Arc<str>>,
    /// Its epoch.
    pub epoch: i32,
    /// Who it says it is.
    pub client: ClientInfo,
    /// What it wants to read.
    pub subscription: Arc<Subscription>,
    /// What it has.
    pub assigned: Assignment,
    /// What it is to have.
    pub target: Arc<Assignment>,
    /// Whether it speaks the classic protocol.
    pub is_classic: bool,
}

/// A member in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedMember {
    /// Its id.
    pub member: MemberId,
    /// Its instance id, if it is static.
    pub instance: Option<InstanceId>,
    /// `client.id`.
    pub client_id: Arc<str>,
    /// Where it connected from.
    pub client_host: Arc<str>,
    /// Its metadata under the selected protocol, known while stable.
    pub metadata: Bytes,
    /// Its share, known while stable.
    pub assignment: Bytes,
}
