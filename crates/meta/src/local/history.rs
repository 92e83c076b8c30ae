//! The most recent changes: what a watch has still to deliver, and how a key looked a little earlier.
//!
//! Owns: which revisions can still be read. Never: the present state.
//! **Invariant**: every change after `floor` is here, none at or before it, in revision order. Bounded in number and bytes.

use crate::store::{Entry, Event, KeyRange, Revision};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Changes kept: enough for a watcher that pauses while 10,000 topics are created.
const HISTORY_CHANGES_MAX: usize = 65_536;
/// Bytes kept, counting values that were replaced.
const HISTORY_BYTES_MAX: usize = 32 << 20;
/// Changes that one batch of a watch carries, except that a revision is never split.
const BATCH_CHANGES_MAX: usize = 1024;

/// One change and what it replaced.
struct Change {
    event: Event,
    before: Option<Entry>,
}

impl Change {
    fn bytes(&self) -> usize {
        let value = |entry: &Option<Entry>| entry.as_ref().map_or(0, |entry| entry.value.len());
        size_of::<Self>() + self.event.key.len() + value(&self.event.entry) + value(&self.before)
    }
}

pub(super) struct History {
    changes: VecDeque<Change>,
    bytes: usize,
    floor: Revision,
}

impl History {
    pub(super) fn starting_at(floor: Revision) -> Self {
        Self {
            changes: VecDeque::new(),
            bytes: 0,
            floor,
        }
    }

    /// The oldest revision that can be read, and after which a watch can begin.
    pub(super) fn floor(&self) -> Revision {
        self.floor
    }

    pub(super) fn push(&mut self, event: Event, before: Option<Entry>) {
        let change = Change { event, before };
        self.bytes += change.bytes();
        self.changes.push_back(change);
    }

    /// Forgets the oldest revisions until the limits hold. Called between revisions only.
    pub(super) fn trim(&mut self) {
        while self.changes.len() > HISTORY_CHANGES_MAX || self.bytes > HISTORY_BYTES_MAX {
            let Some(oldest) = self.changes.front() else { break };
            self.forget_through(oldest.event.revision);
        }
    }

    /// Forgets every change up to and including `revision`.
    pub(super) fn forget_through(&mut self, revision: Revision) {
        while let Some(oldest) = self.changes.front()
            && oldest.event.revision <= revision
        {
            self.bytes -= oldest.bytes();
            self.changes.pop_front();
        }
        self.floor = self.floor.max(revision);
    }

    /// For each key of the range that changed after `at`: what it held then.
    pub(super) fn as_of(&self, range: &KeyRange, at: Revision) -> BTreeMap<Arc<str>, Option<Entry>> {
        let mut held = BTreeMap::new();
        for change in self.changes.range(self.index_after(at)..) {
            if range.contains(&change.event.key) {
                // The first change after `at` knows what was there at `at`.
                held.entry(change.event.key.clone())
                    .or_insert_with(|| change.before.clone());
            }
        }
        held
    }

    /// Changes in the range after `after`, whole revisions, about a batch of them.
    pub(super) fn after(&self, range: &KeyRange, after: Revision) -> Result<Vec<Event>, Revision> {
        if after < self.floor {
            return Err(self.floor);
        }
        let mut events: Vec<Event> = Vec::new();
        for change in self.changes.range(self.index_after(after)..) {
            let event = &change.event;
            if !range.contains(&event.key) {
                continue;
            }
            if events.len() >= BATCH_CHANGES_MAX
                && events.last().is_some_and(|last| last.revision != event.revision)
            {
                break;
            }
            events.push(event.clone());
        }
        Ok(events)
    }

    fn index_after(&self, revision: Revision) -> usize {
        self.changes
            .partition_point(|change| change.event.revision <= revision)
    }
}
