//! The group's epoch and what each member is to have in it.
//!
//! Owns: when the epoch rises, when the targets follow. Never: the choice (`assign`), a member's way (`reconcile`).
//!
//! **Invariant**: the epoch of the targets is written behind the targets; a stream that ends between them leads to another
//! assignment, not to a wrong one.

use super::StreamsGroup;
use super::assign::{self, Spec};
use super::topology::{self, Laid};
use crate::group::facts::Facts;
use crate::group::machine::Turn;
use crate::group::name::MemberId;
use crate::group::record::{Record, StreamsEpoch, StreamsRecord, Tasks};
use std::sync::Arc;
use std::time::Duration;

/// The epoch of the targets that nobody has computed.
const NOTHING_EPOCH: i32 = 1;

impl StreamsGroup {
    /// Lays the topology over the topics of now.
    pub(super) fn lay(&mut self, facts: &dyn Facts) {
        let topology = self.state.topology.as_deref();
        self.laid = topology.map(|topology| topology::lay(topology, facts));
    }

    /// What the group knows of its topics is no longer so.
    pub(super) fn topics_moved(&self, facts: &dyn Facts) -> bool {
        self.laid.is_none()
            || self
                .state
                .epoch
                .is_none_or(|epoch| epoch.topics != self.hash(facts))
    }

    fn hash(&self, facts: &dyn Facts) -> u64 {
        let topology = self.state.topology.as_deref();
        topology.map_or(0, |topology| topology::hash(topology, facts))
    }

    /// Members, topics or settings have changed: a new epoch.
    pub(super) fn raise_epoch(&mut self, facts: &dyn Facts, records: &mut Vec<Record>) {
        let standby_replicas = self.state.epoch.map_or(0, |epoch| epoch.standby_replicas);
        self.raise_epoch_with(standby_replicas, facts, records);
    }

    pub(super) fn raise_epoch_with(
        &mut self,
        standby_replicas: u32,
        facts: &dyn Facts,
        records: &mut Vec<Record>,
    ) {
        // The hash first: a topic that is made in between makes the next look another epoch, instead of being in it and not laid out.
        let topics = self.hash(facts);
        self.lay(facts);
        // Epoch 1 is that of a group in which nobody has anything yet: so whoever has to wait for the first targets has an epoch.
        if self.state.target_epoch == 0 {
            self.emit(StreamsRecord::TargetEpoch(Some(NOTHING_EPOCH)), records);
        }
        let epoch = StreamsEpoch {
            epoch: self.epoch().max(NOTHING_EPOCH).saturating_add(1),
            topics,
            standby_replicas,
        };
        self.emit(StreamsRecord::Epoch(Some(epoch)), records);
    }

    /// The targets of a new epoch follow after `wait`, unless they are on their way already.
    pub(super) fn assign_after(&mut self, wait: Duration, turn: &Turn<'_>) {
        if self.epoch() <= self.state.target_epoch || self.is_empty() {
            return;
        }
        let at = *self.assigns_at.get_or_insert(turn.now.monotonic + wait);
        self.base.note(at);
    }

    /// Computes the targets of the present epoch if they are not there and it is time.
    pub(super) fn retarget_if_due(&mut self, records: &mut Vec<Record>, turn: &Turn<'_>) {
        if self.assigns_at.is_none_or(|at| at > turn.now.monotonic) {
            return;
        }
        self.assigns_at = None;
        // The targets of an epoch are of the topics that it was raised for; since then these may have changed, and nobody looked.
        if self
            .state
            .epoch
            .is_some_and(|epoch| epoch.topics != self.hash(turn.facts))
        {
            self.raise_epoch(turn.facts, records);
        } else {
            self.lay(turn.facts);
        }
        // To deal out nothing, as topics are missing, is no reason to let those wait that are there the next moment.
        if self.laid.as_ref().is_some_and(Laid::is_ready) {
            self.assigned_at = Some(turn.now.monotonic);
        }
        for (id, share) in self.shares() {
            if *self.target(&id) != share {
                self.emit(StreamsRecord::Target(id, Some(Arc::new(share))), records);
            }
        }
        let epoch = self.epoch();
        self.emit(StreamsRecord::TargetEpoch(Some(epoch)), records);
    }

    fn shares(&self) -> Vec<(MemberId, Tasks)> {
        let nothing = Tasks::default();
        let nobody = Laid::default();
        let laid = self
            .laid
            .as_ref()
            .filter(|laid| laid.is_ready())
            .unwrap_or(&nobody);
        let parts = self.state.topology.iter().flat_map(|all| &all.subtopologies);
        let spec = Spec {
            members: self
                .state
                .members
                .iter()
                .map(|(id, member)| {
                    let had = self.state.targets.get(id).map_or(&nothing, |target| &**target);
                    (id, member.process.clone(), had)
                })
                .collect(),
            tasks: &laid.tasks,
            stateful: parts
                .filter(|(_, part)| !part.changelogs.is_empty())
                .map(|(id, _)| id)
                .collect(),
            standby_replicas: self.state.epoch.map_or(0, |epoch| epoch.standby_replicas),
        };
        let shares = assign::assign(&spec);
        self.state.members.keys().cloned().zip(shares).collect()
    }
}
