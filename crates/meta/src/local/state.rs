//! Keys, sessions and history at one revision: a pure state machine. A `Draft` decides, `apply` follows.
//!
//! Owns: the present content. Never: time (it is passed in), durability, waiting.
//! **Invariant**: a key is bound to a session exactly if the session lives and lists the key.

use super::draft::Changes;
use super::history::History;
use crate::store::{
    Entry, Event, KeyRange, PAGE_BYTES_MAX, PAGE_ENTRIES_MAX, RangePage, RangeQuery, ReadError, Revision,
    SessionId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

/// A living session.
struct Lease {
    ttl: Duration,
    deadline: Duration,
    keys: BTreeSet<Arc<str>>,
}

pub(crate) struct State {
    keys: BTreeMap<Arc<str>, Entry>,
    revision: Revision,
    leases: BTreeMap<SessionId, Lease>,
    history: History,
}

impl State {
    /// Keys as they were found, none bound to a session, with no history before `revision`.
    pub(crate) fn restored(keys: BTreeMap<Arc<str>, Entry>, revision: Revision) -> Self {
        assert!(
            keys.values()
                .all(|entry| entry.session.is_none() && entry.modified <= revision)
        );
        Self {
            keys,
            revision,
            leases: BTreeMap::new(),
            history: History::starting_at(revision),
        }
    }

    pub(crate) fn revision(&self) -> Revision {
        self.revision
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.keys.get(key)
    }

    /// Keys of the range, in order. An inverted range is empty.
    pub(super) fn keys_in<'a>(&'a self, range: &KeyRange) -> impl Iterator<Item = (&'a Arc<str>, &'a Entry)> {
        // An inverted range would panic in the map.
        let to = if range.from < range.to {
            &range.to
        } else {
            &range.from
        };
        self.keys
            .range::<str, _>((Bound::Included(&*range.from), Bound::Excluded(&**to)))
    }

    pub(super) fn session_keys(&self, session: SessionId) -> Option<&BTreeSet<Arc<str>>> {
        self.leases.get(&session).map(|lease| &lease.keys)
    }

    /// Sessions whose time is up.
    pub(super) fn due(&self, now: Duration) -> Vec<SessionId> {
        let due = self.leases.iter().filter(|(_, lease)| lease.deadline <= now);
        due.map(|(id, _)| *id).collect()
    }

    /// When the next session expires. Sessions are brokers: few, so a scan is cheaper than a heap to maintain.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.leases.values().map(|lease| lease.deadline).min()
    }

    /// Whether the session lived and is renewed.
    pub(crate) fn keep_alive(&mut self, session: SessionId, now: Duration) -> bool {
        match self.leases.get_mut(&session) {
            Some(lease) if lease.deadline > now => {
                lease.deadline = now + lease.ttl;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn range(&self, query: &RangeQuery) -> Result<RangePage, ReadError> {
        let at = query.at.unwrap_or(self.revision);
        if at > self.revision {
            return Err(ReadError::NotYet {
                current: self.revision,
            });
        }
        if at < self.history.floor() {
            return Err(ReadError::Compacted {
                oldest: self.history.floor(),
            });
        }
        let changed_since = self.history.as_of(&query.range, at);
        let unchanged = self
            .keys_in(&query.range)
            .filter(|(key, _)| !changed_since.contains_key(*key));
        let then = changed_since
            .iter()
            .filter_map(|(key, entry)| Some((key, entry.as_ref()?)));
        let merged = Merge {
            left: unchanged.peekable(),
            right: then.peekable(),
        };
        Ok(page(merged, query.limit.min(PAGE_ENTRIES_MAX), at))
    }

    pub(crate) fn changes_after(&self, range: &KeyRange, after: Revision) -> Result<Vec<Event>, Revision> {
        self.history.after(range, after)
    }

    /// Forgets history, as a store does after a while: watches that are behind are told so.
    pub(crate) fn compact(&mut self) {
        self.history.forget_through(self.revision);
    }

    /// Carries out what a draft of this very state decided.
    pub(crate) fn apply(&mut self, changes: Changes, now: Duration) {
        assert_eq!(changes.base, self.revision, "the draft was made of this state");
        for (id, ttl) in changes.opened {
            self.leases.insert(
                id,
                Lease {
                    ttl,
                    deadline: now + ttl,
                    keys: BTreeSet::new(),
                },
            );
        }
        let mut last = self.revision;
        for event in changes.events {
            if event.revision != last {
                self.history.trim();
                last = event.revision;
            }
            self.apply_event(event);
        }
        for id in changes.ended {
            let lease = self.leases.remove(&id);
            assert!(
                lease.is_none_or(|lease| lease.keys.is_empty()),
                "its keys went first"
            );
        }
        self.history.trim();
        self.revision = changes.revision;
    }

    fn apply_event(&mut self, event: Event) {
        let before = match &event.entry {
            Some(entry) => self.keys.insert(event.key.clone(), entry.clone()),
            None => self.keys.remove(&event.key),
        };
        if let Some(lease) = before
            .as_ref()
            .and_then(|e| e.session)
            .and_then(|id| self.leases.get_mut(&id))
        {
            lease.keys.remove(&event.key);
        }
        if let Some(session) = event.entry.as_ref().and_then(|entry| entry.session) {
            let lease = self.leases.get_mut(&session);
            lease
                .expect("the draft checked it")
                .keys
                .insert(event.key.clone());
        }
        self.history.push(event, before);
    }
}

fn page<'a>(
    entries: impl Iterator<Item = (&'a Arc<str>, &'a Entry)>,
    limit: usize,
    revision: Revision,
) -> RangePage {
    let mut page = RangePage {
        entries: Vec::new(),
        revision,
        next: None,
    };
    let mut bytes = 0;
    for (key, entry) in entries {
        if page.entries.len() >= limit.max(1) || bytes >= PAGE_BYTES_MAX {
            page.next = Some(key.clone());
            break;
        }
        bytes += key.len() + entry.value.len();
        page.entries.push((key.clone(), entry.clone()));
    }
    page
}

/// Two ordered sequences without a common key, as one.
struct Merge<L: Iterator, R: Iterator> {
    left: Peekable<L>,
    right: Peekable<R>,
}

impl<'a, L, R> Iterator for Merge<L, R>
where
    L: Iterator<Item = (&'a Arc<str>, &'a Entry)>,
    R: Iterator<Item = (&'a Arc<str>, &'a Entry)>,
{
    type Item = (&'a Arc<str>, &'a Entry);

    fn next(&mut self) -> Option<Self::Item> {
        match (self.left.peek(), self.right.peek()) {
            (Some((left, _)), Some((right, _))) if left > right => self.right.next(),
            (Some(_), _) => self.left.next(),
            (None, _) => self.right.next(),
        }
    }
}
