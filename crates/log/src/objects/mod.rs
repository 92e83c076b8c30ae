//! Objects: immutable, sorted by (stream, offset), with an index footer. Uploaded from the write-ahead log, merged, compacted,
//! collected. Format: docs/format/object.md.
//!
//! Owns: the port and its adapters, the format, reading through caches. Never decides what may be deleted: the manifest does.

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
pub mod remote;
pub mod store;
pub mod tier;

pub(crate) mod cache;
pub(crate) mod cold;
pub(crate) mod courtesy;
mod directory;
pub(crate) mod encode;
pub(crate) mod fetch;
pub(crate) mod format;
pub(crate) mod pace;
pub(crate) mod pools;
pub(crate) mod put;
pub(crate) mod readahead;
pub(crate) mod search;

#[cfg(test)]
mod tests;

use std::fmt;

/// Name of an object, never used twice: the incarnation of the log that made it (upper bits) and a counter.
/// Ascending in the order of allocation, over restarts too, so that "below the oldest in flight" means something (trap T5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ObjectId(pub(crate) u64);

/// Bits of an object id that count within one incarnation: a billion objects, then a new incarnation is taken. The other
/// 34 bits last for 50 years of ten manifest records a second.
const COUNTER_BITS: u32 = 30;

/// Where data objects and spilled records live. Reserved for us alone: the collector deletes what it does not know there.
pub(crate) const KEY_PREFIX: &str = "data/";

impl ObjectId {
    /// "No object": a range of which compaction kept nothing.
    pub(crate) const NONE: ObjectId = ObjectId(0);

    /// The `counter`-th object of an incarnation; `None` when either is exhausted.
    pub(crate) fn new(incarnation: u64, counter: u64) -> Option<ObjectId> {
        let fits = counter < 1 << COUNTER_BITS && incarnation < 1 << (u64::BITS - COUNTER_BITS);
        fits.then_some(ObjectId(incarnation << COUNTER_BITS | counter))
    }

    /// Its key in the store.
    pub(crate) fn key(self) -> String {
        format!("{KEY_PREFIX}{:016x}", self.0)
    }

    /// The id of which `key` is the key.
    pub(crate) fn from_key(key: &str) -> Option<ObjectId> {
        let hex = key.strip_prefix(KEY_PREFIX)?;
        let id = ObjectId(u64::from_str_radix(hex, 16).ok()?);
        (id.key() == key).then_some(id)
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "object {:016x}", self.0)
    }
}
