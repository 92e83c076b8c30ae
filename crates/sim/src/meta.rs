//! The simulated metadata store: `meta`'s own store in memory, behind answers that are slow or lost.
//!
//! Owns: which transactions and reads meet a fault, and the seeded random bytes. Never: a key's meaning.
//!
//! **Invariant**: it does what a real store may do, no more. A transaction that is under way late is carried out at the latest when
//! the process that sent it is gone: a single broker's store dies with it, so nothing of an earlier life arrives later.

use crate::clock::SimClock;
use crate::world::{Outage, Pace, Site, World};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use millstream_log::manifest::store::{ManifestError, ManifestHistory, ManifestSeq, ManifestStore};
use millstream_meta::memory::{FaultPlan, MemoryStore, TxnFault};
use millstream_meta::store::{
    Entry, KeyRange, MetaStore, RangePage, RangeQuery, ReadError, Revision, Session, SessionError, SessionId,
    Txn, TxnError, TxnOutcome, Watch, WatchError,
};
use millstream_meta::{Entropy, MetaManifest};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// Rates of faults, out of `RATE_UNIT` calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct MetaFaults {
    /// A transaction is refused without a trace.
    pub not_done: u64,
    /// A transaction's answer is lost: it was carried out, was not, or will be.
    pub unknown: u64,
    /// A read gives no answer.
    pub read_error: u64,
    /// An outage begins.
    pub outage: u64,
}

struct Chance {
    world: Arc<World>,
    faults: MetaFaults,
    outage: Outage,
}

impl FaultPlan for Chance {
    fn txn(&mut self, _txn: &Txn) -> Option<TxnFault> {
        if self.world.fault(self.faults.not_done) {
            return Some(TxnFault::NotDone);
        }
        let silent = self.outage.strikes(&self.world, self.faults.outage);
        if !silent && !self.world.fault(self.faults.unknown) {
            return None;
        }
        Some(self.world.draw(|rng| {
            *rng.pick(&[
                TxnFault::DoneButUnknown,
                TxnFault::NotDoneButUnknown,
                TxnFault::Late,
            ])
        }))
    }

    fn read_fails(&mut self) -> bool {
        self.outage.strikes(&self.world, 0) || self.world.fault(self.faults.read_error)
    }
}

/// See the module.
pub struct SimMeta {
    world: Arc<World>,
    pace: Pace,
    store: MemoryStore,
}

impl SimMeta {
    /// An empty store.
    #[must_use]
    pub fn new(world: Arc<World>, pace: Pace, faults: MetaFaults) -> Arc<Self> {
        let store = MemoryStore::new(Arc::new(SimClock::new(world.clone())));
        store.set_fault_plan(Box::new(Chance {
            world: world.clone(),
            faults,
            outage: Outage::default(),
        }));
        Arc::new(Self { world, pace, store })
    }

    /// The process is gone: what was under way is carried out now.
    pub fn settle_late(&self) {
        self.store.release_late();
    }

    /// These befall the next transactions, one each.
    pub fn inject(&self, faults: &[TxnFault]) {
        faults.iter().for_each(|fault| self.store.inject(*fault));
    }

    /// What was injected and has not befallen a transaction never will.
    pub fn clear_injected(&self) {
        self.store.clear_injected();
    }

    /// The store forgets its history.
    pub fn compact(&self) {
        self.store.compact();
    }

    async fn before(&self, site: Site, what: &str) {
        self.world.moment(site, self.pace, what).await;
    }
}

/// The keys of a transaction: what a reader of the trace wants to know.
fn describe(txn: &Txn) -> String {
    use millstream_meta::store::Op;
    let keys = txn.ops.iter().map(|op| match op {
        Op::Put { key, value, .. } => format!("+{key}({})", value.len()),
        Op::Delete(key) => format!("-{key}"),
        Op::DeleteRange(range) => format!("-{}..{}", range.from, range.to),
    });
    keys.collect::<Vec<_>>().join(" ")
}

impl MetaStore for SimMeta {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, ReadError>> {
        async move {
            self.before("meta.get", key).await;
            self.store.get(key).await
        }
        .boxed()
    }

    fn range(&self, query: RangeQuery) -> BoxFuture<'_, Result<RangePage, ReadError>> {
        async move {
            self.before("meta.range", &query.range.from).await;
            self.store.range(query).await
        }
        .boxed()
    }

    fn txn(&self, txn: Txn) -> BoxFuture<'_, Result<TxnOutcome, TxnError>> {
        async move {
            let what = describe(&txn);
            self.before("meta.txn", &what).await;
            let outcome = self.store.txn(txn).await;
            let result = match &outcome {
                Ok(TxnOutcome::Committed { revision }) => format!("committed at {revision}"),
                Ok(TxnOutcome::CompareFailed { .. }) => "compare failed".to_owned(),
                Err(error) => error.to_string(),
            };
            self.before("meta.txn", &format!("{what} {result}")).await;
            outcome
        }
        .boxed()
    }

    fn watch(&self, range: KeyRange, after: Revision) -> BoxFuture<'_, Result<Box<dyn Watch>, WatchError>> {
        async move {
            self.before("meta.watch", &range.from).await;
            self.store.watch(range, after).await
        }
        .boxed()
    }

    fn open_session(&self, ttl: Duration) -> BoxFuture<'_, Result<Session, SessionError>> {
        async move {
            self.before("meta.session", "open").await;
            self.store.open_session(ttl).await
        }
        .boxed()
    }

    fn keep_alive(&self, session: SessionId) -> BoxFuture<'_, Result<(), SessionError>> {
        async move {
            self.before("meta.session", "keep alive").await;
            self.store.keep_alive(session).await
        }
        .boxed()
    }

    fn close_session(&self, session: SessionId) -> BoxFuture<'_, Result<(), SessionError>> {
        async move {
            self.before("meta.session", "close").await;
            self.store.close_session(session).await
        }
        .boxed()
    }
}

/// Random bytes from the world's seed.
pub struct SimEntropy(pub Arc<World>);

impl Entropy for SimEntropy {
    fn draw(&self) -> [u8; 16] {
        let (high, low) = self.0.draw(|rng| (rng.next_u64(), rng.next_u64()));
        (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
    }
}

/// What a broken list of manifest records would do: for the proof that the checker would find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestMutation {
    /// The last record before a crash was answered, and is gone.
    LosesLastRecord,
    /// Uploads are kept without what they say of producers.
    ForgetsProducers,
    /// Uploads are kept without the transactions that were aborted.
    ForgetsAborted,
}

/// The log's manifest list, perhaps broken on purpose.
pub struct SimManifest {
    inner: MetaManifest,
    mutation: Option<ManifestMutation>,
    /// Under `LosesLastRecord`: the record that was answered and not kept yet.
    held: Mutex<Option<(ManifestSeq, bytes::Bytes)>>,
}

impl SimManifest {
    /// The list of broker 0.
    #[must_use]
    pub fn new(store: Arc<SimMeta>, mutation: Option<ManifestMutation>) -> Self {
        let entropy = SimEntropy(store.world.clone());
        Self {
            inner: MetaManifest::new(store, 0, None, &entropy),
            mutation,
            held: Mutex::new(None),
        }
    }

    async fn release(&self) -> Result<(), ManifestError> {
        let held = self.held.lock().clone();
        if let Some((seq, record)) = held {
            self.inner.append(seq, record).await?;
            *self.held.lock() = None;
        }
        Ok(())
    }
}

impl ManifestStore for SimManifest {
    fn load(&self) -> BoxFuture<'_, Result<ManifestHistory, ManifestError>> {
        self.inner.load()
    }

    fn append(&self, seq: ManifestSeq, record: bytes::Bytes) -> BoxFuture<'_, Result<(), ManifestError>> {
        match self.mutation {
            None => self.inner.append(seq, record),
            Some(ManifestMutation::ForgetsProducers) => {
                let record = millstream_log::manifest::testing::without_producers(record);
                async move { self.inner.append(seq, record).await }.boxed()
            }
            Some(ManifestMutation::ForgetsAborted) => {
                let record = millstream_log::manifest::testing::without_aborted(record);
                async move { self.inner.append(seq, record).await }.boxed()
            }
            Some(ManifestMutation::LosesLastRecord) => async move {
                self.release().await?;
                *self.held.lock() = Some((seq, record));
                Ok(())
            }
            .boxed(),
        }
    }

    fn snapshot(
        &self,
        through: ManifestSeq,
        snapshot: bytes::Bytes,
    ) -> BoxFuture<'_, Result<(), ManifestError>> {
        async move {
            self.release().await?;
            self.inner.snapshot(through, snapshot).await
        }
        .boxed()
    }
}
