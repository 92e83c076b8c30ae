//! Control records: the markers that end a transaction (KIP-98).
//!
//! Owns: their key and value. Never decides when a transaction ends.
//!
//! **Invariant**: a marker is the only record of its batch, which is transactional and control.
//! On the append path of transaction coordinators; read when a stream's producer state is rebuilt.

use super::build::{BatchBuilder, NewRecord};
use super::compression::Codec;
use super::error::BatchError;
use super::header::BatchHeader;
use super::records::{BatchRecords, RecordRef};
use super::verify::ValidBatch;
use crate::clock::TimestampMs;
use bytes::Bytes;

/// Version of key and value that is written; later ones may add bytes, which are passed over.
const CONTROL_VERSION: i16 = 0;
/// Key: version (i16), type (i16).
const KEY_BYTES: usize = 4;
/// Value: version (i16), coordinator epoch (i32).
const VALUE_BYTES: usize = 6;
/// The most that a control batch is opened to: one record of a few bytes.
const CONTROL_RECORDS_BYTES_MAX: usize = 4096;
/// Markers have no sequence.
const NO_SEQUENCE: i32 = -1;

/// What a control record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlKind {
    /// Type 0: the records of the transaction are not to be seen.
    Abort,
    /// Type 1: they are.
    Commit,
    /// Any other type, of a later or of another component (KRaft has some); carries no meaning here.
    Other(i16),
}

/// One marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ControlRecord {
    /// What it says.
    pub kind: ControlKind,
    /// Epoch of the transaction coordinator that wrote it; -1 where the kind is `Other`.
    pub coordinator_epoch: i32,
}

impl ControlRecord {
    /// A batch with this marker, of the producer whose transaction ends.
    pub fn build(
        &self,
        producer_id: i64,
        producer_epoch: i16,
        timestamp: TimestampMs,
    ) -> Result<ValidBatch, BatchError> {
        let kind = match self.kind {
            ControlKind::Abort => 0,
            ControlKind::Commit => 1,
            ControlKind::Other(kind) => kind,
        };
        let mut key = [0; KEY_BYTES];
        key[..2].copy_from_slice(&CONTROL_VERSION.to_be_bytes());
        key[2..].copy_from_slice(&kind.to_be_bytes());
        let mut value = [0; VALUE_BYTES];
        value[..2].copy_from_slice(&CONTROL_VERSION.to_be_bytes());
        value[2..].copy_from_slice(&self.coordinator_epoch.to_be_bytes());

        let mut builder = BatchBuilder::new(Codec::None)
            .producer(producer_id, producer_epoch, NO_SEQUENCE)
            .transactional()
            .control();
        builder.push(&NewRecord {
            timestamp,
            key: Some(&key),
            value: Some(&value),
            headers: &[],
        })?;
        builder.finish()
    }

    /// The marker that a batch holds; `None` where it is no control batch, or none that can be read.
    #[must_use]
    pub fn of_batch(header: &BatchHeader, batch: &Bytes) -> Option<ControlRecord> {
        if !header.is_control() {
            return None;
        }
        let records = BatchRecords::open(header, batch, CONTROL_RECORDS_BYTES_MAX).ok()?;
        let record = records.iter().next()?.ok()?;
        Self::parse(&record).ok()
    }

    /// Whether it ends a transaction.
    #[must_use]
    pub fn ends_transaction(&self) -> bool {
        matches!(self.kind, ControlKind::Abort | ControlKind::Commit)
    }

    /// Reads the marker in a record of a control batch.
    pub fn parse(record: &RecordRef<'_>) -> Result<ControlRecord, BatchError> {
        let key = record
            .key
            .and_then(<[u8]>::first_chunk::<KEY_BYTES>)
            .ok_or(BatchError::Inconsistent("a control record's key is too short"))?;
        if i16::from_be_bytes([key[0], key[1]]) < CONTROL_VERSION {
            return Err(BatchError::Inconsistent("a control record's version is negative"));
        }
        let kind = match i16::from_be_bytes([key[2], key[3]]) {
            0 => ControlKind::Abort,
            1 => ControlKind::Commit,
            kind => {
                return Ok(ControlRecord {
                    kind: ControlKind::Other(kind),
                    coordinator_epoch: -1,
                });
            }
        };
        let value = record
            .value
            .and_then(<[u8]>::first_chunk::<VALUE_BYTES>)
            .ok_or(BatchError::Inconsistent("a marker's value is too short"))?;
        Ok(ControlRecord {
            kind,
            coordinator_epoch: i32::from_be_bytes([value[2], value[3], value[4], value[5]]),
        })
    }
}

#[cfg(test)]
#[path = "control_tests.rs"]
mod tests;
