//! The end of a membership.
//!
//! Owns: leaving for good, leaving for a while (static members). **Invariant**: whoever is gone has nothing: its partitions are
//! free in the same write that removes it.

use super::{AWAY_EPOCH, ConsumerGroup};
use crate::group::answer::Beaten;
use crate::group::assignor::Assignment;
use crate::group::error::GroupError;
use crate::group::machine::Turn;
use crate::group::name::MemberId;
use crate::group::record::{ConsumerRecord, Current, Record};
use crate::group::request::ConsumerHeartbeat;
use std::sync::Arc;

impl ConsumerGroup {
    /// A heartbeat with epoch -1 or -2. The caller writes, and answers.
    pub fn consumer_leave(
        &mut self,
        beat: &ConsumerHeartbeat,
        records: &mut Vec<Record>,
        turn: &mut Turn<'_>,
    ) -> Result<Beaten, GroupError> {
        let id = self.leaver(beat)?;
        if beat.epoch == AWAY_EPOCH {
            let current = self.current(&id);
            let away = Current {
                epoch: AWAY_EPOCH,
                revoking: Assignment::new(),
                ..Current::clone(&current)
            };
            self.emit(
                ConsumerRecord::Current(id.clone(), Some(Arc::new(away))),
                records,
                turn.facts,
            );
            self.watch_revocation(&id, turn);
        } else {
            self.remove_member(&id, records, turn);
            self.raise_epoch(records, turn);
        }
        Ok(Beaten {
            member: beat.member.clone(),
            epoch: beat.epoch,
            interval: std::time::Duration::ZERO,
            assignment: None,
        })
    }

    fn leaver(&self, beat: &ConsumerHeartbeat) -> Result<MemberId, GroupError> {
        let Some(instance) = &beat.instance else {
            let known = self.member(&beat.member).is_some();
            return known
                .then(|| beat.member.clone())
                .ok_or(GroupError::UnknownMemberId);
        };
        match self.statics.get(instance) {
            None => Err(GroupError::UnknownMemberId),
            Some(holder) if *holder != beat.member => Err(GroupError::FencedInstanceId),
            Some(holder) => Ok(holder.clone()),
        }
    }

    pub(super) fn remove_member(&mut self, id: &MemberId, records: &mut Vec<Record>, turn: &Turn<'_>) {
        self.forget_records(id, records, turn);
        self.timers.remove(id);
        self.has_lost = true;
    }

    /// Deletes what is stored of a member.
    pub(super) fn forget_records(&mut self, id: &MemberId, records: &mut Vec<Record>, turn: &Turn<'_>) {
        self.emit(ConsumerRecord::Current(id.clone(), None), records, turn.facts);
        self.emit(ConsumerRecord::Target(id.clone(), None), records, turn.facts);
        self.emit(ConsumerRecord::Member(id.clone(), None), records, turn.facts);
    }
}
