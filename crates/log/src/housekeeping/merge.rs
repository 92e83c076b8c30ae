//! Merging: small neighbouring ranges of a stream become one, and live remains of mostly dead shared objects move out of them.
//!
//! Write amplification is bounded: a range of `object_own_bytes` or more is never rewritten only to be larger, and below that
//! a byte is rewritten once for each level, of which there are few, each at least `FAN_IN` times as large as the one before.

use super::rewrite::{Rewriter, Run, Verdict};
use super::{House, HouseError, Limits};
use crate::ids::StreamId;
use crate::manifest::image::{Image, ObjectUse};
use crate::manifest::ranges::StreamImage;
use crate::manifest::record::Range;
use crate::upload::build::OBJECT_STREAMS_MAX;
use std::sync::atomic::Ordering;

/// Neighbours of one level that are merged at once.
const FAN_IN: usize = 8;
/// The last level: ranges that came so far wait until they are large enough together.
const LEVEL_MAX: u8 = 6;
/// A shared object of which less than this is in use gives its ranges to others.
const LIVE_PERCENT_MIN: u64 = 50;
/// Bytes rewritten in one round: the rest waits, so that compaction and retention get their turn.
const ROUND_BYTES_MAX: u64 = 512 << 20;

pub(super) async fn run(house: &House) -> Result<(), HouseError> {
    let from = StreamId(house.merge_from.load(Ordering::Relaxed));
    let (runs, next) = house
        .manifest
        .with_image(|image| plan(image, &house.limits, from, ROUND_BYTES_MAX));
    house.merge_from.store(next.0, Ordering::Relaxed);
    for object in pack(runs, &house.limits) {
        let mut rewriter = Rewriter::new(house).await?;
        for run in &object {
            rewriter.add(run, |_, _| Ok(Verdict::Whole)).await?;
        }
        rewriter.finish(crate::ids::Offset::ZERO).await?;
    }
    Ok(())
}

/// At most one run a stream, the streams from `from` on first; answers where the next round begins, so that busy streams of
/// low number do not take every round's bytes.
pub(super) fn plan(image: &Image, limits: &Limits, from: StreamId, bytes_max: u64) -> (Vec<Run>, StreamId) {
    let mut budget = bytes_max;
    let mut runs = Vec::new();
    let mut next = from;
    for (id, stream) in image.streams.range(from..).chain(image.streams.range(..from)) {
        let Some(run) = plan_stream(image, *id, stream, limits) else {
            continue;
        };
        if run.bytes() > budget && !runs.is_empty() {
            next = *id;
            break;
        }
        budget = budget.saturating_sub(run.bytes());
        runs.push(run);
    }
    // An object's streams ascend.
    runs.sort_unstable_by_key(|run| run.stream);
    (runs, next)
}

pub(super) fn plan_stream(image: &Image, id: StreamId, stream: &StreamImage, limits: &Limits) -> Option<Run> {
    let small = |range: &Range| range.bytes < limits.object_own_bytes;
    let mut at = 0;
    while at < stream.ranges.len() {
        let len = stream.ranges[at..]
            .iter()
            .take_while(|range| small(range))
            .count();
        if len > 1
            && let Some(ranges) = pick(&stream.ranges[at..at + len], limits)
        {
            let level = ranges.iter().map(|range| range.level).max().unwrap_or(0);
            let level = level.saturating_add(1).min(LEVEL_MAX);
            return Some(Run {
                stream: id,
                ranges,
                level,
            });
        }
        at += len.max(1);
    }
    let wasteful = |range: &&Range| image.objects.get(&range.object).is_some_and(is_wasteful);
    let range = stream.ranges.iter().find(wasteful)?;
    Some(Run {
        stream: id,
        ranges: vec![*range],
        level: range.level,
    })
}

/// Chooses among small neighbours: enough bytes for an object of its own, or `FAN_IN` of one level.
fn pick(small: &[Range], limits: &Limits) -> Option<Vec<Range>> {
    let total: u64 = small.iter().map(|range| range.bytes).sum();
    if total >= limits.object_own_bytes {
        let mut bytes = 0;
        let fits = |range: &&Range| {
            bytes += range.bytes;
            bytes <= limits.object_target_bytes
        };
        let chosen: Vec<Range> = small.iter().take_while(fits).copied().collect();
        return (chosen.len() > 1).then_some(chosen);
    }
    let mut groups = small.chunk_by(|a, b| a.level == b.level);
    groups
        .find(|group| group.len() >= FAN_IN && group[0].level < LEVEL_MAX)
        .map(<[Range]>::to_vec)
}

fn is_wasteful(object: &ObjectUse) -> bool {
    // The footer is not data; what is left over beside it is dead, but for gaps before blocks, which are far less than what counts here.
    let data = object.meta.len.saturating_sub(u64::from(object.meta.footer_len));
    object.bytes * 100 < data * LIVE_PERCENT_MIN
}

/// Runs that fill an object have one of their own, the others share.
fn pack(runs: Vec<Run>, limits: &Limits) -> Vec<Vec<Run>> {
    let mut objects = Vec::new();
    let mut shared: Vec<Run> = Vec::new();
    let mut shared_bytes = 0;
    for run in runs {
        if run.bytes() >= limits.object_own_bytes {
            objects.push(vec![run]);
            continue;
        }
        let is_full =
            shared_bytes + run.bytes() > limits.object_target_bytes || shared.len() == OBJECT_STREAMS_MAX;
        if is_full && !shared.is_empty() {
            objects.push(std::mem::take(&mut shared));
            shared_bytes = 0;
        }
        shared_bytes += run.bytes();
        shared.push(run);
    }
    if !shared.is_empty() {
        objects.push(shared);
    }
    objects
}
