//! What compaction leaves of a batch.
//!
//! Owns: the rewriting of one batch. Never knows keys' newest offsets, clocks or transactions: `keep` and the horizon come from
//! the caller.
//!
//! **Invariant** (docs/ARCHITECTURE.md, invariant 4): a record that stays keeps offset, timestamp, key, value and headers; base
//! offset, last offset delta and the producer fields of the batch stay, so that the sequence of its last record is still known.
//! In the background only, over batches read from objects.

use super::compression::Codec;
use super::encode::{RecordParts, assemble, put_record};
use super::error::BatchError;
use super::header::{ATTRIBUTE_DELETE_HORIZON, BatchHeader, TimestampType};
use super::records::{BatchRecords, RecordRef};
use super::stored::StoredBatch;
use crate::clock::TimestampMs;

/// Whether a batch gets a delete horizon: the wall time from which its tombstones, or its marker, may go (KIP-534).
///
/// A batch that has one keeps it: else every pass would put the end off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Horizon {
    /// None is set.
    Keep,
    /// Set where a tombstone stays (now + delete.retention.ms, on the first pass that covers the batch).
    OnTombstones(TimestampMs),
    /// Set in any case: the batch is the marker of a transaction of which no record is left.
    Always(TimestampMs),
}

/// How one batch is rewritten.
#[derive(Clone, Copy, Debug)]
pub struct Retain {
    /// Cap on the decompressed records.
    pub records_bytes_max: usize,
    /// Delete horizon.
    pub horizon: Horizon,
    /// Level of the batch's codec, `None` for its default.
    pub level: Option<i32>,
}

/// What is left.
#[derive(Clone, Debug)]
pub enum Kept {
    /// Everything: the batch stays as it is.
    Whole,
    /// Some records, or all with a new delete horizon.
    Rewritten(StoredBatch),
    /// None. The header alone, for the caller to keep if it is the last batch of a producer whose state is still alive (else the
    /// producer's next batch would look out of order), and to drop otherwise.
    Empty(StoredBatch),
}

/// Asks `keep` once for every record, in order, and rewrites the batch with the ones that stay, under the same codec.
pub fn retain(
    batch: &StoredBatch,
    how: &Retain,
    mut keep: impl FnMut(&RecordRef<'_>) -> bool,
) -> Result<Kept, BatchError> {
    let header = batch.header();
    let records = batch.records(how.records_bytes_max)?;
    let survey = Survey::take(&records, &mut keep)?;
    if survey.kept == 0 {
        return Ok(Kept::Empty(emptied(header)?));
    }
    let new_horizon = match how.horizon {
        _ if header.delete_horizon().is_some() => None,
        Horizon::OnTombstones(at) if survey.tombstones_stay => Some(at),
        Horizon::Always(at) => Some(at),
        Horizon::Keep | Horizon::OnTombstones(_) => None,
    };
    if survey.kept == header.records_count && new_horizon.is_none() {
        return Ok(Kept::Whole);
    }
    let template = survey.template(header, new_horizon);
    let encoded = survey.rewrite(&records, header, &template)?;
    let (header, bytes) = assemble(&template, batch.codec(), how.level, &encoded)?;
    Ok(Kept::Rewritten(StoredBatch::encoded(header, bytes)))
}

/// The first pass: who stays. One bit a record that is really there, so memory is bounded by the decompressed bytes; the records
/// themselves are read again in the second pass, which is cheaper than a list of them.
struct Survey {
    stays: Vec<u64>,
    kept: u32,
    kept_bytes: usize,
    tombstones_stay: bool,
    first_timestamp: TimestampMs,
    max_timestamp: TimestampMs,
}

impl Survey {
    fn take(
        records: &BatchRecords,
        keep: &mut impl FnMut(&RecordRef<'_>) -> bool,
    ) -> Result<Survey, BatchError> {
        let mut survey = Survey {
            stays: Vec::new(),
            kept: 0,
            kept_bytes: 0,
            tombstones_stay: false,
            first_timestamp: -1,
            max_timestamp: -1,
        };
        for (index, record) in records.iter().enumerate() {
            let record = record?;
            if index % 64 == 0 {
                survey.stays.push(0);
            }
            if !keep(&record) {
                continue;
            }
            survey.stays[index / 64] |= 1 << (index % 64);
            if survey.kept == 0 {
                survey.first_timestamp = record.timestamp;
                survey.max_timestamp = record.timestamp;
            }
            survey.kept += 1;
            survey.kept_bytes += record.encoded_bytes();
            survey.tombstones_stay |= record.value.is_none();
            survey.max_timestamp = survey.max_timestamp.max(record.timestamp);
        }
        Ok(survey)
    }

    fn stays(&self, index: usize) -> bool {
        self.stays[index / 64] & (1 << (index % 64)) != 0
    }

    /// The header of what stays. Under LogAppendTime the largest timestamp is every record's: it must not change.
    fn template(&self, header: &BatchHeader, new_horizon: Option<TimestampMs>) -> BatchHeader {
        let mut template = *header;
        template.records_count = self.kept;
        if header.timestamp_type() == TimestampType::CreateTime {
            template.max_timestamp = self.max_timestamp;
        }
        if let Some(horizon) = new_horizon {
            template.attributes |= ATTRIBUTE_DELETE_HORIZON;
            template.base_timestamp = horizon;
        } else if header.delete_horizon().is_none() {
            template.base_timestamp = self.first_timestamp;
        }
        template
    }

    /// The second pass: the records that stay, relative to the new base timestamp.
    fn rewrite(
        &self,
        records: &BatchRecords,
        header: &BatchHeader,
        template: &BatchHeader,
    ) -> Result<Vec<u8>, BatchError> {
        let mut encoded = Vec::with_capacity(self.kept_bytes);
        for (index, record) in records.iter().enumerate() {
            let record = record?;
            if !self.stays(index) {
                continue;
            }
            if template.base_timestamp == header.base_timestamp {
                encoded.extend_from_slice(record.encoded);
                continue;
            }
            let parts = RecordParts {
                timestamp_delta: record.timestamp.wrapping_sub(template.base_timestamp),
                offset_delta: record.offset_delta,
                key: record.key,
                value: record.value,
                headers: record.headers(),
            };
            put_record(&mut encoded, &parts)?;
        }
        Ok(encoded)
    }
}

/// The batch without records, as Kafka writes it: no base timestamp, no horizon, plain. It need not be opened for it.
pub(crate) fn emptied(header: &BatchHeader) -> Result<StoredBatch, BatchError> {
    let mut template = *header;
    template.records_count = 0;
    template.base_timestamp = -1;
    template.attributes &= !ATTRIBUTE_DELETE_HORIZON;
    let (header, bytes) = assemble(&template, Codec::None, None, &[])?;
    Ok(StoredBatch::encoded(header, bytes))
}

#[cfg(test)]
#[path = "compact_tests.rs"]
mod tests;
