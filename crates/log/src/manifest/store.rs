//! Port: the ordered, durable list of manifest records. `meta` keeps it in its store, embedded or etcd.

use crate::error::Fate;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::fmt;

/// Position of a record in the list: 1, 2, 3 ... without a hole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ManifestSeq(pub u64);

/// What `load` finds.
#[derive(Clone, Debug, Default)]
pub struct ManifestHistory {
    /// The newest snapshot, with the last record that it covers.
    pub snapshot: Option<(ManifestSeq, Bytes)>,
    /// Every record after the snapshot, in order.
    pub records: Vec<(ManifestSeq, Bytes)>,
}

/// Why a record was not appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManifestError {
    /// Another record has that position: this view is stale.
    Conflict,
    /// The store failed; `fate` tells what is known of the record.
    Storage {
        /// Whether the record may be there.
        fate: Fate,
        /// What failed.
        what: String,
    },
    /// The record is larger than the store takes; spill it into an object.
    TooLarge,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict => write!(f, "another manifest record has that position"),
            Self::Storage { fate, what } => write!(f, "{what} ({fate:?})"),
            Self::TooLarge => write!(f, "the manifest record is too large"),
        }
    }
}

impl std::error::Error for ManifestError {}

/// The largest record or snapshot that a store must take (etcd's request limit, less its own overhead).
pub const RECORD_BYTES_MAX: usize = 1 << 20;

/// One writer's list of manifest records.
pub trait ManifestStore: Send + Sync + 'static {
    /// The newest snapshot and all records after it.
    fn load(&self) -> BoxFuture<'_, Result<ManifestHistory, ManifestError>>;
    /// Appends `record` at `seq`, durable when answered; `Conflict` unless `seq` is the next.
    fn append(&self, seq: ManifestSeq, record: Bytes) -> BoxFuture<'_, Result<(), ManifestError>>;
    /// Atomically replaces the old snapshot and all records up to and including `through`.
    fn snapshot(&self, through: ManifestSeq, snapshot: Bytes) -> BoxFuture<'_, Result<(), ManifestError>>;
}
