//! The partition's part of the append path: giving offsets, publishing, taking back, replaying.

use super::{Partition, Retry, State};
use crate::batch::{BatchHeader, ControlRecord};
use crate::clock::TimestampMs;
use crate::error::{AppendError, OpenError};
use crate::ids::{Epoch, GroupSeq, Offset, TransactionGuard};
use crate::producers::Verdict;
use crate::stream::Appended;
use crate::upload::source::TailBatch;
use crate::wal::group_commit::Outbox;
use crate::wal::queue::{Ack, QueuePermit, QueuedBatch, WalQueue};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What became of a batch that was to be queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assigned {
    /// It has its offsets and is in the queue; `ack` will be answered.
    Queued,
    /// It is a retry of a batch that is pending; `ack` will be answered with that one's outcome.
    Joined,
    /// It is a retry of a batch that is durable.
    Durable(Appended),
}

/// A batch on its way into the queue.
pub(crate) struct Incoming {
    pub(crate) epoch: Epoch,
    pub(crate) header: BatchHeader,
    pub(crate) bytes: Bytes,
    /// What a control batch holds.
    pub(crate) marker: Option<ControlRecord>,
    /// Set where the transaction that the batch belongs to was asked about before.
    pub(crate) guard: Option<TransactionGuard>,
    pub(crate) now: TimestampMs,
    pub(crate) ack: Ack,
}

impl Partition {
    /// Judges the batch, gives it its offsets and queues it, in one step: the queue's order is the offsets' order.
    pub(crate) fn assign(
        self: &Arc<Self>,
        queue: &WalQueue,
        permit: QueuePermit<'_>,
        incoming: Incoming,
        expiry: Duration,
    ) -> Result<Assigned, AppendError> {
        let mut state = self.state.lock();
        if self.is_deleted() {
            return Err(AppendError::StreamGone);
        }
        if incoming.epoch != state.epoch {
            return Err(AppendError::Fenced { current: state.epoch });
        }
        let mut header = incoming.header;
        if header.has_producer() {
            match state.check_producer(&header, incoming.marker.as_ref(), incoming.now, expiry)? {
                Verdict::Fresh => state.check_transaction(&header, incoming.guard)?,
                Verdict::Duplicate { base, last } => return Ok(state.join(base, last, incoming.ack)),
            }
        }
        header.base_offset = state.next;
        header.epoch = incoming.epoch;
        let queued = QueuedBatch {
            partition: self.clone(),
            header,
            bytes: incoming.bytes,
            position: 0,
            marker: incoming.marker,
            rollbacks: self.rollbacks(),
            charge: permit.into_charge(),
            ack: incoming.ack,
        };
        // A closed queue has closed its permits, too: none has to go back.
        queue.push(queued)?;
        state.next = header.next_offset();
        if header.has_producer() {
            let producers = state.producers.get_or_insert_default();
            producers.assign(&header, incoming.marker.as_ref(), incoming.now, expiry);
        }
        Ok(Assigned::Queued)
    }

    /// The stream's batches of a durable group.
    pub(crate) fn publish(
        &self,
        seq: GroupSeq,
        wall_ms: TimestampMs,
        batches: &[QueuedBatch],
        outbox: &mut Outbox,
    ) {
        let mut state = self.state.lock();
        for batch in batches {
            assert_eq!(
                batch.header.base_offset, state.end,
                "the watermark moves without a gap"
            );
            state.extend(&batch.header, seq, batch.position);
            if batch.header.has_producer() {
                let producers = state.producers.get_or_insert_default();
                let aborted = producers.publish(&batch.header, batch.marker.as_ref(), wall_ms);
                state.note_aborted(aborted);
            }
        }
        if state.is_forgotten {
            state.tail.clear();
            state.tail_bytes = 0;
        }
        state.answer_retries(outbox);
        outbox
            .readers
            .extend(state.waiters.iter().filter(|cell| cell.mark()).cloned());
    }

    /// Takes back every offset that is not durable, and what was noted of producers with them.
    pub(crate) fn roll_back(&self, error: &AppendError, outbox: &mut Outbox) {
        let mut state = self.state.lock();
        self.rollbacks.fetch_add(1, Ordering::AcqRel);
        state.next = state.end;
        if let Some(producers) = &mut state.producers {
            producers.roll_back();
            if producers.is_empty() {
                state.producers = None;
            }
        }
        let retries = state.retries.take().into_iter().flat_map(|retries| *retries);
        outbox
            .duplicates
            .extend(retries.map(|retry| (retry.ack, Err(error.clone()))));
    }

    /// A batch found by recovery, with its marker if it is a control batch. Below the committed end: nothing to do.
    pub(crate) fn replay(
        &self,
        header: &BatchHeader,
        marker: Option<&ControlRecord>,
        seq: GroupSeq,
        wall_ms: TimestampMs,
        position: usize,
    ) -> Result<(), OpenError> {
        let mut state = self.state.lock();
        if header.next_offset() <= state.uploaded {
            return Ok(());
        }
        state.epoch = state.epoch.max(header.epoch);
        if header.has_producer() {
            let producers = state.producers.get_or_insert_default();
            let aborted = producers.replay(header, marker, wall_ms);
            state.note_aborted(aborted);
        }
        if state.tail.is_empty() && header.base_offset >= state.uploaded && header.base_offset < state.start {
            // Trimmed before it was uploaded, or reaching across the start, which may lie inside of a batch.
            state.end = header.base_offset;
        }
        if header.base_offset != state.end {
            return Err(OpenError::Corrupt(format!(
                "{}: the write-ahead log goes on at offset {} instead of {}",
                self.id, header.base_offset, state.end
            )));
        }
        state.extend(header, seq, position);
        state.next = state.end;
        state.drop_trimmed();
        Ok(())
    }

    /// Replay is complete.
    pub(crate) fn finish_replay(&self) {
        let mut state = self.state.lock();
        if state.end < state.start {
            // Flush mode async lost what the trim had seen: the stream goes on where it was trimmed to.
            state.tail = VecDeque::new();
            state.tail_bytes = 0;
            state.trimmed = None;
            state.end = state.start;
            state.next = state.start;
        }
    }
}

impl State {
    fn check_producer(
        &self,
        header: &BatchHeader,
        marker: Option<&ControlRecord>,
        now: TimestampMs,
        expiry: Duration,
    ) -> Result<Verdict, AppendError> {
        let producers = self.producers.as_ref();
        producers.map_or(Ok(Verdict::Fresh), |producers| {
            producers.check(header, marker, now, expiry)
        })
    }

    /// A retry shares the outcome of the first try: at once if that is durable, else together with it.
    fn join(&mut self, base: Offset, last: Offset, ack: Ack) -> Assigned {
        if last < self.end {
            return Assigned::Durable(Appended {
                base,
                last,
                duplicate: true,
            });
        }
        self.retries
            .get_or_insert_default()
            .push(Retry { base, last, ack });
        Assigned::Joined
    }

    fn extend(&mut self, header: &BatchHeader, group: GroupSeq, position: usize) {
        let len = u32::try_from(header.size_bytes).expect("a batch is below 2^31 bytes");
        self.tail.push_back(TailBatch {
            base: header.base_offset,
            last: header.last_offset(),
            max_timestamp: header.max_timestamp,
            group,
            position: u32::try_from(position).expect("a block is below 2^32 bytes"),
            len,
        });
        self.tail_bytes += u64::from(len);
        self.end = header.next_offset();
        self.note_epoch(header);
    }

    fn note_epoch(&mut self, header: &BatchHeader) {
        if self.epochs.last().is_none_or(|(epoch, _)| *epoch < header.epoch) {
            self.epochs.push((header.epoch, header.base_offset));
        }
    }

    fn answer_retries(&mut self, outbox: &mut Outbox) {
        let Some(retries) = &mut self.retries else { return };
        let end = self.end;
        for retry in retries.extract_if(.., |retry| retry.last < end) {
            let appended = Appended {
                base: retry.base,
                last: retry.last,
                duplicate: true,
            };
            outbox.duplicates.push((retry.ack, Ok(appended)));
        }
        if retries.is_empty() {
            self.retries = None;
        }
    }
}
