//! The step of one member, case by case.

use super::reconcile::{Way, next};
use crate::group::assignor::Assignment;
use crate::group::name::TopicId;
use crate::group::record::{Current, MemberState};

const TOPIC: TopicId = TopicId([1; 16]);

fn partitions(all: &[i32]) -> Assignment {
    match all.is_empty() {
        true => Assignment::new(),
        false => Assignment::from([(TOPIC, all.iter().copied().collect())]),
    }
}

fn current(epoch: i32, state: MemberState, assigned: &[i32], revoking: &[i32]) -> Current {
    Current {
        epoch,
        previous_epoch: epoch,
        state,
        assigned: partitions(assigned),
        revoking: partitions(revoking),
    }
}

/// Epoch, state, assigned, revoking after the step.
fn step(current: &Current, target: &[i32], owned: Option<&[i32]>, held: &[i32]) -> Current {
    let target = partitions(target);
    let owned = owned.map(partitions);
    let way = Way {
        target: &target,
        target_epoch: 7,
        owned: owned.as_ref(),
    };
    next(current, &way, |_, partition| held.contains(&partition))
}

fn expect(next: &Current, epoch: i32, state: MemberState, assigned: &[i32], revoking: &[i32]) {
    assert_eq!(
        (next.epoch, next.state, &next.assigned, &next.revoking),
        (epoch, state, &partitions(assigned), &partitions(revoking))
    );
}

#[test]
fn a_member_at_its_target_stays() {
    let at = current(7, MemberState::Stable, &[1], &[]);
    assert_eq!(step(&at, &[1, 2], None, &[]), at);
}

#[test]
fn a_member_that_loses_nothing_takes_the_new_epoch_at_once() {
    let before = current(6, MemberState::Stable, &[1], &[]);
    expect(
        &step(&before, &[1], None, &[1]),
        7,
        MemberState::Stable,
        &[1],
        &[],
    );
    expect(
        &step(&before, &[1, 2], None, &[1]),
        7,
        MemberState::Stable,
        &[1, 2],
        &[],
    );
    expect(
        &step(&before, &[1, 2], None, &[1, 2]),
        7,
        MemberState::Unreleased,
        &[1],
        &[],
    );
}

#[test]
fn a_member_that_loses_something_gives_it_back_first() {
    let before = current(5, MemberState::Stable, &[1, 2], &[]);
    let told = step(&before, &[1, 3], None, &[1, 2]);
    expect(&told, 5, MemberState::Unrevoked, &[1], &[2]);
    let held = [1, 2];
    expect(
        &step(&told, &[1, 3], None, &held),
        5,
        MemberState::Unrevoked,
        &[1],
        &[2],
    );
    expect(
        &step(&told, &[1, 3], Some(&[1, 2]), &held),
        5,
        MemberState::Unrevoked,
        &[1],
        &[2],
    );
    expect(
        &step(&told, &[1, 3], Some(&[1]), &held),
        7,
        MemberState::Stable,
        &[1, 3],
        &[],
    );
}

#[test]
fn what_it_no_longer_has_it_need_not_give_back() {
    let before = current(5, MemberState::Stable, &[1, 2], &[]);
    expect(
        &step(&before, &[1], Some(&[]), &[1, 2]),
        7,
        MemberState::Stable,
        &[1],
        &[],
    );
}

#[test]
fn a_target_that_moves_on_meanwhile_is_followed() {
    let told = current(5, MemberState::Unrevoked, &[1], &[2]);
    // Given back 2, and now 1 is to go as well: the epoch in between is done.
    let next = step(&told, &[3], Some(&[1]), &[1, 2]);
    expect(&next, 6, MemberState::Unrevoked, &[], &[1]);
    // The new target gives back what was taken: it was confirmed, so it is free.
    expect(
        &step(&told, &[1, 2], Some(&[1]), &[1, 2]),
        7,
        MemberState::Stable,
        &[1, 2],
        &[],
    );
}

#[test]
fn a_waiting_member_takes_what_is_free() {
    let waits = current(7, MemberState::Unreleased, &[1], &[]);
    expect(
        &step(&waits, &[1, 2, 3], None, &[1, 2, 3]),
        7,
        MemberState::Unreleased,
        &[1],
        &[],
    );
    expect(
        &step(&waits, &[1, 2, 3], None, &[1, 3]),
        7,
        MemberState::Unreleased,
        &[1, 2],
        &[],
    );
    expect(
        &step(&waits, &[1, 2, 3], None, &[1]),
        7,
        MemberState::Stable,
        &[1, 2, 3],
        &[],
    );
}
