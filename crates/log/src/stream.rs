//! The handle of one stream: append, read, trim, bounds.
//!
//! Owns: nothing but two references; it only says which part does what. Dropping every handle does not close the stream.
//!
//! **Invariant**: what `read` returns was durable before it was readable.
//!
//! The door of the append path into the log, and of the fetch path.

use crate::batch::{ControlRecord, ValidBatch};
use crate::clock::TimestampMs;
use crate::config::StreamPolicy;
use crate::core::Core;
use crate::error::{AppendError, Fate, ReadError, StreamError};
use crate::ids::{AbortedTransaction, Epoch, Offset, ProducerView, StreamId, TransactionGuard};
use crate::partition::{Assigned, Incoming, Partition};
use bytes::Bytes;
use std::sync::Arc;
use tokio::sync::oneshot;

/// A cheap clone; all clones see the same stream.
#[derive(Clone)]
pub struct Stream {
    core: Arc<Core>,
    partition: Arc<Partition>,
}

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
pub struct AppendTicket {
    outcome: Outcome,
}

enum Outcome {
    /// A retry of what is durable already.
    Known(Appended),
    /// In the queue or in flight.
    Pending(oneshot::Receiver<Result<Appended, AppendError>>),
}

impl AppendTicket {
    /// Waits until the batch is durable, or is known not to be.
    pub async fn durable(self) -> Result<Appended, AppendError> {
        match self.outcome {
            Outcome::Known(appended) => Ok(appended),
            Outcome::Pending(answer) => answer.await.unwrap_or_else(|_| {
                Err(AppendError::Storage {
                    fate: Fate::Unknown,
                    what: "the write-ahead log stopped".into(),
                })
            }),
        }
    }
}

impl Stream {
    pub(crate) fn new(core: Arc<Core>, partition: Arc<Partition>) -> Self {
        Self { core, partition }
    }

    pub(crate) fn partition(&self) -> &Arc<Partition> {
        &self.partition
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> StreamId {
        self.partition.id()
    }

    /// Waits for a byte permit (back-pressure), then checks the producer's sequence, stamps offset and epoch and queues the
    /// batch, all before it returns: calls made one after the other are appended in that order.
    ///
    /// A retry of a batch that is still pending gets a ticket for that batch's outcome (trap T2).
    pub async fn append(&self, epoch: Epoch, batch: ValidBatch) -> Result<AppendTicket, AppendError> {
        self.append_guarded(epoch, batch, None).await
    }

    /// As `append`, for a batch of a transaction about which its coordinator was asked after `guard` was taken.
    pub async fn append_in_transaction(
        &self,
        epoch: Epoch,
        batch: ValidBatch,
        guard: TransactionGuard,
    ) -> Result<AppendTicket, AppendError> {
        self.append_guarded(epoch, batch, Some(guard)).await
    }

    async fn append_guarded(
        &self,
        epoch: Epoch,
        batch: ValidBatch,
        guard: Option<TransactionGuard>,
    ) -> Result<AppendTicket, AppendError> {
        let header = *batch.header();
        let core = &self.core;
        let room = core.backlog.reserve(header.size_bytes as u64).await?;
        let permit = core.queue.acquire(header.size_bytes).await?;
        let (ack, answer) = oneshot::channel();
        let incoming = Incoming {
            epoch,
            header,
            marker: ControlRecord::of_batch(&header, batch.bytes()),
            bytes: batch.into_bytes(),
            guard,
            now: core.clock.wall_ms(),
            ack,
        };
        let assigned = self
            .partition
            .assign(&core.queue, permit, incoming, core.config.producer_expiry)?;
        let outcome = match assigned {
            Assigned::Queued => {
                room.keep();
                Outcome::Pending(answer)
            }
            Assigned::Joined => Outcome::Pending(answer),
            Assigned::Durable(appended) => Outcome::Known(appended),
        };
        Ok(AppendTicket { outcome })
    }

    /// Reads from the batch that holds `from`. At the end: an empty outcome.
    pub async fn read(&self, from: Offset, limit: ReadLimit) -> Result<ReadOutcome, ReadError> {
        self.core.read(&self.partition, from, limit).await
    }

    /// What is readable now.
    #[must_use]
    pub fn bounds(&self) -> StreamBounds {
        self.partition.bounds(self.core.object_bytes(self.id()))
    }

    /// The first record whose timestamp is `at_least` or later.
    pub async fn find_by_time(&self, at_least: TimestampMs) -> Result<Option<TimestampedOffset>, ReadError> {
        self.core.find_by_time(&self.partition, at_least).await
    }

    /// The record with the largest timestamp, the first of several.
    pub async fn find_max_time(&self) -> Result<Option<TimestampedOffset>, ReadError> {
        self.core.find_max_time(&self.partition).await
    }

    /// The end of the largest epoch that is not above `epoch`, with that epoch (Kafka: OffsetForLeaderEpoch).
    #[must_use]
    pub fn epoch_end(&self, epoch: Epoch) -> Option<(Epoch, Offset)> {
        self.partition.epoch_end(epoch)
    }

    /// Whether it was deleted: it holds nothing, takes nothing, and never will.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.partition.is_deleted()
    }

    /// The epoch under which the stream is open.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.partition.epoch()
    }

    /// First offset that the local log holds; below it, records are in objects only (Kafka: earliest-local).
    #[must_use]
    pub fn local_start(&self) -> Offset {
        self.partition.local_start()
    }

    /// Raises the start, durably. Below the present start: no change.
    pub async fn trim(&self, start: Offset) -> Result<Offset, StreamError> {
        self.core.trim(&self.partition, start).await
    }

    /// Changes retention and compaction from now on.
    pub fn set_policy(&self, policy: StreamPolicy) {
        self.partition.set_policy(policy);
    }

    /// What the producer's transaction is here, now.
    #[must_use]
    pub fn transaction_guard(&self, producer_id: i64, producer_epoch: i16) -> TransactionGuard {
        self.partition.transaction_guard(producer_id, producer_epoch)
    }

    /// Aborted transactions that may have records in `[from, below)`, in the order of their markers.
    #[must_use]
    pub fn aborted_between(&self, from: Offset, below: Offset) -> Vec<AbortedTransaction> {
        self.partition.aborted_between(from, below)
    }

    /// Producers that have written and are not expired.
    #[must_use]
    pub fn producers(&self) -> Vec<ProducerView> {
        let (now, expiry) = (self.core.clock.wall_ms(), self.core.config.producer_expiry);
        self.partition
            .with_producers(|producers| producers.map_or_else(Vec::new, |known| known.views(now, expiry)))
    }
}
