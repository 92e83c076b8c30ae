//! What every metadata store promises, as a test that each implementation runs: memory, embedded, etcd.
//!
//! Owns: the specification of the port `store::MetaStore`. Never: anything that only one implementation does.
//! **Invariant**: each promise runs against a store of its own, empty at the start.

mod keys;
mod sessions;
mod watches;

use crate::store::{Current, Entry, KeyRange, MetaStore, Revision, Txn, TxnOutcome, WatchBatch};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use millstream_log::{Clock, TimestampMs};
use std::sync::Arc;
use std::time::Duration;

/// An empty store and the power over its time.
pub trait World: Send + Sync {
    /// The store; every call gives the same one.
    fn store(&self) -> Arc<dyn MetaStore>;
    /// Lets at least `time` pass for the store and for the runtime.
    fn pass_time(&self, time: Duration) -> BoxFuture<'_, ()>;
    /// Makes the store forget its history up to now.
    fn compact(&self) -> BoxFuture<'_, ()>;
}

/// Makes a world.
pub type WorldFactory<'a> = dyn Fn() -> BoxFuture<'a, Box<dyn World>> + Send + Sync + 'a;

/// Runs every promise; panics with the promise's name at the first that is broken.
pub async fn check_metadata_store(fresh_world: &WorldFactory<'_>) {
    keys::check(fresh_world).await;
    watches::check(fresh_world).await;
    sessions::check(fresh_world).await;
}

/// A clock that follows the runtime's, which tests pause.
pub struct RuntimeClock {
    start: tokio::time::Instant,
}

impl RuntimeClock {
    /// A clock that starts now. Needs a runtime.
    #[must_use]
    pub fn starting_now() -> Arc<dyn Clock> {
        Arc::new(Self {
            start: tokio::time::Instant::now(),
        })
    }
}

impl Clock for RuntimeClock {
    fn wall_ms(&self) -> TimestampMs {
        TimestampMs::try_from(self.start.elapsed().as_millis()).expect("a test is short")
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// Random bytes that are a counter: different, and the same in every run.
#[derive(Default)]
pub struct CountingEntropy(std::sync::atomic::AtomicU64);

impl crate::entropy::Entropy for CountingEntropy {
    fn draw(&self) -> [u8; 16] {
        let count = 1 + self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        u128::from(count).to_le_bytes()
    }
}

/// Runs the promises of one file, each in a world of its own, and says which one is checked.
macro_rules! promises {
    ($($promise:ident),+ $(,)?) => {
        pub(super) async fn check(fresh_world: &super::WorldFactory<'_>) {
            $(
                tracing::info!(promise = stringify!($promise), "checking");
                let world = fresh_world().await;
                $promise(&*world, &*world.store()).await;
            )+
        }
    };
}
use promises;

async fn commit(store: &dyn MetaStore, txn: Txn) -> Revision {
    match store.txn(txn).await {
        Ok(TxnOutcome::Committed { revision }) => revision,
        other => panic!("the transaction was to be committed: {other:?}"),
    }
}

async fn refused_by_compare(store: &dyn MetaStore, txn: Txn) -> Vec<Current> {
    match store.txn(txn).await {
        Ok(TxnOutcome::CompareFailed { current }) => current,
        other => panic!("a compare was to fail: {other:?}"),
    }
}

async fn put(store: &dyn MetaStore, key: &str, value: &'static str) -> Revision {
    commit(store, Txn::new().put(key, Bytes::from_static(value.as_bytes()))).await
}

async fn get(store: &dyn MetaStore, key: &str) -> Option<Entry> {
    store.get(key).await.expect("the store answers")
}

async fn value(store: &dyn MetaStore, key: &str) -> Option<Bytes> {
    get(store, key).await.map(|entry| entry.value)
}

/// Waits for batches until `count` events have come; they are checked to be in order.
async fn events(watch: &mut dyn crate::store::Watch, count: usize) -> Vec<crate::store::Event> {
    let mut events = Vec::new();
    let mut through = Revision::default();
    while events.len() < count {
        let WatchBatch {
            revision,
            events: batch,
        } = watch.next().await.expect("the watch goes on");
        assert!(!batch.is_empty(), "a batch is never empty");
        assert!(
            batch
                .iter()
                .all(|event| event.revision > through && event.revision <= revision)
        );
        assert!(batch.is_sorted_by_key(|event| event.revision));
        through = revision;
        events.extend(batch);
    }
    assert_eq!(events.len(), count, "no more changes than were made");
    events
}

fn everything() -> KeyRange {
    KeyRange::prefix("a/")
}
