//! The records that a shard keeps in its stream: groups of every kind and offsets, keyed, versioned, little-endian.
//!
//! The first byte of a key says which record it is, and so of which kind its group is; each kind has a range of its own:
//! 1 to 3 classic groups and offsets, 16 to 31 consumer groups, 32 to 47 share groups, 48 to 63 streams groups.
//!
//! Owns: the bytes, drawn in docs/format/group.md. Never: when to write them. No checksum of its own: the batch that holds
//! them has one.
//!
//! **Invariant**: `decode(encode(r)) == r`; a length is compared with the bytes that remain before anything is allocated.

mod consumer;
mod share;
mod streams;

use super::name::{GroupId, InstanceId, MemberId, ProtocolName, TopicId, TopicName};
use crate::state::RecordError;
use crate::state::codec::{
    Reader, VALUE_VERSION, put_bytes, put_length, put_optional_text, put_text, read_value, value_of,
};
use bytes::Bytes;
pub use consumer::{
    ClassicTraits, ConsumerMember, ConsumerRecord, ConsumerState, Current, GroupEpoch, MemberState,
    PatternReader, Subscription,
};
use millstream_broker::StateRecord;
pub use share::{ShareEpoch, ShareMember, ShareRecord, ShareState};
use std::collections::BTreeMap;
use std::sync::Arc;
pub use streams::{
    InternalTopic, StreamsCurrent, StreamsEpoch, StreamsMember, StreamsRecord, StreamsState, Subtopology,
    Task, TaskSet, Tasks, Topology,
};

/// First byte of a key: which record it names.
pub const KEY_GROUP: u8 = 1;
/// An offset.
pub const KEY_OFFSET: u8 = 2;
/// An offset that an open transaction will commit.
pub const KEY_TRANSACTIONAL_OFFSET: u8 = 3;

/// One change of a shard's durable state; `None` deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Generation, members and assignments of a group.
    Group(GroupId, Option<GroupMetadata>),
    /// A committed offset.
    Offset(GroupId, TopicName, i32, Option<CommittedOffset>),
    /// An offset that becomes committed when the producer's transaction does.
    TransactionalOffset(GroupId, i64, TopicName, i32, Option<CommittedOffset>),
    /// A part of a consumer group.
    Consumer(GroupId, ConsumerRecord),
    /// A part of a share group.
    Share(GroupId, ShareRecord),
    /// A part of a streams group.
    Streams(GroupId, StreamsRecord),
}

/// The durable half of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMetadata {
    /// The kind of group.
    pub protocol_type: Option<ProtocolName>,
    /// The generation.
    pub generation: i32,
    /// The selected protocol; `None` without members.
    pub protocol: Option<ProtocolName>,
    /// Who assigned.
    pub leader: Option<MemberId>,
    /// Wall time of the change to this state, milliseconds: offsets of an empty group age from here (KIP-211).
    pub since_ms: i64,
    /// The members; none: the group is empty.
    pub members: Vec<MemberMetadata>,
}

/// The durable half of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberMetadata {
    /// Its id.
    pub member: MemberId,
    /// Its instance id, if it is static.
    pub instance: Option<InstanceId>,
    /// `client.id`.
    pub client_id: Arc<str>,
    /// Where it connected from.
    pub client_host: Arc<str>,
    /// Milliseconds.
    pub rebalance_timeout_ms: u32,
    /// Milliseconds.
    pub session_timeout_ms: u32,
    /// Its metadata under the selected protocol.
    pub metadata: Bytes,
    /// Its share.
    pub assignment: Bytes,
}

/// The durable form of a committed offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next offset to read.
    pub offset: i64,
    /// -1: unknown.
    pub leader_epoch: i32,
    /// Wall time of the commit, milliseconds.
    pub committed_ms: i64,
    /// Wall time at which it expires whatever the group does, milliseconds; commits of versions 2 to 4 can ask for it.
    pub expires_ms: Option<i64>,
    /// The topic's id; zeros: unknown.
    pub topic_id: TopicId,
    /// Free text of the client.
    pub metadata: Arc<str>,
}

impl Record {
    /// The group it belongs to.
    #[must_use]
    pub fn group(&self) -> &GroupId {
        match self {
            Self::Group(group, _)
            | Self::Offset(group, ..)
            | Self::TransactionalOffset(group, ..)
            | Self::Consumer(group, _)
            | Self::Share(group, _)
            | Self::Streams(group, _) => group,
        }
    }

    /// Whether it deletes its key.
    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        match self {
            Self::Group(_, value) => value.is_none(),
            Self::Offset(_, _, _, value) | Self::TransactionalOffset(_, _, _, _, value) => value.is_none(),
            Self::Consumer(_, record) => record.is_tombstone(),
            Self::Share(_, record) => record.is_tombstone(),
            Self::Streams(_, record) => record.is_tombstone(),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> StateRecord {
        let mut key = Vec::with_capacity(64);
        let value = match self {
            Self::Group(group, metadata) => {
                key.push(KEY_GROUP);
                put_text(&mut key, group.as_str());
                metadata.as_ref().map(encode_group)
            }
            Self::Offset(group, topic, partition, offset) => {
                key.push(KEY_OFFSET);
                put_text(&mut key, group.as_str());
                put_text(&mut key, topic.as_str());
                key.extend_from_slice(&partition.to_le_bytes());
                offset.as_ref().map(encode_offset)
            }
            Self::TransactionalOffset(group, producer_id, topic, partition, offset) => {
                key.push(KEY_TRANSACTIONAL_OFFSET);
                put_text(&mut key, group.as_str());
                key.extend_from_slice(&producer_id.to_le_bytes());
                put_text(&mut key, topic.as_str());
                key.extend_from_slice(&partition.to_le_bytes());
                offset.as_ref().map(encode_offset)
            }
            Self::Consumer(group, record) => {
                let (bytes, value) = record.encode(group);
                key = bytes;
                value
            }
            Self::Share(group, record) => {
                let (bytes, value) = record.encode(group);
                key = bytes;
                value
            }
            Self::Streams(group, record) => {
                let (bytes, value) = record.encode(group);
                key = bytes;
                value
            }
        };
        StateRecord {
            key: Bytes::from(key),
            value: value.map(Bytes::from),
        }
    }

    /// The record that the bytes hold.
    pub fn decode(key: &[u8], value: Option<&[u8]>) -> Result<Record, RecordError> {
        let mut key = Reader::new(key);
        let kind = key.u8()?;
        let group = GroupId::from(key.text()?);
        let record = match kind {
            KEY_GROUP => Record::Group(group, value.map(decode_group).transpose()?),
            KEY_OFFSET => {
                let (topic, partition) = (TopicName::from(key.text()?), key.i32()?);
                Record::Offset(group, topic, partition, value.map(decode_offset).transpose()?)
            }
            KEY_TRANSACTIONAL_OFFSET => {
                let producer_id = key.i64()?;
                let (topic, partition) = (TopicName::from(key.text()?), key.i32()?);
                let offset = value.map(decode_offset).transpose()?;
                Record::TransactionalOffset(group, producer_id, topic, partition, offset)
            }
            other => {
                if let Some(record) = ConsumerRecord::decode(other, &mut key, value)? {
                    Record::Consumer(group, record)
                } else if let Some(record) = ShareRecord::decode(other, &mut key, value)? {
                    Record::Share(group, record)
                } else if let Some(record) = StreamsRecord::decode(other, &mut key, value)? {
                    Record::Streams(group, record)
                } else {
                    return Err(RecordError::UnknownVersion(other));
                }
            }
        };
        key.finish()?;
        Ok(record)
    }
}

/// The key of a group's record, or of one of its members'.
fn key_of(kind: u8, group: &GroupId, member: Option<&MemberId>) -> Vec<u8> {
    let mut key = vec![kind];
    put_text(&mut key, group.as_str());
    if let Some(member) = member {
        put_text(&mut key, member.as_str());
    }
    key
}

/// Folds a record of one member in.
fn put_of_member<T>(map: &mut BTreeMap<MemberId, T>, member: MemberId, value: Option<T>) {
    match value {
        Some(value) => drop(map.insert(member, value)),
        None => drop(map.remove(&member)),
    }
}

fn encode_group(group: &GroupMetadata) -> Vec<u8> {
    value_of(|out| {
        put_optional_text(out, group.protocol_type.as_ref().map(ProtocolName::as_str));
        out.extend_from_slice(&group.generation.to_le_bytes());
        put_optional_text(out, group.protocol.as_ref().map(ProtocolName::as_str));
        put_optional_text(out, group.leader.as_ref().map(MemberId::as_str));
        out.extend_from_slice(&group.since_ms.to_le_bytes());
        put_length(out, group.members.len());
        for member in &group.members {
            put_text(out, member.member.as_str());
            put_optional_text(out, member.instance.as_ref().map(InstanceId::as_str));
            put_text(out, &member.client_id);
            put_text(out, &member.client_host);
            out.extend_from_slice(&member.rebalance_timeout_ms.to_le_bytes());
            out.extend_from_slice(&member.session_timeout_ms.to_le_bytes());
            put_bytes(out, &member.metadata);
            put_bytes(out, &member.assignment);
        }
    })
}

fn decode_group(value: &[u8]) -> Result<GroupMetadata, RecordError> {
    read_value(value, |reader| {
        let protocol_type = reader.optional_text()?.map(ProtocolName::from);
        let generation = reader.i32()?;
        let protocol = reader.optional_text()?.map(ProtocolName::from);
        let leader = reader.optional_text()?.map(MemberId::from);
        let since_ms = reader.i64()?;
        let count = reader.length()?;
        // No capacity is taken from the count: the bytes that follow bound the loop.
        let mut members = Vec::new();
        for _ in 0..count {
            members.push(MemberMetadata {
                member: MemberId::from(reader.text()?),
                instance: reader.optional_text()?.map(InstanceId::from),
                client_id: Arc::from(reader.text()?),
                client_host: Arc::from(reader.text()?),
                rebalance_timeout_ms: reader.u32()?,
                session_timeout_ms: reader.u32()?,
                metadata: Bytes::copy_from_slice(reader.bytes()?),
                assignment: Bytes::copy_from_slice(reader.bytes()?),
            });
        }
        Ok(GroupMetadata {
            protocol_type,
            generation,
            protocol,
            leader,
            since_ms,
            members,
        })
    })
}

fn encode_offset(offset: &CommittedOffset) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.push(VALUE_VERSION);
    out.extend_from_slice(&offset.offset.to_le_bytes());
    out.extend_from_slice(&offset.leader_epoch.to_le_bytes());
    out.extend_from_slice(&offset.committed_ms.to_le_bytes());
    out.extend_from_slice(&offset.expires_ms.unwrap_or(-1).to_le_bytes());
    out.extend_from_slice(&offset.topic_id.0);
    put_text(&mut out, &offset.metadata);
    out
}

fn decode_offset(value: &[u8]) -> Result<CommittedOffset, RecordError> {
    read_value(value, |reader| {
        Ok(CommittedOffset {
            offset: reader.i64()?,
            leader_epoch: reader.i32()?,
            committed_ms: reader.i64()?,
            expires_ms: Some(reader.i64()?).filter(|&ms| ms >= 0),
            topic_id: TopicId(reader.array()?),
            metadata: Arc::from(reader.text()?),
        })
    })
}
