//! State kept in a stream: keyed records, replayed at start, appended as they change; key compaction keeps it small.
//!
//! Group offsets, transaction state and subscription state are state machines over such a stream (docs/ARCHITECTURE.md,
//! invariant 6: replay = live). Never: what the records mean.

use bytes::Bytes;
use millstream_log::batch::{self, BatchBuilder, BatchError, Codec, NewRecord, StoredBatch};
use millstream_log::{
    AppendError, AppendTicket, Clock, Offset, ReadError, ReadLimit, Stream, StreamBounds, TimestampMs,
};
use std::sync::Arc;
use thiserror::Error;

/// Bytes read at a time while replaying.
const REPLAY_READ_BYTES: usize = 4 << 20;

/// The most that one batch of state takes: no larger one is written, since no larger one is opened, and a stream with one that does not
/// open is lost with all its state.
const STATE_BATCH_BYTES_MAX: usize = 64 << 20;

/// One change: the newest value of a key, or its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateRecord {
    /// Never empty.
    pub key: Bytes,
    /// `None` deletes the key.
    pub value: Option<Bytes>,
}

impl StateRecord {
    /// Bytes of key and value.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.key.len() + self.value.as_ref().map_or(0, Bytes::len)
    }
}

/// Why state was not read or not kept.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StateError {
    /// Reading failed.
    #[error("replaying state failed: {0}")]
    Read(#[from] ReadError),
    /// A stored batch does not open.
    #[error("a stored batch of state is damaged at offset {0}")]
    Damaged(Offset),
    /// The changes do not fit into one batch.
    #[error("a change of state is refused: {0}")]
    Refused(#[from] BatchError),
    /// Writing failed.
    #[error("keeping state failed: {0}")]
    Append(#[from] AppendError),
}

/// A stream of keyed state.
#[derive(Clone)]
pub struct StateStream {
    stream: Stream,
    clock: Arc<dyn Clock>,
}

/// A change that has its place in the queue.
#[must_use = "the change is kept only when `durable` answers"]
pub struct PendingState {
    ticket: AppendTicket,
}

impl StateStream {
    /// Replays everything that is durable, oldest first, then is ready for changes. `None` values are deletions.
    pub async fn open(
        stream: Stream,
        clock: Arc<dyn Clock>,
        mut on_record: impl FnMut(&[u8], Option<&[u8]>),
    ) -> Result<StateStream, StateError> {
        let StreamBounds { start, end, .. } = stream.bounds();
        let mut next = start;
        while next < end {
            let limit = ReadLimit {
                bytes_max: REPLAY_READ_BYTES,
                at_least_one: true,
                below: end,
            };
            let outcome = stream.read(next, limit).await?;
            if outcome.next <= next {
                break;
            }
            for chunk in outcome.chunks {
                replay_chunk(chunk, next, &mut on_record)?;
            }
            next = outcome.next;
        }
        Ok(StateStream { stream, clock })
    }

    /// Queues the changes as one batch: all of them are kept, or none. Calls in order are durable in order. Refuses what replay would
    /// not open (`BatchError::TooLarge`).
    pub async fn append(&self, records: Vec<StateRecord>) -> Result<PendingState, StateError> {
        let now: TimestampMs = self.clock.wall_ms();
        let mut builder = BatchBuilder::new(Codec::None);
        for record in records {
            let record = NewRecord {
                timestamp: now,
                key: Some(&record.key),
                value: record.value.as_deref(),
                headers: &[],
            };
            if builder.size_bytes_with(&record)? > STATE_BATCH_BYTES_MAX {
                return Err(BatchError::TooLarge.into());
            }
            builder.push(&record)?;
        }
        let ticket = self.stream.append(self.stream.epoch(), builder.finish()?).await?;
        Ok(PendingState { ticket })
    }
}

impl PendingState {
    /// Waits until the change is durable, or is known not to be.
    pub async fn durable(self) -> Result<(), StateError> {
        self.ticket.durable().await?;
        Ok(())
    }
}

fn replay_chunk(
    chunk: Bytes,
    from: Offset,
    on_record: &mut impl FnMut(&[u8], Option<&[u8]>),
) -> Result<(), StateError> {
    for split in batch::split(chunk) {
        let (header, bytes) = split.map_err(|_| StateError::Damaged(from))?;
        if header.is_control() {
            continue;
        }
        let damaged = |_| StateError::Damaged(header.base_offset);
        let batch = StoredBatch::verify(bytes).map_err(damaged)?;
        let records = batch.records(STATE_BATCH_BYTES_MAX).map_err(damaged)?;
        for record in &records {
            let record = record.map_err(damaged)?;
            if let Some(key) = record.key {
                on_record(key, record.value);
            }
        }
    }
    Ok(())
}
