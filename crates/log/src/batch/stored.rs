//! A batch that lies in the log: stamped, perhaps thinned by compaction.
//!
//! Owns: the proof that such bytes are whole. Never turns back into a `ValidBatch`: stored batches are not appended again.
//!
//! **Invariant**: base offset and last offset delta are those of the append, whatever compaction removed in between.
//! Last step of the append path, first of recovery and compaction; a fetch passes the bytes on unread.

use super::compression::Codec;
use super::error::BatchError;
use super::header::{BatchHeader, stamp};
use super::records::BatchRecords;
use super::verify::{ValidBatch, check_count_fits, check_integrity, into_mut};
use crate::ids::{Epoch, Offset};
use bytes::Bytes;

/// One whole batch with its offsets. Records may be fewer than offsets, also none.
#[derive(Clone, Debug)]
pub struct StoredBatch {
    header: BatchHeader,
    bytes: Bytes,
}

impl StoredBatch {
    /// Verifies exactly one batch: length, magic, CRC, codec bits, and no more records than offsets. Neither decompresses nor
    /// allocates.
    pub fn verify(bytes: Bytes) -> Result<StoredBatch, BatchError> {
        let header = BatchHeader::parse(&bytes)?;
        check_integrity(&header, &bytes)?;
        if u64::from(header.records_count) > u64::from(header.last_offset_delta) + 1 {
            return Err(BatchError::Inconsistent("more records than offsets"));
        }
        check_count_fits(&header, header.codec()?)?;
        Ok(StoredBatch { header, bytes })
    }

    /// Gives the batch its place. Copies the bytes unless `batch` is the only reference to them.
    #[must_use]
    pub fn stamp(batch: ValidBatch, base: Offset, epoch: Epoch) -> StoredBatch {
        let mut header = *batch.header();
        let mut bytes = into_mut(batch.into_bytes());
        stamp(&mut bytes, base, epoch);
        header.base_offset = base;
        header.epoch = epoch;
        StoredBatch {
            header,
            bytes: bytes.freeze(),
        }
    }

    /// Wraps what this module's own encoder made.
    pub(super) fn encoded(header: BatchHeader, bytes: Bytes) -> StoredBatch {
        debug_assert_eq!(
            Self::verify(bytes.clone()).map(|batch| batch.header),
            Ok(header),
            "what is encoded here verifies"
        );
        StoredBatch { header, bytes }
    }

    /// Its header.
    #[must_use]
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// Its bytes, header included.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Its bytes, without a reference counted twice.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// How its records are compressed.
    #[must_use]
    pub fn codec(&self) -> Codec {
        self.header.codec().expect("verified")
    }

    /// Its records, decompressed; `BatchError::TooLarge` above `bytes_max` bytes.
    pub fn records(&self, bytes_max: usize) -> Result<BatchRecords, BatchError> {
        BatchRecords::open(&self.header, &self.bytes, bytes_max)
    }
}

#[cfg(test)]
#[path = "stored_tests.rs"]
mod tests;
