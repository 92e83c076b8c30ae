//! What a group may do during one step: answer, write, read the time and the settings.
//!
//! Owns: tokens of writes and what follows each write. Never: the groups themselves.
//! **Invariant**: each write is remembered in `pending` before it leaves.

use super::Now;
use crate::group::answer::{Answer, JoinRefused, Joined, Output};
use crate::group::config::GroupConfig;
use crate::group::error::{GroupError, PersistError};
use crate::group::facts::Facts;
use crate::group::name::{GroupId, MemberId};
use crate::group::record::Record;
use crate::group::request::{EndOffsetsRequest, FetchRequest, JoinRequest};
use crate::state::{PersistToken, RequestId};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};

/// A write without an outcome.
#[derive(Debug)]
pub(super) struct Pending {
    pub token: PersistToken,
    pub group: GroupId,
    pub records: Vec<Record>,
    pub then: Then,
}

/// What follows the outcome of a write.
#[derive(Debug)]
pub(super) enum Then {
    /// Nobody waits: a failure only means that an older state is found after a restart, which then heals by itself.
    Nothing,
    /// A request is answered.
    Answer {
        request: RequestId,
        ok: Answer,
        failed: fn(PersistError) -> Answer,
    },
    /// Offsets are read: a write without records, which only waits for those before it.
    Fetch(RequestId, FetchRequest),
    /// A static member is back.
    Replaced(Box<Replaced>),
    /// The generation becomes stable.
    Assigned(Assigned),
    /// The group goes.
    Deleted(RequestId),
    /// The group is classic now, and this member joins it again.
    Join(RequestId, Box<JoinRequest>),
    /// The end of a transaction is looked at: a write without records, which only waits for those before it.
    EndOffsets(RequestId, EndOffsetsRequest),
    /// One write of the end of a transaction.
    EndedOffsets(RequestId),
}

/// A static member's new id on its way to the stream.
#[derive(Debug)]
pub(super) struct Replaced {
    pub request: RequestId,
    pub generation: i32,
    pub joined: Joined,
}

/// An assignment on its way to the stream.
#[derive(Debug)]
pub(super) struct Assigned {
    pub generation: i32,
    pub assignments: BTreeMap<MemberId, Bytes>,
}

/// The world of one step.
pub(super) struct Turn<'a> {
    pub now: Now,
    pub config: &'a GroupConfig,
    pub facts: &'a dyn Facts,
    pub out: &'a mut Vec<Output>,
    pub pending: &'a mut VecDeque<Pending>,
    pub next_token: &'a mut PersistToken,
}

impl Turn<'_> {
    pub fn reply(&mut self, request: RequestId, answer: Answer) {
        self.out.push(Output::Reply(request, answer));
    }

    pub fn refuse_join(&mut self, request: RequestId, error: GroupError, member: Option<MemberId>) {
        refuse_join(self.out, request, error, member);
    }

    /// Writes records of `group`; the caller counts the write in the group.
    pub fn persist(&mut self, group: &GroupId, records: Vec<Record>, then: Then) {
        let token = *self.next_token;
        self.next_token.0 += 1;
        let encoded = records.iter().map(Record::encode).collect();
        self.pending.push_back(Pending {
            token,
            group: group.clone(),
            records,
            then,
        });
        self.out.push(Output::Persist(token, encoded));
    }
}

pub(super) fn refuse_join(
    out: &mut Vec<Output>,
    request: RequestId,
    error: GroupError,
    member: Option<MemberId>,
) {
    out.push(Output::Reply(
        request,
        Answer::Join(Err(JoinRefused { error, member })),
    ));
}
