//! What others want to know of a classic group: administrators, committers, the sweep over old offsets.
//!
//! Owns: the answers. Never: a change of membership.

use super::{ClassicGroup, ClassicState};
use crate::group::answer::DescribedGroup;
use crate::group::error::GroupError;
use crate::group::machine::Turn;
use crate::group::record::CommittedOffset;
use crate::group::request::CommitRequest;

impl ClassicGroup {
    /// DescribeGroups.
    pub fn describe(&self) -> Option<DescribedGroup> {
        let stable = self.state == ClassicState::Stable;
        let protocol = self.protocol.as_ref().filter(|_| stable);
        (self.state != ClassicState::Dead).then(|| DescribedGroup {
            group: self.base.id.clone(),
            state: self.state.shown(),
            protocol_type: self.protocol_type.clone(),
            protocol: protocol.cloned(),
            members: self
                .members
                .values()
                .map(|member| member.described(protocol))
                .collect(),
        })
    }

    /// The group changes its kind: whoever waits comes again.
    pub fn refuse_all_waiting(&mut self, turn: &mut Turn<'_>) {
        self.refuse_waiting_syncs(GroupError::RebalanceInProgress, turn);
        for member in self.members.values_mut() {
            if let Some(request) = member.awaiting_join.take() {
                self.awaiting_join -= 1;
                turn.refuse_join(request, GroupError::RebalanceInProgress, Some(member.id.clone()));
            }
        }
    }

    /// The members' deadlines are new to the group's timer.
    pub fn watch_members(&mut self) {
        if let Some(due) = self.earliest_deadline() {
            self.base.note(due);
        }
    }

    /// It is being deleted: whoever was invited finds nothing.
    pub fn set_dead(&mut self) {
        self.invited.clear();
        self.state = ClassicState::Dead;
    }

    /// Offsets of a group with members age only if it is known what the members consume.
    pub fn offsets_age(&self) -> bool {
        match (&self.protocol_type, self.state) {
            (None, _) | (Some(_), ClassicState::Empty) => true,
            (Some(_), ClassicState::Stable) => self.is_consumer_group() && self.subscribed.is_some(),
            _ => false,
        }
    }

    /// Offsets of an empty group age from the moment it became empty, all others from their commit.
    pub fn ages_from_ms(&self, offset: &CommittedOffset) -> i64 {
        if self.protocol_type.is_some() && self.state == ClassicState::Empty {
            self.since_ms
        } else {
            offset.committed_ms
        }
    }

    /// Whether this committer may commit now.
    pub fn admit_commit(&mut self, commit: &CommitRequest, turn: &Turn<'_>) -> Result<(), GroupError> {
        self.validate_commit(commit)?;
        // A commit is a sign of life.
        if let Some(member) = &commit.member
            && matches!(
                self.state,
                ClassicState::Stable | ClassicState::PreparingRebalance
            )
        {
            self.renew_session(member, turn.now.monotonic);
        }
        Ok(())
    }

    fn validate_commit(&self, commit: &CommitRequest) -> Result<(), GroupError> {
        if self.state == ClassicState::Dead {
            return Err(GroupError::CoordinatorNotAvailable);
        }
        if commit.generation < 0 && self.state == ClassicState::Empty {
            return Ok(());
        }
        let claims_membership =
            commit.generation >= 0 || commit.member.is_some() || commit.instance.is_some();
        if !claims_membership && commit.transaction.is_some() {
            // Producers that know nothing of their consumer's group metadata (KIP-447 came later).
            return Ok(());
        }
        if !claims_membership {
            // Somebody without membership would overwrite what the members commit.
            return Err(GroupError::UnknownMemberId);
        }
        self.validate(commit.member.as_ref(), commit.instance.as_ref())?;
        if commit.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        if self.state == ClassicState::CompletingRebalance && commit.transaction.is_none() {
            // The member is of this generation, but its partitions may already be somebody else's.
            return Err(GroupError::RebalanceInProgress);
        }
        Ok(())
    }
}
