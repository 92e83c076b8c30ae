//! One member's way from the tasks it has to those it is to have: first it gives back, then it is given.
//!
//! Owns: the step of one member. Never: the target, records, timers. Pure.
//!
//! **Invariant**: a task is active with one member at a time, and no process has it twice in any role: state on disk is the process's,
//! so two of its threads cannot share it. A task counts as somebody's until he has confirmed that he gave it back.

use crate::group::record::{MemberState, StreamsCurrent, Task, TaskSet, Tasks};
use std::collections::BTreeMap;

/// Where the member is to go.
pub(super) struct Way<'a> {
    /// What it is to have.
    pub target: &'a Tasks,
    /// The epoch of that.
    pub target_epoch: i32,
    /// What it says it has; `None`: it said nothing.
    pub owned: Option<&'a Tasks>,
    /// What the other members have or have not given back yet.
    pub others: &'a Others,
}

/// What others have.
#[derive(Debug, Default)]
pub(super) struct Others {
    /// Active with anybody.
    pub active: TaskSet,
    /// In any role with another member of the same process.
    pub of_process: TaskSet,
}

/// The member's next state.
pub(super) fn next(current: &StreamsCurrent, way: &Way<'_>) -> StreamsCurrent {
    match current.state {
        MemberState::Stable if current.epoch == way.target_epoch => current.clone(),
        MemberState::Stable | MemberState::Unreleased => advance(current, current.epoch, way),
        MemberState::Unrevoked if owns(way.owned, &current.revoking) => current.clone(),
        // It has given back what it was asked for, and with that has done its part of the next epoch.
        MemberState::Unrevoked => advance(current, current.epoch + 1, way),
    }
}

fn advance(current: &StreamsCurrent, epoch: i32, way: &Way<'_>) -> StreamsCurrent {
    let kept = current.assigned.zip(way.target, |has, to| has & to);
    let revoking = current.assigned.zip(way.target, |has, to| has - to);
    if !revoking.is_empty() && owns(way.owned, &revoking) {
        return StreamsCurrent {
            epoch,
            previous_epoch: current.epoch,
            state: MemberState::Unrevoked,
            since: current.since.clone(),
            assigned: kept,
            revoking,
        };
    }
    let wanted = way.target.zip(&current.assigned, |to, has| to - has);
    let others = way.others;
    let given = Tasks {
        active: &(&wanted.active - &others.active) - &others.of_process,
        standby: &wanted.standby - &others.of_process,
        warmup: &wanted.warmup - &others.of_process,
    };
    let assigned = kept.zip(&given, |kept, given| kept | given);
    StreamsCurrent {
        epoch: way.target_epoch,
        previous_epoch: current.epoch,
        state: if given == wanted {
            MemberState::Stable
        } else {
            MemberState::Unreleased
        },
        since: since(current, &assigned, way.target_epoch),
        assigned,
        revoking: Tasks::default(),
    }
}

/// Tasks that it had stay its own since when they were; what is new is so since now.
fn since(current: &StreamsCurrent, assigned: &Tasks, now: i32) -> BTreeMap<Task, i32> {
    let epoch_of = |task: &Task| match current.assigned.active.contains(task) {
        true => current.since.get(task).copied().unwrap_or(now),
        false => now,
    };
    let tasks = assigned.active.iter();
    tasks.map(|task| (task.clone(), epoch_of(task))).collect()
}

/// Whether the member may still have some of `tasks`: it says so, or it says nothing.
fn owns(owned: Option<&Tasks>, tasks: &Tasks) -> bool {
    owned.is_none_or(|owned| !owned.is_disjoint(tasks))
}
