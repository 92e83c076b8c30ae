//! Which record is the newest of its key: a bounded map from hash of the key to offset, fed in offset order.
//!
//! Pure. Aborted records are not shown to it: an aborted record must not hide an older one.

use crate::batch::{BatchHeader, BatchRecords};
use crate::ids::Offset;
use crate::objects::cache::FixedHash;
use std::collections::HashMap;

/// Keys that one pass remembers: 24 bytes each, about 64 MiB with the table's slack. A pass over more keys stops there, and
/// the next goes on.
pub(crate) const KEYS_MAX: usize = 1 << 20;

/// The newest offset of every key seen.
pub(crate) struct NewestOffsets {
    // Never iterated; a fixed hash of a hash.
    newest: HashMap<u128, u64, FixedHash>,
    keys_max: usize,
    /// Everything below was seen.
    through: Offset,
}

impl NewestOffsets {
    pub(crate) fn new(from: Offset, keys_max: usize) -> Self {
        Self {
            newest: HashMap::default(),
            keys_max,
            through: from,
        }
    }

    /// Whether the next batch might not fit any more.
    pub(crate) fn has_room(&self, header: &BatchHeader) -> bool {
        // At least one batch always fits, or a single huge one would stop compaction for ever.
        let held = self.newest.len();
        held == 0 || held + header.records_count as usize <= self.keys_max
    }

    /// Takes in a batch; `records` is `None` where they hide nothing: they cannot be read, are markers, or were aborted.
    pub(crate) fn see(&mut self, header: &BatchHeader, records: Option<&BatchRecords>) {
        let records = records.into_iter().flat_map(BatchRecords::iter);
        let keyed = records
            .map_while(Result::ok)
            .filter_map(|record| Some((hash(record.key?), record.offset.0)));
        // In offset order, so that the last one is the newest.
        self.newest.extend(keyed);
        self.through = self.through.max(header.next_offset());
    }

    /// A range ends here, whatever compaction took out before it.
    pub(crate) fn skip_to(&mut self, end: Offset) {
        self.through = self.through.max(end);
    }

    /// Up to where every key is decided.
    pub(crate) fn decided_through(&self) -> Offset {
        self.through
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
