//! The 61 bytes in front of the records: where each field lies, reading them, and stamping what a broker may change.
//!
//! Owns: the layout. Never looks at the records.
//!
//! **Invariant**: `stamp` touches only bytes outside the CRC; whoever changes a byte inside it recomputes it in the same call.
//!
//! On the append path: `parse` in `verify`, `stamp` under the partition's lock. On the fetch path: `split` and `parse` find batches.

use super::compression::Codec;
use super::error::BatchError;
use crate::clock::TimestampMs;
use crate::ids::{Epoch, Offset};
use bytes::Bytes;

/// Bytes of a batch's header.
pub const HEADER_BYTES: usize = 61;

/// Bytes in front of what the field `batch length` counts: base offset and the length itself.
pub const LENGTH_PREFIX_BYTES: usize = 12;

/// The largest batch that the signed 32-bit length field can describe, header included.
pub const BATCH_BYTES_MAX: usize = i32::MAX as usize;

/// The format's version.
pub const MAGIC: u8 = 2;

/// The epoch that producers send (-1): no leader has stamped the batch.
pub const EPOCH_UNSTAMPED: Epoch = Epoch(u32::MAX);

/// Where each field begins. All integers are big-endian and signed, but for the CRC.
pub mod field {
    /// i64: offset of the first record.
    pub const BASE_OFFSET: usize = 0;
    /// i32: bytes that follow this field.
    pub const BATCH_LENGTH: usize = 8;
    /// i32: epoch that stamped the batch.
    pub const PARTITION_LEADER_EPOCH: usize = 12;
    /// i8: 2. At the same place as in the older message formats.
    pub const MAGIC: usize = 16;
    /// u32: CRC-32C of everything from `ATTRIBUTES` on.
    pub const CRC: usize = 17;
    /// i16: codec, time type, transactional, control, delete horizon.
    pub const ATTRIBUTES: usize = 21;
    /// i32: last offset minus base offset.
    pub const LAST_OFFSET_DELTA: usize = 23;
    /// i64: what the records' timestamps are relative to; the delete horizon if its attribute bit is set.
    pub const BASE_TIMESTAMP: usize = 27;
    /// i64: largest timestamp.
    pub const MAX_TIMESTAMP: usize = 35;
    /// i64: -1 without idempotence.
    pub const PRODUCER_ID: usize = 43;
    /// i16: -1 without idempotence.
    pub const PRODUCER_EPOCH: usize = 51;
    /// i32: sequence of the first record; -1 without idempotence and in control batches.
    pub const BASE_SEQUENCE: usize = 53;
    /// i32: records inside.
    pub const RECORDS_COUNT: usize = 57;
}

/// Attribute bits 0-2: the codec.
pub(super) const ATTRIBUTE_CODEC_MASK: u16 = 0b111;
/// Attribute bit 3: LogAppendTime.
pub(super) const ATTRIBUTE_LOG_APPEND_TIME: u16 = 1 << 3;
/// Attribute bit 4: part of a transaction.
pub(super) const ATTRIBUTE_TRANSACTIONAL: u16 = 1 << 4;
/// Attribute bit 5: holds control records.
pub(super) const ATTRIBUTE_CONTROL: u16 = 1 << 5;
/// Attribute bit 6: the base timestamp is a delete horizon (KIP-534).
pub(super) const ATTRIBUTE_DELETE_HORIZON: u16 = 1 << 6;

/// Attribute bit 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// Set by the producer.
    CreateTime,
    /// Set by the broker.
    LogAppendTime,
}

/// A parsed header. Fields as in Kafka's protocol guide, section "Record Batch".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record.
    pub base_offset: Offset,
    /// Bytes of the whole batch, header included.
    pub size_bytes: usize,
    /// Epoch that stamped it; `EPOCH_UNSTAMPED` as a producer sends it.
    pub epoch: Epoch,
    /// CRC-32C of everything from `attributes` on.
    pub crc: u32,
    /// Raw attribute bits.
    pub attributes: u16,
    /// Last offset minus base offset. Survives compaction, so it may exceed `records_count - 1`.
    pub last_offset_delta: u32,
    /// What the records' timestamps are relative to: the first record's, or the delete horizon.
    pub base_timestamp: TimestampMs,
    /// Largest timestamp; every record's timestamp under LogAppendTime.
    pub max_timestamp: TimestampMs,
    /// -1 without idempotence.
    pub producer_id: i64,
    /// -1 without idempotence.
    pub producer_epoch: i16,
    /// -1 without idempotence.
    pub base_sequence: i32,
    /// Records inside; 0 where compaction left only the header.
    pub records_count: u32,
}

impl BatchHeader {
    /// Reads the header that `bytes` begin with. `bytes` may hold less or more than the batch: `size_bytes` says what it needs.
    ///
    /// Checks what makes the header readable: its length, the magic, signs, and that the last offset exists. The CRC, the codec
    /// and the counts are the business of `ValidBatch::verify` and `StoredBatch::verify`.
    pub fn parse(bytes: &[u8]) -> Result<BatchHeader, BatchError> {
        // The magic first: the older formats have it at the same place, and may be shorter than this header.
        match bytes.get(field::MAGIC) {
            None => return Err(BatchError::Truncated),
            Some(&MAGIC) => {}
            Some(&old) if old < MAGIC => return Err(BatchError::OldMagic(old)),
            Some(&new) => return Err(BatchError::UnknownMagic(new)),
        }
        if bytes.len() < HEADER_BYTES {
            return Err(BatchError::Truncated);
        }
        let length =
            usize::try_from(i32_at(bytes, field::BATCH_LENGTH)).map_err(|_| BatchError::Truncated)?;
        if length < HEADER_BYTES - LENGTH_PREFIX_BYTES {
            return Err(BatchError::Truncated);
        }
        let base_offset = u64::try_from(i64_at(bytes, field::BASE_OFFSET))
            .map_err(|_| BatchError::Inconsistent("the base offset is negative"))?;
        let last_offset_delta = u32::try_from(i32_at(bytes, field::LAST_OFFSET_DELTA))
            .map_err(|_| BatchError::Inconsistent("the last offset delta is negative"))?;
        let records_count = u32::try_from(i32_at(bytes, field::RECORDS_COUNT))
            .map_err(|_| BatchError::Inconsistent("the count of records is negative"))?;
        // One below the largest offset, so that `next_offset` is one, too.
        if base_offset + u64::from(last_offset_delta) >= i64::MAX as u64 {
            return Err(BatchError::Inconsistent("the last offset does not exist"));
        }
        Ok(BatchHeader {
            base_offset: Offset(base_offset),
            size_bytes: length + LENGTH_PREFIX_BYTES,
            epoch: Epoch(u32::from_be_bytes(array_at(bytes, field::PARTITION_LEADER_EPOCH))),
            crc: u32::from_be_bytes(array_at(bytes, field::CRC)),
            attributes: u16::from_be_bytes(array_at(bytes, field::ATTRIBUTES)),
            last_offset_delta,
            base_timestamp: i64_at(bytes, field::BASE_TIMESTAMP),
            max_timestamp: i64_at(bytes, field::MAX_TIMESTAMP),
            producer_id: i64_at(bytes, field::PRODUCER_ID),
            producer_epoch: i16::from_be_bytes(array_at(bytes, field::PRODUCER_EPOCH)),
            base_sequence: i32_at(bytes, field::BASE_SEQUENCE),
            records_count,
        })
    }

    /// The 61 bytes. The inverse of `parse`.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let length =
            i32::try_from(self.size_bytes - LENGTH_PREFIX_BYTES).expect("a batch has at most 2^31 bytes");
        let mut bytes = [0; HEADER_BYTES];
        put(&mut bytes, field::BATCH_LENGTH, length.to_be_bytes());
        stamp(&mut bytes, self.base_offset, self.epoch);
        bytes[field::MAGIC] = MAGIC;
        put(&mut bytes, field::CRC, self.crc.to_be_bytes());
        put(&mut bytes, field::ATTRIBUTES, self.attributes.to_be_bytes());
        put(
            &mut bytes,
            field::LAST_OFFSET_DELTA,
            self.last_offset_delta.to_be_bytes(),
        );
        put(
            &mut bytes,
            field::BASE_TIMESTAMP,
            self.base_timestamp.to_be_bytes(),
        );
        put(&mut bytes, field::MAX_TIMESTAMP, self.max_timestamp.to_be_bytes());
        put(&mut bytes, field::PRODUCER_ID, self.producer_id.to_be_bytes());
        put(
            &mut bytes,
            field::PRODUCER_EPOCH,
            self.producer_epoch.to_be_bytes(),
        );
        put(&mut bytes, field::BASE_SEQUENCE, self.base_sequence.to_be_bytes());
        put(&mut bytes, field::RECORDS_COUNT, self.records_count.to_be_bytes());
        bytes
    }

    /// Offset of the last record, or of where it was before compaction.
    #[must_use]
    pub fn last_offset(&self) -> Offset {
        self.base_offset.plus(u64::from(self.last_offset_delta))
    }

    /// The offset after the batch.
    #[must_use]
    pub fn next_offset(&self) -> Offset {
        self.last_offset().plus(1)
    }

    /// How the records are compressed.
    pub fn codec(&self) -> Result<Codec, BatchError> {
        Codec::from_bits((self.attributes & ATTRIBUTE_CODEC_MASK) as u8)
    }

    /// Who set the timestamps.
    #[must_use]
    pub fn timestamp_type(&self) -> TimestampType {
        if self.attributes & ATTRIBUTE_LOG_APPEND_TIME == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    /// Whether the batch belongs to a transaction.
    #[must_use]
    pub fn is_transactional(&self) -> bool {
        self.attributes & ATTRIBUTE_TRANSACTIONAL != 0
    }

    /// Whether the batch holds control records, which consumers do not see. Clients may not write them: the caller refuses.
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.attributes & ATTRIBUTE_CONTROL != 0
    }

    /// Whether an idempotent producer wrote the batch.
    #[must_use]
    pub fn has_producer(&self) -> bool {
        self.producer_id >= 0
    }

    /// Sequence of the last record. Sequences go from 0 to 2^31 - 1 and wrap to 0.
    #[must_use]
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            return self.base_sequence;
        }
        // The sum of two non-negative i32 fits u32; the mask is the wrap.
        ((self.base_sequence as u32 + self.last_offset_delta) & i32::MAX as u32) as i32
    }

    /// Wall time from which compaction may drop the batch's tombstones and markers (KIP-534).
    #[must_use]
    pub fn delete_horizon(&self) -> Option<TimestampMs> {
        (self.attributes & ATTRIBUTE_DELETE_HORIZON != 0).then_some(self.base_timestamp)
    }
}

/// Writes base offset and epoch into the copy of a batch that is to be stored. Both lie outside the CRC.
///
/// # Panics
/// When `batch` is shorter than a header, or the offset is above i64: bugs of the caller, which holds a `ValidBatch`.
pub fn stamp(batch: &mut [u8], base: Offset, epoch: Epoch) {
    assert!(batch.len() >= HEADER_BYTES, "only a whole header is stamped");
    let base = i64::try_from(base.0).expect("offsets stay below 2^63");
    put(batch, field::BASE_OFFSET, base.to_be_bytes());
    put(batch, field::PARTITION_LEADER_EPOCH, epoch.0.to_be_bytes());
}

/// Sets the time type and the largest timestamp, and recomputes the CRC over the whole of `batch`.
///
/// With LogAppendTime, `max` is the time of every record. With CreateTime, it repairs a header whose producer claimed another.
///
/// # Panics
/// When `batch` is shorter than a header.
pub fn stamp_timestamps(batch: &mut [u8], timestamp_type: TimestampType, max: TimestampMs) {
    assert!(batch.len() >= HEADER_BYTES, "only a whole batch is stamped");
    let mut attributes = u16::from_be_bytes(array_at(batch, field::ATTRIBUTES));
    match timestamp_type {
        TimestampType::CreateTime => attributes &= !ATTRIBUTE_LOG_APPEND_TIME,
        TimestampType::LogAppendTime => attributes |= ATTRIBUTE_LOG_APPEND_TIME,
    }
    put(batch, field::ATTRIBUTES, attributes.to_be_bytes());
    put(batch, field::MAX_TIMESTAMP, max.to_be_bytes());
    let crc = checksum(batch);
    put(batch, field::CRC, crc.to_be_bytes());
}

/// CRC-32C of a whole batch, as its header is to carry it.
pub(super) fn checksum(batch: &[u8]) -> u32 {
    crc32c::crc32c(&batch[field::ATTRIBUTES..])
}

/// The batches of a chunk, one after the other, each a slice that shares the chunk's memory.
///
/// Ends after the first error: where one batch is unreadable, nothing tells where the next begins.
#[must_use]
pub fn split(chunk: Bytes) -> Split {
    Split { rest: chunk }
}

/// The iterator behind `split`.
#[derive(Clone, Debug)]
pub struct Split {
    rest: Bytes,
}

impl Iterator for Split {
    type Item = Result<(BatchHeader, Bytes), BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let header = match BatchHeader::parse(&self.rest) {
            Ok(header) if header.size_bytes <= self.rest.len() => header,
            Ok(_) => return self.fail(BatchError::Truncated),
            Err(error) => return self.fail(error),
        };
        Some(Ok((header, self.rest.split_to(header.size_bytes))))
    }
}

impl Split {
    fn fail(&mut self, error: BatchError) -> Option<Result<(BatchHeader, Bytes), BatchError>> {
        self.rest = Bytes::new();
        Some(Err(error))
    }
}

pub(super) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("the range has N bytes")
}

pub(super) fn i32_at(bytes: &[u8], at: usize) -> i32 {
    i32::from_be_bytes(array_at(bytes, at))
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from_be_bytes(array_at(bytes, at))
}

fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    bytes[at..at + N].copy_from_slice(&value);
}

#[cfg(test)]
#[path = "header_tests.rs"]
mod tests;
