//! What compaction may take, and what it must leave.

use super::{BatchId, Judgement, Model, Place, ReadRecord};
use std::collections::{BTreeMap, BTreeSet};

impl Model {
    /// Whether the record at `offset` may be missing from a stream that is or was compacted.
    pub(super) fn may_be_compacted_away(&self, place: Place, offset: u64) -> Judgement {
        let Some((id, record)) = self.fact(place, offset) else {
            // Never seen: whoever sent it has no answer, and compaction was faster than every reader.
            return Ok(());
        };
        let sent = &self.batch(id).records[record as usize];
        let Some(key) = &sent.key else {
            // Written before the topic was compacted; compaction drops what has no key, as Kafka's does.
            return Ok(());
        };
        if self.is_superseded(place, key, offset) || self.tombstone_may_go(place, id, record) {
            return Ok(());
        }
        Err(format!(
            "{place}: offset {offset} holds the newest value of its key, and is gone ({id})"
        ))
    }

    fn fact(&self, place: Place, offset: u64) -> Option<(BatchId, u32)> {
        self.partitions.get(&place)?.facts.get(&offset).copied()
    }

    /// Whether a later record of the key is there, or may be.
    fn is_superseded(&self, place: Place, key: &[u8], offset: u64) -> bool {
        self.batches.iter().any(|batch| {
            if batch.place != place || !batch.may_be_there() {
                return false;
            }
            let mut same = batch
                .records
                .iter()
                .zip(0..)
                .filter(|(record, _)| record.key.as_deref() == Some(key));
            match batch.landed() {
                Some(base) => same.any(|(_, at): (_, u64)| base + at > offset),
                None => same.next().is_some(),
            }
        })
    }

    /// Whether it is a tombstone whose time may be over. The time counts from a compaction, which is after the record was sent.
    fn tombstone_may_go(&self, place: Place, id: BatchId, record: u32) -> bool {
        let sent = &self.batch(id).records[record as usize];
        let age_ms = u64::try_from(self.wall_ms_max.saturating_sub(sent.timestamp)).unwrap_or(0);
        let shapes = self.shapes(place.topic);
        sent.value.is_none()
            && shapes
                .iter()
                .any(|shape| shape.compact && age_ms >= shape.tombstone_ms)
    }

    /// Judges a read of everything: the newest record of each key is there, and nothing rises from the dead.
    ///
    /// `records`: all that a reader found from the start to the end, in order, while nobody wrote.
    pub fn judge_whole(&self, place: Place, records: &[ReadRecord], start: u64) -> Judgement {
        let Some(partition) = self.partitions.get(&place) else {
            return Ok(());
        };
        let found: BTreeSet<u64> = records.iter().map(|record| record.offset).collect();
        let mut newest: BTreeMap<&[u8], u64> = BTreeMap::new();
        for (offset, (id, record)) in partition.facts.range(start..) {
            match &self.batch(*id).records[*record as usize].key {
                Some(key) if self.may_be_compacted(place) => {
                    newest.insert(key, *offset);
                }
                None if self.may_be_compacted(place) => {}
                _ if found.contains(offset) => {}
                _ => return Err(format!("{place}: {id} at offset {offset} is lost")),
            }
        }
        for (key, offset) in newest {
            if found.contains(&offset) {
                continue;
            }
            self.may_be_compacted_away(place, offset)?;
            let risen = records.iter().find(|record| {
                let sent = &self.batch(record.batch).records[record.record as usize];
                sent.key.as_deref() == Some(key)
            });
            if let Some(risen) = risen {
                return Err(format!(
                    "{place}: the deletion of a key at offset {offset} is gone, its value at {} is not",
                    risen.offset
                ));
            }
        }
        Ok(())
    }
}
