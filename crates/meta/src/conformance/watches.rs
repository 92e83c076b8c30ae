//! Promises about watches.
//!
//! Owns: one function a promise. Never: keys and sessions (beside this file).
//! **Invariant**: see `conformance`.

use super::{World, commit, events, everything, promises, put};
use crate::store::{KeyRange, MetaStore, Revision, Txn, WatchError};
use bytes::Bytes;
use futures_util::future::{join_all, poll_immediate};

promises![
    a_watch_delivers_what_comes_after_its_revision,
    a_watch_sees_only_its_range,
    changes_of_one_revision_come_in_one_batch,
    a_waiting_watch_is_woken,
    changes_of_concurrent_writers_come_in_revision_order,
    a_dropped_wait_loses_nothing,
    a_watch_from_a_future_revision_waits,
    a_watch_that_lags_is_told,
    a_watch_of_a_quiet_range_does_not_lag,
];

const X: Bytes = Bytes::from_static(b"x");

async fn a_watch_delivers_what_comes_after_its_revision(_: &dyn World, store: &dyn MetaStore) {
    let first = put(store, "a/1", "one").await;
    put(store, "a/1", "two").await;
    commit(store, Txn::new().delete("a/1")).await;
    let mut watch = store.watch(everything(), first).await.expect("recent");
    let seen = events(&mut *watch, 2).await;
    assert_eq!(seen[0].entry.as_ref().expect("a write").value, "two");
    assert_eq!(
        seen[0].entry.as_ref().expect("a write").modified,
        seen[0].revision
    );
    assert_eq!((&*seen[1].key, &seen[1].entry), ("a/1", &None));
    let mut watch = store
        .watch(everything(), Revision::default())
        .await
        .expect("recent");
    assert_eq!(events(&mut *watch, 3).await[0].revision, first);
}

async fn a_watch_sees_only_its_range(_: &dyn World, store: &dyn MetaStore) {
    let mut watch = store
        .watch(everything(), Revision::default())
        .await
        .expect("recent");
    commit(store, Txn::new().put("a/1", X).put("b/1", X)).await;
    put(store, "a", "x").await;
    put(store, "a0", "x").await;
    commit(
        store,
        Txn::new().put("a/2", X).delete_range(KeyRange::prefix("b")),
    )
    .await;
    let seen = events(&mut *watch, 2).await;
    assert_eq!([&*seen[0].key, &*seen[1].key], ["a/1", "a/2"]);
}

async fn changes_of_one_revision_come_in_one_batch(_: &dyn World, store: &dyn MetaStore) {
    let mut watch = store
        .watch(everything(), Revision::default())
        .await
        .expect("recent");
    for round in 0..30 {
        let txn = (0..90).fold(Txn::new(), |txn, i| txn.put(&format!("a/{round}/{i}"), X));
        commit(store, txn).await;
    }
    let mut count = 0;
    while count < 30 * 90 {
        let batch = watch.next().await.expect("the watch goes on");
        count += batch.events.len();
        assert_eq!(batch.events.len() % 90, 0, "whole revisions");
        assert_eq!(batch.revision, batch.events.last().expect("never empty").revision);
    }
}

async fn a_waiting_watch_is_woken(_: &dyn World, store: &dyn MetaStore) {
    let mut watch = store
        .watch(everything(), Revision::default())
        .await
        .expect("recent");
    let (seen, revision) = tokio::join!(events(&mut *watch, 1), put(store, "a/1", "x"));
    assert_eq!(seen[0].revision, revision);
}

async fn changes_of_concurrent_writers_come_in_revision_order(_: &dyn World, store: &dyn MetaStore) {
    let mut watch = store
        .watch(everything(), Revision::default())
        .await
        .expect("recent");
    let keys: Vec<String> = (0..50).map(|i| format!("a/{i}")).collect();
    let writers = join_all(keys.iter().map(|key| put(store, key, "x")));
    let (seen, mut revisions) = tokio::join!(events(&mut *watch, 50), writers);
    revisions.sort_unstable();
    assert!(revisions.is_sorted_by(|a, b| a < b), "each has its own");
    assert!(seen.iter().map(|event| event.revision).eq(revisions));
}

async fn a_dropped_wait_loses_nothing(_: &dyn World, store: &dyn MetaStore) {
    let mut watch = store
        .watch(everything(), Revision::default())
        .await
        .expect("recent");
    let mut seen = 0;
    for i in 0..20 {
        // Whatever this poll hands out counts; what it does not must come later.
        if let Some(batch) = poll_immediate(watch.next()).await {
            seen += batch.expect("the watch goes on").events.len();
        }
        put(store, &format!("a/{i}"), "x").await;
    }
    events(&mut *watch, 20 - seen).await;
}

async fn a_watch_from_a_future_revision_waits(_: &dyn World, store: &dyn MetaStore) {
    let now = put(store, "a/1", "x").await;
    let mut watch = store
        .watch(everything(), now.next())
        .await
        .expect("a watch may wait");
    assert!(poll_immediate(watch.next()).await.is_none());
    put(store, "a/2", "x").await;
    put(store, "a/3", "x").await;
    assert_eq!(&*events(&mut *watch, 1).await[0].key, "a/3");
}

async fn a_watch_that_lags_is_told(world: &dyn World, store: &dyn MetaStore) {
    let first = put(store, "a/1", "x").await;
    let last = put(store, "a/2", "x").await;
    world.compact().await;
    let lagged = match store.watch(everything(), first).await {
        Ok(mut watch) => watch.next().await.map(|_| ()),
        Err(e) => Err(e),
    };
    assert_eq!(lagged, Err(WatchError::Lagged { oldest: last }));
    let mut watch = store
        .watch(everything(), last)
        .await
        .expect("nothing is missing after it");
    put(store, "a/3", "x").await;
    assert_eq!(&*events(&mut *watch, 1).await[0].key, "a/3");
}

async fn a_watch_of_a_quiet_range_does_not_lag(world: &dyn World, store: &dyn MetaStore) {
    let mut watch = store
        .watch(everything(), Revision::default())
        .await
        .expect("recent");
    put(store, "b", "x").await;
    assert!(poll_immediate(watch.next()).await.is_none());
    world.compact().await;
    put(store, "a/1", "x").await;
    events(&mut *watch, 1).await;
}
