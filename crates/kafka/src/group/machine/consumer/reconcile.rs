//! One member's way from what it has to what it is to have: first it gives back, then it is given.
//!
//! Owns: the step of one member. Never: the target, records, timers. Pure.
//!
//! **Invariant**: a partition is given only if nobody has it, and counts as somebody's until he has confirmed that he gave it
//! back. A member whose target is what it has goes on without a pause: only its epoch changes.

use crate::group::assignor::Assignment;
use crate::group::record::{Current, MemberState};
use std::collections::BTreeSet;

/// Where the member is to go.
pub(super) struct Way<'a> {
    /// What it is to have.
    pub target: &'a Assignment,
    /// The epoch of that.
    pub target_epoch: i32,
    /// What it says it has; `None`: it said nothing.
    pub owned: Option<&'a Assignment>,
}

/// The member's next state; `held` tells whether anybody has a partition.
pub(super) fn next(
    current: &Current,
    way: &Way<'_>,
    held: impl Fn(crate::group::name::TopicId, i32) -> bool,
) -> Current {
    match current.state {
        MemberState::Stable if current.epoch == way.target_epoch => current.clone(),
        MemberState::Stable | MemberState::Unreleased => advance(current, current.epoch, way, held),
        MemberState::Unrevoked if owns(way.owned, &current.revoking) => current.clone(),
        // It has given back what it was asked for, and with that has done its part of the next epoch.
        MemberState::Unrevoked => advance(current, current.epoch + 1, way, held),
    }
}

fn advance(
    current: &Current,
    epoch: i32,
    way: &Way<'_>,
    held: impl Fn(crate::group::name::TopicId, i32) -> bool,
) -> Current {
    let kept = both(&current.assigned, way.target);
    let revoking = without(&current.assigned, way.target);
    if !revoking.is_empty() && owns(way.owned, &revoking) {
        return Current {
            epoch,
            previous_epoch: current.epoch,
            state: MemberState::Unrevoked,
            assigned: kept,
            revoking,
        };
    }
    let mut assigned = kept;
    let mut waits = false;
    for (topic, partitions) in &without(way.target, &current.assigned) {
        for &partition in partitions {
            // What it has just confirmed to have given back is nobody's.
            let own = contains(&current.revoking, *topic, partition);
            if own || !held(*topic, partition) {
                assigned.entry(*topic).or_default().insert(partition);
            } else {
                waits = true;
            }
        }
    }
    Current {
        epoch: way.target_epoch,
        previous_epoch: current.epoch,
        state: if waits {
            MemberState::Unreleased
        } else {
            MemberState::Stable
        },
        assigned,
        revoking: Assignment::new(),
    }
}

/// Whether the member may still have some of `partitions`: it says so, or it says nothing.
fn owns(owned: Option<&Assignment>, partitions: &Assignment) -> bool {
    let Some(owned) = owned else {
        return true;
    };
    partitions
        .iter()
        .any(|(topic, ours)| owned.get(topic).is_some_and(|theirs| !theirs.is_disjoint(ours)))
}

pub(super) fn contains(assignment: &Assignment, topic: crate::group::name::TopicId, partition: i32) -> bool {
    assignment
        .get(&topic)
        .is_some_and(|partitions| partitions.contains(&partition))
}

/// Whether all of `part` is in `whole`.
pub(super) fn is_subset(part: &Assignment, whole: &Assignment) -> bool {
    part.iter().all(|(topic, partitions)| {
        partitions.is_empty()
            || whole
                .get(topic)
                .is_some_and(|theirs| partitions.is_subset(theirs))
    })
}

fn both(a: &Assignment, b: &Assignment) -> Assignment {
    let common = a.iter().filter_map(|(topic, partitions)| {
        let common: BTreeSet<i32> = partitions.intersection(b.get(topic)?).copied().collect();
        (!common.is_empty()).then_some((*topic, common))
    });
    common.collect()
}

fn without(a: &Assignment, b: &Assignment) -> Assignment {
    let rest = a.iter().filter_map(|(topic, partitions)| {
        let rest: BTreeSet<i32> = match b.get(topic) {
            Some(taken) => partitions.difference(taken).copied().collect(),
            None => partitions.clone(),
        };
        (!rest.is_empty()).then_some((*topic, rest))
    });
    rest.collect()
}
