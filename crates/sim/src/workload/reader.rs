//! A reader: fetches from anywhere, follows the end, asks for offsets by time. Everything it is shown goes to the model.

use super::Ctx;
use crate::model::{FoundAt, PartitionView, Place, ReadAsked, ReadRecord};
use crate::rng::Rng;
use millstream_broker::{
    FetchBudget, FetchError, FetchRead, FetchResult, Isolation, Offset, OffsetQuery, Topic,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Partitions of one fetch.
const PARTITIONS_MAX: u64 = 3;

/// See the module.
pub struct Reader {
    rng: Rng,
    /// Where it reads on, for partitions that it follows.
    cursors: BTreeMap<Place, u64>,
}

impl Reader {
    /// A reader that has read nothing.
    #[must_use]
    pub fn new(rng: Rng) -> Self {
        Self {
            rng,
            cursors: BTreeMap::new(),
        }
    }

    /// Works until the broker's life ends.
    pub async fn work(&mut self, ctx: &Ctx) {
        loop {
            match self.rng.below(6) {
                0 => self.ask_for_offsets(ctx).await,
                _ => self.fetch(ctx).await,
            }
            ctx.pause(&mut self.rng).await;
        }
    }

    async fn fetch(&mut self, ctx: &Ctx) {
        let mut asked = Vec::new();
        let mut reads = Vec::new();
        for _ in 0..=self.rng.below(PARTITIONS_MAX) {
            let Some((topic, place)) = ctx.pick_place(&mut self.rng) else {
                return;
            };
            let before = ctx.model(|model| model.view(place));
            let from = self.pick_offset(place, before);
            asked.push((place, from, before));
            let bytes_max = *self.rng.pick(&[0, 100, 1_000, 20_000]);
            reads.push(read_of(topic, place, from, bytes_max));
        }
        let wait = if self.rng.one_in(3) {
            self.rng.below(300)
        } else {
            0
        };
        let budget = FetchBudget {
            bytes_max: *self.rng.pick(&[1, 500, 10_000, 100_000]),
            bytes_min: 1,
            wait_max: Duration::from_millis(wait),
            isolation: Isolation::ReadUncommitted,
        };
        let results = ctx.broker.fetch(&reads, budget, std::future::pending()).await;
        let mut nothing_yet = true;
        for (result, (place, from, before)) in results.iter().zip(asked) {
            let next = judge_fetch(ctx, (place, from, before), result, nothing_yet);
            nothing_yet &= result.as_ref().map_or(true, |slice| slice.bytes == 0);
            match next {
                Some(next) => drop(self.cursors.insert(place, next)),
                None => drop(self.cursors.remove(&place)),
            }
        }
    }

    /// Mostly where it left off, else anywhere, also just outside.
    fn pick_offset(&mut self, place: Place, seen: PartitionView) -> u64 {
        if let Some(next) = self.cursors.get(&place)
            && !self.rng.one_in(3)
        {
            return *next;
        }
        match self.rng.below(8) {
            0 => seen.end,
            1 => seen.end + self.rng.below(3),
            2 => seen.start,
            3 => seen.start.saturating_sub(1),
            _ => seen.start + self.rng.below(seen.end - seen.start + 1),
        }
    }

    async fn ask_for_offsets(&mut self, ctx: &Ctx) {
        let Some((topic, place)) = ctx.pick_place(&mut self.rng) else {
            return;
        };
        let before = ctx.model(|model| model.view(place));
        let at_least = ctx.world.wall_ms() - i64::try_from(self.rng.below(10_000)).expect("small");
        let query = match self.rng.below(4) {
            0 => OffsetQuery::Earliest,
            1 => OffsetQuery::Latest,
            2 => OffsetQuery::MaxTimestamp,
            _ => OffsetQuery::AtOrAfter(at_least),
        };
        let isolation = Isolation::ReadUncommitted;
        let answer = ctx
            .broker
            .list_offset(&topic, place.partition, None, query, isolation)
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return judge_read_error(ctx, (place, before.start, before), &error),
        };
        let found = answer.offset.zip(answer.timestamp);
        let found = found.map(|(offset, timestamp)| FoundAt {
            offset: offset.0,
            timestamp,
        });
        ctx.world
            .event(&format!("client: {query:?} of {place} is {:?}", answer.offset));
        ctx.judge(|model| match query {
            OffsetQuery::AtOrAfter(at_least) => model.found_by_time(place, at_least, before, found),
            OffsetQuery::MaxTimestamp => model.found_max_time(place, before, found),
            _ => {
                let least = if query == OffsetQuery::Earliest {
                    before.start
                } else {
                    before.end
                };
                match answer.offset {
                    Some(Offset(offset)) if offset >= least => Ok(()),
                    other => Err(format!("{place}: {query:?} is {other:?}, and was {least} before")),
                }
            }
        });
    }
}

fn read_of(topic: Arc<Topic>, place: Place, from: u64, bytes_max: usize) -> FetchRead {
    FetchRead {
        topic,
        partition: place.partition,
        from: Offset(from),
        bytes_max,
        epoch: None,
        last_fetched_epoch: None,
    }
}

/// Judges one partition's answer; where to read on.
fn judge_fetch(
    ctx: &Ctx,
    asked: (Place, u64, PartitionView),
    result: &FetchResult,
    nothing_yet: bool,
) -> Option<u64> {
    let (place, from, before) = asked;
    let slice = match result {
        Ok(slice) => slice,
        Err(error) => {
            judge_read_error(ctx, asked, error);
            return None;
        }
    };
    if slice.diverging.is_some() {
        ctx.world.violate(format!(
            "{place}: the client's history diverges, though it told none"
        ));
    }
    ctx.judge(|model| model.bounds_seen(place, before, slice.bounds));
    let end = slice.bounds.end.0;
    ctx.world.event(&format!(
        "client: read {place} from {from}: {} bytes, end {end}",
        slice.bytes
    ));
    if slice.chunks.is_empty() && !nothing_yet {
        return Some(from);
    }
    let read = ReadAsked {
        place,
        from,
        before,
        end,
    };
    match ctx.model(|model| model.was_read(read, &slice.chunks)) {
        Ok(next) => Some(next),
        Err(what) => {
            ctx.world.violate(what);
            None
        }
    }
}

fn judge_read_error(ctx: &Ctx, (place, from, before): (Place, u64, PartitionView), error: &FetchError) {
    ctx.world
        .event(&format!("client: read {place} from {from}: {error}"));
    match error {
        FetchError::OffsetOutOfRange { start, end } => {
            if from >= start.0 && from <= end.0 {
                ctx.world.violate(format!(
                    "{place}: {from} is refused, and lies in [{start}, {end}]"
                ));
            }
            let bounds = millstream_broker::StreamBounds {
                start: *start,
                end: *end,
                stable_end: *end,
                bytes: 0,
            };
            ctx.judge(|model| model.bounds_seen(place, before, bounds));
        }
        FetchError::UnknownPartition if ctx.model(|model| model.may_be_gone(place.topic)) => {}
        FetchError::Storage(_) if !ctx.world.is_calm() => {}
        error => ctx
            .world
            .violate(format!("{place}: a read must not be answered with: {error}")),
    }
}

/// Reads a partition from its start to its end while nobody writes, and judges that nothing is missing.
pub async fn read_whole(ctx: &Ctx, topic: &Arc<Topic>, place: Place) {
    let Some(stream) = topic.stream(place.partition) else {
        return ctx.world.violate(format!("{place} is gone"));
    };
    let before = ctx.model(|model| model.view(place));
    let bounds = stream.bounds();
    ctx.judge(|model| model.bounds_seen(place, before, bounds));
    let records = read_from(ctx, topic, place, bounds.start.0).await;
    ctx.judge(|model| {
        let start = model.view(place).start;
        model.judge_whole(place, &records, start)
    });
}

/// Reads a partition from an offset to its end, and judges each answer.
pub async fn read_from(ctx: &Ctx, topic: &Arc<Topic>, place: Place, mut from: u64) -> Vec<ReadRecord> {
    let before = ctx.model(|model| model.view(place));
    let mut records = Vec::new();
    while from < before.end && ctx.world.violation().is_none() {
        let read = read_of(topic.clone(), place, from, 10_000);
        let budget = FetchBudget {
            bytes_max: 10_000,
            bytes_min: 1,
            wait_max: Duration::ZERO,
            isolation: Isolation::ReadUncommitted,
        };
        let results = ctx
            .broker
            .fetch(std::slice::from_ref(&read), budget, std::future::pending())
            .await;
        if let Ok(slice) = &results[0] {
            match ctx.model(|model| model.records_of(place, &slice.chunks)) {
                Ok(found) => records.extend(found),
                Err(what) => ctx.world.violate(what),
            }
        }
        match judge_fetch(ctx, (place, from, before), &results[0], true) {
            Some(next) if next > from => from = next,
            _ => break,
        }
    }
    records
}
