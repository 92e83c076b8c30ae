//! The records that a shard keeps in its stream: group metadata and offsets, keyed, versioned, little-endian.
//!
//! Owns: the bytes, drawn in docs/format/group.md. Never: when to write them. No checksum of its own: the batch that holds
//! them has one.
//!
//! **Invariant**: `decode(encode(r)) == r`; a length is compared with the bytes that remain before anything is allocated.

use super::answer::EncodedRecord;
use super::name::{GroupId, InstanceId, MemberId, ProtocolName, TopicId, TopicName};
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;

/// First byte of a key: which record it names.
pub const KEY_GROUP: u8 = 1;
/// An offset.
pub const KEY_OFFSET: u8 = 2;
/// An offset that an open transaction will commit.
pub const KEY_TRANSACTIONAL_OFFSET: u8 = 3;
/// First byte of every value. A reader refuses what it does not know.
pub const VALUE_VERSION: u8 = 1;
/// Length that stands for "no text".
const NO_TEXT: u32 = u32::MAX;

/// One change of a shard's durable state; `None` deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// Generation, members and assignments of a group.
    Group(GroupId, Option<GroupMetadata>),
    /// A committed offset.
    Offset(GroupId, TopicName, i32, Option<CommittedOffset>),
    /// An offset that becomes committed when the producer's transaction does.
    TransactionalOffset(GroupId, i64, TopicName, i32, Option<CommittedOffset>),
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

/// Bytes that are no record of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// Ends too early, holds too much, or holds text that is not UTF-8.
    Malformed,
    /// Written by a later version.
    UnknownVersion(u8),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => write!(f, "a group record is malformed"),
            Self::UnknownVersion(version) => {
                write!(f, "a group record has the unknown version or kind {version}")
            }
        }
    }
}

impl std::error::Error for RecordError {}

impl Record {
    /// The group it belongs to.
    #[must_use]
    pub fn group(&self) -> &GroupId {
        match self {
            Self::Group(group, _) | Self::Offset(group, ..) | Self::TransactionalOffset(group, ..) => group,
        }
    }

    /// Whether it deletes its key.
    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        match self {
            Self::Group(_, value) => value.is_none(),
            Self::Offset(_, _, _, value) | Self::TransactionalOffset(_, _, _, _, value) => value.is_none(),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> EncodedRecord {
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
        };
        EncodedRecord {
            key: Bytes::from(key),
            value: value.map(Bytes::from),
        }
    }

    /// The record that the bytes hold.
    pub fn decode(key: &[u8], value: Option<&[u8]>) -> Result<Record, RecordError> {
        let mut key = Reader(key);
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
            other => return Err(RecordError::UnknownVersion(other)),
        };
        key.finish()?;
        Ok(record)
    }
}

fn encode_group(group: &GroupMetadata) -> Vec<u8> {
    let mut out = vec![VALUE_VERSION];
    put_optional_text(&mut out, group.protocol_type.as_ref().map(ProtocolName::as_str));
    out.extend_from_slice(&group.generation.to_le_bytes());
    put_optional_text(&mut out, group.protocol.as_ref().map(ProtocolName::as_str));
    put_optional_text(&mut out, group.leader.as_ref().map(MemberId::as_str));
    out.extend_from_slice(&group.since_ms.to_le_bytes());
    put_length(&mut out, group.members.len());
    for member in &group.members {
        put_text(&mut out, member.member.as_str());
        put_optional_text(&mut out, member.instance.as_ref().map(InstanceId::as_str));
        put_text(&mut out, &member.client_id);
        put_text(&mut out, &member.client_host);
        out.extend_from_slice(&member.rebalance_timeout_ms.to_le_bytes());
        out.extend_from_slice(&member.session_timeout_ms.to_le_bytes());
        put_bytes(&mut out, &member.metadata);
        put_bytes(&mut out, &member.assignment);
    }
    out
}

fn decode_group(value: &[u8]) -> Result<GroupMetadata, RecordError> {
    let mut reader = Reader(value);
    reader.version()?;
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
    reader.finish()?;
    Ok(GroupMetadata {
        protocol_type,
        generation,
        protocol,
        leader,
        since_ms,
        members,
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
    let mut reader = Reader(value);
    reader.version()?;
    let offset = CommittedOffset {
        offset: reader.i64()?,
        leader_epoch: reader.i32()?,
        committed_ms: reader.i64()?,
        expires_ms: Some(reader.i64()?).filter(|&ms| ms >= 0),
        topic_id: TopicId(reader.array()?),
        metadata: Arc::from(reader.text()?),
    };
    reader.finish()?;
    Ok(offset)
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    let length = u32::try_from(length).expect("a frame, and so every part of it, is below 4 GiB");
    out.extend_from_slice(&length.to_le_bytes());
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

fn put_optional_text(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => put_text(out, text),
        None => out.extend_from_slice(&NO_TEXT.to_le_bytes()),
    }
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], RecordError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(RecordError::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        Ok(self.take(N)?.try_into().expect("exactly N bytes were taken"))
    }

    fn u8(&mut self) -> Result<u8, RecordError> {
        Ok(self.array::<1>()?[0])
    }

    fn u32(&mut self) -> Result<u32, RecordError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn i32(&mut self) -> Result<i32, RecordError> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    fn i64(&mut self) -> Result<i64, RecordError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    fn version(&mut self) -> Result<(), RecordError> {
        match self.u8()? {
            VALUE_VERSION => Ok(()),
            other => Err(RecordError::UnknownVersion(other)),
        }
    }

    fn length(&mut self) -> Result<usize, RecordError> {
        Ok(self.u32()? as usize)
    }

    fn bytes(&mut self) -> Result<&'a [u8], RecordError> {
        let length = self.length()?;
        self.take(length)
    }

    fn text(&mut self) -> Result<&'a str, RecordError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| RecordError::Malformed)
    }

    fn optional_text(&mut self) -> Result<Option<&'a str>, RecordError> {
        let mut ahead = Reader(self.0);
        if ahead.u32()? == NO_TEXT {
            *self = ahead;
            return Ok(None);
        }
        self.text().map(Some)
    }

    fn finish(self) -> Result<(), RecordError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(RecordError::Malformed)
        }
    }
}
