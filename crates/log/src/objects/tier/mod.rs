//! Port: a second, slower and larger tier of the block cache, below the memory. Off unless somebody gives the log one.
//!
//! Owns: what the log may expect of such a tier, and the adapter that keeps one on a local disk. Never on the path of an
//! acknowledged write, and never the source of truth: an object's own checksums are looked at again by who asks.
//!
//! **Invariant**: what a tier answers is, byte for byte, what was offered under that name; in every doubt it answers nothing.
//!
//! On the cold fetch path, between the block cache and the object store.

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod disk;
mod format;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
mod shelf;
mod writer;

#[cfg(test)]
mod slow_tests;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use futures_util::future::BoxFuture;

pub use disk::{DiskTier, DiskTierOptions};

/// Name of a piece of an object. Objects never change, and within one history of the metadata no number is given twice. A history
/// can be undone, though (metadata were restored from a copy), and then a name may come to mean other bytes: whoever asks compares
/// a footer with the checksum that the manifest has of the object, and a block with the one that the footer has of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Piece {
    /// The object's number.
    pub object: u64,
    /// Where in the object it begins, in bytes.
    pub position: u64,
    /// Its length in bytes.
    pub len: u32,
}

/// Counters and gauges of a tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TierStats {
    /// Whether it works; one that turned itself off stays off until the next start.
    pub is_on: bool,
    /// Bytes of its medium that it takes.
    pub bytes: u64,
    /// Pieces that it answered.
    pub hits: u64,
    /// Pieces that it was asked for and did not have.
    pub misses: u64,
    /// Bytes of pieces that it wrote.
    pub written_bytes: u64,
    /// Pieces that were offered and not taken: too large, or faster than the medium takes them.
    pub dropped: u64,
    /// Pieces that had changed on the medium, each a miss.
    pub damaged: u64,
    /// Operations of the medium that failed.
    pub errors: u64,
}

/// A slower, larger cache below the memory. May lose anything at any time.
pub trait SecondTier: Send + Sync + 'static {
    /// The bytes that were offered under this name, if it still has them: exactly `piece.len` of them. Every failure is a miss.
    fn get(&self, piece: Piece) -> BoxFuture<'_, Option<Bytes>>;
    /// The same for a reader that may come: it never stands in the way of one that waits.
    fn get_ahead(&self, piece: Piece) -> BoxFuture<'_, Option<Bytes>> {
        self.get(piece)
    }
    /// Offers bytes. Never waits for a medium, and holds on to a bounded number of bytes that are not written yet.
    fn offer(&self, piece: Piece, bytes: &Bytes);
    /// The object was deleted: nobody asks for its pieces any more.
    fn forget(&self, object: u64);
    /// Numbers from `object` on are not given to objects yet. What is kept under them belongs to a past that was undone, and goes. It
    /// may come back with the next start, and then nobody believes it (see [`Piece`]): this only saves reading it in vain.
    fn forget_from(&self, object: u64);
    /// Counters and gauges.
    fn stats(&self) -> TierStats;
    /// Takes nothing more and writes what was offered, within a bounded time. Once is enough; more often does no harm.
    fn close(&self) -> BoxFuture<'_, ()>;
}
