//! One stream's state: its offsets, its tail, its producers, its waiters.
//!
//! Owns: which offset comes next. Never does IO, never awaits: everything happens under one short lock.
//!
//! **Invariant**: `start <= end <= next`; `[end, next)` is exactly what the write-ahead log's queue holds of the stream; the tail
//! is contiguous and ends at `end`; the watermark `end` passes only durable bytes, in order (trap T1).
//!
//! On the append path: `assign` before hop 1, `publish` after the group is durable. On the fetch path: `plan`.

mod append;
mod read;
mod transactions;
mod upload;

pub(crate) use append::{Assigned, Incoming};
pub(crate) use read::{InTail, Piece, Plan};
pub(crate) use upload::ExactCut;

use crate::config::StreamPolicy;
use crate::error::{AppendError, StreamError};
use crate::ids::{AbortedTransaction, Epoch, Offset, StreamId};
use crate::manifest::record::ProducerSnapshot;
use crate::producers::Producers;
use crate::stream::StreamBounds;
use crate::transactions::AbortedList;
use crate::upload::source::TailBatch;
use crate::wake::WakeCell;
use crate::wal::queue::Ack;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// See the module.
pub(crate) struct Partition {
    id: StreamId,
    /// How often offsets were taken back; changed only by the write-ahead log's loop.
    rollbacks: AtomicU32,
    is_deleted: AtomicBool,
    state: Mutex<State>,
}

/// Kept small: an idle stream has no heap memory but for its history of epochs.
struct State {
    epoch: Epoch,
    start: Offset,
    /// One past the last offset in objects.
    uploaded: Offset,
    /// One past the last durable offset.
    end: Offset,
    /// One past the last offset given.
    next: Offset,
    /// Durable batches, oldest first: all from `uploaded` on, and those below whose blocks were cached when last looked at.
    tail: VecDeque<TailBatch>,
    /// Bytes of the tail's batches from `uploaded` on.
    tail_bytes: u64,
    /// Batches from `uploaded` on that a trim took from the tail's front. Nobody reads them any more, but a cut that ends before `end`
    /// needs what they say of producers. Boxed: rare.
    #[expect(clippy::box_collection, reason = "8 bytes instead of 32 in every idle stream")]
    trimmed: Option<Box<VecDeque<TailBatch>>>,
    /// Where each epoch's first batch lies.
    epochs: Vec<(Epoch, Offset)>,
    /// Boxed: most streams never see an idempotent producer, and it is large.
    producers: Option<Box<Producers>>,
    /// Boxed: most streams never see an abort.
    aborted: Option<Box<AbortedList>>,
    /// Retries of pending batches: who waits for the batch that ends at this offset (trap T2). Boxed: rare.
    #[expect(clippy::box_collection, reason = "8 bytes instead of 24 in every idle stream")]
    retries: Option<Box<Vec<Retry>>>,
    waiters: Vec<Arc<WakeCell>>,
    policy: Option<Arc<StreamPolicy>>,
    /// Whether its deletion is durable.
    is_forgotten: bool,
}

struct Retry {
    base: Offset,
    last: Offset,
    ack: Ack,
}

/// What is known of a stream when it is first opened: what objects hold of it.
#[derive(Default)]
pub(crate) struct Committed {
    pub(crate) start: Offset,
    pub(crate) end: Offset,
    pub(crate) epochs: Vec<(Epoch, Offset)>,
    pub(crate) producers: Vec<ProducerSnapshot>,
    pub(crate) aborted: Vec<AbortedTransaction>,
}

impl Partition {
    /// A stream that holds only what is in objects.
    pub(crate) fn new(id: StreamId, committed: Committed) -> Self {
        let producers =
            (!committed.producers.is_empty()).then(|| Box::new(Producers::restore(&committed.producers)));
        let aborted = (!committed.aborted.is_empty()).then(|| Box::new(AbortedList::new(committed.aborted)));
        Self {
            id,
            rollbacks: AtomicU32::new(0),
            is_deleted: AtomicBool::new(false),
            state: Mutex::new(State {
                epoch: committed.epochs.last().map_or(Epoch(0), |(epoch, _)| *epoch),
                start: committed.start,
                uploaded: committed.end,
                // A trim inside the tail leaves a start above what objects hold.
                end: committed.end.max(committed.start),
                next: committed.end.max(committed.start),
                tail: VecDeque::new(),
                tail_bytes: 0,
                trimmed: None,
                epochs: committed.epochs,
                producers,
                aborted,
                retries: None,
                waiters: Vec::new(),
                policy: None,
                is_forgotten: false,
            }),
        }
    }

    pub(crate) fn id(&self) -> StreamId {
        self.id
    }

    pub(crate) fn rollbacks(&self) -> u32 {
        self.rollbacks.load(Ordering::Acquire)
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.is_deleted.load(Ordering::Acquire)
    }

    /// Opens under `epoch`, unless a higher one holds.
    pub(crate) fn raise_epoch(&self, epoch: Epoch) {
        let mut state = self.state.lock();
        state.epoch = state.epoch.max(epoch);
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.state.lock().epoch
    }

    /// Where the history of `epoch` ends: the start of the next one. See `Stream::epoch_end`.
    pub(crate) fn epoch_end(&self, epoch: Epoch) -> Option<(Epoch, Offset)> {
        let state = self.state.lock();
        if epoch > state.epoch {
            return None;
        }
        if epoch == state.epoch {
            return Some((epoch, state.end));
        }
        let after = state.epochs.partition_point(|(known, _)| *known <= epoch);
        let (known, _) = *state.epochs.get(after.checked_sub(1)?)?;
        let end = state.epochs.get(after).map_or(state.end, |(_, start)| *start);
        Some((known, end))
    }

    /// `object_bytes`: what objects hold of it.
    pub(crate) fn bounds(&self, object_bytes: u64) -> StreamBounds {
        let state = self.state.lock();
        StreamBounds {
            start: state.start,
            end: state.end,
            stable_end: state.stable_end(),
            bytes: state.tail_bytes + object_bytes,
        }
    }

    pub(crate) fn stable_end(&self) -> Offset {
        self.state.lock().stable_end()
    }

    /// The first offset that the local log holds.
    pub(crate) fn local_start(&self) -> Offset {
        let state = self.state.lock();
        state.tail_start().max(state.start)
    }

    /// Whether `start` may become the start.
    pub(crate) fn check_trim(&self, start: Offset) -> Result<(), StreamError> {
        if self.is_deleted() {
            return Err(StreamError::StreamGone);
        }
        if start > self.state.lock().end {
            return Err(StreamError::OffsetOutOfRange);
        }
        Ok(())
    }

    /// A trim is durable.
    pub(crate) fn advance_start(&self, start: Offset) {
        let mut state = self.state.lock();
        if start <= state.start {
            return;
        }
        assert!(start <= state.end, "only what is durable is trimmed");
        state.start = start;
        state.drop_trimmed();
        state.forget_aborted();
        let woken = state.mark_waiters();
        drop(state);
        woken.iter().for_each(|cell| cell.wake());
    }

    /// Refuses everything from now on. What is queued is answered `StreamGone` by the write-ahead log's loop. The tail stays,
    /// and is uploaded like any other, until `forget`: a deletion that did not become durable must not have lost anything.
    pub(crate) fn delete(&self) {
        let mut state = self.state.lock();
        self.is_deleted.store(true, Ordering::Release);
        let retries = state.retries.take();
        let woken = state.mark_waiters();
        drop(state);
        for retry in retries.into_iter().flat_map(|retries| *retries) {
            // A client that hung up does not want it.
            let _ = retry.ack.send(Err(AppendError::StreamGone));
        }
        woken.iter().for_each(|cell| cell.wake());
    }

    /// The deletion is durable.
    pub(crate) fn forget(&self) {
        let mut state = self.state.lock();
        state.is_forgotten = true;
        state.tail = VecDeque::new();
        state.tail_bytes = 0;
        state.trimmed = None;
    }

    pub(crate) fn add_waiter(&self, cell: &Arc<WakeCell>) {
        self.state.lock().waiters.push(cell.clone());
    }

    pub(crate) fn remove_waiter(&self, cell: &Arc<WakeCell>) {
        let mut state = self.state.lock();
        if let Some(index) = state.waiters.iter().position(|known| Arc::ptr_eq(known, cell)) {
            state.waiters.swap_remove(index);
        }
        if state.waiters.is_empty() {
            // A stream that was polled once should not keep the memory for ever.
            state.waiters = Vec::new();
        }
    }

    pub(crate) fn set_policy(&self, policy: StreamPolicy) {
        self.state.lock().policy = Some(Arc::new(policy));
    }

    pub(crate) fn policy(&self) -> Option<Arc<StreamPolicy>> {
        self.state.lock().policy.clone()
    }

    /// What the stream remembers of its producers.
    pub(crate) fn with_producers<T>(&self, look: impl FnOnce(Option<&mut Producers>) -> T) -> T {
        let mut state = self.state.lock();
        let seen = look(state.producers.as_deref_mut());
        if state
            .producers
            .as_ref()
            .is_some_and(|producers| producers.is_empty())
        {
            state.producers = None;
        }
        seen
    }

    /// Memory that the stream takes, but for blocks: itself and what it owns on the heap.
    #[cfg(test)]
    pub(crate) fn memory_bytes(&self) -> usize {
        let state = self.state.lock();
        size_of::<Self>()
            + 2 * size_of::<usize>()
            + state.tail.capacity() * size_of::<TailBatch>()
            + state.epochs.capacity() * size_of::<(Epoch, Offset)>()
            + state.waiters.capacity() * size_of::<Arc<WakeCell>>()
    }

    /// The invariants of the module, for `crate::invariants`.
    pub(crate) fn check(&self) -> Result<(), String> {
        let state = self.state.lock();
        if !(state.start <= state.end && state.end <= state.next && state.uploaded <= state.end) {
            return Err(format!(
                "{}: start {} uploaded {} end {} next {}",
                self.id, state.start, state.uploaded, state.end, state.next
            ));
        }
        if self.is_deleted() {
            return Ok(());
        }
        if let Some(aborted) = &state.aborted {
            aborted.check().map_err(|what| format!("{}: {what}", self.id))?;
        }
        let trimmed = state.trimmed.iter().flat_map(|trimmed| trimmed.iter());
        let mut expected = trimmed
            .clone()
            .next()
            .map_or(state.tail_start(), |first| first.base);
        for batch in trimmed.chain(&state.tail) {
            if batch.base != expected || batch.last < batch.base {
                return Err(format!("{}: hole in the tail at {expected}", self.id));
            }
            expected = batch.last.plus(1);
        }
        if expected != state.end || state.tail_start() > state.uploaded.max(state.start) {
            return Err(format!(
                "{}: the tail does not reach from objects to the end",
                self.id
            ));
        }
        let above = state.tail.iter().filter(|batch| batch.base >= state.uploaded);
        if above.map(|batch| u64::from(batch.len)).sum::<u64>() != state.tail_bytes {
            return Err(format!("{}: the tail's bytes are miscounted", self.id));
        }
        Ok(())
    }
}

impl State {
    fn stable_end(&self) -> Offset {
        let open = self
            .producers
            .as_ref()
            .and_then(|producers| producers.first_open());
        // A trim may reach into a transaction that is open.
        open.map_or(self.end, |open| open.min(self.end).max(self.start))
    }

    fn tail_start(&self) -> Offset {
        self.tail.front().map_or(self.end, |batch| batch.base)
    }

    /// Lets go of what lies wholly below the start. The newest batch that is not in objects stays: with it the epochs and the
    /// producers get there, although nobody reads it any more.
    fn drop_trimmed(&mut self) {
        while let Some(batch) = self.tail.front().copied()
            && batch.last < self.start
            && (self.tail.len() > 1 || batch.base < self.uploaded)
        {
            self.pop_tail();
        }
    }

    fn pop_tail(&mut self) {
        if let Some(batch) = self.tail.pop_front()
            && batch.base >= self.uploaded
        {
            self.tail_bytes -= u64::from(batch.len);
            self.trimmed.get_or_insert_default().push_back(batch);
        }
        if self.tail.is_empty() {
            self.tail = VecDeque::new();
        }
    }

    /// Waiters that have to be woken once the lock is released.
    fn mark_waiters(&self) -> Vec<Arc<WakeCell>> {
        self.waiters.iter().filter(|cell| cell.mark()).cloned().collect()
    }
}

#[cfg(test)]
mod tests;
