//! SyncGroup: the leader's shares reach every member, once they are durable.
//!
//! Owns: the second half of a rebalance. **Invariant**: no member learns its share before the group's record is durable, and
//! none of a generation that is no longer current.

use super::{ClassicGroup, ClassicState};
use crate::group::answer::{Answer, Synced};
use crate::group::error::{GroupError, PersistError};
use crate::group::machine::Turn;
use crate::group::machine::turn::{Assigned, Then};
use crate::group::name::{MemberId, ProtocolName};
use crate::group::request::SyncRequest;
use crate::state::RequestId;
use bytes::Bytes;
use std::collections::BTreeMap;

impl ClassicGroup {
    pub(in crate::group::machine) fn sync(
        &mut self,
        request: RequestId,
        sync: SyncRequest,
        turn: &mut Turn<'_>,
    ) {
        if let Err(error) = self.validate_sync(&sync) {
            return turn.reply(request, Answer::Sync(Err(error)));
        }
        match self.state {
            ClassicState::Empty | ClassicState::Dead => {
                turn.reply(request, Answer::Sync(Err(GroupError::UnknownMemberId)));
            }
            ClassicState::PreparingRebalance => {
                turn.reply(request, Answer::Sync(Err(GroupError::RebalanceInProgress)));
            }
            ClassicState::CompletingRebalance => self.await_share(request, sync, turn),
            ClassicState::Stable => {
                self.received_sync(&sync.member);
                self.renew_session(&sync.member, turn.now.monotonic);
                let synced = self.synced(&sync.member);
                turn.reply(request, Answer::Sync(Ok(synced)));
            }
        }
    }

    fn validate_sync(&self, sync: &SyncRequest) -> Result<(), GroupError> {
        if self.state == ClassicState::Dead {
            return Err(GroupError::CoordinatorNotAvailable);
        }
        self.validate(Some(&sync.member), sync.instance.as_ref())?;
        if sync.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        let differs = |asked: &Option<ProtocolName>, ours: &Option<ProtocolName>| {
            asked.is_some() && ours.is_some() && asked != ours
        };
        if differs(&sync.protocol_type, &self.protocol_type) || differs(&sync.protocol, &self.protocol) {
            return Err(GroupError::InconsistentGroupProtocol);
        }
        Ok(())
    }

    fn await_share(&mut self, request: RequestId, sync: SyncRequest, turn: &mut Turn<'_>) {
        self.received_sync(&sync.member);
        let member = self.members.get_mut(&sync.member).expect("validated");
        if let Some(earlier) = member.awaiting_sync.replace(request) {
            turn.reply(earlier, Answer::Sync(Err(GroupError::RebalanceInProgress)));
        }
        // A leader that asks again while its shares are being written waits for that write.
        if !self.is_leader(&sync.member) || self.assigning == Some(self.generation) {
            return;
        }
        let mut assignments: BTreeMap<MemberId, Bytes> = sync.assignments.into_iter().collect();
        // Members the leader forgot get an empty share, so that they too learn that the generation is complete.
        assignments.retain(|member, _| self.members.contains_key(member));
        self.assigning = Some(self.generation);
        let share = |id: &MemberId| assignments.get(id).cloned().unwrap_or_default();
        let record = self.metadata_record(|member| share(&member.id));
        let then = Then::Assigned(Assigned {
            generation: self.generation,
            assignments,
        });
        self.base.persist(vec![record], then, turn);
    }

    /// The shares are durable, or are not.
    pub(in crate::group::machine) fn assigned(
        &mut self,
        mut assigned: Assigned,
        outcome: Result<(), PersistError>,
        turn: &mut Turn<'_>,
    ) {
        // Somebody came or went meanwhile: a new generation is on its way, and these shares are nobody's.
        if self.state != ClassicState::CompletingRebalance || self.generation != assigned.generation {
            return;
        }
        self.assigning = None;
        if let Err(error) = outcome {
            self.refuse_waiting_syncs(error.for_group(), turn);
            return self.rebalance_or_complete(turn);
        }
        self.transition(ClassicState::Stable, turn);
        let ids: Vec<MemberId> = self.members.keys().cloned().collect();
        for id in &ids {
            let member = self.members.get_mut(id).expect("the ids are the map's keys");
            member.assignment = assigned.assignments.remove(id).unwrap_or_default();
            if let Some(request) = member.awaiting_sync.take() {
                let synced = self.synced(id);
                turn.reply(request, Answer::Sync(Ok(synced)));
                self.renew_session(id, turn.now.monotonic);
            }
        }
    }

    /// Whoever waits for a share gets `error`, and the time of a session to join again.
    pub(super) fn refuse_waiting_syncs(&mut self, error: GroupError, turn: &mut Turn<'_>) {
        let ids: Vec<MemberId> = self.members.keys().cloned().collect();
        for id in &ids {
            let member = self.members.get_mut(id).expect("the ids are the map's keys");
            member.assignment = Bytes::new();
            if let Some(request) = member.awaiting_sync.take() {
                turn.reply(request, Answer::Sync(Err(error)));
                self.renew_session(id, turn.now.monotonic);
            }
        }
    }

    fn received_sync(&mut self, member: &MemberId) {
        self.pending_sync.remove(member);
        if self.pending_sync.is_empty() {
            self.sync_deadline = None;
        }
    }

    fn synced(&self, id: &MemberId) -> Synced {
        let member = self.members.get(id);
        Synced {
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            assignment: member.map(|member| member.assignment.clone()).unwrap_or_default(),
        }
    }

    /// Members that joined and then never asked for their share go, so that the others are not held up for ever.
    pub(super) fn run_sync_deadline(&mut self, turn: &mut Turn<'_>) {
        if self
            .sync_deadline
            .is_none_or(|deadline| deadline > turn.now.monotonic)
        {
            return;
        }
        self.sync_deadline = None;
        let silent = std::mem::take(&mut self.pending_sync);
        let in_generation = matches!(
            self.state,
            ClassicState::CompletingRebalance | ClassicState::Stable
        );
        if !in_generation || silent.is_empty() {
            return;
        }
        for id in &silent {
            self.remove_member(id, GroupError::UnknownMemberId, turn);
        }
        self.after_removal(turn);
    }
}
