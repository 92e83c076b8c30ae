//! What a member has to do by when, and when tasks are dealt out.
//!
//! Owns: the deadlines and what follows when one passes. Never: stored; after a restart every member has a fresh session.
//!
//! **Invariant**: a member has a session deadline, always; so whoever falls silent is missed.

use super::StreamsGroup;
use crate::group::machine::Turn;
use crate::group::machine::turn::Then;
use crate::group::name::MemberId;
use crate::group::record::MemberState;
use std::time::Duration;

/// How long a member may be silent after a restart, until its next heartbeat brings the group's own setting. Kafka's default.
pub(super) const RESTORED_SESSION_TIMEOUT: Duration = Duration::from_secs(45);

/// How long targets that were not written wait after the state was read anew. Kafka's default of the time between two assignments.
pub(super) const RESTORED_ASSIGNMENT_WAIT: Duration = Duration::from_secs(1);

/// The deadlines of one member, on the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timers {
    /// Of its next sign of life.
    pub session: Duration,
    /// By when it has given tasks back.
    pub revocation: Option<Duration>,
}

impl Timers {
    fn earliest(&self) -> Duration {
        self.revocation.map_or(self.session, |due| due.min(self.session))
    }
}

impl StreamsGroup {
    pub fn earliest_deadline(&self) -> Option<Duration> {
        let members = self.timers.values().map(Timers::earliest);
        members.chain(self.assigns_at).min()
    }

    pub(super) fn renew_session(&mut self, id: &MemberId, timeout: Duration, turn: &Turn<'_>) {
        let session = turn.now.monotonic + timeout;
        let revocation = self.timers.get(id).and_then(|timers| timers.revocation);
        self.timers.insert(id.clone(), Timers { session, revocation });
        self.base.note(session);
    }

    /// Starts or ends the time for giving back, as the member's state asks for.
    pub(super) fn watch_revocation(&mut self, id: &MemberId, turn: &Turn<'_>) {
        let revokes = self.current(id).state == MemberState::Unrevoked;
        let ms = self.member(id).map_or(0, |member| member.rebalance_timeout_ms);
        let due = turn.now.monotonic + Duration::from_millis(u64::from(ms));
        let Some(timers) = self.timers.get_mut(id) else {
            return;
        };
        timers.revocation = revokes.then(|| timers.revocation.unwrap_or(due));
        if let Some(due) = timers.revocation {
            self.base.note(due);
        }
    }

    /// Members that have let a deadline pass go, and tasks are dealt out if it is time.
    pub fn run_deadlines(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now.monotonic;
        let late = self.timers.iter().filter(|(_, timers)| timers.earliest() <= now);
        let late: Vec<MemberId> = late.map(|(id, _)| id.clone()).collect();
        let mut records = Vec::new();
        for id in &late {
            tracing::info!(group = %self.base.id, member = %id, "a silent or slow member is removed");
            self.remove_member(id, &mut records);
        }
        if !late.is_empty() {
            self.raise_epoch(turn.facts, &mut records);
            self.assign_after(Duration::ZERO, turn);
        }
        self.retarget_if_due(&mut records, turn);
        if !records.is_empty() {
            self.base.persist(records, Then::Nothing, turn);
        }
    }
}
