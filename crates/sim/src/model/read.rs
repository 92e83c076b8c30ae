//! Judging what a read returned.

use super::{BatchId, Judgement, Model, PartitionView, Place, TAG_HEADER, decode_tag};
use bytes::Bytes;
use millstream_log::batch::{self, Record, StoredBatch, TimestampType};

/// The most that one batch may decompress to: far above what clients of the simulation send.
const OPENED_BYTES_MAX: usize = 16 << 20;

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRecord {
    /// Its offset.
    pub offset: u64,
    /// The batch it belongs to.
    pub batch: BatchId,
    /// Its place in the batch.
    pub record: u32,
}

/// The offsets that a read covered: every record that is kept in them was returned.
#[derive(Clone, Debug, Default)]
pub(super) struct Covered {
    /// First offset of the first batch.
    pub(super) from: u64,
    /// One past the last batch.
    pub(super) to: u64,
    /// What was returned.
    pub(super) records: Vec<ReadRecord>,
}

/// A read that is to be judged.
#[derive(Clone, Copy, Debug)]
pub struct ReadAsked {
    /// Where.
    pub place: Place,
    /// From which offset.
    pub from: u64,
    /// What was known before it was asked.
    pub before: PartitionView,
    /// The readable end that came with the answer.
    pub end: u64,
}

impl Model {
    /// Judges the batches that a read returned; the offset at which the next read goes on.
    pub fn was_read(&mut self, asked: ReadAsked, chunks: &[Bytes]) -> Result<u64, String> {
        let place = asked.place;
        let covered = self.parse(asked, chunks)?;
        if covered.to <= asked.from {
            if asked.from < asked.end {
                return Err(format!(
                    "{place}: a read from {} gives nothing that leads on, and the end is {}: the reader is stuck",
                    asked.from, asked.end
                ));
            }
            return Ok(asked.from);
        }
        for record in &covered.records {
            if let Some(base) = record.offset.checked_sub(u64::from(record.record)) {
                self.lands(record.batch, base)?;
            } else {
                return Err(format!("{} lies below offset 0 in {place}", record.batch));
            }
        }
        self.nothing_is_missing(place, &covered)?;
        Ok(covered.to)
    }

    /// The records of some batches.
    pub fn records_of(&mut self, place: Place, chunks: &[Bytes]) -> Result<Vec<ReadRecord>, String> {
        let mut covered = Covered::default();
        for chunk in chunks {
            for split in batch::split(chunk.clone()) {
                let (_, bytes) = split.map_err(|error| format!("{place}: no batch was read: {error}"))?;
                let stored = StoredBatch::verify(bytes);
                let stored = stored.map_err(|error| format!("{place}: a damaged batch was read: {error}"))?;
                self.read_records(place, &stored, &mut covered)?;
            }
        }
        Ok(covered.records)
    }

    fn parse(&mut self, asked: ReadAsked, chunks: &[Bytes]) -> Result<Covered, String> {
        let place = asked.place;
        let mut covered = Covered::default();
        let mut next = None;
        for chunk in chunks {
            for split in batch::split(chunk.clone()) {
                let (header, bytes) =
                    split.map_err(|error| format!("{place}: no batch was read: {error}"))?;
                let stored = StoredBatch::verify(bytes);
                let stored = stored.map_err(|error| format!("{place}: a damaged batch was read: {error}"))?;
                let (base, last) = (header.base_offset.0, header.last_offset().0);
                self.check_place(asked, (base, last), next)?;
                if next.is_none() {
                    covered.from = base;
                }
                self.read_records(place, &stored, &mut covered)?;
                next = Some(last + 1);
            }
        }
        covered.to = next.unwrap_or(0);
        Ok(covered)
    }

    fn check_place(&self, asked: ReadAsked, (base, last): (u64, u64), expected: Option<u64>) -> Judgement {
        let place = asked.place;
        let compacted = self.may_be_compacted(place);
        let leads_on = match expected {
            Some(expected) => base == expected || (base > expected && compacted),
            // The first batch holds the asked offset, unless that was compacted away or trimmed in the meantime.
            None => last >= asked.from && (base <= asked.from.max(self.seen_start(place)) || compacted),
        };
        if !leads_on {
            return Err(format!(
                "{place}: a read from {} met the batch {base}..={last} where it should have met {expected:?}",
                asked.from
            ));
        }
        if last >= asked.end {
            return Err(format!(
                "{place}: offset {last} was read, and the end was {}",
                asked.end
            ));
        }
        Ok(())
    }

    fn seen_start(&self, place: Place) -> u64 {
        self.partitions
            .get(&place)
            .map_or(0, super::Partition::start_seen)
    }

    fn read_records(&mut self, place: Place, stored: &StoredBatch, covered: &mut Covered) -> Judgement {
        let base = stored.header().base_offset;
        let damaged = |error| format!("{place}: a batch at {base} does not open: {error}");
        let records = stored.records(OPENED_BYTES_MAX).map_err(damaged)?;
        let stamped = stored.header().timestamp_type() == TimestampType::LogAppendTime;
        for record in &records {
            let record = records.share(&record.map_err(damaged)?);
            let read = self.check_record(place, &record, stamped)?;
            covered.records.push(read);
        }
        Ok(())
    }

    /// The record is byte for byte what somebody sent to this place.
    fn check_record(&self, place: Place, record: &Record, stamped: bool) -> Result<ReadRecord, String> {
        let offset = record.offset.0;
        let tag = record.headers.iter().find(|(key, _)| &key[..] == TAG_HEADER);
        let tag = tag.and_then(|(_, value)| decode_tag(value.as_deref()?));
        let Some((batch, at)) = tag.filter(|(batch, _)| batch.index() < self.batches.len()) else {
            return Err(format!("{place}: nobody sent the record at offset {offset}"));
        };
        let sent = self.batch(batch);
        if sent.place != place {
            return Err(format!(
                "{batch} was sent to {}, and is in {place} at {offset}",
                sent.place
            ));
        }
        let Some(expected) = sent.records.get(at as usize) else {
            return Err(format!(
                "{place}: {batch} has no record {at}, but offset {offset} says so"
            ));
        };
        let same = record.key.as_deref() == expected.key.as_deref()
            && record.value.as_deref() == expected.value.as_deref()
            && (stamped || record.timestamp == expected.timestamp);
        if !same {
            return Err(format!(
                "{place}: record {at} of {batch} at offset {offset} is not as it was sent"
            ));
        }
        Ok(ReadRecord {
            offset,
            batch,
            record: at,
        })
    }

    /// Every fact in the covered offsets was returned, unless compaction may have taken it.
    fn nothing_is_missing(&mut self, place: Place, covered: &Covered) -> Judgement {
        let mut returned = covered.records.iter().map(|record| record.offset).peekable();
        let start = self.seen_start(place);
        let compacted = self.may_be_compacted(place);
        for offset in covered.from..covered.to {
            if returned.next_if_eq(&offset).is_some() {
                continue;
            }
            if offset < start {
                continue;
            }
            if !compacted {
                return Err(format!(
                    "{place}: the read from {} skips offset {offset}",
                    covered.from
                ));
            }
            self.may_be_compacted_away(place, offset)?;
        }
        Ok(())
    }
}
