//! The rules that a produced batch must meet before it may be appended, and the changes that a topic's settings ask for.
//!
//! On the append path between `append.rs` and the log. Pure: bytes, settings and a time in, a verified batch out.
//!
//! A compressed batch is opened only when the topic's settings need its records (compacted topic, another codec); its CRC,
//! lengths and header are checked always. See docs/decisions/compressed-batches-stay-closed.md.

use crate::configs::settings::TopicSettings;
use bytes::Bytes;
use millstream_log::TimestampMs;
use millstream_log::batch::{self, BatchError, Codec, TimestampType, ValidBatch};
use thiserror::Error;

/// The most that the records of one batch may grow to when they are opened, in a topic whose batches are not larger anyway. Sixty-four
/// times the default of max.message.bytes: honest text stays far below.
const OPENED_BYTES_MAX: usize = 64 << 20;

/// Batches that may be open at once: each holds up to `OPENED_BYTES_MAX` of records and as much of a codec's window.
pub(crate) const OPENINGS_MAX: usize = 4;

/// Records of one batch that a refusal names. A client fails those for what they are and may send the others again; an
/// answer that named a million of them would be larger than the batch.
const BLAMED_MAX: usize = 10_000;

/// Whether batches of such a topic are opened, and so wait for one of `OPENINGS_MAX` places.
pub(crate) fn opens_batches(settings: &TopicSettings) -> bool {
    settings.compacted || settings.codec.is_some()
}

/// Why a batch is refused. Nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecordsRefused {
    /// The bytes are damaged (Kafka: CORRUPT_MESSAGE).
    #[error("the record batch is damaged: {0}")]
    Corrupt(BatchError),
    /// A batch of magic 0 or 1 (Kafka: UNSUPPORTED_FOR_MESSAGE_FORMAT).
    #[error("message format {0} is no longer accepted")]
    OldFormat(u8),
    /// Unknown codec (Kafka: UNSUPPORTED_COMPRESSION_TYPE).
    #[error("unknown compression {0}")]
    UnknownCodec(u8),
    /// Larger than max.message.bytes (Kafka: MESSAGE_TOO_LARGE).
    #[error("the batch has {bytes} bytes, the topic takes {bytes_max} (max.message.bytes)")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The bound.
        bytes_max: usize,
    },
    /// Outside of the topic's bounds (Kafka: INVALID_TIMESTAMP).
    #[error("timestamp {timestamp} lies outside of what the topic accepts")]
    Timestamp {
        /// The offender.
        timestamp: TimestampMs,
    },
    /// Part of a transaction that nobody has looked at (Kafka: INVALID_TXN_STATE).
    #[error("the batch belongs to a transaction that was not begun")]
    Transactional,
    /// Breaks another rule (Kafka: INVALID_RECORD).
    #[error("{reason}")]
    Invalid {
        /// Which rule.
        reason: &'static str,
        /// Indices of the records in the batch that are to blame, at most `BLAMED_MAX`; empty when it is the batch itself.
        records: Vec<u32>,
    },
}

/// Whether a batch may be part of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transactional {
    /// No transaction was looked at.
    Refused,
    /// The log compares it with the transaction that was looked at.
    Guarded,
}

/// A batch ready for the log.
#[derive(Debug)]
pub struct PreparedBatch {
    /// The batch.
    pub batch: ValidBatch,
    /// The time given to every record, under LogAppendTime.
    pub log_append_time: Option<TimestampMs>,
}

/// Checks `records` (the field of a produce request: exactly one batch) and applies the topic's settings.
pub fn prepare(
    records: Bytes,
    settings: &TopicSettings,
    transactional: Transactional,
    now: TimestampMs,
) -> Result<PreparedBatch, RecordsRefused> {
    check_size(records.len(), settings)?;
    let batch = verify_one(records)?;
    check_header(&batch, transactional)?;
    let batch = check_records(batch, settings, now)?;
    let batch = recompress(batch, settings)?;
    check_size(batch.bytes().len(), settings)?;
    match settings.timestamp_type {
        TimestampType::CreateTime => Ok(PreparedBatch {
            batch,
            log_append_time: None,
        }),
        TimestampType::LogAppendTime => {
            let batch = batch.with_timestamps(TimestampType::LogAppendTime, now);
            Ok(PreparedBatch {
                batch,
                log_append_time: Some(now),
            })
        }
    }
}

fn check_size(bytes: usize, settings: &TopicSettings) -> Result<(), RecordsRefused> {
    let bytes_max = settings.batch_bytes_max;
    if bytes > bytes_max {
        Err(RecordsRefused::TooLarge { bytes, bytes_max })
    } else {
        Ok(())
    }
}

fn verify_one(records: Bytes) -> Result<ValidBatch, RecordsRefused> {
    if records.is_empty() {
        return Err(invalid(
            "a produce request holds exactly one record batch for each partition",
        ));
    }
    ValidBatch::verify(records).map_err(refused)
}

fn check_header(batch: &ValidBatch, transactional: Transactional) -> Result<(), RecordsRefused> {
    let header = batch.header();
    if header.is_control() {
        return Err(invalid("clients may not write control records"));
    }
    if header.is_transactional() && transactional == Transactional::Refused {
        return Err(RecordsRefused::Transactional);
    }
    if header.producer_id >= 0 && (header.base_sequence < 0 || header.producer_epoch < 0) {
        return Err(invalid("an idempotent batch needs a sequence and an epoch"));
    }
    if header.timestamp_type() == TimestampType::LogAppendTime {
        return Err(RecordsRefused::Timestamp {
            timestamp: header.max_timestamp,
        });
    }
    Ok(())
}

/// Plain batches are walked whole (it costs nanoseconds a record); compressed ones only for a compacted topic or another codec.
fn check_records(
    batch: ValidBatch,
    settings: &TopicSettings,
    now: TimestampMs,
) -> Result<ValidBatch, RecordsRefused> {
    let must_open = settings.compacted || needs_recompression(&batch, settings);
    let check_time = settings.timestamp_type == TimestampType::CreateTime;
    if batch.codec() != Codec::None && !must_open {
        let header = batch.header();
        if check_time {
            check_bounds(header.base_timestamp, header.max_timestamp, settings, now)?;
        }
        return Ok(batch);
    }
    let summary = batch::validate_records(&batch, opened_bytes_max(settings)).map_err(refused)?;
    if settings.compacted && summary.first_null_key.is_some() {
        let records = batch::null_keys(&batch, opened_bytes_max(settings), BLAMED_MAX).map_err(refused)?;
        let reason = "a compacted topic accepts no record without a key";
        return Err(RecordsRefused::Invalid { reason, records });
    }
    if check_time {
        check_bounds(summary.min_timestamp, summary.max_timestamp, settings, now)?;
    }
    if summary.max_timestamp_is_honest || !check_time {
        return Ok(batch);
    }
    Ok(batch.with_timestamps(TimestampType::CreateTime, summary.max_timestamp))
}

fn check_bounds(
    oldest: TimestampMs,
    newest: TimestampMs,
    settings: &TopicSettings,
    now: TimestampMs,
) -> Result<(), RecordsRefused> {
    let too_old = oldest >= 0 && now.saturating_sub(oldest) > settings.timestamp_before_max_ms;
    let too_new = newest.saturating_sub(now) > settings.timestamp_after_max_ms;
    if too_old {
        return Err(RecordsRefused::Timestamp { timestamp: oldest });
    }
    if too_new {
        Err(RecordsRefused::Timestamp { timestamp: newest })
    } else {
        Ok(())
    }
}

fn needs_recompression(batch: &ValidBatch, settings: &TopicSettings) -> bool {
    settings.codec.is_some_and(|(codec, _)| codec != batch.codec())
}

fn recompress(batch: ValidBatch, settings: &TopicSettings) -> Result<ValidBatch, RecordsRefused> {
    match settings.codec {
        Some((codec, level)) if codec != batch.codec() => {
            batch::recompress(&batch, codec, level, opened_bytes_max(settings)).map_err(refused)
        }
        _ => Ok(batch),
    }
}

fn opened_bytes_max(settings: &TopicSettings) -> usize {
    OPENED_BYTES_MAX.max(settings.batch_bytes_max)
}

fn refused(error: BatchError) -> RecordsRefused {
    match error {
        BatchError::OldMagic(magic) => RecordsRefused::OldFormat(magic),
        BatchError::UnknownCodec(codec) => RecordsRefused::UnknownCodec(codec),
        BatchError::Inconsistent(reason) => invalid(reason),
        // Not "corrupt": clients send a corrupt batch again and again.
        BatchError::TooLarge => invalid("the records of the batch unpack to more than is accepted"),
        other => RecordsRefused::Corrupt(other),
    }
}

fn invalid(reason: &'static str) -> RecordsRefused {
    RecordsRefused::Invalid {
        reason,
        records: Vec::new(),
    }
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
