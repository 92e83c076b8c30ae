//! The records of share groups (KIP-932) and the state that they add up to: who is a member, and the group's epoch. What became of
//! records that the members consume is no business of the group; it lies with the queues.
//!
//! Owns: the bytes, drawn in docs/format/group.md, and the fold. Never: when to write them.
//!
//! **Invariant** (trap T12): a live group's membership is this fold over the records it has written, and replay is the same fold.

use super::{Record, key_of, put_of_member};
use crate::group::name::{GroupId, MemberId, TopicName};
use crate::group::request::ClientInfo;
use crate::state::RecordError;
use crate::state::codec::{Reader, put_length, put_optional_text, put_text, read_value, value_of};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// First byte of the key of the group's epoch.
pub const KEY_SHARE_EPOCH: u8 = 32;
/// Of what a member told.
pub const KEY_SHARE_MEMBER: u8 = 33;

/// One change of a share group; `None` deletes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareRecord {
    /// The group's epoch.
    Epoch(Option<ShareEpoch>),
    /// What a member told of itself.
    Member(MemberId, Option<Arc<ShareMember>>),
}

/// The epoch of a share group and what it was raised for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareEpoch {
    /// Rises with every change of members, subscriptions or topics.
    pub epoch: i32,
    /// Hash of the topics that members subscribe to: names, ids, partition counts.
    pub topics: u64,
}

/// What a member told of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShareMember {
    /// Where it runs.
    pub rack: Option<Arc<str>>,
    /// Who it says it is.
    pub client: ClientInfo,
    /// Topics by name.
    pub subscribed: BTreeSet<TopicName>,
}

/// The durable half of a share group: the fold of its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShareState {
    /// `None`: there is no share group.
    pub epoch: Option<ShareEpoch>,
    /// What members told.
    pub members: BTreeMap<MemberId, Arc<ShareMember>>,
}

impl ShareState {
    /// Folds one record in.
    pub fn apply(&mut self, record: ShareRecord) {
        match record {
            ShareRecord::Epoch(epoch) => self.epoch = epoch,
            ShareRecord::Member(member, value) => put_of_member(&mut self.members, member, value),
        }
    }

    /// Whether nothing is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.epoch.is_none() && self.members.is_empty()
    }

    /// What deletes everything that is stored.
    #[must_use]
    pub fn tombstones(&self, group: &GroupId) -> Vec<Record> {
        let members = self
            .members
            .keys()
            .map(|id| ShareRecord::Member(id.clone(), None));
        // The epoch last: while it is there, what is left is a share group.
        let all = members.chain(self.epoch.map(|_| ShareRecord::Epoch(None)));
        all.map(|record| Record::Share(group.clone(), record)).collect()
    }
}

impl ShareRecord {
    /// Whether it deletes its key.
    #[must_use]
    pub fn is_tombstone(&self) -> bool {
        match self {
            Self::Epoch(value) => value.is_none(),
            Self::Member(_, value) => value.is_none(),
        }
    }

    pub(super) fn encode(&self, group: &GroupId) -> (Vec<u8>, Option<Vec<u8>>) {
        match self {
            Self::Epoch(epoch) => (
                key_of(KEY_SHARE_EPOCH, group, None),
                epoch.as_ref().map(encode_epoch),
            ),
            Self::Member(member, value) => (
                key_of(KEY_SHARE_MEMBER, group, Some(member)),
                value.as_deref().map(encode_member),
            ),
        }
    }

    /// `None`: a key of another kind.
    pub(super) fn decode(
        kind: u8,
        key: &mut Reader<'_>,
        value: Option<&[u8]>,
    ) -> Result<Option<Self>, RecordError> {
        let record = match kind {
            KEY_SHARE_EPOCH => Self::Epoch(value.map(decode_epoch).transpose()?),
            KEY_SHARE_MEMBER => {
                let member = MemberId::from(key.text()?);
                Self::Member(member, value.map(decode_member).transpose()?.map(Arc::new))
            }
            _ => return Ok(None),
        };
        Ok(Some(record))
    }
}

fn encode_epoch(epoch: &ShareEpoch) -> Vec<u8> {
    value_of(|out| {
        out.extend_from_slice(&epoch.epoch.to_le_bytes());
        out.extend_from_slice(&epoch.topics.to_le_bytes());
    })
}

fn decode_epoch(value: &[u8]) -> Result<ShareEpoch, RecordError> {
    read_value(value, |reader| {
        Ok(ShareEpoch {
            epoch: reader.i32()?,
            topics: u64::from_le_bytes(reader.array()?),
        })
    })
}

fn encode_member(member: &ShareMember) -> Vec<u8> {
    value_of(|out| {
        put_optional_text(out, member.rack.as_deref());
        put_text(out, &member.client.id);
        put_text(out, &member.client.host);
        put_length(out, member.subscribed.len());
        for name in &member.subscribed {
            put_text(out, name.as_str());
        }
    })
}

fn decode_member(value: &[u8]) -> Result<ShareMember, RecordError> {
    read_value(value, |reader| {
        let rack = reader.optional_text()?.map(Arc::from);
        let client = ClientInfo {
            id: Arc::from(reader.text()?),
            host: Arc::from(reader.text()?),
        };
        let mut subscribed = BTreeSet::new();
        for _ in 0..reader.length()? {
            subscribed.insert(TopicName::from(reader.text()?));
        }
        Ok(ShareMember {
            rack,
            client,
            subscribed,
        })
    })
}
