//! The metadata store of a single broker: everything in memory, made durable in one redb file.
//!
//! Owns: the queue of transactions and their group commit. Never: a network, a background task.
//! **Invariant**: a transaction is visible, and answered as committed, only after the commit that holds it is durable.
//!
//! A commit costs a sync (some 200 us). Transactions that arrive during one are decided together and share the next, so that
//! creating 10,000 topics at once costs some hundred syncs. redb blocks, and is called on tokio's blocking threads only; one
//! drainer at a time, which ends when the queue is empty. A caller that is dropped changes nothing: its transaction goes on.

mod journal;
mod medium;
mod queue;
#[cfg(test)]
mod tests;

use crate::local::{Draft, Local, LocalWatch, State, Tend, check_ttl};
use crate::store::{
    Entry, KeyRange, MetaStore, RangePage, RangeQuery, ReadError, Revision, Session, SessionError, SessionId,
    Txn, TxnError, TxnOutcome, Watch, WatchError,
};
use futures_util::future::BoxFuture;
use journal::Journal;
use medium::{DiskFile, Medium};
use millstream_log::{Clock, Fate, OpenError};
use parking_lot::Mutex;
use queue::{Answers, Command, Queue, Queued};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

struct Inner {
    local: Local,
    queue: Queue,
    /// Locked for whole commits, therefore on blocking threads only.
    journal: Mutex<Journal>,
}

/// The store; clones share it. Its file is closed by `close`, or when the last clone and the last watch are gone.
#[derive(Clone)]
pub struct EmbeddedStore {
    inner: Arc<Inner>,
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmbeddedStore at {}", self.inner.local.lock().revision())
    }
}

impl EmbeddedStore {
    /// Opens the file at `path`, or creates it and its directory. The clock decides when sessions expire.
    ///
    /// # Errors
    /// `InUse` if another process (or this one) has it open.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let file = DiskFile {
            path: path.to_owned(),
        };
        Self::open_medium(Box::new(file), clock).await
    }

    async fn open_medium(medium: Box<dyn Medium>, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let opened = tokio::task::spawn_blocking(move || Journal::open(medium)).await;
        let (journal, found) = opened.map_err(|e| OpenError::Storage(e.to_string()))??;
        let state = State::restored(found.keys, found.revision);
        Ok(Self {
            inner: Arc::new(Inner {
                local: Local::new(clock, state),
                queue: Queue::new(),
                journal: Mutex::new(journal),
            }),
        })
    }

    /// Finishes the commit under way and closes the file. Transactions after it are refused, watches end.
    pub async fn close(&self) {
        let inner = self.inner.clone();
        let closed = tokio::task::spawn_blocking(move || inner.journal.lock().close()).await;
        if let Err(e) = closed {
            tracing::error!("closing the metadata store: {e}");
        }
        self.inner.local.close();
    }

    /// Forgets history: watches that are behind, and reads at old revisions, are told so.
    pub fn compact(&self) {
        self.inner.local.lock().compact();
    }

    /// Ends sessions whose time is up before anything is read.
    async fn ready_to_read(&self) -> Result<(), String> {
        if self.inner.local.is_closed() {
            return Err("the metadata store was closed".into());
        }
        if self.inner.local.session_due() {
            self.inner.tend().await?;
        }
        Ok(())
    }
}

impl Inner {
    /// Decides a group, makes it durable, shows it. The answers go out after it.
    fn commit_group(&self, group: Vec<Queued>) -> Answers {
        let mut journal = self.journal.lock();
        let revision = self.local.lock().revision();
        match journal.bring_back(revision) {
            Ok(Some(proved)) => self.local.apply(proved),
            Ok(None) => {}
            Err(what) => return Answers::refused(group, what),
        }
        let now = self.local.now();
        let (decided, changes) = {
            let state = self.local.lock();
            let mut draft = Draft::new(&state, now);
            let decided = group
                .into_iter()
                .map(|queued| queued.decide(&mut draft))
                .collect();
            (decided, draft.finish())
        };
        let written = if changes.has_revision() {
            journal.write(changes)
        } else {
            Ok(changes)
        };
        let failure = match written {
            Ok(changes) => {
                self.local.apply(changes);
                None
            }
            Err(failure) => Some(failure),
        };
        Answers { decided, failure }
    }
}

/// Commits groups until the queue is empty. Blocks.
fn drain(inner: Arc<Inner>) {
    let mut next = inner.queue.next_group();
    while let Some(group) = next {
        let answers = {
            let _watch = inner.queue.watch_drainer();
            inner.commit_group(group)
        };
        next = inner.queue.next_group();
        if next.is_none() {
            // Before the last answer: whoever drops the store on hearing it finds the file closed.
            drop(inner);
            return answers.send();
        }
        answers.send();
    }
}

/// Queues a command and makes sure that somebody drains the queue.
async fn submit<T: Send + 'static>(
    inner: &Arc<Inner>,
    bytes: usize,
    command: impl FnOnce(tokio::sync::oneshot::Sender<T>) -> Command,
) -> Option<T> {
    let (reply, answer) = tokio::sync::oneshot::channel();
    if inner.queue.push(bytes, command(reply)).await {
        let inner = inner.clone();
        // Not awaited: the drainer serves all callers and outlives this one.
        drop(tokio::task::spawn_blocking(move || drain(inner)));
    }
    answer.await.ok()
}

/// The drainer died with the command in hand.
const GONE: &str = "the metadata store stopped before it answered";

impl Tend for Arc<Inner> {
    fn local(&self) -> &Local {
        &self.local
    }

    fn tend(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            let ended = submit(self, 0, |reply| Command::EndSession { session: None, reply }).await;
            match ended {
                Some(Err(SessionError::Unavailable(what))) => Err(what),
                Some(_) => Ok(()),
                None => Err(GONE.into()),
            }
        })
    }
}

impl MetaStore for EmbeddedStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>, ReadError>> {
        Box::pin(async move {
            self.ready_to_read().await.map_err(ReadError::Unavailable)?;
            Ok(self.inner.local.get(key))
        })
    }

    fn range(&self, query: RangeQuery) -> BoxFuture<'_, Result<RangePage, ReadError>> {
        Box::pin(async move {
            self.ready_to_read().await.map_err(ReadError::Unavailable)?;
            self.inner.local.range(&query)
        })
    }

    fn txn(&self, txn: Txn) -> BoxFuture<'_, Result<TxnOutcome, TxnError>> {
        Box::pin(async move {
            // Refused before it takes room in the queue.
            txn.check().map_err(TxnError::Refused)?;
            let bytes = txn.bytes();
            let answer = submit(&self.inner, bytes, |reply| Command::Txn { txn, reply }).await;
            answer.unwrap_or_else(|| {
                Err(TxnError::Store {
                    fate: Fate::Unknown,
                    what: GONE.into(),
                })
            })
        })
    }

    fn watch(&self, range: KeyRange, after: Revision) -> BoxFuture<'_, Result<Box<dyn Watch>, WatchError>> {
        Box::pin(async move {
            let store: Arc<dyn Tend> = Arc::new(self.inner.clone());
            Ok(Box::new(LocalWatch::new(store, range, after)) as Box<dyn Watch>)
        })
    }

    fn open_session(&self, ttl: Duration) -> BoxFuture<'_, Result<Session, SessionError>> {
        Box::pin(async move {
            check_ttl(ttl)?;
            let answer = submit(&self.inner, 0, |reply| Command::OpenSession { ttl, reply }).await;
            answer.unwrap_or_else(|| Err(SessionError::Unavailable(GONE.into())))
        })
    }

    fn keep_alive(&self, session: SessionId) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(async move { self.inner.local.keep_alive(session) })
    }

    fn close_session(&self, session: SessionId) -> BoxFuture<'_, Result<(), SessionError>> {
        Box::pin(async move {
            let session = Some(session);
            let answer = submit(&self.inner, 0, |reply| Command::EndSession { session, reply }).await;
            answer.unwrap_or_else(|| Err(SessionError::Unavailable(GONE.into())))
        })
    }
}
