//! Tests of the memory store: the port's promises, and the faults that it injects.
//!
//! Owns: nothing but tests. Never: what the conformance suite checks already.
//! **Invariant**: none.

use super::{MemoryStore, TxnFault};
use crate::conformance::{RuntimeClock, World, check_metadata_store};
use crate::store::{MetaStore, Revision, Txn, TxnError, TxnOutcome};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use millstream_log::Fate;
use std::sync::Arc;
use std::time::Duration;

struct MemoryWorld(MemoryStore);

impl World for MemoryWorld {
    fn store(&self) -> Arc<dyn MetaStore> {
        Arc::new(self.0.clone())
    }

    fn pass_time(&self, time: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn compact(&self) -> BoxFuture<'_, ()> {
        Box::pin(async { self.0.compact() })
    }
}

fn store() -> MemoryStore {
    MemoryStore::new(RuntimeClock::starting_now())
}

#[tokio::test(start_paused = true)]
async fn the_memory_store_keeps_every_promise() {
    check_metadata_store(&|| Box::pin(async { Box::new(MemoryWorld(store())) as Box<dyn World> })).await;
}

#[tokio::test(start_paused = true)]
async fn an_injected_fault_does_exactly_what_it_says() {
    let cases = [
        (TxnFault::NotDone, Fate::NotDone, false),
        (TxnFault::NotDoneButUnknown, Fate::Unknown, false),
        (TxnFault::DoneButUnknown, Fate::Unknown, true),
        (TxnFault::Late, Fate::Unknown, false),
    ];
    for (fault, expected, done) in cases {
        let store = store();
        store.inject(fault);
        let answer = store.txn(Txn::new().put("a", Bytes::new())).await;
        let Err(TxnError::Store { fate, .. }) = answer else {
            panic!("{fault:?}: {answer:?}");
        };
        assert_eq!(fate, expected);
        assert_eq!(
            store.get("a").await.expect("answers").is_some(),
            done,
            "{fault:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_late_transaction_lands_before_the_next_one() {
    let store = store();
    store.inject(TxnFault::Late);
    let _ = store
        .txn(Txn::new().when_unchanged("a", None).put("a", Bytes::new()))
        .await;
    assert_eq!(store.revision(), Revision(0));
    let retry = store
        .txn(Txn::new().when_unchanged("a", None).put("a", Bytes::new()))
        .await;
    assert!(matches!(retry, Ok(TxnOutcome::CompareFailed { .. })), "{retry:?}");
    assert_eq!(store.revision(), Revision(1));
}
