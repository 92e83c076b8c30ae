//! Finding records by time in objects: ranges and blocks by their largest timestamp, then the records inside one batch.
//!
//! On the path of Kafka's ListOffsets. A batch whose records cannot be decompressed is answered by its header: what a client
//! wrote may be nonsense inside, the log is not damaged by it.

use super::cold::{ColdReader, stored_header};
use super::format::BlockEntry;
use super::pools::IoClass;
use crate::batch::{BatchHeader, StoredBatch};
use crate::clock::TimestampMs;
use crate::error::ReadError;
use crate::ids::{Offset, StreamId};
use crate::manifest::record::Range;
use crate::stream::TimestampedOffset;
use bytes::Bytes;

/// The most that one batch is decompressed to for a search.
pub(crate) const SEARCH_RECORDS_BYTES_MAX: usize = 256 << 20;

impl ColdReader {
    /// The first committed record at or above `from` whose timestamp is `at_least` or later.
    pub(crate) async fn find_by_time(
        &self,
        id: StreamId,
        at_least: TimestampMs,
        from: Offset,
    ) -> Result<Option<TimestampedOffset>, ReadError> {
        let mut from = from;
        loop {
            let late_enough = |range: &&Range| range.max_timestamp >= at_least;
            let Some(range) = self.first_range(id, from, late_enough) else {
                return Ok(None);
            };
            let from_here = from.max(range.base);
            if let Some(found) = self.find_in_range(id, from_here, at_least).await? {
                return Ok(Some(found));
            }
            from = range.end;
        }
    }

    /// The committed record with the largest timestamp, the first of several.
    pub(crate) async fn find_max_time(&self, id: StreamId) -> Result<Option<TimestampedOffset>, ReadError> {
        let newest = self.shared.manifest.with_image(|image| {
            let stream = image.streams.get(&id)?;
            let largest = stream.ranges.iter().map(|range| range.max_timestamp).max()?;
            Some((stream.start, largest))
        });
        match newest {
            // The first range may hold its largest timestamp below the start; then the next largest is asked for.
            Some((start, largest)) if largest >= 0 => match self.find_by_time(id, largest, start).await? {
                Some(found) => Ok(Some(found)),
                None => self.scan_max_time(id, start).await,
            },
            _ => Ok(None),
        }
    }

    fn first_range(&self, id: StreamId, from: Offset, fits: impl Fn(&&Range) -> bool) -> Option<Range> {
        self.shared.manifest.with_image(|image| {
            let stream = image.streams.get(&id)?;
            stream.ranges[stream.range_at(from)..].iter().find(fits).copied()
        })
    }

    /// Looks through the range that holds `from`.
    async fn find_in_range(
        &self,
        id: StreamId,
        from: Offset,
        at_least: TimestampMs,
    ) -> Result<Option<TimestampedOffset>, ReadError> {
        let mut found = None;
        let late_enough = |block: &BlockEntry| block.max_timestamp >= at_least;
        let visit = |block: &Bytes| {
            found = first_in_block(block, from, at_least)?;
            Ok(found.is_some())
        };
        self.visit_blocks(id, from, late_enough, visit).await?;
        Ok(found)
    }

    /// Slow path: the largest timestamp of the first range lay in its trimmed part.
    async fn scan_max_time(
        &self,
        id: StreamId,
        start: Offset,
    ) -> Result<Option<TimestampedOffset>, ReadError> {
        let mut largest: TimestampMs = -1;
        let mut from = start;
        while let Some(range) = self.first_range(id, from, |_| true) {
            if range.base >= start {
                largest = largest.max(range.max_timestamp);
            } else {
                let visit = |block: &Bytes| {
                    largest = largest.max(largest_in_block(block, start)?);
                    Ok(false)
                };
                self.visit_blocks(id, from, |_| true, visit).await?;
            }
            from = range.end;
        }
        if largest < 0 {
            Ok(None)
        } else {
            self.find_by_time(id, largest, start).await
        }
    }

    /// Hands the blocks of the range that holds `from`, one after the other, to `visit`, until it answers true.
    async fn visit_blocks(
        &self,
        id: StreamId,
        from: Offset,
        wanted: impl Fn(&BlockEntry) -> bool,
        mut visit: impl FnMut(&Bytes) -> Result<bool, ReadError>,
    ) -> Result<(), ReadError> {
        let leased = self.shared.manifest.lease(id, from, 1).unwrap_or_default();
        let Some((range, object)) = leased
            .first()
            .and_then(|leased| Some((leased.range, leased.object?)))
        else {
            return Ok(());
        };
        let index = self
            .shared
            .fetcher
            .index(&object, Some(IoClass::ColdRead))
            .await?;
        for at in index.blocks_in(id, from, range.end) {
            if !wanted(&index.blocks[at]) {
                continue;
            }
            let blocks = self
                .shared
                .fetcher
                .blocks(&object, &index, at..at + 1, Some(IoClass::ColdRead))
                .await?;
            if visit(&blocks[0])? {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The first record at or above `from` and `at_least` in the block.
fn first_in_block(
    block: &Bytes,
    from: Offset,
    at_least: TimestampMs,
) -> Result<Option<TimestampedOffset>, ReadError> {
    let mut rest = block.clone();
    while !rest.is_empty() {
        let header = stored_header(&rest)?;
        let batch = rest.split_to(header.size_bytes);
        if header.max_timestamp < at_least || header.last_offset() < from {
            continue;
        }
        if let Some(found) = first_in_batch(&header, batch, from, at_least) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The first record of the batch at or above `from` whose timestamp is `at_least` or later. Also used for the tail.
pub(crate) fn first_in_batch(
    header: &BatchHeader,
    batch: Bytes,
    from: Offset,
    at_least: TimestampMs,
) -> Option<TimestampedOffset> {
    let by_header = TimestampedOffset {
        offset: header.base_offset.max(from),
        timestamp: header.max_timestamp,
        epoch: header.epoch,
    };
    let opened = StoredBatch::verify(batch).and_then(|stored| stored.records(SEARCH_RECORDS_BYTES_MAX));
    let Ok(records) = opened else {
        return Some(by_header);
    };
    for record in records.iter() {
        let Ok(record) = record else {
            return Some(by_header);
        };
        if record.offset >= from && record.timestamp >= at_least {
            return Some(TimestampedOffset {
                offset: record.offset,
                timestamp: record.timestamp,
                epoch: header.epoch,
            });
        }
    }
    None
}

/// The largest timestamp of the block's records from `start` on.
fn largest_in_block(block: &Bytes, start: Offset) -> Result<TimestampMs, ReadError> {
    let mut largest = -1;
    let mut rest = block.clone();
    while !rest.is_empty() {
        let header = stored_header(&rest)?;
        let batch = rest.split_to(header.size_bytes);
        if header.base_offset >= start {
            largest = largest.max(header.max_timestamp);
        } else if header.last_offset() >= start {
            let opened =
                StoredBatch::verify(batch).and_then(|stored| stored.records(SEARCH_RECORDS_BYTES_MAX));
            let records = opened.iter().flat_map(|records| records.iter());
            let kept = records
                .filter_map(Result::ok)
                .filter(|record| record.offset >= start);
            largest = largest.max(kept.map(|record| record.timestamp).max().unwrap_or(-1));
        }
    }
    Ok(largest)
}
