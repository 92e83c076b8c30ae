//! Promises about sessions.
//!
//! Owns: one function a promise. Never: keys and watches (beside this file).
//! **Invariant**: see `conformance`.

use super::{World, commit, events, everything, get, promises, put, refused_by_compare};
use crate::store::{
    Compare, Current, MetaStore, Revision, SESSION_TTL_MAX, SESSION_TTL_MIN, Session, SessionError, Txn,
    TxnError,
};
use bytes::Bytes;
use std::time::Duration;

promises![
    a_session_has_a_lifetime_within_limits,
    each_session_fences_those_before_it,
    a_closed_session_takes_its_keys_along,
    an_expired_session_takes_its_keys_along_at_one_revision,
    a_session_lives_as_long_as_it_is_renewed,
    an_expired_session_cannot_come_back,
    a_dead_session_fails_the_compare,
    nothing_is_bound_to_a_dead_session,
    a_key_written_anew_is_bound_anew,
    a_waiting_watch_sees_a_session_expire,
];

const TTL: Duration = Duration::from_secs(10);
const X: Bytes = Bytes::from_static(b"x");

async fn open(store: &dyn MetaStore) -> Session {
    store.open_session(TTL).await.expect("the store answers")
}

async fn a_session_has_a_lifetime_within_limits(_: &dyn World, store: &dyn MetaStore) {
    for ttl in [
        SESSION_TTL_MIN - Duration::from_nanos(1),
        SESSION_TTL_MAX + Duration::from_nanos(1),
    ] {
        assert_eq!(store.open_session(ttl).await, Err(SessionError::InvalidTtl));
    }
    for ttl in [SESSION_TTL_MIN, SESSION_TTL_MAX] {
        assert_eq!(store.open_session(ttl).await.expect("within limits").ttl, ttl);
    }
}

async fn each_session_fences_those_before_it(_: &dyn World, store: &dyn MetaStore) {
    let revision = put(store, "a/1", "x").await;
    let first = open(store).await;
    let second = open(store).await;
    assert!(first.fencing > revision && second.fencing > first.fencing);
    assert_ne!(first.id, second.id);
    assert!(put(store, "a/1", "x").await >= second.fencing);
}

async fn a_closed_session_takes_its_keys_along(_: &dyn World, store: &dyn MetaStore) {
    let session = open(store).await;
    commit(store, Txn::new().put_bound("a/1", X, session.id).put("a/2", X)).await;
    assert_eq!(
        get(store, "a/1").await.expect("written").session,
        Some(session.id)
    );
    store.close_session(session.id).await.expect("the store answers");
    assert_eq!(get(store, "a/1").await, None);
    assert!(get(store, "a/2").await.is_some());
    store
        .close_session(session.id)
        .await
        .expect("closing again is success");
    assert_eq!(store.keep_alive(session.id).await, Err(SessionError::Expired));
}

async fn an_expired_session_takes_its_keys_along_at_one_revision(world: &dyn World, store: &dyn MetaStore) {
    let session = open(store).await;
    let other = store.open_session(TTL * 10).await.expect("the store answers");
    commit(
        store,
        Txn::new()
            .put_bound("a/1", X, session.id)
            .put_bound("a/2", X, session.id),
    )
    .await;
    let last = commit(store, Txn::new().put_bound("a/3", X, other.id)).await;
    world.pass_time(TTL / 2).await;
    assert!(get(store, "a/1").await.is_some(), "not before its time");
    world.pass_time(TTL).await;
    assert_eq!(get(store, "a/1").await, None);
    assert_eq!(get(store, "a/2").await, None);
    assert!(get(store, "a/3").await.is_some());
    let mut watch = store.watch(everything(), last).await.expect("recent");
    let seen = events(&mut *watch, 2).await;
    assert!(seen.iter().all(|event| event.entry.is_none()));
    assert_eq!(seen[0].revision, seen[1].revision);
}

async fn a_session_lives_as_long_as_it_is_renewed(world: &dyn World, store: &dyn MetaStore) {
    let session = open(store).await;
    commit(store, Txn::new().put_bound("a/1", X, session.id)).await;
    for _ in 0..5 {
        world.pass_time(TTL * 2 / 3).await;
        store.keep_alive(session.id).await.expect("it lives");
    }
    assert!(get(store, "a/1").await.is_some());
}

async fn an_expired_session_cannot_come_back(world: &dyn World, store: &dyn MetaStore) {
    let session = open(store).await;
    world.pass_time(TTL + TTL / 2).await;
    assert_eq!(store.keep_alive(session.id).await, Err(SessionError::Expired));
    assert_ne!(open(store).await.id, session.id);
}

async fn a_dead_session_fails_the_compare(world: &dyn World, store: &dyn MetaStore) {
    let session = open(store).await;
    let guarded = || Txn::new().when(Compare::SessionAlive(session.id)).put("a/1", X);
    commit(store, guarded()).await;
    world.pass_time(TTL + TTL / 2).await;
    let current = refused_by_compare(store, guarded()).await;
    assert_eq!(current, [Current::Session { alive: false }]);
}

async fn nothing_is_bound_to_a_dead_session(world: &dyn World, store: &dyn MetaStore) {
    let session = open(store).await;
    world.pass_time(TTL + TTL / 2).await;
    let txn = Txn::new().put_bound("a/1", X, session.id).put("a/2", X);
    assert_eq!(store.txn(txn).await, Err(TxnError::SessionGone));
    assert_eq!(get(store, "a/2").await, None);
}

async fn a_key_written_anew_is_bound_anew(_: &dyn World, store: &dyn MetaStore) {
    let (first, second) = (open(store).await, open(store).await);
    commit(
        store,
        Txn::new()
            .put_bound("a/1", X, first.id)
            .put_bound("a/2", X, first.id),
    )
    .await;
    put(store, "a/1", "unbound").await;
    commit(store, Txn::new().put_bound("a/2", X, second.id)).await;
    store.close_session(first.id).await.expect("the store answers");
    assert!(get(store, "a/1").await.is_some());
    assert!(get(store, "a/2").await.is_some());
    store.close_session(second.id).await.expect("the store answers");
    assert!(get(store, "a/1").await.is_some());
    assert_eq!(get(store, "a/2").await, None);
}

async fn a_waiting_watch_sees_a_session_expire(world: &dyn World, store: &dyn MetaStore) {
    let mut watch = store
        .watch(everything(), Revision::default())
        .await
        .expect("recent");
    let session = open(store).await;
    commit(store, Txn::new().put_bound("a/1", X, session.id)).await;
    events(&mut *watch, 1).await;
    // Nobody else calls the store.
    let (seen, ()) = tokio::join!(events(&mut *watch, 1), world.pass_time(TTL * 2));
    assert_eq!(seen[0].entry, None);
}
