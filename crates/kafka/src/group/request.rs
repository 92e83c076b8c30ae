//! What the coordinator is asked: one struct per operation, already decoded, checked and authorised by `api/`.
//!
//! Owns: the inputs of the state machine. Never: wire versions (differences between them are spelled out as fields) and
//! never a clock. Lies on no data path.

use super::assignor::{Assignment, Assignor};
use super::error::PersistError;
use super::name::{GroupId, InstanceId, MemberId, ProtocolName, TopicId, TopicName};
use super::record::PatternReader;
use super::streams::StreamsHeartbeat;
use crate::state::{PersistToken, RequestId};
use bytes::Bytes;
use std::sync::Arc;

/// Everything that can happen to a shard.
#[derive(Clone, Debug)]
pub enum Input {
    /// A client asks.
    Request(RequestId, Request),
    /// The oldest write that had no outcome yet has one now.
    Persisted(PersistToken, Result<(), PersistError>),
    /// A topic is gone: so are its offsets. Offsets committed under another id of the same name stay.
    TopicDeleted(TopicName, TopicId),
    /// Topics came, went or grew, or settings of groups changed, or rights to see topics.
    TopicsChanged,
    /// Time has passed; deadlines are looked at.
    Tick,
}

/// One question; the answer has the variant of the same name.
#[derive(Clone, Debug)]
pub enum Request {
    /// JoinGroup.
    Join(JoinRequest),
    /// SyncGroup.
    Sync(SyncRequest),
    /// Heartbeat.
    Heartbeat(HeartbeatRequest),
    /// LeaveGroup.
    Leave(LeaveRequest),
    /// OffsetCommit.
    Commit(CommitRequest),
    /// The end of a transaction: what it has pending becomes committed, or goes.
    EndOffsets(EndOffsetsRequest),
    /// OffsetFetch, one group.
    Fetch(FetchRequest),
    /// OffsetDelete.
    DeleteOffsets(DeleteOffsetsRequest),
    /// ListGroups.
    List(ListRequest),
    /// DescribeGroups, one group.
    Describe(GroupId),
    /// DeleteGroups, one group.
    Delete(GroupId),
    /// ConsumerGroupHeartbeat.
    ConsumerHeartbeat(ConsumerHeartbeat),
    /// ConsumerGroupDescribe, one group.
    DescribeConsumer(GroupId),
    /// ShareGroupHeartbeat.
    ShareHeartbeat(ShareHeartbeat),
    /// ShareGroupDescribe, one group.
    DescribeShare(GroupId),
    /// StreamsGroupHeartbeat.
    StreamsHeartbeat(Box<StreamsHeartbeat>),
    /// StreamsGroupDescribe, one group.
    DescribeStreams(GroupId),
    /// A share group without members: made if there is none of that name (AlterShareGroupOffsets).
    EmptyShare(GroupId),
}

/// ShareGroupHeartbeat: `None` means "as before".
#[derive(Clone, Debug)]
pub struct ShareHeartbeat {
    /// The group.
    pub group: GroupId,
    /// The member; its client made the id.
    pub member: MemberId,
    /// 0: joins; above: its epoch; -1: leaves.
    pub epoch: i32,
    /// Where it runs.
    pub rack: Option<Arc<str>>,
    /// Who asks.
    pub client: ClientInfo,
    /// Topics by name.
    pub subscribed: Option<Vec<TopicName>>,
    /// The settings of the group, as they are now.
    pub terms: ShareTerms,
}

/// Settings of a share group: the broker's, or its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareTerms {
    /// `group.share.session.timeout.ms`, `share.session.timeout.ms`.
    pub session_timeout: std::time::Duration,
    /// `group.share.heartbeat.interval.ms`, `share.heartbeat.interval.ms`.
    pub heartbeat_interval: std::time::Duration,
    /// `group.share.max.size`.
    pub size_max: usize,
}

/// ConsumerGroupHeartbeat: `None` means "as before".
#[derive(Clone, Debug)]
pub struct ConsumerHeartbeat {
    /// The group.
    pub group: GroupId,
    /// The member; its client made the id (version 1), or the caller did (version 0).
    pub member: MemberId,
    /// 0: joins; above: its epoch; -1: leaves; -2: a static member leaves for a while.
    pub epoch: i32,
    /// Set for static members.
    pub instance: Option<InstanceId>,
    /// Where it runs.
    pub rack: Option<Arc<str>>,
    /// Who asks.
    pub client: ClientInfo,
    /// How long it may take to give partitions back, milliseconds.
    pub rebalance_timeout_ms: Option<u32>,
    /// Topics by name.
    pub subscribed: Option<Vec<TopicName>>,
    /// Topics by pattern; empty: no longer.
    pub pattern: Option<Arc<str>>,
    /// Who asks, where rights are asked for at all: a pattern finds what they may see.
    pub reader: Option<PatternReader>,
    /// The assignor it would like.
    pub assignor: Option<Assignor>,
    /// What it has.
    pub owned: Option<Assignment>,
}

impl ConsumerHeartbeat {
    /// Whether it tells everything, so that it is to be told everything too: an answer may have been lost.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let subscribes = self.subscribed.is_some() || self.pattern.is_some();
        self.rebalance_timeout_ms.is_some() && subscribes && self.owned.is_some()
    }
}

/// Who a member's client says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientInfo {
    /// `client.id`.
    pub id: Arc<str>,
    /// The address it connected from, as Kafka writes it ("/127.0.0.1").
    pub host: Arc<str>,
}

/// One assignment protocol a member supports, with the metadata it would have the leader see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    /// For instance "range".
    pub name: ProtocolName,
    /// Opaque to the broker, except that the topics of consumer groups are read from it.
    pub metadata: Bytes,
}

/// JoinGroup.
#[derive(Clone, Debug)]
pub struct JoinRequest {
    /// The group.
    pub group: GroupId,
    /// `None`: the member has no id yet.
    pub member: Option<MemberId>,
    /// Set for static members.
    pub instance: Option<InstanceId>,
    /// The id to give if this turns out to be a new member: unguessable, made by the caller.
    pub fresh_member: MemberId,
    /// Who asks.
    pub client: ClientInfo,
    /// As sent, milliseconds; checked against the allowed range.
    pub session_timeout_ms: i32,
    /// As sent, milliseconds; version 0 has none, there it is the session timeout.
    pub rebalance_timeout_ms: i32,
    /// The kind of group: "consumer", "connect".
    pub protocol_type: ProtocolName,
    /// In order of preference.
    pub protocols: Vec<Protocol>,
    /// Whether a new dynamic member has to come back with its id (version 4 and later, KIP-394).
    pub member_id_required: bool,
    /// Whether the client understands that a leader may keep the assignment (version 9 and later, KIP-814).
    pub skip_assignment_supported: bool,
}

/// SyncGroup.
#[derive(Clone, Debug)]
pub struct SyncRequest {
    /// The group.
    pub group: GroupId,
    /// The generation the member joined.
    pub generation: i32,
    /// The member.
    pub member: MemberId,
    /// Set for static members.
    pub instance: Option<InstanceId>,
    /// Checked if sent (version 5 and later, KIP-559).
    pub protocol_type: Option<ProtocolName>,
    /// Checked if sent (version 5 and later, KIP-559).
    pub protocol: Option<ProtocolName>,
    /// Set by the leader.
    pub assignments: Vec<(MemberId, Bytes)>,
}

/// Heartbeat.
#[derive(Clone, Debug)]
pub struct HeartbeatRequest {
    /// The group.
    pub group: GroupId,
    /// The generation the member believes in.
    pub generation: i32,
    /// The member.
    pub member: MemberId,
    /// Set for static members.
    pub instance: Option<InstanceId>,
}

/// LeaveGroup.
#[derive(Clone, Debug)]
pub struct LeaveRequest {
    /// The group.
    pub group: GroupId,
    /// One, up to version 2; several later.
    pub members: Vec<Leaver>,
}

/// Who leaves: by member id, or (an administrator removes a static member) by instance id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaver {
    /// `None`: found by its instance id.
    pub member: Option<MemberId>,
    /// Set for static members.
    pub instance: Option<InstanceId>,
}

/// The producer of a transaction that commits offsets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetProducer {
    /// Its id.
    pub id: i64,
    /// Its epoch.
    pub epoch: i16,
}

/// The end of a transaction in one offsets partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndOffsetsRequest {
    /// Whose.
    pub producer_id: i64,
    /// As the marker carries it; commits under a lower one are refused from then on.
    pub producer_epoch: i16,
    /// Commit, or else abort.
    pub commit: bool,
}

/// OffsetCommit and TxnOffsetCommit.
#[derive(Clone, Debug)]
pub struct CommitRequest {
    /// The group.
    pub group: GroupId,
    /// Below zero: the committer is no member (simple consumer, administrator).
    pub generation: i32,
    /// `None`: no member.
    pub member: Option<MemberId>,
    /// Set for static members.
    pub instance: Option<InstanceId>,
    /// Versions 2 to 4 may say how long to keep the offsets; milliseconds.
    pub retention_ms: Option<i64>,
    /// Set where the offsets become committed with a transaction: its coordinator has been asked.
    pub transaction: Option<OffsetProducer>,
    /// Whether the committer knows of consumer groups (version 9 and later): a missing group is told as such and not as an illegal
    /// generation, and members of consumer groups may commit.
    pub group_not_found_supported: bool,
    /// The offsets.
    pub topics: Vec<CommitTopic>,
}

impl CommitRequest {
    /// Whether it names no member where it need not: a transactional producer need not say who consumed. It is held to what it does say.
    #[must_use]
    pub fn is_nobodys_in_transaction(&self) -> bool {
        self.transaction.is_some() && self.generation < 0 && self.member.is_none() && self.instance.is_none()
    }
}

/// The offsets of one topic to commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitTopic {
    /// Its name.
    pub topic: TopicName,
    /// Its id, if the broker knows it.
    pub topic_id: TopicId,
    /// Its partitions.
    pub partitions: Vec<CommitPartition>,
}

/// One offset to commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitPartition {
    /// Partition index.
    pub partition: i32,
    /// The next offset to read.
    pub offset: i64,
    /// Epoch of the last record read; -1: unknown.
    pub leader_epoch: i32,
    /// Free text of the client.
    pub metadata: Arc<str>,
}

/// OffsetFetch of one group.
#[derive(Clone, Debug)]
pub struct FetchRequest {
    /// The group.
    pub group: GroupId,
    /// Who asks, if it is a member of a consumer group (version 9 and later, KIP-848).
    pub member: Option<MemberId>,
    /// Its epoch; below zero: none.
    pub member_epoch: i32,
    /// `None`: every offset the group has.
    pub topics: Option<Vec<FetchTopic>>,
    /// Whether offsets below an open transaction are withheld (version 7 and later, KIP-447).
    pub require_stable: bool,
}

/// Which offsets of one topic to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchTopic {
    /// Its name.
    pub topic: TopicName,
    /// Its present id, if known: offsets of a namesake that was deleted are not shown.
    pub topic_id: TopicId,
    /// Its partitions.
    pub partitions: Vec<i32>,
}

/// OffsetDelete.
#[derive(Clone, Debug)]
pub struct DeleteOffsetsRequest {
    /// The group.
    pub group: GroupId,
    /// Which.
    pub topics: Vec<(TopicName, Vec<i32>)>,
}

/// ListGroups.
#[derive(Clone, Debug, Default)]
pub struct ListRequest {
    /// Names of states, in any case (KIP-518); empty: all.
    pub states: Vec<String>,
    /// Names of group types, in any case (KIP-848); empty: all.
    pub types: Vec<String>,
}
