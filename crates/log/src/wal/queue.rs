//! The queue in front of the write-ahead log, and the permits that bound it.
//!
//! Owns: back-pressure. A batch takes its permit before it is given offsets, so a full queue never leaves a hole.
//! Never blocks while it holds its lock: `push` is called under a partition's lock, which keeps a stream's batches in order.
//!
//! **Invariant**: the charges of queued and in-flight batches never exceed the permits; a batch charges at least
//! `bytes_max / batches_max`, so that one semaphore bounds bytes and count.
//!
//! On the append path: hop 1.

use crate::batch::{BatchHeader, ControlRecord};
use crate::error::AppendError;
use crate::partition::Partition;
use crate::stream::Appended;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::{Notify, Semaphore, oneshot};

/// Largest sum of permits: what one `acquire_many` can ask for.
const PERMITS_MAX: usize = u32::MAX as usize;

/// The answer to one append.
pub(crate) type Ack = oneshot::Sender<Result<Appended, AppendError>>;

/// A batch that has its offsets and waits for its group.
pub(crate) struct QueuedBatch {
    /// Where it belongs.
    pub(crate) partition: Arc<Partition>,
    /// Its header, with the base offset and epoch that are to be stamped.
    pub(crate) header: BatchHeader,
    /// As it came from the network; taken when its group is sealed.
    pub(crate) bytes: Bytes,
    /// Where in its group's block, once that is sealed.
    pub(crate) position: usize,
    /// What it holds if it is a control batch.
    pub(crate) marker: Option<ControlRecord>,
    /// The partition's count of roll-backs when the offsets were given: if it moved on, they are void.
    pub(crate) rollbacks: u32,
    /// Permits to give back.
    pub(crate) charge: u32,
    /// Whom to answer.
    pub(crate) ack: Ack,
}

impl QueuedBatch {
    /// Its bytes, also when they were taken.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.header.size_bytes).expect("a batch is below 2^31 bytes")
    }
}

/// See the module.
pub(crate) struct WalQueue {
    inner: Mutex<Inner>,
    filled: Notify,
    permits: Semaphore,
    permits_max: u32,
    charge_min: u32,
}

#[derive(Default)]
struct Inner {
    batches: VecDeque<QueuedBatch>,
    bytes: usize,
    is_closed: bool,
}

/// Room in the queue for one batch; given back when dropped unused.
#[must_use]
pub(crate) struct QueuePermit<'a> {
    queue: &'a WalQueue,
    charge: u32,
}

impl QueuePermit<'_> {
    /// The permits pass to the queued batch.
    pub(crate) fn into_charge(mut self) -> u32 {
        std::mem::take(&mut self.charge)
    }
}

impl Drop for QueuePermit<'_> {
    fn drop(&mut self) {
        self.queue.release(self.charge as usize);
    }
}

impl WalQueue {
    /// An open, empty queue.
    pub(crate) fn new(bytes_max: usize, batches_max: usize) -> Self {
        let permits_max = bytes_max.clamp(1, PERMITS_MAX);
        let charge_min = (permits_max / batches_max.max(1)).max(1);
        Self {
            inner: Mutex::default(),
            filled: Notify::new(),
            permits: Semaphore::new(permits_max),
            permits_max: u32::try_from(permits_max).expect("clamped"),
            charge_min: u32::try_from(charge_min).expect("clamped"),
        }
    }

    /// Waits for room. A batch larger than the whole queue waits until it is empty.
    pub(crate) async fn acquire(&self, bytes: usize) -> Result<QueuePermit<'_>, AppendError> {
        let charge = u32::try_from(bytes)
            .unwrap_or(u32::MAX)
            .clamp(self.charge_min, self.permits_max);
        let permit = self
            .permits
            .acquire_many(charge)
            .await
            .map_err(|_| AppendError::Closed)?;
        permit.forget();
        Ok(QueuePermit { queue: self, charge })
    }

    /// Queues a batch, unless the queue is closed.
    pub(crate) fn push(&self, batch: QueuedBatch) -> Result<(), AppendError> {
        let mut inner = self.inner.lock();
        if inner.is_closed {
            return Err(AppendError::Closed);
        }
        let was_empty = inner.batches.is_empty();
        inner.bytes += batch.bytes.len();
        inner.batches.push_back(batch);
        drop(inner);
        if was_empty {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Moves the next group's batches, at least one, at most about `bytes_max`, to `into`, which is empty. Waits for them;
    /// false when the queue is closed and empty.
    pub(crate) async fn next_group(&self, bytes_max: usize, into: &mut Vec<QueuedBatch>) -> bool {
        debug_assert!(into.is_empty());
        loop {
            {
                let mut inner = self.inner.lock();
                if !inner.batches.is_empty() {
                    inner.take(bytes_max, into);
                    return true;
                }
                if inner.is_closed {
                    return false;
                }
            }
            self.filled.notified().await;
        }
    }

    /// Gives permits back.
    pub(crate) fn release(&self, charge: usize) {
        self.permits.add_permits(charge);
    }

    /// The loop that takes batches is gone: nobody waits for ever for what it would have answered.
    pub(crate) fn abandon(&self) {
        self.close();
        let batches = std::mem::take(&mut self.inner.lock().batches);
        // Outside of the lock: each wakes its waiter.
        drop(batches);
    }

    /// Refuses new batches and those that wait for room; what is queued is still taken.
    pub(crate) fn close(&self) {
        self.inner.lock().is_closed = true;
        self.permits.close();
        self.filled.notify_one();
    }
}

impl Inner {
    /// From the front, so that what stays is not moved: with a full queue that would be megabytes for every group.
    fn take(&mut self, bytes_max: usize, into: &mut Vec<QueuedBatch>) {
        let mut bytes = 0;
        let is_within = |batch: &&QueuedBatch| {
            bytes += batch.bytes.len();
            bytes <= bytes_max
        };
        let count = self.batches.iter().take_while(is_within).count().max(1);
        into.extend(self.batches.drain(..count));
        self.bytes -= into.iter().map(|batch| batch.bytes.len()).sum::<usize>();
    }
}
