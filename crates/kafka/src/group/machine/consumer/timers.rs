//! What a member has to do by when.
//!
//! Owns: the deadlines and what follows when one passes. Never: stored; after a restart every member has a fresh session.
//!
//! **Invariant**: a member has a session deadline, always; so whoever falls silent is missed.

use super::ConsumerGroup;
use crate::group::machine::Turn;
use crate::group::name::MemberId;
use crate::group::record::{MemberState, Record};
use std::time::Duration;

/// The deadlines of one member, on the monotonic clock.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Timers {
    /// Of its next sign of life.
    pub session: Option<Duration>,
    /// By when it has given partitions back.
    pub revocation: Option<Duration>,
    /// By when a member of the classic protocol has joined again.
    pub join: Option<Duration>,
    /// By when it has fetched its share.
    pub sync: Option<Duration>,
}

impl Timers {
    pub fn earliest(&self) -> Option<Duration> {
        [self.session, self.revocation, self.join, self.sync]
            .into_iter()
            .flatten()
            .min()
    }
}

impl ConsumerGroup {
    pub fn earliest_deadline(&self) -> Option<Duration> {
        self.timers.values().filter_map(Timers::earliest).min()
    }

    /// How long a member may be silent.
    fn session_timeout(&self, id: &MemberId, turn: &Turn<'_>) -> Duration {
        let classic = self.member(id).and_then(|member| member.classic.as_ref());
        match classic {
            Some(classic) => Duration::from_millis(u64::from(classic.session_timeout_ms)),
            None => turn
                .config
                .consumer
                .session_timeout(turn.facts.overrides(&self.base.id)),
        }
    }

    pub(super) fn renew_session(&mut self, id: &MemberId, turn: &Turn<'_>) {
        let due = turn.now.monotonic + self.session_timeout(id, turn);
        self.set_timer(id, due, |timers| &mut timers.session);
    }

    pub(super) fn set_timer(
        &mut self,
        id: &MemberId,
        due: Duration,
        which: fn(&mut Timers) -> &mut Option<Duration>,
    ) {
        if let Some(timers) = self.timers.get_mut(id) {
            *which(timers) = Some(due);
            self.base.note(due);
        }
    }

    /// The time that a member has to give partitions back, or to join again.
    pub(super) fn rebalance_timeout(&self, id: &MemberId) -> Duration {
        let ms = self.member(id).map_or(0, |member| member.rebalance_timeout_ms);
        Duration::from_millis(u64::from(ms))
    }

    /// Starts or ends the time for giving back, as the member's state asks for. Members of the classic protocol have their own.
    pub(super) fn watch_revocation(&mut self, id: &MemberId, turn: &Turn<'_>) {
        let classic = self.member(id).is_some_and(|member| member.classic.is_some());
        let revokes = !classic && self.current(id).state == MemberState::Unrevoked;
        let due = turn.now.monotonic + self.rebalance_timeout(id);
        let Some(timers) = self.timers.get_mut(id) else {
            return;
        };
        timers.revocation = revokes.then(|| timers.revocation.unwrap_or(due));
        if let Some(due) = timers.revocation {
            self.base.note(due);
        }
    }

    /// Members that have let a deadline pass go. The caller writes.
    pub fn expire(&mut self, records: &mut Vec<Record>, turn: &mut Turn<'_>) {
        let now = turn.now.monotonic;
        let late = |timers: &Timers| timers.earliest().is_some_and(|due| due <= now);
        let late = self.timers.iter().filter(|(_, timers)| late(timers));
        let late: Vec<MemberId> = late.map(|(id, _)| id.clone()).collect();
        if late.is_empty() {
            return;
        }
        for id in &late {
            tracing::info!(group = %self.base.id, member = %id, "a silent or slow member is removed");
            self.remove_member(id, records, turn);
        }
        self.raise_epoch(records, turn);
    }
}
