//! Key compaction (cleanup.policy=compact): of every key only the newest record stays.
//!
//! Two passes, as Kafka's cleaner: the first reads what was not compacted yet and notes the newest offset of each key, in
//! bounded memory; the second rewrites everything below, group by group, each group one atomic record. Offsets never change.
//! Tombstones stay until their batch's delete horizon (KIP-534), which the first pass over them sets. Records of aborted
//! transactions go; the marker of a transaction of which nothing is left gets a horizon as well. The tail in the write-ahead log,
//! and whatever an open transaction holds back, is not touched.

use super::keep::{KEYS_MAX, NewestOffsets};
use super::rewrite::{Rewriter, Run, Verdict, visit_batches};
use super::transactions::{Left, Transactions};
use super::{House, HouseError};
use crate::batch::{BatchHeader, Horizon, Kept, RecordRef, Retain, StoredBatch, emptied, retain};
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
    let streams = house.manifest.stream_ids();
    house.forget_horizons(&streams);
    house.forget_told();
    for stream in streams {
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

impl Scope {
    fn base(&self) -> Offset {
        self.ranges.first().map_or(Offset::ZERO, |range| range.base)
    }

    fn end(&self) -> Offset {
        self.ranges.last().map_or(Offset::ZERO, |range| range.end)
    }
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
    let scope = house.manifest.with_image(|image| {
        let known = image.streams.get(&stream)?;
        plan(known, policy, stable_end, now).or_else(|| plan_sweep(known, house.next_horizon(stream)?, now))
    });
    let Some(scope) = scope else {
        return Ok(());
    };
    let aborted = house.tail.aborted(stream, scope.base(), scope.end());
    let newest = survey(house, stream, &scope, &Transactions::new(&aborted), keys_max).await?;
    let through = newest.decided_through();
    let mut filter = Filter {
        house,
        stream,
        newest: &newest,
        transactions: Transactions::new(&aborted),
        through,
        end: house
            .manifest
            .with_image(|image| image.streams.get(&stream).map_or(Offset::ZERO, |s| s.end)),
        now,
        horizon: now.saturating_add(millis(policy.tombstone_retention)),
        next_horizon: None,
    };
    for run in groups(&scope, stream, through, house.limits.object_target_bytes) {
        if !rewrite_group(house, &run, &mut filter).await? {
            // Trimmed or deleted meanwhile: what was planned is stale.
            return Ok(());
        }
    }
    house.note_horizon(stream, filter.next_horizon);
    note_compacted(house, stream, through).await?;
    if !aborted.is_empty() {
        house.note_told(stream, through);
    }
    Ok(())
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

/// Nothing is dirty enough, but a delete horizon has passed: the clean part is looked through once more, so that the deletions
/// of a stream to which nobody writes any more go too. Horizons are known of passes since the start; behind a restart the next
/// pass finds them.
fn plan_sweep(stream: &StreamImage, horizon: TimestampMs, now: TimestampMs) -> Option<Scope> {
    let dirty_from = stream.compacted_through.max(stream.start);
    let is_clean = |range: &&Range| range.end <= dirty_from;
    let ranges: Vec<Range> = stream.ranges.iter().take_while(is_clean).copied().collect();
    (horizon < now && !ranges.is_empty()).then_some(Scope { ranges, dirty_from })
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
    transactions: &Transactions,
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
            if header.is_control() || transactions.is_aborted(&header) {
                newest.see(&header, None);
                return Ok(());
            }
            let stored = verify(batch)?;
            newest.see(&header, stored.records(RECORDS_BYTES_MAX).ok().as_ref());
            Ok(())
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
async fn rewrite_group(house: &House, run: &Run, filter: &mut Filter<'_>) -> Result<bool, HouseError> {
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
    transactions: Transactions,
    through: Offset,
    /// The stream's committed end.
    end: Offset,
    now: TimestampMs,
    horizon: TimestampMs,
    /// The earliest delete horizon of what stays: a pass behind it finds something to drop.
    next_horizon: Option<TimestampMs>,
}

impl Filter<'_> {
    fn judge(&mut self, header: &BatchHeader, batch: &Bytes) -> Result<Verdict, ReadError> {
        if header.base_offset >= self.through {
            return Ok(Verdict::Whole);
        }
        if header.records_count == 0 {
            // Left by an earlier pass, for as long as it is needed.
            let needed = self.is_needed(header);
            return Ok(if needed { Verdict::Whole } else { Verdict::Gone });
        }
        let verdict = if header.is_control() {
            self.judge_marker(header, batch)?
        } else if self.transactions.is_aborted(header) {
            self.drop_all(header)?
        } else {
            self.judge_records(header, batch)?
        };
        self.note_horizon(header, &verdict)?;
        Ok(verdict)
    }

    fn judge_records(&mut self, header: &BatchHeader, batch: &Bytes) -> Result<Verdict, ReadError> {
        let stored = verify(batch.clone())?;
        let how = retain_with(Horizon::OnTombstones(self.horizon));
        let expired = self.is_expired(header);
        let verdict = match retain(&stored, &how, |record| self.stays(record, expired)) {
            Ok(Kept::Whole) => Verdict::Whole,
            Ok(Kept::Rewritten(kept)) => Verdict::Changed(kept.into_bytes()),
            Ok(Kept::Empty(_)) => return self.drop_all(header),
            // Nonsense inside, or too much of it: a client's doing, kept as it is.
            Err(_) => Verdict::Whole,
        };
        self.transactions.keep(header);
        Ok(verdict)
    }

    /// A marker stays while a record of its transaction does, and as long as readers are told that it was aborted. From then on it
    /// has a horizon, like a tombstone: a reader that is in the middle of the transaction must find its end.
    fn judge_marker(&mut self, header: &BatchHeader, batch: &Bytes) -> Result<Verdict, ReadError> {
        let left = self.transactions.end(header);
        let ends_transaction = header.is_transactional();
        if left == Left::Records || !ends_transaction || self.transactions.is_told(header) {
            return Ok(Verdict::Whole);
        }
        if self.is_expired(header) {
            return self.drop_all(header);
        }
        let stored = verify(batch.clone())?;
        Ok(
            match retain(&stored, &retain_with(Horizon::Always(self.horizon)), |_| true) {
                Ok(Kept::Rewritten(kept)) => Verdict::Changed(kept.into_bytes()),
                _ => Verdict::Whole,
            },
        )
    }

    /// Nothing of the batch stays, but for its header where that is needed.
    fn drop_all(&self, header: &BatchHeader) -> Result<Verdict, ReadError> {
        if !self.is_needed(header) {
            return Ok(Verdict::Gone);
        }
        let empty =
            emptied(header).map_err(|error| ReadError::Corrupt(format!("a stored batch: {error:?}")))?;
        Ok(Verdict::Changed(empty.into_bytes()))
    }

    fn is_expired(&self, header: &BatchHeader) -> bool {
        header.delete_horizon().is_some_and(|horizon| horizon < self.now)
    }

    fn note_horizon(&mut self, before: &BatchHeader, verdict: &Verdict) -> Result<(), ReadError> {
        let horizon = match verdict {
            Verdict::Gone => None,
            Verdict::Whole => before.delete_horizon(),
            Verdict::Changed(bytes) => parse(bytes)?.delete_horizon(),
        };
        // One that has passed was looked at in this pass already.
        let horizon = horizon.filter(|horizon| *horizon >= self.now);
        self.next_horizon = self.next_horizon.into_iter().chain(horizon).min();
        Ok(())
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

    /// Whether the batch stays even without records.
    ///
    /// The stream's last one does: its offsets have to be shown, as a reader goes on behind the last batch that it was given, and one
    /// that was given none would never reach the end. So does the one by which a producer's next sequence is judged.
    fn is_needed(&self, header: &BatchHeader) -> bool {
        let is_remembered = || {
            let tail = &self.house.tail;
            header.has_producer()
                && tail.producer_needs(self.stream, header.producer_id, header.last_offset())
        };
        header.next_offset() == self.end || is_remembered()
    }
}

fn retain_with(horizon: Horizon) -> Retain {
    Retain {
        records_bytes_max: RECORDS_BYTES_MAX,
        horizon,
        level: None,
    }
}

fn parse(bytes: &Bytes) -> Result<BatchHeader, ReadError> {
    BatchHeader::parse(bytes).map_err(|error| ReadError::Corrupt(format!("a rewritten batch: {error:?}")))
}

fn verify(batch: Bytes) -> Result<StoredBatch, ReadError> {
    StoredBatch::verify(batch).map_err(|error| ReadError::Corrupt(format!("a stored batch: {error:?}")))
}
