//! Transactions as the broker sees them: whether a batch may join one, and the marker that ends one on a partition.
//!
//! Owns: what a batch says of its transaction, and the writing of markers. Never: the life of a transaction, which is its
//! coordinator's.
//!
//! On the append path of transactional producers, between the front end and `append.rs`.

use crate::Broker;
use crate::append::ProduceError;
use crate::topics::Topic;
use bytes::Bytes;
use millstream_log::batch::{BatchHeader, ControlKind, ControlRecord};
use millstream_log::{AppendTicket, ProducerView, TransactionGuard};

/// Whose transaction a produced batch belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionalBatch {
    /// The producer.
    pub producer_id: i64,
    /// Its epoch.
    pub producer_epoch: i16,
}

impl TransactionalBatch {
    /// Looks at the header of a batch, without checking it; `None` where it is part of no transaction.
    #[must_use]
    pub fn of(records: &Bytes) -> Option<TransactionalBatch> {
        let header = BatchHeader::parse(records).ok()?;
        header.is_transactional().then_some(TransactionalBatch {
            producer_id: header.producer_id,
            producer_epoch: header.producer_epoch,
        })
    }
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionOutcome {
    /// Its records are to be seen.
    Commit,
    /// They are not.
    Abort,
}

/// The end of a transaction on one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionEnd {
    /// Whose transaction.
    pub producer_id: i64,
    /// Its epoch; a higher one than its records have fences whoever writes under the old one.
    pub producer_epoch: i16,
    /// How it ended.
    pub outcome: TransactionOutcome,
    /// Epoch of the coordinator.
    pub coordinator_epoch: i32,
}

impl Broker {
    /// What a producer's transaction is on a partition, to be taken before its coordinator is asked.
    pub fn transaction_guard(
        &self,
        topic: &Topic,
        partition: u32,
        batch: TransactionalBatch,
    ) -> Result<TransactionGuard, ProduceError> {
        let stream = topic.stream(partition).ok_or(ProduceError::UnknownPartition)?;
        Ok(stream.transaction_guard(batch.producer_id, batch.producer_epoch))
    }

    /// Ends a transaction on a partition: writes its marker and waits until it is durable.
    pub async fn end_transaction(
        &self,
        topic: &Topic,
        partition: u32,
        end: TransactionEnd,
    ) -> Result<(), ProduceError> {
        if topic.is_internal() {
            return Err(ProduceError::InternalTopic);
        }
        let stream = topic.stream(partition).ok_or(ProduceError::UnknownPartition)?;
        let marker = ControlRecord {
            kind: match end.outcome {
                TransactionOutcome::Commit => ControlKind::Commit,
                TransactionOutcome::Abort => ControlKind::Abort,
            },
            coordinator_epoch: end.coordinator_epoch,
        };
        let batch = marker
            .build(end.producer_id, end.producer_epoch, self.clock().wall_ms())
            .map_err(|_| ProduceError::NoMarker)?;
        let ticket: AppendTicket = stream.append(stream.epoch(), batch).await?;
        ticket.durable().await?;
        Ok(())
    }

    /// Producers that have written to a partition and are not expired.
    pub fn producers(&self, topic: &Topic, partition: u32) -> Result<Vec<ProducerView>, ProduceError> {
        let stream = topic.stream(partition).ok_or(ProduceError::UnknownPartition)?;
        Ok(stream.producers())
    }
}
