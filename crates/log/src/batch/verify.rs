//! From bytes to a batch that may be appended.
//!
//! Owns: every check that a produced batch must pass and that needs no record. Never decompresses, never allocates: it reads 61
//! bytes in place, runs CRC-32C over the rest, and keeps the `Bytes` it was given.
//!
//! **Invariant**: the fields of a `ValidBatch` are private and written only here, so holding one is the proof of the checks.
//! First step of the append path.

use super::compression::Codec;
use super::error::BatchError;
use super::header::{self, BatchHeader, HEADER_BYTES, TimestampType};
use super::records::{BatchRecords, RECORD_BYTES_MIN};
use crate::clock::TimestampMs;
use crate::ids::Offset;
use bytes::{Bytes, BytesMut};

/// A batch whose lengths, counts and CRC were verified. The only thing that can be appended.
#[derive(Clone, Debug)]
pub struct ValidBatch {
    header: BatchHeader,
    bytes: Bytes,
}

impl ValidBatch {
    /// Verifies exactly one batch, in Kafka's order: length, magic, base offset 0, CRC, counts, producer fields, codec bits.
    ///
    /// What depends on who sends it stays with the caller: size limits, time bounds, and that clients write no control batch
    /// (`header().is_control()`). Batches that are already in a log are `StoredBatch`es: their offsets are stamped, and compaction
    /// may have thinned them.
    pub fn verify(bytes: Bytes) -> Result<ValidBatch, BatchError> {
        if bytes.is_empty() {
            return Err(BatchError::Inconsistent("there is no batch"));
        }
        let header = BatchHeader::parse(&bytes)?;
        check_integrity(&header, &bytes)?;
        if header.base_offset != Offset::ZERO {
            return Err(BatchError::Inconsistent(
                "the base offset of a batch to append is not 0",
            ));
        }
        if header.records_count == 0 {
            return Err(BatchError::Inconsistent("the batch holds no record"));
        }
        if header.last_offset_delta != header.records_count - 1 {
            return Err(BatchError::Inconsistent(
                "the count of records contradicts the last offset delta",
            ));
        }
        // A producer that could set it would date its own tombstones.
        if header.delete_horizon().is_some() {
            return Err(BatchError::Inconsistent("only compaction sets a delete horizon"));
        }
        check_producer(&header)?;
        let codec = header.codec()?;
        check_count_fits(&header, codec)?;
        Ok(ValidBatch { header, bytes })
    }

    /// Wraps what this module's own encoder made.
    pub(super) fn encoded(header: BatchHeader, bytes: Bytes) -> ValidBatch {
        debug_assert_eq!(
            Self::verify(bytes.clone()).map(|batch| batch.header),
            Ok(header),
            "what is encoded here verifies"
        );
        ValidBatch { header, bytes }
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

    /// The batch with another time type and largest timestamp: LogAppendTime, or the honest maximum that `validate_records` found.
    ///
    /// Costs a CRC, and a copy unless this is the only reference to the bytes.
    #[must_use]
    pub fn with_timestamps(self, timestamp_type: TimestampType, max: TimestampMs) -> ValidBatch {
        let mut bytes = into_mut(self.bytes);
        header::stamp_timestamps(&mut bytes, timestamp_type, max);
        let header = BatchHeader::parse(&bytes).expect("only timestamps and the CRC changed");
        ValidBatch {
            header,
            bytes: bytes.freeze(),
        }
    }
}

/// Length and CRC: what damage in transit or on a medium breaks.
pub(super) fn check_integrity(header: &BatchHeader, bytes: &[u8]) -> Result<(), BatchError> {
    if header.size_bytes > bytes.len() {
        return Err(BatchError::Truncated);
    }
    if header.size_bytes < bytes.len() {
        return Err(BatchError::Inconsistent("there is more than one batch"));
    }
    if header::checksum(bytes) != header.crc {
        return Err(BatchError::BadCrc);
    }
    Ok(())
}

/// Plain records take seven bytes or more each, so a header cannot claim offsets for records that are not there. Compressed
/// records are counted where they are decompressed.
pub(super) fn check_count_fits(header: &BatchHeader, codec: Codec) -> Result<(), BatchError> {
    let payload = (header.size_bytes - HEADER_BYTES) as u64;
    if codec == Codec::None && u64::from(header.records_count) * RECORD_BYTES_MIN as u64 > payload {
        return Err(BatchError::Inconsistent("more records than the bytes can hold"));
    }
    Ok(())
}

/// The bytes to write into: the same memory if nobody else refers to it, else a copy.
pub(super) fn into_mut(bytes: Bytes) -> BytesMut {
    bytes
        .try_into_mut()
        .unwrap_or_else(|shared| BytesMut::from(&shared[..]))
}

fn check_producer(header: &BatchHeader) -> Result<(), BatchError> {
    if header.producer_id < -1 {
        return Err(BatchError::Inconsistent("the producer id is negative"));
    }
    if !header.has_producer() {
        // Epoch and sequence mean nothing then; some clients leave zeros in them.
        if header.is_transactional() {
            return Err(BatchError::Inconsistent(
                "a transactional batch names no producer",
            ));
        }
        return Ok(());
    }
    if header.producer_epoch < 0 {
        return Err(BatchError::Inconsistent("the producer epoch is negative"));
    }
    // Markers are written by coordinators and have no sequence.
    if header.base_sequence < 0 && !header.is_control() {
        return Err(BatchError::Inconsistent(
            "an idempotent batch has no base sequence",
        ));
    }
    Ok(())
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
