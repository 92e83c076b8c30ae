//! Reads of offsets below the tail: range by binary search in the manifest, block by binary search in the object's index,
//! batches sliced out of the block without copying.
//!
//! Never answers a part of a batch (trap T13). Holds leases on the objects that it reads, so that none is deleted under it.

use super::cache::CacheStats;
use super::fetch::Fetcher;
use super::format::ObjectIndex;
use super::pools::IoClass;
use super::readahead::{Job, ReadAhead};
use crate::batch::BatchHeader;
use crate::error::ReadError;
use crate::ids::{Offset, StreamId};
use crate::manifest::ManifestHandle;
use crate::manifest::handle::LeasedRange;
use crate::stream::{ReadLimit, ReadOutcome};
use bytes::Bytes;
use std::sync::Arc;

/// Ranges that one read goes through; a reader that wants more comes again.
const RANGES_PER_READ_MAX: usize = 64;

/// A cheap clone.
#[derive(Clone)]
pub(crate) struct ColdReader {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) manifest: ManifestHandle,
    pub(super) fetcher: Arc<Fetcher>,
    read_ahead: ReadAhead,
}

impl ColdReader {
    pub(crate) fn new(manifest: ManifestHandle, fetcher: Arc<Fetcher>) -> Self {
        let read_ahead = ReadAhead::new(fetcher.cache().capacity_bytes());
        Self {
            shared: Arc::new(Shared {
                manifest,
                fetcher,
                read_ahead,
            }),
        }
    }

    /// Reads committed batches from the one that holds `from`. Where objects end the outcome ends: `next` is then the
    /// committed end, and the tail goes on.
    pub(crate) async fn read(
        &self,
        id: StreamId,
        from: Offset,
        limit: ReadLimit,
    ) -> Result<ReadOutcome, ReadError> {
        let mut outcome = ReadOutcome {
            next: from,
            ..ReadOutcome::default()
        };
        let mut leased = self.lease(id, from)?;
        for _ in 0..RANGES_PER_READ_MAX {
            let Some(range) = leased.first() else { break };
            if !self.read_range(id, range, &limit, &mut outcome).await? {
                break;
            }
            // One after the other: most reads are content with the first.
            leased = match self.lease(id, outcome.next) {
                Ok(leased) => leased,
                // The stream was trimmed meanwhile, beyond what was read. What follows is not the answer's next part: a reader that
                // got it would pass over the hole and never hear of it. It asks again, and is told.
                Err(_) if outcome.bytes > 0 => break,
                Err(error) => return Err(error),
            };
        }
        drop(leased);
        let bytes = outcome.bytes as u64;
        if let Some(job) = self.shared.read_ahead.note(id, from, outcome.next, bytes) {
            tokio::spawn(self.clone().prefetch(job));
        }
        Ok(outcome)
    }

    /// The range that holds `from`; none at the committed end; an error when `from` is not among the committed offsets.
    pub(super) fn lease(&self, id: StreamId, from: Offset) -> Result<Vec<LeasedRange>, ReadError> {
        let bounds = |image: &crate::manifest::image::Image| image.streams.get(&id).map(|s| (s.start, s.end));
        let Some((start, end)) = self.shared.manifest.with_image(bounds) else {
            return Err(ReadError::StreamGone);
        };
        if from < start || from > end.max(start) {
            return Err(ReadError::OffsetOutOfRange { start, end });
        }
        let leased = self.shared.manifest.lease(id, from, 1);
        let leased = leased.ok_or(ReadError::StreamGone)?;
        match leased.first() {
            // Trimmed between the two looks: ranges leave no other hole.
            Some(next) if next.range.base > from => Err(ReadError::OffsetOutOfRange {
                start: next.range.base,
                end,
            }),
            _ => Ok(leased),
        }
    }

    /// Reads on in one range. Answers whether the next range may be read too.
    async fn read_range(
        &self,
        id: StreamId,
        leased: &LeasedRange,
        limit: &ReadLimit,
        outcome: &mut ReadOutcome,
    ) -> Result<bool, ReadError> {
        let Some(object) = &leased.object else {
            outcome.next = leased.range.end;
            return Ok(true);
        };
        let index = self.shared.fetcher.index(object, Some(IoClass::ColdRead)).await?;
        let std::ops::Range {
            start: mut at,
            end: last,
        } = index.blocks_in(id, outcome.next, leased.range.end);
        while at < last {
            if index.blocks[at].base >= limit.below {
                outcome.pass(limit.below);
                return Ok(false);
            }
            if is_full(limit, outcome) {
                return Ok(false);
            }
            let count = blocks_for(&index, at..last, limit.bytes_max.saturating_sub(outcome.bytes));
            let blocks = self
                .shared
                .fetcher
                .blocks(object, &index, at..at + count, Some(IoClass::ColdRead))
                .await?;
            for block in &blocks {
                if !slice_block(block, limit, outcome)? {
                    return Ok(false);
                }
            }
            at += count;
        }
        // Compaction may have taken the last records: the reader goes on behind them.
        outcome.pass(leased.range.end.min(limit.below));
        Ok(!is_full(limit, outcome))
    }

    /// Brings a sequential reader's next blocks into the cache. Errors end it: the reader itself will meet them.
    async fn prefetch(self, job: Job) {
        let mut left = job.bytes;
        while left > 0 {
            match self.prefetch_range(&job, left).await {
                Ok(Some(bytes)) => left = left.saturating_sub(bytes),
                Ok(None) | Err(_) => return,
            }
        }
    }

    /// One range's share of it, in bytes; `None` where the committed offsets end.
    async fn prefetch_range(&self, job: &Job, left: u64) -> Result<Option<u64>, ReadError> {
        let _permit = self.shared.fetcher.pools().enter(IoClass::Prefetch).await;
        // The reader may have come past its own read-ahead in the meantime.
        let from = job.from();
        let leased = self
            .shared
            .manifest
            .lease(job.stream, from, 1)
            .unwrap_or_default();
        let Some(leased) = leased.first() else {
            return Ok(None);
        };
        let Some(object) = &leased.object else {
            job.done(leased.range.end, 0);
            return Ok(Some(0));
        };
        let index = self.shared.fetcher.index(object, None).await?;
        let std::ops::Range {
            start: mut at,
            end: last,
        } = index.blocks_in(job.stream, from, leased.range.end);
        let mut fetched = 0;
        while at < last && fetched < left {
            let want =
                usize::try_from((left - fetched).min(super::fetch::GET_BYTES_MAX)).unwrap_or(usize::MAX);
            let count = blocks_for(&index, at..last, want);
            let blocks = self
                .shared
                .fetcher
                .blocks(object, &index, at..at + count, None)
                .await?;
            at += count;
            let bytes: u64 = blocks.iter().map(|block| block.len() as u64).sum();
            fetched += bytes;
            job.done(Offset(index.blocks[at - 1].last.0 + 1), bytes);
        }
        if at == last {
            job.done(leased.range.end, 0);
        }
        Ok(Some(fetched))
    }

    /// Ends what the caches do in the background.
    pub(crate) async fn close(&self) {
        if let Some(second) = self.shared.fetcher.cache().second() {
            second.close().await;
        }
    }

    /// See `Courtesy`.
    pub(crate) fn held_micros(&self) -> u64 {
        self.shared.fetcher.pools().courtesy().held_micros()
    }

    pub(crate) fn cache_stats(&self) -> CacheStats {
        self.shared.fetcher.cache().stats()
    }
}

impl ReadOutcome {
    /// Nothing is kept between what was read and `offset`.
    fn pass(&mut self, offset: Offset) {
        self.next = self.next.max(offset);
    }
}

/// Whether nothing more fits. A first batch fits always, where one is to be answered whatever its size.
fn is_full(limit: &ReadLimit, outcome: &ReadOutcome) -> bool {
    let first = outcome.bytes == 0 && limit.at_least_one;
    !first && outcome.bytes >= limit.bytes_max
}

/// How many blocks hold at least `bytes`; at least one.
fn blocks_for(index: &ObjectIndex, blocks: std::ops::Range<usize>, bytes: usize) -> usize {
    let mut sum = 0;
    let mut count = 0;
    for block in &index.blocks[blocks] {
        if count > 0 && sum >= bytes {
            break;
        }
        sum += block.len as usize;
        count += 1;
    }
    count
}

/// Appends the block's batches from `outcome.next` on, as one slice. Answers whether the next block may be read too.
fn slice_block(block: &Bytes, limit: &ReadLimit, outcome: &mut ReadOutcome) -> Result<bool, ReadError> {
    let mut taken: Option<std::ops::Range<usize>> = None;
    let mut position = 0;
    let mut more = true;
    while position < block.len() {
        let header = stored_header(&block[position..])?;
        let end = position + header.size_bytes;
        if header.last_offset() >= outcome.next {
            let taken_bytes = taken.as_ref().map_or(0, std::ops::Range::len);
            let total = outcome.bytes + taken_bytes + header.size_bytes;
            let first = outcome.bytes + taken_bytes == 0;
            let fits = total <= limit.bytes_max || (first && limit.at_least_one);
            if header.base_offset >= limit.below {
                // Nothing is left of what lies between: without this a reader would stay where it is for ever.
                outcome.pass(limit.below);
                more = false;
                break;
            }
            if !fits {
                more = false;
                break;
            }
            taken = Some(taken.map_or(position, |range| range.start)..end);
            outcome.next = header.next_offset();
        }
        position = end;
    }
    if let Some(range) = taken {
        outcome.bytes += range.len();
        outcome.chunks.push(block.slice(range));
    }
    Ok(more)
}

/// The header of a batch inside a block whose checksum was right.
pub(super) fn stored_header(bytes: &[u8]) -> Result<BatchHeader, ReadError> {
    match BatchHeader::parse(bytes) {
        Ok(header) if header.size_bytes <= bytes.len() => Ok(header),
        Ok(_) => Err(ReadError::Corrupt(
            "a stored batch is longer than its block".to_owned(),
        )),
        Err(error) => Err(ReadError::Corrupt(format!(
            "a stored batch has no valid header: {error:?}"
        ))),
    }
}
