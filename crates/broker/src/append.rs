//! Append: the one place that decides whether a batch is taken. Front ends decode before it and encode after it.
//!
//! Append path: socket -> front end -> **here** -> log. Nothing here waits except for the log's byte permit and, where
//! batches are opened, for one of a few places to do so: the back-pressure, as a front end that awaits `append` in its read loop
//! stops reading its socket.

use crate::Broker;
use crate::configs::settings::TopicSettings;
use crate::records::{PreparedBatch, RecordsRefused, Transactional, opens_batches, prepare};
use crate::topics::Topic;
use bytes::Bytes;
use millstream_log::{AppendError, AppendTicket, Epoch, Offset, Stream, TimestampMs, TransactionGuard};
use thiserror::Error;

/// Why an append was not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProduceError {
    /// No such partition of the topic.
    #[error("the topic has no such partition")]
    UnknownPartition,
    /// Topics of the broker itself are not for clients.
    #[error("clients may not write to an internal topic")]
    InternalTopic,
    /// The producer's id or epoch is none that a marker can carry.
    #[error("a transaction of no producer cannot be ended")]
    NoMarker,
    /// The batch breaks a rule.
    #[error(transparent)]
    Refused(#[from] RecordsRefused),
    /// The log did not take it, or is not known to have.
    #[error(transparent)]
    Log(#[from] AppendError),
}

/// A batch that has its place in the queue.
#[must_use = "the batch is acknowledged only when `durable` answers"]
pub struct PendingAppend {
    ticket: AppendTicket,
    stream: Stream,
    log_append_time: Option<TimestampMs>,
}

/// An acknowledged batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Produced {
    /// Offset of its first record.
    pub base: Offset,
    /// The time given to its records, under LogAppendTime.
    pub log_append_time: Option<TimestampMs>,
    /// The partition's first offset.
    pub log_start: Offset,
}

impl Broker {
    /// Waits while the log is too far ahead of its uploads. Called once for a request, before its first `append`.
    pub async fn pace(&self) {
        self.inner.log.pace().await;
    }

    /// Checks one partition's records and queues them; calls made one after the other are appended in that order.
    pub async fn append(
        &self,
        topic: &Topic,
        partition: u32,
        records: Bytes,
    ) -> Result<PendingAppend, ProduceError> {
        self.append_guarded(topic, partition, records, None).await
    }

    /// As `append`, for a batch of a transaction: the guard was taken by `transaction_guard`, and if it was not open the
    /// transaction's coordinator was asked afterwards.
    pub async fn append_in_transaction(
        &self,
        topic: &Topic,
        partition: u32,
        records: Bytes,
        guard: TransactionGuard,
    ) -> Result<PendingAppend, ProduceError> {
        self.append_guarded(topic, partition, records, Some(guard)).await
    }

    async fn append_guarded(
        &self,
        topic: &Topic,
        partition: u32,
        records: Bytes,
        guard: Option<TransactionGuard>,
    ) -> Result<PendingAppend, ProduceError> {
        if topic.is_internal() {
            return Err(ProduceError::InternalTopic);
        }
        let stream = topic
            .stream(partition)
            .ok_or(ProduceError::UnknownPartition)?
            .clone();
        let transactional = match guard {
            Some(_) => Transactional::Guarded,
            None => Transactional::Refused,
        };
        let prepared = self.prepare(records, &topic.settings(), transactional).await?;
        let epoch: Epoch = stream.epoch();
        let ticket = match guard {
            Some(guard) => stream.append_in_transaction(epoch, prepared.batch, guard).await?,
            None => stream.append(epoch, prepared.batch).await?,
        };
        Ok(PendingAppend {
            ticket,
            stream,
            log_append_time: prepared.log_append_time,
        })
    }

    async fn prepare(
        &self,
        records: Bytes,
        settings: &TopicSettings,
        transactional: Transactional,
    ) -> Result<PreparedBatch, RecordsRefused> {
        let _opening = if opens_batches(settings) {
            Some(self.inner.openings.acquire().await)
        } else {
            None
        };
        prepare(records, settings, transactional, self.clock().wall_ms())
    }
}

impl PendingAppend {
    /// Waits until the batch is durable, or is known not to be.
    pub async fn durable(self) -> Result<Produced, ProduceError> {
        let appended = self.ticket.durable().await?;
        Ok(Produced {
            base: appended.base,
            log_append_time: self.log_append_time,
            log_start: self.stream.bounds().start,
        })
    }
}
