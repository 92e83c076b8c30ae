//! The rebalance: from "somebody came or went" to a new generation.
//!
//! Owns: the join phase. Never: the shares (`sync`).
//! **Invariant**: a join waits no longer than the largest rebalance timeout among the members (or the initial delay).

use super::{ClassicGroup, ClassicState, JoinPhase};
use crate::group::answer::Answer;
use crate::group::error::GroupError;
use crate::group::machine::Turn;
use crate::group::machine::turn::Then;
use crate::group::name::MemberId;
use bytes::Bytes;
use std::time::Duration;

/// Members that are all static and all away are waited for in steps of at least this: a rebalance timeout of zero would
/// otherwise look for them without a pause until their sessions end.
const ABSENT_STATIC_WAIT_MIN: Duration = Duration::from_secs(1);

impl ClassicGroup {
    /// A change of membership: a rebalance starts, or the one under way may be complete now.
    pub(in crate::group::machine) fn rebalance_or_complete(&mut self, turn: &mut Turn<'_>) {
        match self.state {
            ClassicState::Empty | ClassicState::CompletingRebalance | ClassicState::Stable => {
                self.prepare_rebalance(turn)
            }
            ClassicState::PreparingRebalance => self.complete_if_all_joined(turn),
            ClassicState::Dead => {}
        }
    }

    /// Members are gone. An empty group, which only had invitations, stays empty.
    pub(super) fn after_removal(&mut self, turn: &mut Turn<'_>) {
        if self.state != ClassicState::Empty {
            self.rebalance_or_complete(turn);
        }
    }

    /// Invitations are gone: nobody's share changes, but the join phase may have waited for them.
    pub(super) fn after_lapse(&mut self, turn: &mut Turn<'_>) {
        if self.state == ClassicState::PreparingRebalance {
            self.complete_if_all_joined(turn);
        }
    }

    fn prepare_rebalance(&mut self, turn: &mut Turn<'_>) {
        if self.state == ClassicState::CompletingRebalance {
            self.refuse_waiting_syncs(GroupError::RebalanceInProgress, turn);
        }
        self.assigning = None;
        self.pending_sync.clear();
        self.sync_deadline = None;
        let now = turn.now.monotonic;
        let initial = self.state == ClassicState::Empty;
        self.transition(ClassicState::PreparingRebalance, turn);
        if initial {
            let delay = turn.config.initial_rebalance_delay;
            let latest = now + self.rebalance_timeout().max(delay);
            self.open_phase(JoinPhase::Initial {
                ends: now + delay,
                latest,
                extended: false,
            });
        } else {
            self.open_phase(JoinPhase::Rejoin {
                ends: now + self.rebalance_timeout(),
            });
            self.complete_if_all_joined(turn);
        }
    }

    fn open_phase(&mut self, phase: JoinPhase) {
        self.phase = phase;
        if let JoinPhase::Initial { ends, .. } | JoinPhase::Rejoin { ends } = phase {
            self.base.note(ends);
        }
    }

    /// The first rebalance of a group ends by its delay alone: more members are about to come.
    fn complete_if_all_joined(&mut self, turn: &mut Turn<'_>) {
        let all_joined = self.awaiting_join == self.members.len() && self.invited.is_empty();
        if all_joined && matches!(self.phase, JoinPhase::Rejoin { .. }) {
            self.complete_join(turn);
        }
    }

    pub(super) fn run_phase_deadline(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now.monotonic;
        match self.phase {
            JoinPhase::Initial {
                ends,
                latest,
                extended,
            } if ends <= now => {
                if extended && now < latest {
                    let ends = latest.min(now + turn.config.initial_rebalance_delay);
                    self.open_phase(JoinPhase::Initial {
                        ends,
                        latest,
                        extended: false,
                    });
                } else {
                    self.complete_join(turn);
                }
            }
            JoinPhase::Rejoin { ends } if ends <= now => self.complete_join(turn),
            _ => {}
        }
    }

    fn complete_join(&mut self, turn: &mut Turn<'_>) {
        self.phase = JoinPhase::Closed;
        let late = |id: &MemberId, group: &ClassicGroup| {
            let member = &group.members[id];
            member.awaiting_join.is_none() && member.instance.is_none()
        };
        let ids: Vec<MemberId> = self.members.keys().cloned().collect();
        for id in ids.iter().filter(|id| late(id, self)).collect::<Vec<_>>() {
            self.remove_member(id, GroupError::UnknownMemberId, turn);
        }
        if self.members.is_empty() {
            return self.become_empty(turn);
        }
        if !self.elect_joined_leader() {
            // Only static members are left, and none is here: their sessions decide.
            let wait = self.rebalance_timeout().max(ABSENT_STATIC_WAIT_MIN);
            return self.open_phase(JoinPhase::Rejoin {
                ends: turn.now.monotonic + wait,
            });
        }
        self.start_generation(turn);
    }

    fn elect_joined_leader(&mut self) -> bool {
        let joined = |id: &MemberId, group: &ClassicGroup| {
            let member = group.members.get(id);
            member.is_some_and(|member| member.awaiting_join.is_some())
        };
        if self.leader.as_ref().is_some_and(|leader| joined(leader, self)) {
            return true;
        }
        let successor = self
            .members
            .values()
            .find(|member| member.awaiting_join.is_some());
        let Some(successor) = successor.map(|member| member.id.clone()) else {
            return false;
        };
        self.leader = Some(successor);
        true
    }

    fn become_empty(&mut self, turn: &mut Turn<'_>) {
        self.advance_generation();
        self.protocol = None;
        self.leader = None;
        self.subscribed = self.read_subscriptions();
        self.transition(ClassicState::Empty, turn);
        let record = self.metadata_record(|_| Bytes::new());
        self.base.persist(vec![record], Then::Nothing, turn);
    }

    fn start_generation(&mut self, turn: &mut Turn<'_>) {
        self.advance_generation();
        self.protocol = self.select_protocol();
        self.subscribed = self.read_subscriptions();
        self.transition(ClassicState::CompletingRebalance, turn);
        let now = turn.now.monotonic;
        self.pending_sync = self.members.keys().cloned().collect();
        let ids: Vec<MemberId> = self.members.keys().cloned().collect();
        for id in &ids {
            let joined = self.joined(id);
            let member = self.members.get_mut(id).expect("the ids are the map's keys");
            member.is_new = false;
            if let Some(request) = member.awaiting_join.take() {
                self.awaiting_join -= 1;
                turn.reply(request, Answer::Join(Ok(joined)));
            }
            self.renew_session(id, now);
        }
        let deadline = now + self.rebalance_timeout();
        self.sync_deadline = Some(deadline);
        self.base.note(deadline);
    }

    fn advance_generation(&mut self) {
        // Below zero means "no generation" on the wire, so the count starts anew rather than turn negative.
        self.generation = self.generation.checked_add(1).unwrap_or(0);
    }
}
