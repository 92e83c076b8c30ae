//! The metadata store in memory: for tests and for the simulator, deterministic, with faults on demand.
//!
//! Owns: a state without durability; which faults are injected. Never: threads, real time, randomness.
//! **Invariant**: without a fault it keeps every promise of the port; with one it does what a real store may do, no more.

use crate::local::{Draft, Local, LocalWatch, State, Tend, check_ttl};
use crate::store::{
    Entry, KeyRange, MetaStore, RangePage, RangeQuery, ReadError, Revision, Session, SessionError, SessionId,
    Txn, TxnError, TxnOutcome, Watch, WatchError,
};
use futures_util::future::BoxFuture;
use millstream_log::{Clock, Fate};
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What happens to one transaction instead of a plain answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TxnFault {
    /// Refused without a trace: `Fate::NotDone`.
    NotDone,
    /// Carried out, the answer lost: `Fate::Unknown`.
    DoneButUnknown,
    /// Not carried out, the answer lost: `Fate::Unknown`.
    NotDoneButUnknown,
    /// The answer lost, and the request still on its way: it is carried out (or its compares fail) before the next
    /// transaction, or at `release_late`. `Fate::Unknown`.
    Late,
}

/// Decides what befalls each operation; asked once for each, in order. The simulator's comes from its seed.
pub trait FaultPlan: Send + 'static {
    /// What befalls this transaction.
    fn txn(&mut self, txn: &Txn) -> Option<TxnFault>;
    /// Whether this read, watch or session call gets no answer.
    fn read_fails(&mut self) -> bool;
}

/// Transactions that may be under way late at once; more are dropped as `NotDoneButUnknown`.
const LATE_MAX: usize = 64;

/// No faults but those queued by `inject`.
struct NoFaults;

impl FaultPlan for NoFaults {
    fn txn(&mut self, _txn: &Txn) -> Option<TxnFault> {
        None
    }

    fn read_fails(&mut self) -> bool {
        false
    }
}

struct Faults {
    queued: VecDeque<TxnFault>,
    plan: Box<dyn FaultPlan>,
    late: VecDeque<Txn>,
}

struct Inner {
    local: Local,
    faults: Mutex<Faults>,
}

/// The store; clones share it, as brokers of one cluster do.
#[derive(Clone)]
pub struct MemoryStore {
    inner: Arc<Inner>,
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryStore at {}", self.inner.local.lock().revision())
    }
}

impl MemoryStore {
    /// An empty store whose sessions live by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let state = State::restored(BTreeMap::new(), Revision::default());
        let faults = Faults {
            queued: VecDeque::new(),
            plan: Box::new(NoFaults),
            late: VecDeque::new(),
        };
        Self {
            inner: Arc::new(Inner {
                local: Local::new(clock, state),
                faults: Mutex::new(faults),
            }),
        }
    }

    /// Lets `fault` befall the next transaction that has none yet.
    pub fn inject(&self, fault: TxnFault) {
        self.inner.faults.lock().queued.push_back(fault);
    }

    /// Forgets the faults that were injected and met no transaction.
    pub fn clear_injected(&self) {
        self.inner.faults.lock().queued.clear();
    }

    /// Lets `plan` decide about everything that `inject` left alone.
    pub fn set_fault_plan(&self, plan: Box<dyn FaultPlan>) {
        self.inner.faults.lock().plan = plan;
    }

    /// Carries out what is still on its way.
    pub fn release_late(&self) {
        let late = std::mem::take(&mut self.inner.faults.lock().late);
        for txn in late {
            // Whoever sent it was told `Unknown` long ago: nobody waits for this outcome.
            let _ = self.inner.commit(|draft| draft.txn(&txn));
        }
    }

    /// Forgets history, as a store does in time: watches and reads at old revisions are told so.
    pub fn compact(&self) {
        self.inner.local.lock().compact();
    }

    /// The present revision.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.inner.local.lock().revision()
    }

    fn next_fault(&self, txn: &Txn) -> Option<TxnFault> {
        let mut faults = self.inner.faults.lock();
        match faults.queued.pop_front() {
            Some(fault) => Some(fault),
            None => faults.plan.txn(txn),
        }
    }

    /// Every read goes through here: another task may run, a session may end, the answer may be lost.
    async fn look(&self) -> Result<(), String> {
        tokio::task::yield_now().await;
        self.inner.expire();
        if self.inner.faults.lock().plan.read_fails() {
            return Err("injected: no answer".into());
        }
        Ok(())
    }

    async fn carry_out(&self, txn: Txn) -> Result<TxnOutcome, TxnError> {
        // A real store takes time before and after it decides; the simulator may crash the caller at either point.
        tokio::task::yield_now().await;
        self.release_late();
        let fault = self.next_fault(&txn);
        let answer = match fault {
            None => self.inner.commit(|draft| draft.txn(&txn)),
            Some(TxnFault::NotDone) => Err(lost(Fate::NotDone)),
            Some(TxnFault::NotDoneButUnknown) => Err(lost(Fate::Unknown)),
            Some(TxnFault::DoneButUnknown) => {
                let _ = self.inner.commit(|draft| draft.txn(&txn));
                Err(lost(Fate::Unknown))
            }
            Some(TxnFault::Late) => {
                let mut faults = self.inner.faults.lock();
                if faults.late.len() < LATE_MAX {
                    faults.late.push_back(txn);
                }
                Err(lost(Fate::Unknown))
            }
        };
        tokio::task::yield_now().await;
        answer
    }
}

fn lost(fate: Fate) -> TxnError {
    TxnError::Store {
        fate,
        what: "injected: no answer".into(),
    }
}

impl Inner {
    /// Decides and applies at once.
    fn commit<T>(&self, decide: impl FnOnce(&mut Draft<'_>) -> T) -> T {
        self.local.commit_at_once(decide)
    }

    fn expire(&self) {
        if self.local.session_due() {
            self.commit(|_| ());
        }
    }
}

impl Tend for Arc<Inner> {
    fn local(&self) -> &Local {
        &self.local
    }

    fn tend(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async {
            self.expire();
            Ok(())
        })
    }
}

impl MetaStore for MemoryStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, ReadError>> {
        Box::pin(async move {
            self.look().await.map_err(ReadError::Unavailable)?;
            Ok(self.inner.local.get(key))
        })
    }

    fn range(&self, query: RangeQuery) -> BoxFuture<'_, Result<RangePage, ReadError>> {
        Box::pin(async move {
            self.look().await.map_err(ReadError::Unavailable)?;
            self.inner.local.range(&query)
        })
    }

    fn txn(&self, txn: Txn) -> BoxFuture<'_, Result<TxnOutcome, TxnError>> {
        Box::pin(self.carry_out(txn))
    }

    fn watch(&self, range: KeyRange, after: Revision) -> BoxFuture<'_, Result<Box<dyn Watch>, WatchError>> {
        Box::pin(async move {
            self.look().await.map_err(WatchError::Unavailable)?;
            let watch = LocalWatch::new(Arc::new(self.inner.clone()), range, after);
            Ok(Box::new(watch) as Box<dyn Watch>)
        })
    }

    fn open_session(&self, ttl: Duration) -> BoxFuture<'_, Result<Session, SessionError>> {
        Box::pin(async move {
            check_ttl(ttl)?;
            self.look().await.map_err(SessionError::Unavailable)?;
            Ok(self.inner.commit(|draft| draft.open_session(ttl)))
        })
    }

    fn keep_alive(&self, session: SessionId) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(async move {
            self.look().await.map_err(SessionError::Unavailable)?;
            self.inner.local.keep_alive(session)
        })
    }

    fn close_session(&self, session: SessionId) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(async move {
            self.look().await.map_err(SessionError::Unavailable)?;
            self.inner.commit(|draft| draft.end_session(session));
            Ok(())
        })
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
