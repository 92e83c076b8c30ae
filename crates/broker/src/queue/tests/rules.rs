//! Promises of the state machine, one by one.

use super::super::*;
use super::{LOCK, policy};
use std::time::Duration;

const NOW: Duration = Duration::from_secs(1_000);
const A: Holder = Holder(1);
const B: Holder = Holder(2);

fn offer(batches: &[(u64, u64)], records_max: u64, dispatch: Dispatch) -> Offer<'_> {
    let covered = (batches[0].0, batches[batches.len() - 1].1);
    Offer {
        covered,
        batches,
        records_max,
        dispatch,
    }
}

fn ranges(acquired: &[Acquired]) -> Vec<(u64, u64, u16)> {
    let flat = |acquired: &Acquired| {
        (
            *acquired.range.start(),
            *acquired.range.end(),
            acquired.deliveries,
        )
    };
    acquired.iter().map(flat).collect()
}

fn answer(first: u64, last: u64, disposition: Disposition) -> Settlement {
    Settlement {
        range: first..=last,
        disposition,
    }
}

fn keep(subscription: &mut Subscription, policy: &Policy) -> Kept {
    assert!(subscription.take_change().is_some());
    let kept = subscription.kept(policy);
    subscription.check();
    kept
}

#[test]
fn whole_batches_are_handed_out_until_there_are_enough_records() {
    let policy = policy(5, 1_000, false);
    let mut subscription = Subscription::new(Ledger::new(0));
    let batches = [(0, 9), (10, 19), (20, 29)];
    let got = subscription.acquire(A, offer(&batches, 12, Dispatch::Batches), &policy, NOW);
    assert_eq!(ranges(&got), [(0, 19, 1)]);
    subscription.check();
}

#[test]
fn records_are_handed_out_to_the_number_when_that_is_asked_for() {
    let policy = policy(5, 1_000, false);
    let mut subscription = Subscription::new(Ledger::new(0));
    let batches = [(0, 9), (10, 19)];
    let got = subscription.acquire(A, offer(&batches, 12, Dispatch::Records), &policy, NOW);
    assert_eq!(ranges(&got), [(0, 11, 1)]);
    let next = subscription.candidate(0, &policy).expect("there is more");
    assert_eq!((next.from, next.last), (12, u64::MAX));
    let got = subscription.acquire(B, offer(&[(10, 19)], 100, Dispatch::Records), &policy, NOW);
    assert_eq!(ranges(&got), [(12, 19, 1)], "two consumers get different records");
    subscription.check();
}

#[test]
fn no_more_is_out_than_the_policy_allows_and_what_is_done_makes_room() {
    let policy = policy(5, 15, false);
    let mut subscription = Subscription::new(Ledger::new(0));
    let batches = [(0, 9), (10, 19)];
    let got = subscription.acquire(A, offer(&batches, 100, Dispatch::Batches), &policy, NOW);
    assert_eq!(ranges(&got), [(0, 14, 1)]);
    assert_eq!(subscription.candidate(0, &policy), None);
    // A hole in the middle makes room: one slow record does not stop the others.
    subscription
        .settle(A, &[answer(3, 12, Disposition::Accept)], &policy, NOW)
        .expect("held");
    let kept = keep(&mut subscription, &policy);
    assert!(kept.has_more);
    assert_eq!(subscription.candidate(0, &policy).expect("room").from, 15);
    assert_eq!(subscription.counts().start, 0);
}

#[test]
fn a_lock_that_runs_out_brings_the_record_back_with_its_count() {
    let policy = policy(2, 100, false);
    let mut subscription = Subscription::new(Ledger::new(0));
    subscription.acquire(A, offer(&[(0, 4)], 100, Dispatch::Batches), &policy, NOW);
    let due = subscription.ticks_to_arm().next().expect("one tick");
    assert!(due.begins() >= NOW + LOCK);
    assert_eq!(subscription.expire(Tick(due.0 - 1), &policy), Durability::Nothing);
    subscription
        .settle(A, &[answer(1, 1, Disposition::Accept)], &policy, NOW)
        .expect("held");
    assert_eq!(subscription.expire(due, &policy), Durability::Awaited);
    let late = subscription.settle(A, &[answer(0, 0, Disposition::Accept)], &policy, NOW);
    assert_eq!(late, Err(SettleRefused::NotHeld));
    keep(&mut subscription, &policy);
    let got = subscription.acquire(B, offer(&[(0, 4)], 100, Dispatch::Batches), &policy, NOW);
    assert_eq!(ranges(&got), [(0, 0, 2), (2, 4, 2)]);
    // Twice is the limit: now they are given up.
    subscription.release_all(B, &policy);
    keep(&mut subscription, &policy);
    assert_eq!(subscription.counts().start, 5);
}

#[test]
fn a_renewed_lock_does_not_run_out_at_its_first_deadline() {
    let policy = policy(5, 100, false);
    let mut subscription = Subscription::new(Ledger::new(0));
    subscription.acquire(A, offer(&[(0, 4)], 100, Dispatch::Batches), &policy, NOW);
    let later = NOW + LOCK / 2;
    let renewed = subscription.settle(A, &[answer(0, 1, Disposition::Renew)], &policy, later);
    assert_eq!(renewed, Ok(Durability::Nothing));
    subscription.expire(Tick::at(NOW + LOCK + TICK), &policy);
    keep(&mut subscription, &policy);
    subscription
        .settle(A, &[answer(0, 1, Disposition::Accept)], &policy, later)
        .expect("still held");
    assert_eq!(subscription.counts().available, 3);
}

#[test]
fn an_answer_is_taken_whole_or_not_at_all() {
    let policy = policy(5, 100, false);
    let mut subscription = Subscription::new(Ledger::new(0));
    subscription.acquire(A, offer(&[(0, 4)], 100, Dispatch::Batches), &policy, NOW);
    subscription.acquire(B, offer(&[(5, 9)], 100, Dispatch::Batches), &policy, NOW);
    let mixed = [
        answer(0, 4, Disposition::Accept),
        answer(5, 5, Disposition::Accept),
    ];
    let cases = [
        (&mixed[..], SettleRefused::NotHeld),
        (&[answer(3, 10, Disposition::Accept)][..], SettleRefused::BadRange),
        (
            &[
                answer(2, 3, Disposition::Accept),
                answer(3, 4, Disposition::Accept),
            ][..],
            SettleRefused::BadRange,
        ),
    ];
    for (answers, refused) in cases {
        assert_eq!(subscription.settle(A, answers, &policy, NOW), Err(refused));
        assert!(!subscription.has_pending());
    }
    subscription.check();
}

#[test]
fn what_the_log_no_longer_holds_is_done() {
    let policy = policy(5, 100, false);
    let mut subscription = Subscription::new(Ledger::new(0));
    // Compaction took 3..=6, and the log now begins at 2.
    subscription.trim(2);
    let batches = [(2, 2), (7, 9)];
    let got = subscription.acquire(A, offer(&batches, 100, Dispatch::Batches), &policy, NOW);
    assert_eq!(ranges(&got), [(2, 2, 1), (7, 9, 1)]);
    subscription
        .settle(A, &[answer(2, 2, Disposition::Gap)], &policy, NOW)
        .expect("held");
    keep(&mut subscription, &policy);
    assert_eq!(subscription.counts().start, 7);
    // The log goes on to begin further up, and answers for what is gone are taken.
    subscription.trim(9);
    subscription
        .settle(A, &[answer(7, 9, Disposition::Release)], &policy, NOW)
        .expect("below the floor, or held");
    keep(&mut subscription, &policy);
    assert_eq!(subscription.counts().start, 9);
}

#[test]
fn a_rejected_record_waits_for_its_dead_letter() {
    let policy = policy(5, 100, true);
    let mut subscription = Subscription::new(Ledger::new(0));
    subscription.acquire(A, offer(&[(0, 2)], 100, Dispatch::Batches), &policy, NOW);
    let answers = [
        answer(0, 1, Disposition::Reject),
        answer(2, 2, Disposition::Accept),
    ];
    subscription.settle(A, &answers, &policy, NOW).expect("held");
    assert!(keep(&mut subscription, &policy).has_condemned);
    assert_eq!(subscription.condemned(10), [(0..=1, 1, Cause::Rejected)]);
    assert_eq!(subscription.counts().start, 0);
    // A restart finds them again, and hands them to nobody.
    let mut subscription = Subscription::new(subscription.ledger().clone());
    subscription.check();
    let next = subscription.candidate(0, &policy).expect("fresh");
    assert_eq!((next.from, next.last), (3, u64::MAX));
    subscription.buried(0..=1);
    keep(&mut subscription, &policy);
    assert_eq!(
        (subscription.counts().start, subscription.counts().condemned),
        (3, 0)
    );
}

#[test]
fn an_outcome_that_was_not_kept_leaves_the_record_with_its_holder_until_the_next_tick() {
    let policy = policy(5, 100, false);
    let mut subscription = Subscription::new(Ledger::new(0));
    subscription.acquire(A, offer(&[(0, 2)], 100, Dispatch::Batches), &policy, NOW);
    subscription
        .settle(A, &[answer(0, 2, Disposition::Accept)], &policy, NOW)
        .expect("held");
    assert!(subscription.take_change().is_some());
    subscription.not_kept(NOW);
    subscription.check();
    assert_eq!(subscription.counts().held, 3);
    let ticks: Vec<Tick> = subscription.ticks_to_arm().collect();
    subscription.expire(ticks[ticks.len() - 1], &policy);
    keep(&mut subscription, &policy);
    let got = subscription.acquire(B, offer(&[(0, 2)], 100, Dispatch::Batches), &policy, NOW);
    assert_eq!(ranges(&got), [(0, 2, 2)]);
}

#[test]
fn a_restart_of_the_subscription_forgets_everything() {
    let policy = policy(5, 100, false);
    let mut subscription = Subscription::new(Ledger::new(0));
    subscription.acquire(A, offer(&[(0, 9)], 100, Dispatch::Batches), &policy, NOW);
    subscription
        .settle(A, &[answer(5, 9, Disposition::Accept)], &policy, NOW)
        .expect("held");
    assert!(subscription.take_change().is_some(), "a write is under way");
    subscription.restart(2);
    assert_eq!(
        subscription.candidate(0, &policy),
        None,
        "nothing is handed out meanwhile"
    );
    subscription.kept(&policy);
    keep(&mut subscription, &policy);
    assert_eq!(subscription.candidate(0, &policy).expect("from there").from, 2);
}

#[test]
fn a_hundred_thousand_outstanding_answers_cost_one_run_each_way() {
    let policy = policy(5, 1_000_000, false);
    let mut subscription = Subscription::new(Ledger::new(0));
    let batches: Vec<(u64, u64)> = (0..1_000).map(|batch| (batch * 100, batch * 100 + 99)).collect();
    subscription.acquire(A, offer(&batches, u64::MAX, Dispatch::Batches), &policy, NOW);
    assert_eq!(subscription.counts().held, 100_000);
    // Every other one is answered, one at a time.
    for offset in (0..100_000).step_by(2) {
        let answers = [answer(offset + 1, offset + 1, Disposition::Accept)];
        subscription.settle(A, &answers, &policy, NOW).expect("held");
    }
    keep(&mut subscription, &policy);
    let counts = subscription.counts();
    assert_eq!((counts.start, counts.held, counts.done), (0, 50_000, 50_000));
    subscription
        .settle(A, &[answer(0, 0, Disposition::Accept)], &policy, NOW)
        .expect("held");
    keep(&mut subscription, &policy);
    assert_eq!(subscription.counts().start, 2);
}

/// The note of a dead letter that came while a restart was on its way took effect behind it: records that were fresh again were done,
/// and nobody was ever given them.
#[test]
fn a_burial_while_a_restart_is_on_its_way_takes_no_record_that_is_fresh_again() {
    let policy = policy(1, 1_000, true);
    for is_in_flight in [false, true] {
        let mut subscription = Subscription::new(Ledger::new(0));
        subscription.acquire(A, offer(&[(0, 1)], 2, Dispatch::Records), &policy, NOW);
        subscription
            .settle(A, &[answer(0, 1, Disposition::Reject)], &policy, NOW)
            .expect("it holds them");
        assert!(keep(&mut subscription, &policy).has_condemned);
        subscription.restart(0);
        if is_in_flight {
            assert!(subscription.take_change().is_some());
        }
        assert!(subscription.condemned(10).is_empty(), "none may be left of them");
        subscription.buried(0..=1);
        if is_in_flight {
            subscription.kept(&policy);
        }
        while subscription.has_pending() {
            keep(&mut subscription, &policy);
        }
        let next = subscription.candidate(0, &policy).expect("all are fresh");
        assert_eq!(next.from, 0);
    }
}
