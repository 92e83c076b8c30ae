//! Record batches, version 2: the stored format, verbatim Kafka's (61-byte header; base offset and partition leader epoch lie
//! outside the CRC, so they are stamped without touching the rest).

use crate::clock::TimestampMs;
use crate::ids::{Epoch, Offset};
use bytes::Bytes;

/// Bytes of a batch's header.
pub const HEADER_BYTES: usize = 61;

/// Compression of a batch's records (attribute bits 0-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Plain.
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy; Java's xerial framing on write, both framings on read.
    Snappy,
    /// LZ4 frame.
    Lz4,
    /// Zstandard.
    Zstd,
}

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
    /// Epoch that stamped it.
    pub epoch: Epoch,
    /// CRC-32C of everything from `attributes` on.
    pub crc: u32,
    /// Raw attribute bits.
    pub attributes: u16,
    /// Last offset minus base offset.
    pub last_offset_delta: u32,
    /// Timestamp of the first record.
    pub base_timestamp: TimestampMs,
    /// Largest timestamp.
    pub max_timestamp: TimestampMs,
    /// -1 without idempotence.
    pub producer_id: i64,
    /// -1 without idempotence.
    pub producer_epoch: i16,
    /// -1 without idempotence.
    pub base_sequence: i32,
    /// Records inside.
    pub records_count: u32,
}

/// Why bytes are not a batch that may be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchError {
    /// Fewer bytes than a header, or than the header says (Kafka: CORRUPT_MESSAGE).
    Truncated,
    /// Magic below 2 (Kafka: UNSUPPORTED_FOR_MESSAGE_FORMAT) .
    OldMagic(u8),
    /// Magic above 2.
    UnknownMagic(u8),
    /// CRC-32C does not match (Kafka: CORRUPT_MESSAGE).
    BadCrc,
    /// A count, delta or length contradicts the rest (Kafka: INVALID_RECORD).
    Inconsistent(&'static str),
    /// Compression bits 5 to 7 (Kafka: UNSUPPORTED_COMPRESSION_TYPE).
    UnknownCodec(u8),
    /// Records do not decompress, or grow past the cap (Kafka: CORRUPT_MESSAGE / RECORD_LIST_TOO_LARGE).
    BadCompression,
    /// Decompressed size above the caller's cap.
    TooLarge,
}

/// One record inside a batch, borrowed from the decompressed records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Absolute offset.
    pub offset: Offset,
    /// Absolute timestamp (the batch's max timestamp under LogAppendTime).
    pub timestamp: TimestampMs,
    /// `None` = null key.
    pub key: Option<Bytes>,
    /// `None` = null value (tombstone).
    pub value: Option<Bytes>,
    /// Keys need not be UTF-8, may repeat.
    pub headers: Vec<(Bytes, Option<Bytes>)>,
}

/// A batch whose lengths, counts and CRC were verified. The only thing that can be appended.
#[derive(Clone, Debug)]
pub struct ValidBatch {
    header: BatchHeader,
    bytes: Bytes,
}

impl ValidBatch {
    /// Verifies exactly one batch: length, magic, CRC, codec bits, counts. Does not decompress.
    pub fn verify(_bytes: Bytes) -> Result<ValidBatch, BatchError> {
        todo!()
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
}
