//! Key compaction (cleanup.policy=compact): of every key only the newest record stays.
//!
//! Two passes, as Kafka's cleaner: the first reads what was not compacted yet and notes the newest offset of each key, in
//! bounded memory; the second rewrites everything below, group by group, each group one atomic record. Offsets never change.
//! Tombstones stay until their batch's delete horizon (KIP-534), which the first pass over them sets. The tail in the
//! write-ahead log, and whatever an open transaction holds back, is not touched.

use super::keep::{KEYS_MAX, NewestOffsets};
use super::rewrite::{Rewriter, Run, Verdict, visit_batches};
use super::{House, HouseError};
use crate::batch::{BatchHeader, Horizon, Kept, RecordRef, Retain, StoredBatch, retain};
use crate::clock::TimestampMs;
use crate::config::StreamPolicy;
use crate::error::ReadError;
use crate::ids::{Offset, StreamId};
use crate::manifest::ranges::StreamImage;
use crate::manifest::record::{Range, Record, Rewrite, RewritePart};
use bytes::Bytes;
use std::time::Duration;

/// The most that one batch is decompressed to. A batch that holds more stays as it is.
const RECORDS_BYTES_MAX: usize = 256 << 20;

pub(super) async fn run(house: &House) -> Result<(), HouseError> {
    let mut first_error = Ok(());
    for stream in house.manifest.stream_ids() {
        let Some(policy) = house.tail.policy(stream).filter(|policy| policy.compact) else {
            continue;
        };
        if let Err(error) = compact(house, stream, &policy, KEYS_MAX).await {
            tracing::warn!(%stream, %error, "compaction failed, the next round tries again");
            first_error = Err(error);
        }
    }
    first_error
}

/// What one compaction of a stream covers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scope {
    /// Ranges from the stream's first to the last that may be compacted.
    ranges: Vec<Range>,
    /// Offset from which nothing was compacted yet.
    dirty_from: Offset,
}

pub(super) async fn compact(
    house: &House,
    stream: StreamId,
    policy: &StreamPolicy,
    keys_max: usize,
) -> Result<(), HouseError> {
    let now = house.clock.wall_ms();
    let Some(stable_end) = house.tail.stable_end(stream) else {
        return Ok(());
    };
    let scope = house
        .manifest
        .with_image(|image| plan(image.streams.get(&stream)?, policy, stable_end, now));
    let Some(scope) = scope else {
        return Ok(());
    };
    let newest = survey(house, stream, &scope, keys_max).await?;
    let through = newest.decided_through();
    if through <= scope.dirty_from {
        return Ok(());
    }
    let filter = Filter {
        house,
        stream,
        newest: &newest,
        through,
        end: house
            .manifest
            .with_image(|image| image.streams.get(&stream).map_or(Offset::ZERO, |s| s.end)),
        now,
        horizon: now.saturating_add(millis(policy.tombstone_retention)),
    };
    for run in groups(&scope, stream, through, house.limits.object_target_bytes) {
        if !rewrite_group(house, &run, &filter).await? {
            // Trimmed or deleted meanwhile: what was planned is stale.
            return Ok(());
        }
    }
    note_compacted(house, stream, through).await
}

/// Decides whether there is enough to do, and how far it may go.
pub(super) fn plan(
    stream: &StreamImage,
    policy: &StreamPolicy,
    stable_end: Offset,
    now: TimestampMs,
) -> Option<Scope> {
    let dirty_from = stream.compacted_through.max(stream.start);
    let settled = now.saturating_sub(millis(policy.compaction_lag_min));
    let may = |range: &&Range| {
        let young = range.end > dirty_from && age_stamp(range) > settled;
        range.end <= stable_end && (policy.compaction_lag_min.is_zero() || !young)
    };
    let ranges: Vec<Range> = stream.ranges.iter().take_while(may).copied().collect();
    let (clean, dirty): (Vec<&Range>, Vec<&Range>) = ranges.iter().partition(|range| range.end <= dirty_from);
    let bytes = |ranges: &[&Range]| ranges.iter().map(|range| range.bytes).sum::<u64>();
    let dirty_bytes = bytes(&dirty);
    let total = bytes(&clean) + dirty_bytes;
    let overdue = policy.compaction_lag_max.is_some_and(|lag| {
        dirty
            .first()
            .is_some_and(|range| age_stamp(range) <= now.saturating_sub(millis(lag)))
    });
    let enough = u128::from(dirty_bytes) * 100 >= u128::from(total) * u128::from(policy.dirty_percent_min);
    (dirty_bytes > 0 && (enough || overdue)).then_some(Scope { ranges, dirty_from })
}

fn age_stamp(range: &Range) -> TimestampMs {
    if range.max_timestamp < 0 {
        range.written_ms
    } else {
        range.max_timestamp
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// First pass: the newest offsets of the keys in the dirty part, as far as memory reaches.
async fn survey(
    house: &House,
    stream: StreamId,
    scope: &Scope,
    keys_max: usize,
) -> Result<NewestOffsets, HouseError> {
    let mut newest = NewestOffsets::new(scope.dirty_from, keys_max);
    let mut full = false;
    for range in scope.ranges.iter().filter(|range| range.end > scope.dirty_from) {
        let Some(leased) = house.manifest.lease_exact(stream, std::slice::from_ref(range)) else {
            break;
        };
        let see = |header: BatchHeader, batch: Bytes| {
            if header.last_offset() < scope.dirty_from {
                return Ok(());
            }
            full |= !newest.has_room(&header);
            if full {
                return Ok(());
            }
            let stored = verify(batch)?;
            newest.see(&header, stored.records(RECORDS_BYTES_MAX).ok().as_ref())
        };
        visit_batches(house, stream, &leased[0], see).await?;
        if full {
            break;
        }
        newest.skip_to(range.end);
    }
    Ok(newest)
}

/// Cuts what is below `through` into runs that each fit one object.
fn groups(scope: &Scope, stream: StreamId, through: Offset, bytes_max: u64) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut bytes = 0;
    for range in scope.ranges.iter().take_while(|range| range.base < through) {
        match runs.last_mut() {
            Some(run) if bytes + range.bytes <= bytes_max => {
                run.ranges.push(*range);
                run.level = run.level.max(range.level);
                bytes += range.bytes;
            }
            _ => {
                runs.push(Run {
                    stream,
                    ranges: vec![*range],
                    level: range.level,
                });
                bytes = range.bytes;
            }
        }
    }
    runs
}

/// Second pass over one group. Answers false when the stream changed meanwhile.
async fn rewrite_group(house: &House, run: &Run, filter: &Filter<'_>) -> Result<bool, HouseError> {
    let mut rewriter = Rewriter::new(house).await?;
    if !rewriter
        .add(run, |header, batch| filter.judge(header, batch))
        .await?
    {
        return Ok(false);
    }
    if !rewriter.changed {
        // Nothing to gain: the old objects stay, the new one was never put.
        return Ok(true);
    }
    Ok(rewriter.finish(Offset::ZERO).await? == 1)
}

/// Remembers how far the stream is compacted, once every group is.
async fn note_compacted(house: &House, stream: StreamId, through: Offset) -> Result<(), HouseError> {
    let build = |image: &crate::manifest::image::Image| {
        let known = image.streams.get(&stream)?;
        let part = RewritePart {
            stream,
            removed: Vec::new(),
            added: Vec::new(),
            compacted_through: through,
        };
        let rises = through > known.compacted_through && through <= known.end;
        rises.then(|| {
            Record::Rewrite(Rewrite {
                objects: Vec::new(),
                parts: vec![part],
            })
        })
    };
    house.manifest.commit(build).await?;
    Ok(())
}

/// Which records stay.
struct Filter<'a> {
    house: &'a House,
    stream: StreamId,
    newest: &'a NewestOffsets,
    through: Offset,
    /// The stream's committed end.
    end: Offset,
    now: TimestampMs,
    horizon: TimestampMs,
}

impl Filter<'_> {
    fn judge(&self, header: &BatchHeader, batch: &Bytes) -> Result<Verdict, ReadError> {
        // Markers stay: without them a reader could not tell what was aborted.
        if header.base_offset >= self.through || header.is_control() {
            return Ok(Verdict::Whole);
        }
        let stored = verify(batch.clone())?;
        let how = Retain {
            records_bytes_max: RECORDS_BYTES_MAX,
            horizon: Horizon::OnTombstones(self.horizon),
            level: None,
        };
        let expired = header.delete_horizon().is_some_and(|horizon| horizon < self.now);
        match retain(&stored, &how, |record| self.stays(record, expired)) {
            Ok(Kept::Whole) => Ok(Verdict::Whole),
            Ok(Kept::Rewritten(kept)) => Ok(Verdict::Changed(kept.into_bytes())),
            Ok(Kept::Empty(kept)) if self.is_last(header) || self.remembered(header) => {
                Ok(Verdict::Changed(kept.into_bytes()))
            }
            Ok(Kept::Empty(_)) => Ok(Verdict::Gone),
            // Nonsense inside, or too much of it: a client's doing, kept as it is.
            Err(_) => Ok(Verdict::Whole),
        }
    }

    fn stays(&self, record: &RecordRef<'_>, tombstones_expired: bool) -> bool {
        if record.offset >= self.through {
            return true;
        }
        let Some(key) = record.key else {
            // As Kafka: what has no key has no place in a compacted stream.
            return false;
        };
        let tombstone_goes = record.value.is_none() && tombstones_expired;
        !tombstone_goes && !self.newest.is_outdated(key, record.offset)
    }

    /// Whether it ends the stream. Its offsets have to be shown even without records: a reader goes on behind the last batch that
    /// it was given, and one that was given none would never reach the end.
    fn is_last(&self, header: &BatchHeader) -> bool {
        header.next_offset() == self.end
    }

    /// Whether the producer's next sequence is judged by this batch.
    fn remembered(&self, header: &BatchHeader) -> bool {
        header.has_producer()
            && self
                .house
                .tail
                .producer_needs(self.stream, header.producer_id, header.last_offset())
    }
}

fn verify(batch: Bytes) -> Result<StoredBatch, ReadError> {
    StoredBatch::verify(batch).map_err(|error| ReadError::Corrupt(format!("a stored batch: {error:?}")))
}
