//! The handle of one stream: append, read, trim, bounds.

use crate::batch::ValidBatch;
use crate::clock::TimestampMs;
use crate::config::StreamPolicy;
use crate::error::{AppendError, ReadError, StreamError};
use crate::ids::{Epoch, Offset, StreamId};
use bytes::Bytes;

/// A cheap clone; all clones see the same stream.
#[derive(Clone)]
pub struct Stream {}

/// What is readable now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamBounds {
    /// First offset that is kept (Kafka: log start offset).
    pub start: Offset,
    /// One past the last durable offset (Kafka: high watermark, and log end offset, as nothing else is shown).
    pub end: Offset,
    /// One past the last offset that no open transaction holds back (Kafka: last stable offset).
    pub stable_end: Offset,
    /// Bytes kept between `start` and `end`, on whatever medium, before compaction of indexes.
    pub bytes: u64,
}

/// How much one read may return.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimit {
    /// Bytes; whole batches are returned, so the first batch is returned even if it is larger when `at_least_one` is set.
    pub bytes_max: usize,
    /// Whether to return one batch that exceeds `bytes_max` rather than nothing.
    pub at_least_one: bool,
    /// Read nothing at or above this offset (high watermark or last stable offset).
    pub below: Offset,
}

/// Whole batches in offset order; the first may begin below the asked offset (trap T13).
#[derive(Clone, Debug, Default)]
pub struct ReadOutcome {
    /// Encoded batches, each chunk one or more whole batches, never copied.
    pub chunks: Vec<Bytes>,
    /// The offset at which the next read goes on.
    pub next: Offset,
    /// Sum of the chunks' lengths.
    pub bytes: usize,
}

/// An acknowledged append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Offset of the batch's first record.
    pub base: Offset,
    /// Offset of its last record.
    pub last: Offset,
    /// Whether the batch was there already (idempotent retry): `base` and `last` are those of the first write.
    pub duplicate: bool,
}

/// A record's place found by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampedOffset {
    /// The record's offset.
    pub offset: Offset,
    /// Its timestamp.
    pub timestamp: TimestampMs,
    /// The epoch of its batch.
    pub epoch: Epoch,
}

/// A batch that has its offsets and is in the queue of the write-ahead log. Dropping it does not take the batch back.
#[must_use = "the batch is acknowledged only when `durable` answers"]
pub struct AppendTicket {}

impl AppendTicket {
    /// Waits until the batch is durable, or is known not to be.
    pub async fn durable(self) -> Result<Appended, AppendError> {
        todo!()
    }
}

/// Wakes one reader when any of its streams moves: registered before the last look, so that no move is missed.
pub struct WakeSet {}

impl WakeSet {
    /// Registers at every stream. Dropping it unregisters.
    #[must_use]
    pub fn register<'a>(_streams: impl IntoIterator<Item = &'a Stream>) -> Self {
        todo!()
    }
    /// Returns once any stream's end or start moved, or the stream was deleted, since `register` or the last return.
    pub async fn woken(&mut self) {
        todo!()
    }
}

impl Stream {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> StreamId {
        todo!()
    }
    /// Waits for a byte permit (back-pressure), then checks the producer's sequence, stamps offset and epoch and queues the
    /// batch, all before it returns: calls made one after the other are appended in that order.
    ///
    /// A retry of a batch that is still pending gets a ticket for that batch's outcome (trap T2).
    pub async fn append(&self, _epoch: Epoch, _batch: ValidBatch) -> Result<AppendTicket, AppendError> {
        todo!()
    }
    /// Reads from the batch that holds `from`. At the end: an empty outcome.
    pub async fn read(&self, _from: Offset, _limit: ReadLimit) -> Result<ReadOutcome, ReadError> {
        todo!()
    }
    /// What is readable now.
    #[must_use]
    pub fn bounds(&self) -> StreamBounds {
        todo!()
    }
    /// The first record whose timestamp is `at_least` or later.
    pub async fn find_by_time(&self, _at_least: TimestampMs) -> Result<Option<TimestampedOffset>, ReadError> {
        todo!()
    }
    /// The record with the largest timestamp, the first of several.
    pub async fn find_max_time(&self) -> Result<Option<TimestampedOffset>, ReadError> {
        todo!()
    }
    /// The end of the largest epoch that is not above `epoch`, with that epoch (Kafka: OffsetForLeaderEpoch).
    #[must_use]
    pub fn epoch_end(&self, _epoch: Epoch) -> Option<(Epoch, Offset)> {
        todo!()
    }
    /// The epoch under which the stream is open.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        todo!()
    }
    /// Offset of the first record that is in objects only, no longer in the local log (Kafka: earliest-local).
    #[must_use]
    pub fn local_start(&self) -> Offset {
        todo!()
    }
    /// Raises the start, durably. Below the present start: no change.
    pub async fn trim(&self, _start: Offset) -> Result<Offset, StreamError> {
        todo!()
    }
    /// Changes retention and compaction from now on.
    pub fn set_policy(&self, _policy: StreamPolicy) {
        todo!()
    }
    /// Producers that have written and are not expired.
    #[must_use]
    pub fn producers(&self) -> Vec<crate::ids::ProducerView> {
        todo!()
    }
}
