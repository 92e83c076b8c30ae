//! The records of consumer groups (KIP-848) and the state that they add up to.
//!
//! Owns: the bytes, drawn in docs/format/group.md, and the fold. Never: when to write them.
//!
//! **Invariant** (trap T12): a live group's membership is this fold over the records it has written, and replay is the same fold.

use super::{Record, key_of, put_of_member};
use crate::group::assignor::{Assignment, Assignor};
use crate::group::name::{GroupId, InstanceId, MemberId, TopicId, TopicName};
use crate::group::request::{ClientInfo, Protocol};
use crate::state::RecordError;
use crate::state::codec::{
    Reader, VALUE_VERSION, put_bytes, put_length, put_optional_text, put_text, read_value, value_of,
};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// First byte of the key of the group's epoch.
pub const KEY_CONSUMER_EPOCH: u8 = 16;
/// Of what a member told.
pub const KEY_CONSUMER_MEMBER: u8 = 17;
/// Of the epoch of the target assignment.
pub const KEY_CONSUMER_TARGET_EPOCH: u8 = 18;
/// Of what a member is to have.
pub const KEY_CONSUMER_TARGET: u8 = 19;
/// Of what a member has.
pub const KEY_CONSUMER_CURRENT: u8 = 20;

/// Version of a member's value that says who reads by its pattern. Other members are written as version 1.
const MEMBER_VERSION_READER: u8 = 2;

/// One change of a consumer group; `None` deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsumerRecord {
    /// The group's epoch.
    Epoch(Option<GroupEpoch>),
    /// What a member told of itself.
    Member(MemberId, Option<Arc<ConsumerMember>>),
    /// The epoch for which the targets were computed.
    TargetEpoch(Option<i32>),
    /// What a member is to have.
    Target(MemberId, Option<Arc<Assignment>>),
    /// What a member has.
    Current(MemberId, Option<Arc<Current>>),
}

/// The epoch of a group and what it was raised for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupEpoch {
    /// Rises with every change of members, subscriptions or topics.
    pub epoch: i32,
    /// Hash of the topics that members subscribe to: names, ids, partition counts.
    pub topics: u64,
}

/// What a member subscribes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subscription {
    /// Topics by name.
    pub names: BTreeSet<TopicName>,
    /// And every topic whose name matches.
    pub pattern: Option<Arc<str>>,
    /// Who must have the right to see a topic that matches; only with a pattern. `None`: nobody asked who it is.
    pub reader: Option<PatternReader>,
}

/// Whose rights decide which topics a pattern finds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PatternReader {
    /// As rules spell it, "User:alice".
    pub principal: Arc<str>,
    /// The address it comes from.
    pub host: IpAddr,
}

/// What a member told of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerMember {
    /// Set for static members.
    pub instance: Option<InstanceId>,
    /// Where it runs.
    pub rack: Option<Arc<str>>,
    /// Who it says it is.
    pub client: ClientInfo,
    /// How long it may take to give partitions back, milliseconds.
    pub rebalance_timeout_ms: u32,
    /// The assignor it would like.
    pub assignor: Option<Assignor>,
    /// What it wants to read.
    pub subscription: Arc<Subscription>,
    /// Set for members that still speak the classic protocol.
    pub classic: Option<ClassicTraits>,
}

/// What a member of the classic protocol brings into a consumer group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassicTraits {
    /// Its own session timeout, milliseconds.
    pub session_timeout_ms: u32,
    /// Its protocols, for the day on which the group is classic again.
    pub protocols: Vec<Protocol>,
}

/// How far a member has come on its way to its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MemberState {
    /// There.
    #[default]
    Stable,
    /// It has to give partitions back first.
    Unrevoked,
    /// It waits for partitions that others have not given back.
    Unreleased,
}

impl MemberState {
    pub(super) fn put(self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::Stable => 0,
            Self::Unrevoked => 1,
            Self::Unreleased => 2,
        });
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        match reader.u8()? {
            0 => Ok(Self::Stable),
            1 => Ok(Self::Unrevoked),
            2 => Ok(Self::Unreleased),
            _ => Err(RecordError::Malformed),
        }
    }
}

/// What a member has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Current {
    /// Of the target that it works towards or has reached; -2: a static member that will be back.
    pub epoch: i32,
    /// The one before: an answer may have been lost.
    pub previous_epoch: i32,
    /// How far it has come.
    pub state: MemberState,
    /// Its partitions.
    pub assigned: Assignment,
    /// Partitions that it was told to give back and has not yet.
    pub revoking: Assignment,
}

/// The durable half of a consumer group: the fold of its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsumerState {
    /// `None`: there is no consumer group.
    pub epoch: Option<GroupEpoch>,
    /// The epoch for which the targets were computed.
    pub target_epoch: i32,
    /// What members told.
    pub members: BTreeMap<MemberId, Arc<ConsumerMember>>,
    /// What members are to have.
    pub targets: BTreeMap<MemberId, Arc<Assignment>>,
    /// What members have.
    pub currents: BTreeMap<MemberId, Arc<Current>>,
}

impl ConsumerState {
    /// Folds one record in.
    pub fn apply(&mut self, record: ConsumerRecord) {
        match record {
            ConsumerRecord::Epoch(epoch) => self.epoch = epoch,
            ConsumerRecord::Member(member, value) => put_of_member(&mut self.members, member, value),
            ConsumerRecord::TargetEpoch(epoch) => self.target_epoch = epoch.unwrap_or(0),
            ConsumerRecord::Target(member, value) => put_of_member(&mut self.targets, member, value),
            ConsumerRecord::Current(member, value) => put_of_member(&mut self.currents, member, value),
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
        let currents = self
            .currents
            .keys()
            .map(|id| ConsumerRecord::Current(id.clone(), None));
        let targets = self
            .targets
            .keys()
            .map(|id| ConsumerRecord::Target(id.clone(), None));
        let members = self
            .members
            .keys()
            .map(|id| ConsumerRecord::Member(id.clone(), None));
        let target_epoch = (self.target_epoch != 0).then_some(ConsumerRecord::TargetEpoch(None));
        let epoch = self.epoch.map(|_| ConsumerRecord::Epoch(None));
        // The epoch last: while it is there, what is left is a consumer group.
        let all = currents
            .chain(targets)
            .chain(members)
            .chain(target_epoch)
            .chain(epoch);
        all.map(|record| Record::Consumer(group.clone(), record))
            .collect()
    }
}

impl ConsumerRecord {
    /// Whether it deletes its key.
    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        match self {
            Self::Epoch(value) => value.is_none(),
            Self::Member(_, value) => value.is_none(),
            Self::TargetEpoch(value) => value.is_none(),
            Self::Target(_, value) => value.is_none(),
            Self::Current(_, value) => value.is_none(),
        }
    }

    pub(super) fn encode(&self, group: &GroupId) -> (Vec<u8>, Option<Vec<u8>>) {
        let key = |kind: u8, member: Option<&MemberId>| key_of(kind, group, member);
        match self {
            Self::Epoch(epoch) => (key(KEY_CONSUMER_EPOCH, None), epoch.as_ref().map(encode_epoch)),
            Self::Member(member, value) => {
                let value = value.as_deref().map(encode_member);
                (key(KEY_CONSUMER_MEMBER, Some(member)), value)
            }
            Self::TargetEpoch(epoch) => {
                let value = epoch.map(|epoch| value_of(|out| out.extend_from_slice(&epoch.to_le_bytes())));
                (key(KEY_CONSUMER_TARGET_EPOCH, None), value)
            }
            Self::Target(member, value) => {
                let value = value.as_deref();
                let value = value.map(|target| value_of(|out| put_assignment(out, target)));
                (key(KEY_CONSUMER_TARGET, Some(member)), value)
            }
            Self::Current(member, value) => {
                let value = value.as_deref().map(encode_current);
                (key(KEY_CONSUMER_CURRENT, Some(member)), value)
            }
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
            KEY_CONSUMER_EPOCH => Self::Epoch(value.map(read_epoch).transpose()?),
            KEY_CONSUMER_MEMBER => {
                let member = member()?;
                let value = value.map(read_member).transpose()?;
                Self::Member(member, value.map(Arc::new))
            }
            KEY_CONSUMER_TARGET_EPOCH => Self::TargetEpoch(value.map(read_target_epoch).transpose()?),
            KEY_CONSUMER_TARGET => Self::Target(member()?, value.map(read_target).transpose()?.map(Arc::new)),
            KEY_CONSUMER_CURRENT => {
                Self::Current(member()?, value.map(read_current).transpose()?.map(Arc::new))
            }
            _ => return Ok(None),
        };
        Ok(Some(record))
    }
}

fn encode_epoch(epoch: &GroupEpoch) -> Vec<u8> {
    value_of(|out| {
        out.extend_from_slice(&epoch.epoch.to_le_bytes());
        out.extend_from_slice(&epoch.topics.to_le_bytes());
    })
}

fn read_epoch(value: &[u8]) -> Result<GroupEpoch, RecordError> {
    read_value(value, |reader| {
        Ok(GroupEpoch {
            epoch: reader.i32()?,
            topics: u64::from_le_bytes(reader.array()?),
        })
    })
}

fn read_target_epoch(value: &[u8]) -> Result<i32, RecordError> {
    read_value(value, |reader| reader.i32())
}

fn encode_member(member: &ConsumerMember) -> Vec<u8> {
    let mut value = value_of(|out| {
        put_optional_text(out, member.instance.as_ref().map(InstanceId::as_str));
        put_optional_text(out, member.rack.as_deref());
        put_text(out, &member.client.id);
        put_text(out, &member.client.host);
        out.extend_from_slice(&member.rebalance_timeout_ms.to_le_bytes());
        put_optional_text(out, member.assignor.map(Assignor::name));
        put_length(out, member.subscription.names.len());
        for name in &member.subscription.names {
            put_text(out, name.as_str());
        }
        put_optional_text(out, member.subscription.pattern.as_deref());
        out.push(u8::from(member.classic.is_some()));
        if let Some(classic) = &member.classic {
            out.extend_from_slice(&classic.session_timeout_ms.to_le_bytes());
            put_length(out, classic.protocols.len());
            for protocol in &classic.protocols {
                put_text(out, protocol.name.as_str());
                put_bytes(out, &protocol.metadata);
            }
        }
    });
    if let Some(reader) = &member.subscription.reader {
        value[0] = MEMBER_VERSION_READER;
        put_text(&mut value, &reader.principal);
        put_text(&mut value, &reader.host.to_string());
    }
    value
}

fn read_member(value: &[u8]) -> Result<ConsumerMember, RecordError> {
    let mut reader = Reader::new(value);
    let version = reader.u8()?;
    if !matches!(version, VALUE_VERSION | MEMBER_VERSION_READER) {
        return Err(RecordError::UnknownVersion(version));
    }
    let mut member = read_member_body(&mut reader)?;
    if version == MEMBER_VERSION_READER {
        let who = PatternReader {
            principal: Arc::from(reader.text()?),
            host: reader.text()?.parse().map_err(|_| RecordError::Malformed)?,
        };
        Arc::make_mut(&mut member.subscription).reader = Some(who);
    }
    reader.finish()?;
    Ok(member)
}

fn read_member_body(reader: &mut Reader<'_>) -> Result<ConsumerMember, RecordError> {
    let instance = reader.optional_text()?.map(InstanceId::from);
    let rack = reader.optional_text()?.map(Arc::from);
    let client = ClientInfo {
        id: Arc::from(reader.text()?),
        host: Arc::from(reader.text()?),
    };
    let rebalance_timeout_ms = reader.u32()?;
    let assignor = reader.optional_text()?;
    let assignor = assignor
        .map(|name| Assignor::named(name).ok_or(RecordError::Malformed))
        .transpose()?;
    let mut names = BTreeSet::new();
    for _ in 0..reader.length()? {
        names.insert(TopicName::from(reader.text()?));
    }
    let pattern = reader.optional_text()?.map(Arc::from);
    let classic = match reader.u8()? {
        0 => None,
        1 => Some(read_classic(reader)?),
        _ => return Err(RecordError::Malformed),
    };
    Ok(ConsumerMember {
        instance,
        rack,
        client,
        rebalance_timeout_ms,
        assignor,
        subscription: Arc::new(Subscription {
            names,
            pattern,
            reader: None,
        }),
        classic,
    })
}

fn read_classic(reader: &mut Reader<'_>) -> Result<ClassicTraits, RecordError> {
    let session_timeout_ms = reader.u32()?;
    let mut protocols = Vec::new();
    for _ in 0..reader.length()? {
        protocols.push(Protocol {
            name: reader.text()?.into(),
            metadata: Bytes::copy_from_slice(reader.bytes()?),
        });
    }
    Ok(ClassicTraits {
        session_timeout_ms,
        protocols,
    })
}

fn encode_current(current: &Current) -> Vec<u8> {
    value_of(|out| {
        out.extend_from_slice(&current.epoch.to_le_bytes());
        out.extend_from_slice(&current.previous_epoch.to_le_bytes());
        current.state.put(out);
        put_assignment(out, &current.assigned);
        put_assignment(out, &current.revoking);
    })
}

fn read_current(value: &[u8]) -> Result<Current, RecordError> {
    read_value(value, |reader| {
        Ok(Current {
            epoch: reader.i32()?,
            previous_epoch: reader.i32()?,
            state: MemberState::read(reader)?,
            assigned: read_assignment(reader)?,
            revoking: read_assignment(reader)?,
        })
    })
}

fn read_target(value: &[u8]) -> Result<Assignment, RecordError> {
    read_value(value, read_assignment)
}

fn put_assignment(out: &mut Vec<u8>, assignment: &Assignment) {
    put_length(out, assignment.len());
    for (topic, partitions) in assignment {
        out.extend_from_slice(&topic.0);
        put_length(out, partitions.len());
        for partition in partitions {
            out.extend_from_slice(&partition.to_le_bytes());
        }
    }
}

fn read_assignment(reader: &mut Reader<'_>) -> Result<Assignment, RecordError> {
    let mut assignment = Assignment::new();
    for _ in 0..reader.length()? {
        let topic = TopicId(reader.array()?);
        let mut partitions = BTreeSet::new();
        for _ in 0..reader.length()? {
            partitions.insert(reader.i32()?);
        }
        assignment.insert(topic, partitions);
    }
    Ok(assignment)
}
