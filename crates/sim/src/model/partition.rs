//! What is known of one partition: its facts, its bounds as they were seen, who sent in which order.

use super::{BatchId, Judgement, Model, Place, TopicShape};
use millstream_broker::StreamBounds;
use std::collections::BTreeMap;

/// Bounds as they were known at one time: what a later answer must not contradict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionView {
    /// The largest start that was seen.
    pub start: u64,
    /// The largest end that was seen.
    pub end: u64,
}

/// See the module.
#[derive(Default)]
pub(super) struct Partition {
    /// Offset -> the record that is there, for good.
    pub(super) facts: BTreeMap<u64, (BatchId, u32)>,
    seen: PartitionView,
    /// The largest offset up to which somebody asked for records to be deleted.
    trim_asked: u64,
    /// (client, its order) -> offset: appends made one after the other are in that order.
    orders: BTreeMap<(u32, u64), u64>,
}

impl Partition {
    pub(super) fn facts(&self) -> usize {
        self.facts.len()
    }

    pub(super) fn end_seen(&self) -> u64 {
        self.seen.end
    }

    pub(super) fn start_seen(&self) -> u64 {
        self.seen.start
    }

    pub(super) fn trim_asked(&self) -> u64 {
        self.trim_asked
    }

    /// `len` records of a batch are at `base`.
    pub(super) fn establish(&mut self, place: Place, id: BatchId, base: u64, len: u64) -> Judgement {
        for at in 0..len {
            let record = u32::try_from(at).expect("batches are small");
            let offset = base + at;
            match self.facts.insert(offset, (id, record)) {
                Some((other, _)) if other != id => {
                    return Err(format!(
                        "{place} held {other} at offset {offset}, and now holds {id}"
                    ));
                }
                _ => {}
            }
        }
        self.seen.end = self.seen.end.max(base + len);
        Ok(())
    }

    pub(super) fn keep_order(&mut self, place: Place, (client, order): (u32, u64), base: u64) -> Judgement {
        let earlier = self.orders.range((client, 0)..(client, order)).next_back();
        let later = self.orders.range((client, order + 1)..(client, u64::MAX)).next();
        let swapped = earlier
            .filter(|(_, at)| **at > base)
            .or(later.filter(|(_, at)| **at < base));
        if let Some(((_, other), at)) = swapped {
            return Err(format!(
                "{place}: client {client} sent its batches {order} and {other} in that order or the reverse, \
                 and they landed the other way round, at {base} and {at}"
            ));
        }
        self.orders.insert((client, order), base);
        Ok(())
    }
}

impl Model {
    /// What is known of the bounds now.
    pub fn view(&mut self, place: Place) -> PartitionView {
        self.partition(place).seen
    }

    /// Somebody is about to ask for the records below `before` to be deleted (`None`: all).
    pub fn trim_asked(&mut self, place: Place, before: Option<u64>) {
        let partition = self.partition(place);
        partition.trim_asked = partition.trim_asked.max(before.unwrap_or(u64::MAX));
    }

    /// Deleting records was answered with the new start.
    pub fn trimmed(
        &mut self,
        place: Place,
        before: Option<u64>,
        view: PartitionView,
        start: u64,
    ) -> Judgement {
        let least = before.unwrap_or(view.end);
        if start < least {
            return Err(format!(
                "{place}: records below {least} were deleted, but the start is {start}"
            ));
        }
        self.start_is(place, start)
    }

    /// The partition's bounds were seen: now, and after `view` was taken.
    pub fn bounds_seen(&mut self, place: Place, view: PartitionView, bounds: StreamBounds) -> Judgement {
        let (start, end) = (bounds.start.0, bounds.end.0);
        if end < view.end {
            return Err(format!("{place}: the end went back from {} to {end}", view.end));
        }
        if start < view.start {
            return Err(format!(
                "{place}: the start went back from {} to {start}",
                view.start
            ));
        }
        if start > end || bounds.stable_end.0 > end {
            return Err(format!("{place}: impossible bounds {bounds:?}"));
        }
        self.partition(place).seen.end = self.partition(place).seen.end.max(end);
        self.start_is(place, start)
    }

    /// The start was seen: whatever lies below went by a trim, by retention, or by compaction before that.
    fn start_is(&mut self, place: Place, start: u64) -> Judgement {
        let wall_ms_max = self.wall_ms_max;
        let shapes = self.shapes(place.topic);
        let partition = self.partition(place);
        let from = partition.seen.start.max(partition.trim_asked);
        partition.seen.start = partition.seen.start.max(start);
        // Whoever deletes everything may hear of the end before those who wrote up to it.
        partition.seen.end = partition.seen.end.max(start);
        if start <= from {
            return Ok(());
        }
        let gone: Vec<_> = partition
            .facts
            .range(from..start)
            .map(|(at, fact)| (*at, *fact))
            .collect();
        let kept: Vec<_> = partition.facts.range(start..).map(|(_, fact)| *fact).collect();
        let as_sent = |shape: &TopicShape| !shape.compact && shape.compression == "producer";
        let known =
            kept.len() as u64 == partition.seen.end.saturating_sub(start) && shapes.iter().all(as_sent);
        let kept_bytes = self.bytes_of(&kept);
        for (offset, (id, record)) in gone {
            let timestamp = self.batch(id).records[record as usize].timestamp;
            let may_go = |shape: &TopicShape| {
                shape.may_expire(timestamp, wall_ms_max) || shape.may_overflow(kept_bytes, known)
            };
            // What compaction leaves of a piece may be older than what it took, and then the rest of the piece expires.
            let compacted = || shapes.iter().any(|shape| shape.compact);
            let may_be_compacted = || compacted() && self.may_be_compacted_away(place, offset).is_ok();
            if !shapes.iter().any(may_go) && !may_be_compacted() {
                return Err(format!(
                    "{place}: the start is {start}, but no policy and no request took offset {offset} ({id}); \
                     {kept_bytes} bytes are kept, exactly: {known}, policies: {shapes:?}"
                ));
            }
        }
        Ok(())
    }

    fn bytes_of(&self, facts: &[(BatchId, u32)]) -> u64 {
        let mut batches: Vec<BatchId> = facts.iter().map(|(id, _)| *id).collect();
        batches.dedup();
        batches.iter().map(|id| self.batch(*id).bytes).sum()
    }
}
