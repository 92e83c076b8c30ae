//! Waking readers that wait for streams to move.
//!
//! Owns: the registration of one waiter at many streams. Never holds data.
//!
//! **Invariant**: a move that happens after `register`, or after the last return of `woken`, is never missed; and a group that
//! moves many of a waiter's streams wakes it once.

use crate::partition::Partition;
use crate::stream::Stream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// One waiter.
#[derive(Default)]
pub(crate) struct WakeCell {
    /// Set by the first move since the waiter looked; later ones need not notify.
    is_marked: AtomicBool,
    notify: Notify,
}

impl WakeCell {
    /// Notes a move. True if the caller must `wake`, once what it publishes is complete.
    pub(crate) fn mark(&self) -> bool {
        !self.is_marked.swap(true, Ordering::AcqRel)
    }

    /// Wakes the waiter.
    pub(crate) fn wake(&self) {
        self.notify.notify_one();
    }
}

/// Wakes one reader when any of its streams moves: registered before the last look, so that no move is missed.
pub struct WakeSet {
    cell: Arc<WakeCell>,
    partitions: Vec<Arc<Partition>>,
}

impl WakeSet {
    /// Registers at every stream. Dropping it unregisters.
    #[must_use]
    pub fn register<'a>(streams: impl IntoIterator<Item = &'a Stream>) -> Self {
        let cell = Arc::new(WakeCell::default());
        let partitions: Vec<_> = streams
            .into_iter()
            .map(|stream| stream.partition().clone())
            .collect();
        for partition in &partitions {
            partition.add_waiter(&cell);
        }
        Self { cell, partitions }
    }

    /// Returns once any stream's end or start moved, or the stream was deleted, since `register` or the last return.
    pub async fn woken(&mut self) {
        self.cell.notify.notified().await;
        // A move that is marked from here on notifies again; one that was marked before is visible to the caller's look,
        // because it was published under the stream's lock before it was marked.
        self.cell.is_marked.swap(false, Ordering::AcqRel);
    }
}

impl Drop for WakeSet {
    fn drop(&mut self) {
        for partition in &self.partitions {
            partition.remove_waiter(&self.cell);
        }
    }
}
