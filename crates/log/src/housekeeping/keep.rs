//! Which record is the newest of its key: a bounded map from hash of the key to offset, fed in offset order.
//!
//! Pure. Records of a transaction count only once its marker says "commit"; aborted ones never do: an aborted record must not
//! hide an older one.

use crate::batch::{BatchHeader, BatchRecords, ControlKind, ControlRecord};
use crate::error::ReadError;
use crate::ids::Offset;
use crate::objects::cache::FixedHash;
use std::collections::{BTreeMap, HashMap};

/// Keys that one pass remembers: 24 bytes each, about 64 MiB with the table's slack. A pass over more keys stops there, and
/// the next goes on.
pub(crate) const KEYS_MAX: usize = 1 << 20;

/// The newest offset of every key seen.
pub(crate) struct NewestOffsets {
    // Never iterated; a fixed hash of a hash.
    newest: HashMap<u128, u64, FixedHash>,
    /// Records of open transactions by producer.
    open: BTreeMap<i64, Transaction>,
    held: usize,
    keys_max: usize,
    /// Everything below was seen.
    through: Offset,
}

struct Transaction {
    first: Offset,
    records: Vec<(u128, u64)>,
}

impl NewestOffsets {
    pub(crate) fn new(from: Offset, keys_max: usize) -> Self {
        Self {
            newest: HashMap::default(),
            open: BTreeMap::new(),
            held: 0,
            keys_max,
            through: from,
        }
    }

    /// Whether the next batch might not fit any more.
    pub(crate) fn has_room(&self, header: &BatchHeader) -> bool {
        // At least one batch always fits, or a single huge one would stop compaction for ever.
        let held = self.newest.len() + self.held;
        held == 0 || held + header.records_count as usize <= self.keys_max
    }

    /// Takes in a batch; `records` is `None` where they cannot be read: such a batch hides nothing.
    pub(crate) fn see(
        &mut self,
        header: &BatchHeader,
        records: Option<&BatchRecords>,
    ) -> Result<(), ReadError> {
        if let Some(records) = records {
            if header.is_control() {
                self.end_transaction(header, records);
            } else {
                self.see_records(header, records);
            }
        }
        self.through = self.through.max(header.next_offset());
        Ok(())
    }

    fn see_records(&mut self, header: &BatchHeader, records: &BatchRecords) {
        let keyed = records
            .iter()
            .map_while(Result::ok)
            .filter_map(|record| Some((hash(record.key?), record.offset.0)));
        if header.is_transactional() {
            let open = self
                .open
                .entry(header.producer_id)
                .or_insert_with(|| Transaction {
                    first: header.base_offset,
                    records: Vec::new(),
                });
            let before = open.records.len();
            open.records.extend(keyed);
            self.held += open.records.len() - before;
        } else {
            // In offset order, so that the last one is the newest.
            self.newest.extend(keyed);
        }
    }

    fn end_transaction(&mut self, header: &BatchHeader, records: &BatchRecords) {
        let marker = records
            .iter()
            .map_while(Result::ok)
            .next()
            .and_then(|record| ControlRecord::parse(&record).ok());
        let kind = marker.map(|marker| marker.kind);
        if !matches!(kind, Some(ControlKind::Commit | ControlKind::Abort)) {
            return;
        }
        let Some(ended) = self.open.remove(&header.producer_id) else {
            return;
        };
        self.held -= ended.records.len();
        if kind == Some(ControlKind::Commit) {
            for (key, offset) in ended.records {
                let newest = self.newest.entry(key).or_default();
                *newest = offset.max(*newest);
            }
        }
    }

    /// A range ends here, whatever compaction took out before it.
    pub(crate) fn skip_to(&mut self, end: Offset) {
        self.through = self.through.max(end);
    }

    /// Up to where every key is decided: below the first open transaction.
    pub(crate) fn decided_through(&self) -> Offset {
        let open = self.open.values().map(|transaction| transaction.first).min();
        open.map_or(self.through, |first| first.min(self.through))
    }

    /// Whether a newer record of this key was seen.
    pub(crate) fn is_outdated(&self, key: &[u8], offset: Offset) -> bool {
        self.newest
            .get(&hash(key))
            .is_some_and(|newest| *newest > offset.0)
    }
}

/// 128 bits: two different keys of a stream never meet.
fn hash(key: &[u8]) -> u128 {
    xxhash_rust::xxh3::xxh3_128(key)
}
