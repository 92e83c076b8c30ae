//! Transactions under crashes: at random moments, and at every moment of a short life.

use millstream_sim::disk::CrashKind;
use millstream_sim::meta::ManifestMutation;
use millstream_sim::plan::{Ending, LifePlan, Mutations, Plan};
use millstream_sim::trace::Lines;
use millstream_sim::transactions::{Fault, Report, run};
use millstream_sim::world::CrashPlan;
use std::time::Duration;

const LINES: Lines = Lines::Tail(200);

/// Enough for every commit; `MILLSTREAM_SIM_SEEDS` is for the long runs of the other clients.
const SEEDS: u64 = 10;

/// Seeds within which a fault has to be found.
const FAULT_SEEDS_MAX: u64 = 20;

fn assert_clean(what: &str, report: &Report) {
    assert!(
        report.violation.is_none(),
        "{what}: {:?}\n{}",
        report.violation,
        report.trace
    );
}

#[test]
fn readers_of_committed_records_see_whole_transactions_and_nothing_that_was_aborted() {
    let (mut committed, mut aborted) = (0, 0);
    for seed in 0..SEEDS {
        let report = run(Plan::of_seed(seed), Fault::None, LINES);
        assert_clean(&format!("seed {seed}"), &report);
        committed += report.committed;
        aborted += report.aborted;
    }
    assert!(
        committed > 20 && aborted > 20,
        "{committed} and {aborted}: too little was tried"
    );
}

#[test]
fn a_crash_at_any_moment_leaves_no_half_of_a_transaction() {
    let life = |crash| LifePlan {
        crash,
        kind: CrashKind::PowerLoss,
        lasts: Duration::from_millis(1_500),
        ending: Ending::Crash,
        ..LifePlan::calm()
    };
    let plan = |crash| {
        let mut plan = Plan::of_seed(2).without_faults();
        plan.lives = vec![life(crash)];
        plan
    };
    let whole = run(plan(CrashPlan::Never), Fault::None, LINES);
    assert_clean("no crash", &whole);
    assert!(whole.moments > 100, "a life worth crashing: {}", whole.moments);
    let step = usize::try_from(whole.moments / 60).expect("small").max(1);
    for moment in (1..=whole.moments).step_by(step) {
        let report = run(plan(CrashPlan::AtMoment(moment)), Fault::None, LINES);
        assert_clean(&format!("moment {moment}"), &report);
    }
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let hash = || run(Plan::of_seed(5), Fault::None, LINES).hash;
    assert_eq!(hash(), hash());
}

fn is_found(what: &str, plan: impl Fn(u64) -> Plan, fault: Fault) {
    let found = (0..FAULT_SEEDS_MAX).any(|seed| run(plan(seed), fault, LINES).violation.is_some());
    assert!(found, "{what} is not found in {FAULT_SEEDS_MAX} seeds");
}

#[test]
fn a_batch_that_its_coordinator_does_not_know_of_is_found() {
    is_found("an append unasked", Plan::of_seed, Fault::AppendsUnasked);
}

#[test]
fn a_commit_that_is_told_as_an_abort_is_found() {
    is_found("a wrong answer", Plan::of_seed, Fault::CommitsAborts);
}

#[test]
fn aborted_transactions_that_uploads_forget_are_found() {
    let plan = |seed| {
        Plan::of_seed(seed).mutated(Mutations {
            manifest: Some(ManifestMutation::ForgetsAborted),
            ..Mutations::default()
        })
    };
    is_found("a list that is lost", plan, Fault::None);
}
