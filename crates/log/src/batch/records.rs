//! The records inside a batch, read in place.
//!
//! Owns: the layout of a record. Never allocates: a record borrows from the decompressed bytes, and a count of headers is believed
//! only as far as bytes follow it.
//!
//! **Invariant**: a `RecordRef` that was given out is whole: its length is used up exactly, its offset lies inside the batch and
//! above the one before it, and its headers can be walked without an error.
//! On the append path only where a topic asks for it (see `batch`); read by lookups by time, compaction, and front ends other than Kafka's.

use super::compression;
use super::error::BatchError;
use super::header::{BatchHeader, HEADER_BYTES, TimestampType};
use super::varint::{take_varint, take_varlong};
use crate::clock::TimestampMs;
use crate::ids::Offset;
use bytes::Bytes;

/// Bytes of the smallest record: length, attributes, two deltas, null key, null value, no headers.
pub(super) const RECORD_BYTES_MIN: usize = 7;

/// Bytes of the smallest header of a record: an empty key, a null value.
const RECORD_HEADER_BYTES_MIN: usize = 2;

/// The length that stands for null.
const NULL_LENGTH: i32 = -1;

/// A batch's records, decompressed. Plain ones share the batch's memory.
#[derive(Clone, Debug)]
pub struct BatchRecords {
    header: BatchHeader,
    bytes: Bytes,
}

impl BatchRecords {
    /// `batch`: the whole batch that `header` describes.
    pub(super) fn open(header: &BatchHeader, batch: &Bytes, bytes_max: usize) -> Result<Self, BatchError> {
        // A batch that compaction emptied keeps its codec bits in some brokers' logs, but has nothing to decompress.
        let bytes = if header.records_count == 0 && batch.len() == HEADER_BYTES {
            Bytes::new()
        } else {
            compression::decompress(header.codec()?, &batch.slice(HEADER_BYTES..), bytes_max)?
        };
        Ok(Self {
            header: *header,
            bytes,
        })
    }

    /// The records in order.
    #[must_use]
    pub fn iter(&self) -> Records<'_> {
        Records::new(&self.header, &self.bytes)
    }

    /// The encoded records, one after the other.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// A record of its own that shares the memory of `self`: it pins all of the batch's records.
    ///
    /// # Panics
    /// When `record` was not borrowed from `self`.
    #[must_use]
    pub fn share(&self, record: &RecordRef<'_>) -> Record {
        // A null slice stays null; an empty one lies nowhere.
        let share = |part: &[u8]| {
            if part.is_empty() {
                Bytes::new()
            } else {
                self.bytes.slice_ref(part)
            }
        };
        Record {
            offset: record.offset,
            timestamp: record.timestamp,
            key: record.key.map(share),
            value: record.value.map(share),
            headers: record
                .headers()
                .map(|(key, value)| (share(key), value.map(share)))
                .collect(),
        }
    }
}

impl<'a> IntoIterator for &'a BatchRecords {
    type Item = Result<RecordRef<'a>, BatchError>;
    type IntoIter = Records<'a>;

    fn into_iter(self) -> Records<'a> {
        self.iter()
    }
}

/// One record inside a batch, sharing the memory of the decompressed records.
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

/// One record inside a batch, borrowed from the decompressed records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// Absolute offset.
    pub offset: Offset,
    /// Offset minus the batch's base offset.
    pub offset_delta: u32,
    /// Absolute timestamp (the batch's max timestamp under LogAppendTime).
    pub timestamp: TimestampMs,
    /// `None` = null key.
    pub key: Option<&'a [u8]>,
    /// `None` = null value (tombstone).
    pub value: Option<&'a [u8]>,
    pub(super) headers: RecordHeaders<'a>,
    /// The record as it is encoded, its length included.
    pub(super) encoded: &'a [u8],
}

impl<'a> RecordRef<'a> {
    /// Its headers in order. Keys need not be UTF-8, may repeat; a value may be null.
    #[must_use]
    pub fn headers(&self) -> RecordHeaders<'a> {
        self.headers
    }

    /// Bytes that it takes inside the decompressed batch.
    #[must_use]
    pub fn encoded_bytes(&self) -> usize {
        self.encoded.len()
    }
}

/// The headers of one record. They were walked once when the record was read, so walking them again cannot fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHeaders<'a> {
    left: usize,
    rest: &'a [u8],
}

impl<'a> Iterator for RecordHeaders<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        Some(take_header(&mut self.rest).expect("walked when the record was read"))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for RecordHeaders<'_> {}

/// Walks the decompressed records of one batch. Ends after the first error, and after the count that the header promises; bytes
/// beyond that are an error.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
    left: u32,
    base_offset: Offset,
    base_timestamp: TimestampMs,
    /// Every record's timestamp, under LogAppendTime.
    append_timestamp: Option<TimestampMs>,
    last_offset_delta: u32,
    next_offset_delta_min: u32,
    failed: bool,
}

impl<'a> Records<'a> {
    /// `records`: what decompression of the batch's payload gave.
    #[must_use]
    pub fn new(header: &BatchHeader, records: &'a [u8]) -> Records<'a> {
        Records {
            rest: records,
            left: header.records_count,
            base_offset: header.base_offset,
            base_timestamp: header.base_timestamp,
            append_timestamp: match header.timestamp_type() {
                TimestampType::CreateTime => None,
                TimestampType::LogAppendTime => Some(header.max_timestamp),
            },
            last_offset_delta: header.last_offset_delta,
            next_offset_delta_min: 0,
            failed: false,
        }
    }

    fn read(&mut self) -> Result<RecordRef<'a>, BatchError> {
        let start = self.rest;
        let length =
            take_varint(&mut self.rest).ok_or(BatchError::Inconsistent("a record's length is malformed"))?;
        let length = usize::try_from(length)
            .ok()
            .filter(|length| *length <= self.rest.len())
            .ok_or(BatchError::Inconsistent(
                "a record is longer than the bytes that follow",
            ))?;
        let (mut body, rest) = self.rest.split_at(length);
        self.rest = rest;
        let encoded = &start[..start.len() - rest.len()];
        let body = &mut body;

        let (_attributes, after) = body
            .split_first()
            .ok_or(BatchError::Inconsistent("a record has no attributes"))?;
        *body = after;
        let timestamp_delta = take_varlong(body).ok_or(BatchError::Inconsistent(
            "a record's timestamp delta is malformed",
        ))?;
        let offset_delta = take_varint(body)
            .and_then(|delta| u32::try_from(delta).ok())
            .ok_or(BatchError::Inconsistent("a record's offset delta is malformed"))?;
        if offset_delta < self.next_offset_delta_min || offset_delta > self.last_offset_delta {
            return Err(BatchError::Inconsistent("a record's offset is out of order"));
        }
        self.next_offset_delta_min = offset_delta + 1;
        let key = take_nullable(body).ok_or(BatchError::Inconsistent("a record's key is malformed"))?;
        let value = take_nullable(body).ok_or(BatchError::Inconsistent("a record's value is malformed"))?;
        let headers =
            take_headers(body).ok_or(BatchError::Inconsistent("a record's headers are malformed"))?;
        if !body.is_empty() {
            return Err(BatchError::Inconsistent("a record is longer than its fields"));
        }
        Ok(RecordRef {
            offset: self.base_offset.plus(u64::from(offset_delta)),
            offset_delta,
            // Wraps as every client's does: a rewritten base timestamp then still gives each record its own timestamp back.
            timestamp: self
                .append_timestamp
                .unwrap_or_else(|| self.base_timestamp.wrapping_add(timestamp_delta)),
            key,
            value,
            headers,
            encoded,
        })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<RecordRef<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let item = if self.left > 0 {
            self.left -= 1;
            self.read()
        } else if self.rest.is_empty() {
            return None;
        } else {
            Err(BatchError::Inconsistent("bytes follow the last record"))
        };
        self.failed = item.is_err();
        Some(item)
    }
}

/// Length and bytes; a length of -1 is null.
fn take_nullable<'a>(bytes: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let length = take_varint(bytes)?;
    if length == NULL_LENGTH {
        return Some(None);
    }
    take_bytes(bytes, length).map(Some)
}

fn take_bytes<'a>(bytes: &mut &'a [u8], length: i32) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    *bytes = rest;
    Some(taken)
}

fn take_header<'a>(bytes: &mut &'a [u8]) -> Option<(&'a [u8], Option<&'a [u8]>)> {
    let key_length = take_varint(bytes)?;
    let key = take_bytes(bytes, key_length)?;
    Some((key, take_nullable(bytes)?))
}

fn take_headers<'a>(bytes: &mut &'a [u8]) -> Option<RecordHeaders<'a>> {
    let count = usize::try_from(take_varint(bytes)?).ok()?;
    if count > bytes.len() / RECORD_HEADER_BYTES_MIN {
        return None;
    }
    let headers = RecordHeaders {
        left: count,
        rest: bytes,
    };
    for _ in 0..count {
        take_header(bytes)?;
    }
    Some(headers)
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
