//! What the stores inside this process share: keys, revisions, sessions and recent history in memory, and watches on them.
//!
//! Owns: the present state and who waits for its changes. Never: durability. The memory store applies a change at once, the
//! embedded store after its commit.
//! **Invariant**: what is applied here is what the implementation promises to keep; readers never see more.

mod draft;
mod history;
mod state;
mod watch;

pub(crate) use draft::{Changes, Draft};
pub(crate) use state::State;
pub(crate) use watch::{LocalWatch, Tend};

use crate::store::{
    Entry, Event, KeyRange, RangePage, RangeQuery, ReadError, Revision, SESSION_TTL_MAX, SESSION_TTL_MIN,
    SessionError, SessionId,
};
use millstream_log::Clock;
use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch as progress;

/// What waiting watches wait for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    revision: Revision,
    closed: bool,
}

/// State, clock and the progress that watches wait for.
pub(crate) struct Local {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    published: progress::Sender<Progress>,
}

impl Local {
    pub(crate) fn new(clock: Arc<dyn Clock>, state: State) -> Self {
        let published = progress::Sender::new(Progress {
            revision: state.revision(),
            closed: false,
        });
        Self {
            clock,
            state: Mutex::new(state),
            published,
        }
    }

    /// For the time of a few map operations; never over an await or a commit.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Makes the changes visible and wakes the watches.
    pub(crate) fn apply(&self, changes: Changes) {
        let now = self.now();
        let revision = {
            let mut state = self.lock();
            state.apply(changes, now);
            state.revision()
        };
        self.publish(revision);
    }

    /// Decides and applies under one lock: for a store without durability.
    pub(crate) fn commit_at_once<T>(&self, decide: impl FnOnce(&mut Draft<'_>) -> T) -> T {
        let now = self.now();
        let (answer, revision) = {
            let mut state = self.lock();
            let mut draft = Draft::new(&state, now);
            let answer = decide(&mut draft);
            let changes = draft.finish();
            state.apply(changes, now);
            (answer, state.revision())
        };
        self.publish(revision);
        answer
    }

    fn publish(&self, revision: Revision) {
        // Two appliers may get here in the other order: never publish backwards.
        self.published.send_if_modified(|published| {
            let newer = revision > published.revision;
            published.revision = published.revision.max(revision);
            newer
        });
    }

    /// Ends the waiting of every watch, for good.
    pub(crate) fn close(&self) {
        self.published.send_modify(|published| published.closed = true);
    }

    /// Whether a session's time is up that was not ended yet: it must be, before anything is read or written.
    pub(crate) fn session_due(&self) -> bool {
        let now = self.now();
        self.lock().deadline().is_some_and(|deadline| deadline <= now)
    }

    /// Time until the next session expires.
    pub(crate) fn until_session_due(&self) -> Option<Duration> {
        let now = self.now();
        self.lock()
            .deadline()
            .map(|deadline| deadline.saturating_sub(now))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.published.borrow().closed
    }

    pub(crate) fn get(&self, key: &str) -> Option<Entry> {
        self.lock().get(key).cloned()
    }

    pub(crate) fn range(&self, query: &RangeQuery) -> Result<RangePage, ReadError> {
        self.lock().range(query)
    }

    pub(crate) fn keep_alive(&self, session: SessionId) -> Result<(), SessionError> {
        let now = self.now();
        if self.lock().keep_alive(session, now) {
            Ok(())
        } else {
            Err(SessionError::Expired)
        }
    }

    pub(crate) fn subscribe(&self) -> progress::Receiver<Progress> {
        self.published.subscribe()
    }

    /// Whole revisions of changes after `after`, with the revision through which they are complete; or the oldest revision
    /// after which all are known.
    pub(crate) fn changes_after(
        &self,
        range: &KeyRange,
        after: Revision,
    ) -> Result<(Vec<Event>, Revision), Revision> {
        let state = self.lock();
        let events = state.changes_after(range, after)?;
        let through = events.last().map_or(state.revision(), |last| last.revision);
        Ok((events, through))
    }
}

/// The limits on a session's lifetime, the same in every store.
pub(crate) fn check_ttl(ttl: Duration) -> Result<(), SessionError> {
    if (SESSION_TTL_MIN..=SESSION_TTL_MAX).contains(&ttl) {
        Ok(())
    } else {
        Err(SessionError::InvalidTtl)
    }
}
