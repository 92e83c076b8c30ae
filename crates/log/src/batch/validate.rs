//! The checks of a produced batch that need its records.
//!
//! Owns: one pass over the records. Never judges by a topic's settings: it reports what the caller's settings are compared with.
//!
//! **Invariant**: a batch that passes holds exactly the offsets that its header claims, in order.
//! On the append path of compacted topics, of topics with bounds on record times, and before recompression; plain topics skip it.

use super::error::BatchError;
use super::header::TimestampType;
use super::verify::ValidBatch;
use crate::clock::TimestampMs;

/// What the records of a batch are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordsSummary {
    /// Smallest timestamp.
    pub min_timestamp: TimestampMs,
    /// Largest timestamp. Where the header claims another, `ValidBatch::with_timestamps` makes it honest, as Kafka does.
    pub max_timestamp: TimestampMs,
    /// Offset delta of the first record that has it.
    pub max_timestamp_offset_delta: u32,
    /// Whether the header's largest timestamp is that of the records.
    pub max_timestamp_is_honest: bool,
    /// The first record without a key: a compacted topic refuses the batch (Kafka: INVALID_RECORD, with the record's index).
    pub first_null_key: Option<u32>,
    /// Bytes of the records, decompressed, without the batch's header.
    pub uncompressed_bytes: usize,
}

/// Walks the records: offset deltas are 0 to n-1 in order, every length is right, nothing follows the last record.
///
/// Plain batches are read in place without an allocation; compressed ones are decompressed up to `bytes_max` bytes.
pub fn validate_records(batch: &ValidBatch, bytes_max: usize) -> Result<RecordsSummary, BatchError> {
    let records = batch.records(bytes_max)?;
    let mut summary = RecordsSummary {
        min_timestamp: TimestampMs::MAX,
        max_timestamp: TimestampMs::MIN,
        max_timestamp_offset_delta: 0,
        max_timestamp_is_honest: false,
        first_null_key: None,
        uncompressed_bytes: records.bytes().len(),
    };
    // As many records as offsets, rising, none above the last: they are dense without a look at each. The iterator refuses the
    // rest, and `verify` compared the two counts.
    for record in &records {
        let record = record?;
        summary.min_timestamp = summary.min_timestamp.min(record.timestamp);
        // The first record counts even with the smallest time there is.
        if record.timestamp > summary.max_timestamp {
            summary.max_timestamp = record.timestamp;
            summary.max_timestamp_offset_delta = record.offset_delta;
        }
        if record.key.is_none() && summary.first_null_key.is_none() {
            summary.first_null_key = Some(record.offset_delta);
        }
    }
    let header = batch.header();
    // Under LogAppendTime the records have no time of their own to differ.
    summary.max_timestamp_is_honest = header.timestamp_type() == TimestampType::LogAppendTime
        || summary.max_timestamp == header.max_timestamp;
    Ok(summary)
}

/// Offset deltas of the first records without a key, at most `count_max` of them: who is to blame when a compacted topic
/// refused the batch. A walk of its own, so that batches that are taken pay for no list.
pub fn null_keys(batch: &ValidBatch, bytes_max: usize, count_max: usize) -> Result<Vec<u32>, BatchError> {
    let records = batch.records(bytes_max)?;
    let mut found = Vec::new();
    for record in &records {
        let record = record?;
        if found.len() == count_max {
            break;
        }
        if record.key.is_none() {
            found.push(record.offset_delta);
        }
    }
    Ok(found)
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
