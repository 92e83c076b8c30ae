//! What every list of manifest records promises, as a test that each implementation runs.
//!
//! Owns: the specification of the port `store::ManifestStore`. Never: lost answers (only an implementation can inject them).
//! **Invariant**: each promise runs against a list of its own, empty at the start.

use super::store::{ManifestError, ManifestHistory, ManifestSeq, ManifestStore, RECORD_BYTES_MAX};
use bytes::Bytes;
use std::sync::Arc;

/// One list. Every call gives another writer to it, as a broker that starts again or a second one by mistake.
pub trait ManifestWorld {
    /// A writer.
    fn open(&self) -> Arc<dyn ManifestStore>;
}

/// Runs every promise on worlds that `fresh_world` makes.
pub async fn check_manifest_store<W: ManifestWorld>(fresh_world: impl Fn() -> W) {
    records_are_loaded_in_the_order_in_which_they_were_appended(&fresh_world()).await;
    only_the_next_position_is_taken(&fresh_world()).await;
    of_two_writers_one_gets_the_position(&fresh_world()).await;
    a_snapshot_replaces_what_it_covers(&fresh_world()).await;
    a_snapshot_of_what_is_not_there_is_refused(&fresh_world()).await;
    records_and_snapshots_up_to_the_limit_are_taken(&fresh_world()).await;
}

fn seq(n: u64) -> ManifestSeq {
    ManifestSeq(n)
}

fn text(n: u64) -> Bytes {
    Bytes::from(format!("record {n}"))
}

async fn append(store: &dyn ManifestStore, range: std::ops::RangeInclusive<u64>) {
    for n in range {
        store.append(seq(n), text(n)).await.expect("it is the next");
    }
}

async fn load(world: &impl ManifestWorld) -> ManifestHistory {
    world.open().load().await.expect("the store answers")
}

async fn records_are_loaded_in_the_order_in_which_they_were_appended(world: &impl ManifestWorld) {
    let empty = load(world).await;
    assert!(empty.snapshot.is_none() && empty.records.is_empty());
    append(&*world.open(), 1..=12).await;
    let history = load(world).await;
    assert!(history.snapshot.is_none());
    assert!(
        history
            .records
            .iter()
            .cloned()
            .eq((1..=12).map(|n| (seq(n), text(n))))
    );
    append(&*world.open(), 13..=13).await;
    assert_eq!(load(world).await.records.len(), 13);
}

async fn only_the_next_position_is_taken(world: &impl ManifestWorld) {
    let store = world.open();
    for wrong in [0, 2, u64::MAX] {
        assert_eq!(
            store.append(seq(wrong), text(0)).await,
            Err(ManifestError::Conflict)
        );
    }
    append(&*store, 1..=2).await;
    for wrong in [0, 1, 2, 4] {
        assert_eq!(
            store.append(seq(wrong), text(0)).await,
            Err(ManifestError::Conflict)
        );
    }
    assert_eq!(load(world).await.records.len(), 2);
}

async fn of_two_writers_one_gets_the_position(world: &impl ManifestWorld) {
    let (first, second) = (world.open(), world.open());
    let record = Bytes::from_static(b"the same bytes");
    let answers = futures_util::future::join(
        first.append(seq(1), record.clone()),
        second.append(seq(1), record.clone()),
    );
    let (first, second) = answers.await;
    assert_ne!(first.is_ok(), second.is_ok(), "{first:?} {second:?}");
    let lost = if first.is_ok() { second } else { first };
    assert_eq!(lost, Err(ManifestError::Conflict));
    assert_eq!(load(world).await.records, [(seq(1), record)]);
}

async fn a_snapshot_replaces_what_it_covers(world: &impl ManifestWorld) {
    let store = world.open();
    append(&*store, 1..=5).await;
    store.snapshot(seq(3), text(300)).await.expect("covers three");
    let history = load(world).await;
    assert_eq!(history.snapshot, Some((seq(3), text(300))));
    assert_eq!(history.records, [(seq(4), text(4)), (seq(5), text(5))]);
    assert_eq!(
        store.append(seq(3), text(0)).await,
        Err(ManifestError::Conflict),
        "covered is not free"
    );
    append(&*store, 6..=6).await;
    store.snapshot(seq(6), text(600)).await.expect("covers all");
    let history = load(world).await;
    assert_eq!(history.snapshot, Some((seq(6), text(600))));
    assert!(history.records.is_empty());
    // The first record after a snapshot that covers everything, also by a writer that starts anew.
    append(&*world.open(), 7..=7).await;
    assert_eq!(load(world).await.records, [(seq(7), text(7))]);
}

async fn a_snapshot_of_what_is_not_there_is_refused(world: &impl ManifestWorld) {
    let store = world.open();
    assert_eq!(
        store.snapshot(seq(1), text(0)).await,
        Err(ManifestError::Conflict)
    );
    append(&*store, 1..=4).await;
    store.snapshot(seq(3), text(300)).await.expect("covers three");
    for wrong in [2, 5] {
        assert_eq!(
            store.snapshot(seq(wrong), text(0)).await,
            Err(ManifestError::Conflict)
        );
    }
    let history = load(world).await;
    assert_eq!(history.snapshot, Some((seq(3), text(300))));
    assert_eq!(history.records.len(), 1);
}

async fn records_and_snapshots_up_to_the_limit_are_taken(world: &impl ManifestWorld) {
    let store = world.open();
    let (large, too_large) = (vec![7; RECORD_BYTES_MAX], vec![7; RECORD_BYTES_MAX + 1]);
    let (large, too_large) = (Bytes::from(large), Bytes::from(too_large));
    assert_eq!(
        store.append(seq(1), too_large.clone()).await,
        Err(ManifestError::TooLarge)
    );
    store
        .append(seq(1), large.clone())
        .await
        .expect("within the limit");
    assert_eq!(
        store.snapshot(seq(1), too_large).await,
        Err(ManifestError::TooLarge)
    );
    store
        .snapshot(seq(1), large.clone())
        .await
        .expect("within the limit");
    assert_eq!(load(world).await.snapshot, Some((seq(1), large)));
}
