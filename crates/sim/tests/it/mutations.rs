//! The checker can fail: each part that is broken on purpose is found within a few seeds.

use millstream_sim::disk::DiskMutation;
use millstream_sim::meta::ManifestMutation;
use millstream_sim::objects::ObjectMutation;
use millstream_sim::plan::{Mutations, Plan};
use millstream_sim::run::{Report, run};
use millstream_sim::trace::Lines;
use millstream_sim::workload::Belief;

/// Seeds within which a mutation has to be found.
const SEEDS_MAX: u64 = 40;

/// Trace lines that a report keeps here.
const LINES: Lines = Lines::Tail(50);

fn find(mutations: Mutations) -> Report {
    let reports = (0..SEEDS_MAX).map(|seed| run(Plan::of_seed(seed).mutated(mutations), LINES));
    let found = reports.into_iter().find(|report| report.violation.is_some());
    found.unwrap_or_else(|| panic!("{mutations:?} is not found in {SEEDS_MAX} seeds"))
}

#[test]
fn a_sync_that_does_nothing_is_found() {
    find(Mutations {
        disk: Some(DiskMutation::SyncDoesNothing),
        ..Mutations::default()
    });
}

#[test]
fn an_answer_before_the_sync_is_found() {
    find(Mutations {
        ack_before_sync: true,
        ..Mutations::default()
    });
}

#[test]
fn an_object_that_is_lost_is_found() {
    find(Mutations {
        objects: Some(ObjectMutation::LosesObjectAfterPuts(5)),
        ..Mutations::default()
    });
}

#[test]
fn a_collector_that_deletes_what_is_live_is_found() {
    find(Mutations {
        objects: Some(ObjectMutation::DeletesNeighbour),
        ..Mutations::default()
    });
}

#[test]
fn a_manifest_record_that_is_lost_is_found() {
    find(Mutations {
        manifest: Some(ManifestMutation::LosesLastRecord),
        ..Mutations::default()
    });
}

#[test]
fn producers_that_are_forgotten_by_uploads_are_found() {
    find(Mutations {
        manifest: Some(ManifestMutation::ForgetsProducers),
        ..Mutations::default()
    });
}

#[test]
fn consumers_that_take_an_answer_for_granted_are_found() {
    find(Mutations {
        belief: Belief::TooEarly,
        ..Mutations::default()
    });
}
