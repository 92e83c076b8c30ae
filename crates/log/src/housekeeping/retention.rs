//! Retention: streams begin later once records are too old or too many. Whole ranges first, then whole blocks of the range
//! that is cut through, then whole batches of the tail.
//!
//! Kafka's rules (retention.ms, retention.bytes): a piece goes when its newest record is too old, or when without it the stream
//! is still at least as large as it may be. The cut is a trim like any other: durable before anybody acts on it.

use super::{House, HouseError};
use crate::clock::TimestampMs;
use crate::config::StreamPolicy;
use crate::error::ReadError;
use crate::ids::{Offset, StreamId};
use crate::manifest::ranges::StreamImage;
use crate::manifest::record::{Range, TrimTo};
use crate::objects::pools::IoClass;

/// Trims in one manifest record.
const TRIMS_PER_RECORD_MAX: usize = 4096;
/// Ranges smaller than this go as a whole only: their index is not read for a few blocks.
const CUT_RANGE_BYTES_MIN: u64 = 4 << 20;

pub(super) async fn run(house: &House) -> Result<(), HouseError> {
    let mut trims = Vec::new();
    for stream in house.tail.streams() {
        let Some(policy) = house.tail.policy(stream).filter(|policy| policy.delete) else {
            continue;
        };
        match new_start(house, stream, &policy).await {
            Ok(Some(start)) => trims.push(TrimTo { stream, start }),
            Ok(None) => {}
            // One unreadable index does not keep the other streams.
            Err(error) => tracing::warn!(%stream, %error, "retention could not look into an object"),
        }
    }
    for chunk in trims.chunks(TRIMS_PER_RECORD_MAX) {
        house.manifest.trim_many(chunk).await?;
        for trim in chunk {
            house.tail.advance_start(trim.stream, trim.start);
        }
    }
    Ok(())
}

/// How the rules stand, while pieces are taken from the front.
struct Allowance {
    /// Records older than this go.
    older_than: Option<TimestampMs>,
    /// Bytes above what the stream may hold.
    excess: u64,
}

impl Allowance {
    /// Whether a piece goes; if so, its bytes are taken off the excess.
    fn take(&mut self, newest: TimestampMs, bytes: u64) -> bool {
        let too_old = self.older_than.is_some_and(|bound| newest < bound);
        let too_many = bytes > 0 && self.excess >= bytes;
        if too_old || too_many {
            self.excess = self.excess.saturating_sub(bytes);
        }
        too_old || too_many
    }
}

async fn new_start(
    house: &House,
    stream: StreamId,
    policy: &StreamPolicy,
) -> Result<Option<Offset>, ReadError> {
    let tail = house.tail.tail(stream);
    let now = house.clock.wall_ms();
    let older_than = policy
        .retention
        .map(|kept| now.saturating_sub(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX)));
    let (mut start, mut allowance, cut) = house.manifest.with_image(|image| {
        let empty = StreamImage::default();
        let committed = image.streams.get(&stream).unwrap_or(&empty);
        let in_objects = committed
            .ranges
            .iter()
            .map(|range| live_bytes(range, committed.start));
        // A batch that was just committed may still be in the tail; counted twice it would drive out what may stay.
        let in_tail = tail
            .iter()
            .filter(|batch| batch.base >= committed.end)
            .map(|batch| u64::from(batch.len));
        let bytes = in_objects.chain(in_tail).sum::<u64>();
        let excess = policy
            .retention_bytes
            .map_or(0, |kept| bytes.saturating_sub(kept));
        let mut allowance = Allowance { older_than, excess };
        let (start, cut) = drop_ranges(committed, &mut allowance);
        (start, allowance, cut)
    });
    let from = start;
    match cut {
        Some(range) if range.bytes >= CUT_RANGE_BYTES_MIN => {
            start = drop_blocks(house, stream, &range, start, &mut allowance).await?;
        }
        Some(_) => {}
        None => {
            for batch in tail.iter().filter(|batch| batch.last >= from) {
                if !allowance.take(newest(batch.max_timestamp, now), u64::from(batch.len)) {
                    break;
                }
                start = Offset(batch.last.0 + 1);
            }
        }
    }
    let held = house
        .manifest
        .with_image(|image| image.streams.get(&stream).map_or(Offset::ZERO, |s| s.start));
    Ok((start > held).then_some(start))
}

/// Drops whole ranges. Answers the new start and the first range that stays, which may be cut through.
fn drop_ranges(stream: &StreamImage, allowance: &mut Allowance) -> (Offset, Option<Range>) {
    let mut start = stream.start;
    for range in &stream.ranges {
        let newest = newest(range.max_timestamp, range.written_ms);
        if !allowance.take(newest, live_bytes(range, stream.start)) {
            return (start, Some(*range));
        }
        start = range.end;
    }
    (start, None)
}

/// Drops whole blocks from the front of a range. Its last block stays: the range as a whole was not to go.
async fn drop_blocks(
    house: &House,
    stream: StreamId,
    range: &Range,
    start: Offset,
    allowance: &mut Allowance,
) -> Result<Offset, ReadError> {
    let leased = house.manifest.lease(stream, range.base, 1).unwrap_or_default();
    let Some(object) = leased
        .first()
        .filter(|leased| leased.range == *range)
        .and_then(|leased| leased.object)
    else {
        return Ok(start);
    };
    let index = house.fetcher.index(&object, Some(IoClass::Upkeep)).await?;
    let mut start = start;
    for block in &index.blocks[index.blocks_in(stream, start, range.end)] {
        let newest = newest(block.max_timestamp, range.written_ms);
        let end = Offset(block.last.0 + 1);
        if end >= range.end || !allowance.take(newest, u64::from(block.len)) {
            break;
        }
        start = end;
    }
    Ok(start)
}

/// Records without a timestamp count from when they were written.
fn newest(max_timestamp: TimestampMs, written_ms: TimestampMs) -> TimestampMs {
    if max_timestamp < 0 {
        written_ms
    } else {
        max_timestamp
    }
}

/// A range's bytes from `start` on; where the start lies inside, in proportion to its offsets.
pub(crate) fn live_bytes(range: &Range, start: Offset) -> u64 {
    if start <= range.base {
        return range.bytes;
    }
    let kept = u128::from(range.end.0.saturating_sub(start.0));
    let all = u128::from(range.end.0 - range.base.0);
    u64::try_from(u128::from(range.bytes) * kept / all).expect("a part is not more than the whole")
}
