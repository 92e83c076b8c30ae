//! Decides transactions one after the other against a state, without changing it: what a group commit makes durable as one.
//!
//! Owns: the meaning of compares, operations and the end of sessions. Never: applies or persists anything.
//! **Invariant**: each decision sees the state and every earlier decision of the same draft; each change has a revision of
//! its own.

use super::state::State;
use crate::store::{
    Compare, Current, Entry, Event, KeyRange, Op, Revision, Session, SessionId, Txn, TxnError, TxnOutcome,
};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// What is to be made durable, then applied.
#[derive(Clone)]
pub(crate) struct Changes {
    /// The revision of the state that was drafted upon.
    pub(super) base: Revision,
    /// The revision after the last change.
    pub(crate) revision: Revision,
    /// Every change of a key, in order.
    pub(super) events: Vec<Event>,
    /// What each changed key holds in the end.
    pub(crate) written: BTreeMap<Arc<str>, Option<Entry>>,
    pub(super) opened: Vec<(SessionId, Duration)>,
    pub(super) ended: BTreeSet<SessionId>,
}

impl Changes {
    /// Whether there is something to make durable. Without it, sessions that held no key may have ended.
    pub(crate) fn has_revision(&self) -> bool {
        self.revision != self.base
    }
}

pub(crate) struct Draft<'a> {
    state: &'a State,
    changes: Changes,
}

impl<'a> Draft<'a> {
    /// A draft upon `state` in which the sessions whose time is up at `now` have ended.
    pub(crate) fn new(state: &'a State, now: Duration) -> Self {
        let changes = Changes {
            base: state.revision(),
            revision: state.revision(),
            events: Vec::new(),
            written: BTreeMap::new(),
            opened: Vec::new(),
            ended: BTreeSet::new(),
        };
        let mut draft = Self { state, changes };
        for session in state.due(now) {
            draft.end_session(session);
        }
        draft
    }

    pub(crate) fn finish(self) -> Changes {
        self.changes
    }

    /// Decides a transaction.
    pub(crate) fn txn(&mut self, txn: &Txn) -> Result<TxnOutcome, TxnError> {
        txn.check().map_err(TxnError::Refused)?;
        if !txn.compares.iter().all(|compare| self.holds(compare)) {
            let current = txn.compares.iter().map(|compare| self.look(compare)).collect();
            return Ok(TxnOutcome::CompareFailed { current });
        }
        let bound = txn.ops.iter().filter_map(|op| match op {
            Op::Put { session, .. } => *session,
            _ => None,
        });
        for session in bound {
            if !self.is_alive(session) {
                return Err(TxnError::SessionGone);
            }
        }
        let revision = self.changes.revision.next();
        for op in &txn.ops {
            match op {
                Op::Put { key, value, session } => self.put(key, value, *session, revision),
                Op::Delete(key) => self.delete(key, revision),
                Op::DeleteRange(range) => {
                    for key in self.keys_in(range) {
                        self.delete(&key, revision);
                    }
                }
            }
        }
        Ok(TxnOutcome::Committed {
            revision: self.changes.revision,
        })
    }

    /// Opens a session. Its name is the revision that it makes: unique, rising, durable.
    pub(crate) fn open_session(&mut self, ttl: Duration) -> Session {
        let fencing = self.changes.revision.next();
        self.changes.revision = fencing;
        let id = SessionId(fencing.0);
        self.changes.opened.push((id, ttl));
        Session { id, fencing, ttl }
    }

    /// Ends a session and deletes its keys, all at one revision. Ended before: nothing.
    pub(crate) fn end_session(&mut self, session: SessionId) {
        let Some(keys) = self.state.session_keys(session) else {
            return;
        };
        if !self.changes.ended.insert(session) {
            return;
        }
        let bound_to_it = |entry: &Option<Entry>| entry.as_ref().is_some_and(|e| e.session == Some(session));
        let mut gone: BTreeSet<Arc<str>> = keys
            .iter()
            .filter(|key| !self.changes.written.contains_key(*key))
            .cloned()
            .collect();
        let drafted = self
            .changes
            .written
            .iter()
            .filter(|(_, entry)| bound_to_it(entry));
        gone.extend(drafted.map(|(key, _)| key.clone()));
        let revision = self.changes.revision.next();
        for key in gone {
            self.delete(&key, revision);
        }
    }

    fn put(&mut self, key: &Arc<str>, value: &Bytes, session: Option<SessionId>, revision: Revision) {
        let entry = Entry {
            value: value.clone(),
            modified: revision,
            session,
        };
        self.write(key, Some(entry), revision);
    }

    fn delete(&mut self, key: &Arc<str>, revision: Revision) {
        if self.get(key).is_some() {
            self.write(key, None, revision);
        }
    }

    fn write(&mut self, key: &Arc<str>, entry: Option<Entry>, revision: Revision) {
        self.changes.revision = revision;
        self.changes.events.push(Event {
            key: key.clone(),
            revision,
            entry: entry.clone(),
        });
        self.changes.written.insert(key.clone(), entry);
    }

    fn get(&self, key: &str) -> Option<&Entry> {
        match self.changes.written.get(key) {
            Some(entry) => entry.as_ref(),
            None => self.state.get(key),
        }
    }

    fn keys_in(&self, range: &KeyRange) -> Vec<Arc<str>> {
        let kept = self.state.keys_in(range).map(|(key, _)| key);
        let written = self.changes.written.keys().filter(|key| range.contains(key));
        let both: BTreeSet<&Arc<str>> = kept.chain(written).collect();
        both.into_iter().cloned().collect()
    }

    fn is_alive(&self, session: SessionId) -> bool {
        let opened = self.changes.opened.iter().any(|(id, _)| *id == session);
        let known = opened || self.state.session_keys(session).is_some();
        known && !self.changes.ended.contains(&session)
    }

    fn holds(&self, compare: &Compare) -> bool {
        match compare {
            Compare::ModifiedAt { key, revision } => {
                self.get(key).is_some_and(|entry| entry.modified == *revision)
            }
            Compare::Absent(key) => self.get(key).is_none(),
            Compare::Present(key) => self.get(key).is_some(),
            Compare::SessionAlive(session) => self.is_alive(*session),
        }
    }

    fn look(&self, compare: &Compare) -> Current {
        match compare {
            Compare::ModifiedAt { key, .. } | Compare::Absent(key) | Compare::Present(key) => {
                Current::Key(self.get(key).cloned())
            }
            Compare::SessionAlive(session) => Current::Session {
                alive: self.is_alive(*session),
            },
        }
    }
}
