//! A watch on a store inside this process: a cursor into its history. There is no buffer that could grow.
//!
//! Owns: how far one watcher has read. Never: the changes themselves.
//! **Invariant**: the cursor moves only when a batch is handed out, so a dropped `next` loses nothing.

use super::{Local, Progress};
use crate::store::{KeyRange, Revision, Watch, WatchBatch, WatchError};
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch as progress;

/// A store that ends sessions when somebody looks: there is no background task that would. Waiting watches look too.
pub(crate) trait Tend: Send + Sync + 'static {
    fn local(&self) -> &Local;
    /// Ends the sessions whose time is up.
    fn tend(&self) -> BoxFuture<'_, Result<(), String>>;
}

/// The shortest sleep before a waiting watch looks at the sessions again: the runtime's timer has this resolution.
const TEND_INTERVAL_MIN: Duration = Duration::from_millis(1);

pub(crate) struct LocalWatch {
    store: Arc<dyn Tend>,
    progress: progress::Receiver<Progress>,
    range: KeyRange,
    cursor: Revision,
}

impl LocalWatch {
    pub(crate) fn new(store: Arc<dyn Tend>, range: KeyRange, after: Revision) -> Self {
        let progress = store.local().subscribe();
        Self {
            store,
            progress,
            range,
            cursor: after,
        }
    }

    fn take_batch(&mut self) -> Result<Option<WatchBatch>, WatchError> {
        let changes = self.store.local().changes_after(&self.range, self.cursor);
        let (events, revision) = changes.map_err(|oldest| WatchError::Lagged { oldest })?;
        // Also without events: else a watcher of a quiet range would be told that it lags.
        self.cursor = self.cursor.max(revision);
        Ok((!events.is_empty()).then_some(WatchBatch { revision, events }))
    }
}

impl Watch for LocalWatch {
    fn next(&mut self) -> BoxFuture<'_, Result<WatchBatch, WatchError>> {
        Box::pin(async move {
            loop {
                // Marked as seen before the look, so that a change after the look wakes us.
                let closed = self.progress.borrow_and_update().closed;
                if let Some(batch) = self.take_batch()? {
                    return Ok(batch);
                }
                if closed {
                    return Err(WatchError::Unavailable("the store was closed".into()));
                }
                let due = self.store.local().until_session_due();
                let due = async {
                    match due {
                        Some(due) => tokio::time::sleep(due.max(TEND_INTERVAL_MIN)).await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    changed = self.progress.changed() => {
                        changed.expect("the sender lives in the store, which we hold");
                    }
                    () = due => self.store.tend().await.map_err(WatchError::Unavailable)?,
                }
            }
        })
    }
}
