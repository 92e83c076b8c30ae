//! Batches made here: by the CLI, by front ends that receive single messages, by internal state streams; and recompression.
//!
//! Owns: the collection of records into one batch. Never stamps offsets: a built batch is appended like a produced one.
//!
//! **Invariant**: what `finish` returns passes `ValidBatch::verify` and `validate_records`.
//! On the append path of everything but Kafka's produce.

use super::compression::Codec;
use super::encode::{RecordParts, assemble, put_record, record_bytes};
use super::error::BatchError;
use super::header::{
    ATTRIBUTE_CONTROL, ATTRIBUTE_LOG_APPEND_TIME, ATTRIBUTE_TRANSACTIONAL, BatchHeader, EPOCH_UNSTAMPED,
    HEADER_BYTES,
};
use super::records::Record;
use super::verify::ValidBatch;
use crate::clock::TimestampMs;
use crate::ids::Offset;

/// A record to be put into a batch.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewRecord<'a> {
    /// Milliseconds since the epoch; -1 for none.
    pub timestamp: TimestampMs,
    /// `None` = null key.
    pub key: Option<&'a [u8]>,
    /// `None` = null value (tombstone).
    pub value: Option<&'a [u8]>,
    /// In order; keys may repeat.
    pub headers: &'a [(&'a [u8], Option<&'a [u8]>)],
}

/// Collects records and makes one batch of them.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    template: BatchHeader,
    codec: Codec,
    level: Option<i32>,
    records: Vec<u8>,
}

impl BatchBuilder {
    /// An empty builder of a batch that no idempotent producer writes.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        Self {
            template: BatchHeader {
                base_offset: Offset::ZERO,
                size_bytes: HEADER_BYTES,
                epoch: EPOCH_UNSTAMPED,
                crc: 0,
                attributes: 0,
                last_offset_delta: 0,
                base_timestamp: -1,
                max_timestamp: -1,
                producer_id: -1,
                producer_epoch: -1,
                base_sequence: -1,
                records_count: 0,
            },
            codec,
            level: None,
            records: Vec::new(),
        }
    }

    /// Compresses at `level`, moved into the codec's range, rather than at its default.
    #[must_use]
    pub fn level(mut self, level: i32) -> Self {
        self.level = Some(level);
        self
    }

    /// Written by an idempotent producer; `base_sequence` is that of the first record.
    #[must_use]
    pub fn producer(mut self, producer_id: i64, producer_epoch: i16, base_sequence: i32) -> Self {
        self.template.producer_id = producer_id;
        self.template.producer_epoch = producer_epoch;
        self.template.base_sequence = base_sequence;
        self
    }

    /// Part of its producer's open transaction.
    #[must_use]
    pub fn transactional(mut self) -> Self {
        self.template.attributes |= ATTRIBUTE_TRANSACTIONAL;
        self
    }

    /// Holds control records.
    #[must_use]
    pub(super) fn control(mut self) -> Self {
        self.template.attributes |= ATTRIBUTE_CONTROL;
        self
    }

    /// Every record has the timestamp `at`, set by the broker.
    #[must_use]
    pub fn log_append_time(mut self, at: TimestampMs) -> Self {
        self.template.attributes |= ATTRIBUTE_LOG_APPEND_TIME;
        self.template.max_timestamp = at;
        self
    }

    /// Adds a record. `TooLarge` where the format has no room for it; the builder is then as before.
    pub fn push(&mut self, record: &NewRecord<'_>) -> Result<(), BatchError> {
        let headers = record.headers.iter().copied();
        self.put(record.timestamp, record.key, record.value, headers)
    }

    /// Adds a copy of a record that was read elsewhere. Its offset plays no part.
    pub fn push_record(&mut self, record: &Record) -> Result<(), BatchError> {
        let headers = record
            .headers
            .iter()
            .map(|(key, value)| (&key[..], value.as_deref()));
        self.put(
            record.timestamp,
            record.key.as_deref(),
            record.value.as_deref(),
            headers,
        )
    }

    /// Records so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.template.records_count as usize
    }

    /// Whether there is no record yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.template.records_count == 0
    }

    /// Bytes of the batch if it were finished now, without compression.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        HEADER_BYTES + self.records.len()
    }

    /// What `size_bytes` would be with this record too: what a limit is asked before the record is encoded. `TooLarge` where a
    /// length does not fit the format.
    pub fn size_bytes_with(&self, record: &NewRecord<'_>) -> Result<usize, BatchError> {
        let headers = record.headers.iter().copied();
        let (_, parts) = self.parts(record.timestamp, record.key, record.value, headers);
        Ok(self.size_bytes() + record_bytes(&parts)?)
    }

    /// The batch, with base offset 0 and no epoch. Refuses an empty builder, and producer fields that contradict each other.
    pub fn finish(self) -> Result<ValidBatch, BatchError> {
        let (_, bytes) = assemble(&self.template, self.codec, self.level, &self.records)?;
        // The producer fields are the caller's, so this is a real check.
        ValidBatch::verify(bytes)
    }

    fn put<'a>(
        &mut self,
        timestamp: TimestampMs,
        key: Option<&'a [u8]>,
        value: Option<&'a [u8]>,
        headers: impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + Clone,
    ) -> Result<(), BatchError> {
        let first = self.is_empty();
        let (base_timestamp, parts) = self.parts(timestamp, key, value, headers);
        put_record(&mut self.records, &parts)?;
        self.template.base_timestamp = base_timestamp;
        self.template.last_offset_delta = self.template.records_count;
        self.template.records_count += 1;
        if self.template.attributes & ATTRIBUTE_LOG_APPEND_TIME == 0 {
            let max = if first {
                timestamp
            } else {
                self.template.max_timestamp
            };
            self.template.max_timestamp = max.max(timestamp);
        }
        Ok(())
    }

    /// A record as the next one of this batch, and the timestamp that the batch's are counted from then.
    fn parts<'a, H>(
        &self,
        timestamp: TimestampMs,
        key: Option<&'a [u8]>,
        value: Option<&'a [u8]>,
        headers: H,
    ) -> (TimestampMs, RecordParts<'a, H>) {
        let base_timestamp = if self.is_empty() {
            timestamp
        } else {
            self.template.base_timestamp
        };
        let parts = RecordParts {
            timestamp_delta: timestamp.wrapping_sub(base_timestamp),
            offset_delta: self.template.records_count,
            key,
            value,
            headers,
        };
        (base_timestamp, parts)
    }
}

/// The same records under another codec (compression.type of a topic, of an upload). Headers, offsets and times stay.
///
/// Records are decompressed up to `bytes_max` bytes, and moved as they lie: whoever has not walked them, calls `validate_records`.
pub fn recompress(
    batch: &ValidBatch,
    codec: Codec,
    level: Option<i32>,
    bytes_max: usize,
) -> Result<ValidBatch, BatchError> {
    let records = batch.records(bytes_max)?;
    let (header, bytes) = assemble(batch.header(), codec, level, records.bytes())?;
    // A compressed batch may promise more records than it holds, which a plain one cannot: so this is a real check.
    match codec {
        Codec::None => ValidBatch::verify(bytes),
        _ => Ok(ValidBatch::encoded(header, bytes)),
    }
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
