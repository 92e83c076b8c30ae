//! What every group has, of whatever kind: its name, what is durable of it, its writes under way, its timer.
//!
//! Owns: the bookkeeping of writes and of the timer. Never: members; those belong to the kinds.
//!
//! **Invariant**: the offsets of a group hang on its name, not on its kind: a group that changes its kind takes its base along.

use super::turn::{Then, Turn};
use crate::group::answer::Answer;
use crate::group::durable::DurableGroup;
use crate::group::error::PersistError;
use crate::group::name::GroupId;
use crate::group::record::Record;
use crate::state::RequestId;
use std::time::Duration;

/// Keys that one write deletes. A tombstone takes about a hundred bytes, so this stays far below what one batch may hold,
/// while a group may hold any number of offsets.
const TOMBSTONES_PER_WRITE_MAX: usize = 10_000;

#[derive(Debug)]
pub(super) struct Base {
    pub id: GroupId,
    pub durable: DurableGroup,
    pub writes_in_flight: usize,
    /// Not later than the earliest deadline.
    pub wake_at: Option<Duration>,
    /// Where the shard's timer of this group stands.
    pub armed_at: Option<Duration>,
}

impl Base {
    pub fn new(id: GroupId, durable: DurableGroup) -> Self {
        Self {
            id,
            durable,
            writes_in_flight: 0,
            wake_at: None,
            armed_at: None,
        }
    }

    /// Of no group: stands where a group has given its base away.
    pub fn nobody() -> Self {
        Self::new(GroupId::from(""), DurableGroup::default())
    }

    /// Writes, then answers: a request is answered once everything that its answer may depend on is durable.
    pub fn answer(
        &mut self,
        request: RequestId,
        records: Vec<Record>,
        ok: Answer,
        failed: fn(PersistError) -> Answer,
        turn: &mut Turn<'_>,
    ) {
        if records.is_empty() && self.writes_in_flight == 0 {
            return turn.reply(request, ok);
        }
        self.persist(records, Then::Answer { request, ok, failed }, turn);
    }

    pub fn persist(&mut self, records: Vec<Record>, then: Then, turn: &mut Turn<'_>) {
        self.writes_in_flight += 1;
        turn.persist(&self.id, records, then);
    }

    /// Deletes keys by as many writes as it takes, none of them too large. `last` follows the last one.
    pub fn persist_tombstones(&mut self, mut records: Vec<Record>, last: Then, turn: &mut Turn<'_>) {
        while records.len() > TOMBSTONES_PER_WRITE_MAX {
            let rest = records.split_off(TOMBSTONES_PER_WRITE_MAX);
            self.persist(std::mem::replace(&mut records, rest), Then::Nothing, turn);
        }
        self.persist(records, last, turn);
    }

    /// A deadline was set: the timer must not stand later.
    pub fn note(&mut self, deadline: Duration) {
        self.wake_at = Some(self.wake_at.map_or(deadline, |wake| wake.min(deadline)));
    }

    /// What will be durable when every write under way is, at least: some of them may fail.
    pub fn durable_and_pending(&self, turn: &Turn<'_>) -> DurableGroup {
        let mut after = self.durable.clone();
        if self.writes_in_flight > 0 {
            for pending in turn.pending.iter().filter(|pending| pending.group == self.id) {
                let adds = pending.records.iter().filter(|record| !record.is_tombstone());
                adds.cloned().for_each(|record| after.apply(record));
            }
        }
        after
    }
}
