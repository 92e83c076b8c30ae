//! What others want to know of a classic group: administrators, committers, the sweep over old offsets.
//!
//! Owns: the answers. Never: a change of membership.

use super::ClassicGroup;
use crate::group::answer::{DescribedGroup, GroupState};
use crate::group::error::GroupError;
use crate::group::machine::Turn;
use crate::group::record::CommittedOffset;
use crate::group::request::CommitRequest;

impl ClassicGroup {
    /// DescribeGroups.
    pub fn describe(&self) -> Option<DescribedGroup> {
        let stable = self.state == GroupState::Stable;
        let protocol = self.protocol.as_ref().filter(|_| stable);
        (self.state != GroupState::Dead).then(|| DescribedGroup {
            group: self.base.id.clone(),
            state: self.state,
            protocol_type: self.protocol_type.clone(),
            protocol: protocol.cloned(),
            members: self
                .members
                .values()
                .map(|member| member.described(protocol))
                .collect(),
        })
    }

    /// It is being deleted: whoever was invited finds nothing.
    pub fn set_dead(&mut self) {
        self.invited.clear();
        self.state = GroupState::Dead;
    }

    /// Offsets of a group with members age only if it is known what the members consume.
    pub fn offsets_age(&self) -> bool {
        match (&self.protocol_type, self.state) {
            (None, _) | (Some(_), GroupState::Empty) => true,
            (Some(_), GroupState::Stable) => self.is_consumer_group() && self.subscribed.is_some(),
            _ => false,
        }
    }

    /// Offsets of an empty group age from the moment it became empty, all others from their commit.
    pub fn ages_from_ms(&self, offset: &CommittedOffset) -> i64 {
        if self.protocol_type.is_some() && self.state == GroupState::Empty {
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
            && matches!(self.state, GroupState::Stable | GroupState::PreparingRebalance)
        {
            self.renew_session(member, turn.now.monotonic);
        }
        Ok(())
    }

    fn validate_commit(&self, commit: &CommitRequest) -> Result<(), GroupError> {
        if self.state == GroupState::Dead {
            return Err(GroupError::CoordinatorNotAvailable);
        }
        if commit.generation < 0 && self.state == GroupState::Empty {
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
        if self.state == GroupState::CompletingRebalance && commit.transaction.is_none() {
            // The member is of this generation, but its partitions may already be somebody else's.
            return Err(GroupError::RebalanceInProgress);
        }
        Ok(())
    }
}
