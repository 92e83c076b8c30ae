//! The write-ahead log: one for all streams of a broker. Groups of batches become durable together, in order.
//!
//! Owns: the port [`WalMedium`], the loop that gathers groups, the file medium and its format (docs/format/wal.md).
//! Never: an offset, a producer's sequence, an object. Those are the partition's and the uploader's.
//!
//! **Invariant**: group n is reported durable only after every group below n is.
//!
//! On the append path: `queue` -> `group_commit` -> a medium -> acknowledgement.

mod block;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod file;
pub(crate) mod format;
pub(crate) mod group_commit;
mod prepare;
pub(crate) mod queue;
mod refusal;
pub(crate) mod runner;
mod scan;
mod seal;
mod segments;

#[cfg(test)]
mod disk_tests;
#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod seal_tests;
#[cfg(test)]
mod tests;

use crate::clock::TimestampMs;
use crate::error::{Fate, ReadError};
use crate::ids::{GroupSeq, StreamId};
pub use block::Block;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::fmt;

/// What one flush makes durable: whole batches, stamped, sorted by (stream, offset), in one block.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its number; one above the last durable group's.
    pub seq: GroupSeq,
    /// Wall time at which it was gathered.
    pub wall_ms: TimestampMs,
    /// What of the block belongs to whom, in the block's order; at most one run a stream and piece.
    pub runs: Vec<Run>,
    /// The batches. The same memory is the tail cache's: at most one copy is made of them.
    pub block: Block,
}

/// Batches of one stream that lie together in a group's block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Whose batches.
    pub stream: StreamId,
    /// Where in the block: at the end of the run before, or where the next piece begins.
    pub position: usize,
    /// Their bytes together.
    pub bytes: u32,
    /// How many they are.
    pub batches: u32,
}

impl Run {
    /// Behind its last byte.
    #[must_use]
    pub fn end(&self) -> usize {
        self.position + self.bytes as usize
    }
}

/// A group found by recovery, proven whole and in its place, with the room that it takes on the medium.
#[derive(Clone, Debug)]
pub struct ReplayedGroup {
    /// The group.
    pub group: Group,
    /// Bytes on the medium, header and padding included.
    pub stored_bytes: u64,
}

/// Why a group is not durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WalError {
    /// No room; nothing was written.
    Full,
    /// The medium failed.
    Failed {
        /// Whether the group may be found by a later recovery. It may not be once a later group is durable.
        fate: Fate,
        /// What failed.
        what: String,
    },
}

impl fmt::Display for WalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => write!(f, "no room is left for the write-ahead log"),
            Self::Failed { fate, what } => write!(f, "{what} ({fate:?})"),
        }
    }
}

impl std::error::Error for WalError {}

/// Port: where groups become durable. Opening is each medium's own constructor, which replays what it holds, from the first
/// group that is not in objects, before it takes a new one. Every implementation passes the suite in [`conformance`].
pub trait WalMedium: Send + Sync + 'static {
    /// Makes `group` durable and answers the bytes it takes on the medium.
    ///
    /// Called in the order of `seq`, from one place; answers are in that order, too. After an error the same number is given
    /// again: the failed group is void as soon as another one of its number, or above, is durable.
    fn append(&self, group: Group) -> BoxFuture<'_, Result<u64, WalError>>;

    /// Reads `len` bytes at `position` of the block of a durable group that was not reclaimed.
    fn read(&self, group: GroupSeq, position: u32, len: u32) -> BoxFuture<'_, Result<Bytes, ReadError>>;

    /// Everything up to and including `through` is in objects: its room may be used again. Does not wait.
    fn reclaim(&self, through: GroupSeq);

    /// The medium's background work (room ahead of need). Ends after `close`.
    fn background(&self) -> BoxFuture<'_, ()>;

    /// Ends the background work. Groups already durable stay readable.
    fn close(&self);
}
