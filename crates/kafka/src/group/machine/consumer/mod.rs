//! A consumer group (KIP-848): the coordinator assigns, each member moves towards its share by itself, and who is not
//! concerned goes on.
//!
//! Owns: what is derived from the records (who owns which partition, who subscribes to what) and the members' timers. Never: a
//! decision; those lie in `heartbeat`, `leave`, `target`, `reconcile`, `classic_member`.
//!
//! **Invariant** (trap T12): `state` changes by records only, each of which is also written; so the group as it lives is the fold
//! of its stream and of the writes under way. An answer leaves when the writes before it are durable. If a write fails, the
//! group is ahead of its stream for good, and the shard is read anew (`Output::Reload`).

mod check;
mod classic_member;
mod convert;
mod describe;
mod heartbeat;
mod leave;
mod patterns;
mod reconcile;
#[cfg(test)]
mod reconcile_tests;
mod subscriptions;
mod target;
mod timers;

pub(super) use convert::upgradable;
pub(super) use heartbeat::{check_newcomer, refuse};

use super::Turn;
use super::base::Base;
use crate::group::answer::GroupState;
use crate::group::assignor::{Assignment, Assignor};
use crate::group::facts::Facts;
use crate::group::name::{InstanceId, MemberId, TopicId};
use crate::group::record::{ConsumerMember, ConsumerRecord, ConsumerState, Current, MemberState, Record};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use subscriptions::Subscriptions;
use timers::Timers;

/// The epoch of a static member that has gone and will be back.
pub(super) const AWAY_EPOCH: i32 = -2;

#[derive(Debug)]
pub(super) struct ConsumerGroup {
    pub base: Base,
    /// What the records say, those under way included.
    state: ConsumerState,
    timers: BTreeMap<MemberId, Timers>,
    /// Static members by instance id.
    statics: BTreeMap<InstanceId, MemberId>,
    subscriptions: Subscriptions,
    /// Partitions that somebody has, or has not given back yet.
    held: BTreeSet<(TopicId, i32)>,
    /// How many members would like which assignor.
    votes: BTreeMap<Assignor, usize>,
    /// How many members speak the classic protocol.
    classic_members: usize,
    /// A member has gone in this step: the group may be classic again.
    has_lost: bool,
}

impl ConsumerGroup {
    /// A group without members.
    pub fn new(base: Base) -> Self {
        Self {
            base,
            state: ConsumerState::default(),
            timers: BTreeMap::new(),
            statics: BTreeMap::new(),
            subscriptions: Subscriptions::default(),
            held: BTreeSet::new(),
            votes: BTreeMap::new(),
            classic_members: 0,
            has_lost: false,
        }
    }

    pub fn state(&self) -> GroupState {
        let target_epoch = self.state.target_epoch;
        let is_there = |id: &MemberId| {
            let current = self.state.currents.get(id);
            current
                .is_some_and(|current| current.state == MemberState::Stable && current.epoch == target_epoch)
        };
        match () {
            () if self.state.members.is_empty() => GroupState::Empty,
            () if self.epoch() > target_epoch => GroupState::Assigning,
            () if !self.state.members.keys().all(is_there) => GroupState::Reconciling,
            () => GroupState::Stable,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.state.members.is_empty()
    }

    pub fn member_count(&self) -> usize {
        self.state.members.len()
    }

    fn epoch(&self) -> i32 {
        self.state.epoch.map_or(0, |epoch| epoch.epoch)
    }

    fn member(&self, id: &MemberId) -> Option<&Arc<ConsumerMember>> {
        self.state.members.get(id)
    }

    fn current(&self, id: &MemberId) -> Arc<Current> {
        self.state.currents.get(id).cloned().unwrap_or_default()
    }

    fn target(&self, id: &MemberId) -> Arc<Assignment> {
        self.state.targets.get(id).cloned().unwrap_or_default()
    }

    /// The assignor that most members would like; without wishes the broker's first.
    fn assignor(&self, turn: &Turn<'_>) -> Assignor {
        let votes = self.votes.iter().map(|(assignor, votes)| (*votes, *assignor));
        // Of two with as many votes the one that stands first in the broker's list.
        let rank = |assignor: &Assignor| {
            let allowed = &turn.config.consumer.assignors;
            allowed
                .iter()
                .position(|one| one == assignor)
                .unwrap_or(allowed.len())
        };
        let best = votes.max_by_key(|(votes, assignor)| (*votes, std::cmp::Reverse(rank(assignor))));
        let first = turn.config.consumer.assignors.first().copied();
        best.map(|(_, assignor)| assignor)
            .or(first)
            .unwrap_or(Assignor::Uniform)
    }

    /// Puts a record into force and among those to be written.
    fn emit(&mut self, record: ConsumerRecord, records: &mut Vec<Record>, facts: &dyn Facts) {
        self.apply(record.clone(), facts);
        records.push(Record::Consumer(self.base.id.clone(), record));
    }

    /// Puts a record into force: the state, and what is derived from it.
    pub fn apply(&mut self, record: ConsumerRecord, facts: &dyn Facts) {
        match &record {
            ConsumerRecord::Member(id, after) => {
                if let Some(before) = self.state.members.get(id).cloned() {
                    self.forget_member(id, &before);
                }
                if let Some(after) = after {
                    self.learn_member(id, after, facts);
                }
            }
            ConsumerRecord::Current(id, after) => {
                if let Some(before) = self.state.currents.get(id) {
                    for place in places(before) {
                        self.held.remove(&place);
                    }
                }
                if let Some(after) = after {
                    self.held.extend(places(after));
                }
            }
            ConsumerRecord::Epoch(_) | ConsumerRecord::TargetEpoch(_) | ConsumerRecord::Target(..) => {}
        }
        self.state.apply(record);
    }

    fn learn_member(&mut self, id: &MemberId, member: &ConsumerMember, facts: &dyn Facts) {
        self.subscriptions.add(&member.subscription, facts);
        self.classic_members += usize::from(member.classic.is_some());
        if let Some(instance) = &member.instance {
            self.statics.insert(instance.clone(), id.clone());
        }
        if let Some(assignor) = member.assignor {
            *self.votes.entry(assignor).or_default() += 1;
        }
        self.timers.entry(id.clone()).or_default();
    }

    fn forget_member(&mut self, id: &MemberId, member: &ConsumerMember) {
        self.subscriptions.remove(&member.subscription);
        self.classic_members -= usize::from(member.classic.is_some());
        if let Some(instance) = &member.instance
            && self.statics.get(instance) == Some(id)
        {
            self.statics.remove(instance);
        }
        if let Some(assignor) = member.assignor
            && let Some(votes) = self.votes.get_mut(&assignor)
        {
            *votes -= 1;
            if *votes == 0 {
                self.votes.remove(&assignor);
            }
        }
    }
}

fn places(current: &Current) -> impl Iterator<Item = (TopicId, i32)> + '_ {
    let all = current.assigned.iter().chain(&current.revoking);
    all.flat_map(|(topic, partitions)| partitions.iter().map(|partition| (*topic, *partition)))
}
