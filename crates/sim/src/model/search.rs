//! Judging answers to questions about offsets and producers.

use super::{Judgement, Model, PartitionView, Place};
use std::collections::BTreeMap;

/// Answer to a question by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundAt {
    /// The record's offset.
    pub offset: u64,
    /// Its timestamp.
    pub timestamp: i64,
}

impl Model {
    /// Judges "the first record at or after `at_least`". `before`: what was known when it was asked.
    pub fn found_by_time(
        &self,
        place: Place,
        at_least: i64,
        before: PartitionView,
        found: Option<FoundAt>,
    ) -> Judgement {
        if let Some(found) = found {
            if found.timestamp < at_least {
                return Err(format!("{place}: asked for {at_least}, found {found:?}"));
            }
            self.is_at(place, found)?;
        }
        let until = found.map_or(before.end, |found| found.offset.min(before.end));
        match self.first_match(place, until, |timestamp| timestamp >= at_least) {
            Some((offset, timestamp)) => Err(format!(
                "{place}: asked for {at_least}, found {found:?}, and offset {offset} has {timestamp}"
            )),
            None => Ok(()),
        }
    }

    /// Judges "the record with the largest timestamp".
    pub fn found_max_time(&self, place: Place, before: PartitionView, found: Option<FoundAt>) -> Judgement {
        if let Some(found) = found {
            self.is_at(place, found)?;
        }
        let larger = |timestamp| found.is_none_or(|found| timestamp > found.timestamp);
        match self.first_match(place, before.end, larger) {
            Some((offset, timestamp)) => Err(format!(
                "{place}: asked for the largest timestamp, found {found:?}, and offset {offset} has {timestamp}"
            )),
            None => Ok(()),
        }
    }

    /// The record that was found has that timestamp. Records that nobody has seen yet cannot be judged, nor stamped ones.
    fn is_at(&self, place: Place, found: FoundAt) -> Judgement {
        let fact = self
            .partitions
            .get(&place)
            .and_then(|partition| partition.facts.get(&found.offset));
        let Some((id, record)) = fact.filter(|_| !self.may_be_stamped(place)) else {
            return Ok(());
        };
        let sent = self.batch(*id).records[*record as usize].timestamp;
        if sent == found.timestamp {
            return Ok(());
        }
        Err(format!("{place}: {found:?}, but {id} was sent with {sent}"))
    }

    /// The first record below `until` of which everything is certain, and whose timestamp matches.
    fn first_match(&self, place: Place, until: u64, matches: impl Fn(i64) -> bool) -> Option<(u64, i64)> {
        let partition = self.partitions.get(&place)?;
        if self.may_be_stamped(place) || self.may_be_compacted(place) || self.may_be_gone(place.topic) {
            return None;
        }
        // Retention may have raised the start since anybody looked.
        let expires = |timestamp| {
            let shapes = self.shapes(place.topic);
            shapes
                .iter()
                .any(|shape| shape.retention_bytes.is_some() || shape.may_expire(timestamp, self.wall_ms_max))
        };
        let first = partition.start_seen().max(partition.trim_asked());
        let facts = partition.facts.range(first.min(until)..until);
        facts
            .map(|(offset, (id, record))| (*offset, self.batch(*id).records[*record as usize].timestamp))
            .find(|(_, timestamp)| matches(*timestamp) && !expires(*timestamp))
    }

    fn may_be_stamped(&self, place: Place) -> bool {
        self.shapes(place.topic).iter().any(|shape| shape.log_append_time)
    }

    /// Judges what the log remembers of idempotent producers, while nobody writes and everything was read:
    /// `shown` maps a producer id to its epoch and last sequence.
    pub fn producers_shown(&self, place: Place, shown: &BTreeMap<i64, (i16, i32)>) -> Judgement {
        let mut expected: BTreeMap<i64, (u64, i16, i32)> = BTreeMap::new();
        for batch in self.batches.iter().filter(|batch| batch.place == place) {
            let (Some((id, epoch, first)), Some(base)) = (batch.producer, batch.landed()) else {
                continue;
            };
            let last = first + i32::try_from(batch.records.len()).expect("batches are small") - 1;
            let newest = expected.entry(id).or_insert((base, epoch, last));
            if base >= newest.0 {
                *newest = (base, epoch, last);
            }
        }
        for (id, (_, epoch, last)) in expected {
            match shown.get(&id) {
                Some(held) if *held == (epoch, last) => {}
                other => {
                    return Err(format!(
                        "{place}: producer {id} wrote up to sequence {last} of epoch {epoch}; the log remembers {other:?}"
                    ));
                }
            }
        }
        Ok(())
    }
}
