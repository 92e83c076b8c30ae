//! The group's epoch and what each member is to have in it.
//!
//! Owns: when the epoch rises, and the difference between two targets. Never: the choice (`assignor`), a member's way
//! (`reconcile`).
//!
//! **Invariant**: the epoch of the targets is written behind the targets; a stream that ends between them leads to another
//! assignment, not to a wrong one.

use super::ConsumerGroup;
use crate::group::assignor::{Assignment, MemberSpec, assign};
use crate::group::machine::Turn;
use crate::group::machine::turn::Then;
use crate::group::name::MemberId;
use crate::group::record::{ConsumerRecord, GroupEpoch, Record};
use std::sync::Arc;

impl ConsumerGroup {
    /// Members or subscriptions have changed: a new epoch.
    pub(super) fn raise_epoch(&mut self, records: &mut Vec<Record>, turn: &Turn<'_>) {
        let epoch = GroupEpoch {
            epoch: self.epoch().saturating_add(1),
            topics: self.hash_of_topics(turn),
        };
        self.emit(ConsumerRecord::Epoch(Some(epoch)), records, turn.facts);
    }

    pub(super) fn hash_of_topics(&self, turn: &Turn<'_>) -> u64 {
        self.subscriptions.hash(&self.subscriptions.view(turn.facts))
    }

    /// Topics came, went or grew, or rights to see them did: a new epoch if it concerns the members. Only what is stored says whether
    /// it does: what this group remembers is gone with a write that fails, and after a restart.
    pub fn topics_changed(&mut self, turn: &mut Turn<'_>) {
        if self.is_empty() {
            return;
        }
        self.subscriptions.resolve_again(turn.facts);
        let topics = self.hash_of_topics(turn);
        if self.state.epoch.is_none_or(|epoch| epoch.topics != topics) {
            let mut records = Vec::new();
            self.raise_epoch(&mut records, turn);
            self.base.persist(records, Then::Nothing, turn);
        }
    }

    /// Computes the targets of the present epoch, unless they are there.
    pub(super) fn retarget(&mut self, records: &mut Vec<Record>, turn: &Turn<'_>) {
        if self.epoch() <= self.state.target_epoch {
            return;
        }
        let assignor = self.assignor(turn);
        for (id, share) in self.shares(assignor, turn) {
            if *self.target(&id) != share {
                self.emit(
                    ConsumerRecord::Target(id, Some(Arc::new(share))),
                    records,
                    turn.facts,
                );
            }
        }
        let epoch = self.epoch();
        self.emit(ConsumerRecord::TargetEpoch(Some(epoch)), records, turn.facts);
    }

    fn shares(
        &self,
        assignor: crate::group::assignor::Assignor,
        turn: &Turn<'_>,
    ) -> Vec<(MemberId, Assignment)> {
        let view = self.subscriptions.view(turn.facts);
        let (mut spec, places) = self.subscriptions.spec(&view);
        let nothing = Assignment::new();
        spec.members = self
            .state
            .members
            .iter()
            .map(|(id, member)| MemberSpec {
                id,
                instance: member.instance.as_ref(),
                subscription: places[&member.subscription],
                present: self.state.targets.get(id).map_or(&nothing, |target| target),
            })
            .collect();
        let shares = assign(assignor, &spec);
        self.state.members.keys().cloned().zip(shares).collect()
    }
}
