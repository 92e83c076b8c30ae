//! Groups that change their kind: a classic group becomes a consumer group when the first member of the new protocol joins, and
//! a classic group again when the last one has gone (KIP-848, migration); an empty group takes the kind of whoever joins.
//!
//! Owns: the order of decision, conversion, write and answer. Never: what becomes of a member (`consumer/convert.rs`).
//!
//! **Invariant**: what a step changes is one write, conversions included.

use super::Turn;
use super::base::Base;
use super::consumer::{ConsumerGroup, refuse, upgradable};
use super::group::Group;
use super::turn::Then;
use crate::group::answer::{Answer, GroupKind, JoinRefused};
use crate::group::error::{GroupError, PersistError};
use crate::group::record::Record;
use crate::group::request::{ConsumerHeartbeat, JoinRequest, Leaver};
use crate::state::RequestId;

fn heartbeat_failed(error: PersistError) -> Answer {
    Answer::ConsumerHeartbeat(Err(error.for_group()))
}

fn leave_failed(error: PersistError) -> Answer {
    Answer::Leave(Err(error.for_group()))
}

fn join_failed(error: PersistError) -> Answer {
    Answer::Join(Err(JoinRefused {
        error: error.for_group(),
        member: None,
    }))
}

impl Group {
    pub(super) fn take_base(&mut self) -> Base {
        std::mem::replace(self.base_mut(), Base::nobody())
    }

    /// An empty group without a kind; what is stored of the kind is the caller's to delete.
    pub fn become_nobodys(&mut self, turn: &Turn<'_>) {
        let base = self.take_base();
        *self = Self::empty(base, turn.now.wall_ms);
    }

    /// ConsumerGroupHeartbeat.
    pub fn consumer_heartbeat(&mut self, request: RequestId, beat: &ConsumerHeartbeat, turn: &mut Turn<'_>) {
        if self.is_dead() {
            return refuse(request, GroupError::CoordinatorNotAvailable, turn);
        }
        let mut records = Vec::new();
        if let Err(error) = self.become_consumer_group(beat, &mut records, turn) {
            return refuse(request, error, turn);
        }
        let Self::Consumer(group) = self else {
            return refuse(request, GroupError::NotOfKind(GroupKind::Consumer), turn);
        };
        let outcome = if beat.epoch < 0 {
            group.consumer_leave(beat, &mut records, turn)
        } else {
            group.consumer_beat(beat, &mut records, turn)
        };
        self.downgrade_if_possible(&mut records, turn);
        let answer = Answer::ConsumerHeartbeat(outcome);
        self.base_mut()
            .answer(request, records, answer, heartbeat_failed, turn);
        self.rebalance_if_downgraded(turn);
    }

    /// A classic group that a member of the new protocol joins.
    fn become_consumer_group(
        &mut self,
        beat: &ConsumerHeartbeat,
        records: &mut Vec<Record>,
        turn: &mut Turn<'_>,
    ) -> Result<(), GroupError> {
        let Self::Classic(classic) = self else {
            return Ok(());
        };
        if beat.epoch != 0 {
            return Err(GroupError::NotOfKind(GroupKind::Consumer));
        }
        // Asked before anything changes: what is refused must leave the group as it is.
        super::consumer::check_newcomer(beat, classic.members.len(), turn)?;
        let members = upgradable(classic, turn).ok_or(GroupError::NotOfKind(GroupKind::Consumer))?;
        classic.refuse_all_waiting(turn);
        let generation = classic.generation;
        let base = self.take_base();
        let group = ConsumerGroup::upgraded(base, generation, members, records, turn);
        *self = Self::Consumer(Box::new(group));
        Ok(())
    }

    /// Deadlines of the members of a consumer group.
    pub(super) fn expire_members(&mut self, turn: &mut Turn<'_>) {
        let Self::Consumer(group) = self else {
            return;
        };
        let mut records = Vec::new();
        group.expire(&mut records, turn);
        if records.is_empty() {
            return;
        }
        self.downgrade_if_possible(&mut records, turn);
        self.base_mut().persist(records, Then::Nothing, turn);
        self.rebalance_if_downgraded(turn);
    }

    /// JoinGroup of a member of the classic protocol.
    pub(super) fn join_consumer_group(&mut self, request: RequestId, join: JoinRequest, turn: &mut Turn<'_>) {
        let Self::Consumer(group) = self else {
            return;
        };
        let mut records = Vec::new();
        if group.is_empty() {
            group.dissolve(&mut records);
            self.become_nobodys(turn);
            let then = Then::Join(request, Box::new(join));
            return self.base_mut().persist(records, then, turn);
        }
        match group.classic_join(&join, &mut records, turn) {
            Ok(member) if self.downgrade_if_possible(&mut records, turn) => {
                let again = JoinRequest {
                    member: Some(member),
                    ..join
                };
                let then = Then::Join(request, Box::new(again));
                self.base_mut().persist(records, then, turn);
            }
            outcome => {
                let Self::Consumer(group) = self else {
                    return;
                };
                let answer = Answer::Join(outcome.map(|member| group.joined(member)));
                self.base_mut()
                    .answer(request, records, answer, join_failed, turn);
            }
        }
    }

    /// The join of a member into a group that has just become classic.
    pub(super) fn join_again(
        &mut self,
        request: RequestId,
        join: JoinRequest,
        outcome: Result<(), PersistError>,
        turn: &mut Turn<'_>,
    ) {
        match outcome {
            Ok(()) => self.join(request, join, turn),
            Err(error) => turn.refuse_join(request, error.for_group(), join.member),
        }
    }

    /// LeaveGroup.
    pub(super) fn leave_consumer_group(
        &mut self,
        request: RequestId,
        leavers: Vec<Leaver>,
        turn: &mut Turn<'_>,
    ) {
        let Self::Consumer(group) = self else {
            return;
        };
        let mut records = Vec::new();
        let answer = group.classic_leave(leavers, &mut records, turn);
        self.base_mut()
            .answer(request, records, answer, leave_failed, turn);
    }

    /// The last member of the new protocol has gone in this step: the others go on as a classic group, if that is allowed.
    fn downgrade_if_possible(&mut self, records: &mut Vec<Record>, turn: &Turn<'_>) -> bool {
        let Self::Consumer(group) = self else {
            return false;
        };
        if !group.take_downgradable(turn) {
            return false;
        }
        let mut classic = group.downgraded(records, turn);
        classic.base = self.take_base();
        classic.watch_members();
        *self = Self::Classic(Box::new(classic));
        true
    }

    /// The shares of whoever left are nobody's: the members share anew.
    fn rebalance_if_downgraded(&mut self, turn: &mut Turn<'_>) {
        if let Self::Classic(group) = self {
            group.rebalance_or_complete(turn);
        }
    }
}
