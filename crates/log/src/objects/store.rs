//! Port: the object store. Answers separate *done*, *not done* and *unknown* (docs/ARCHITECTURE.md, trap T6).

use crate::error::Fate;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Whether a put may replace an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutMode {
    /// Fails with `AlreadyExists` if the key is taken.
    CreateNew,
    /// Replaces.
    Replace,
}

/// Why an object operation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectError {
    /// No such key.
    NotFound,
    /// `CreateNew` on a taken key. May be our own earlier attempt: the caller reads the nonce back.
    AlreadyExists,
    /// Slow down, 503, connection reset: a later attempt may pass.
    Retry {
        /// Whether a write may have happened.
        fate: Fate,
        /// What the store said.
        what: String,
    },
    /// No room.
    Full,
    /// Not worth a retry: access denied, no such bucket.
    Refused(String),
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => write!(f, "no such object"),
            Self::AlreadyExists => write!(f, "the object exists"),
            Self::Retry { fate, what } => write!(f, "{what} ({fate:?}, worth a retry)"),
            Self::Full => write!(f, "the object store has no room"),
            Self::Refused(what) => write!(f, "{what}"),
        }
    }
}

impl std::error::Error for ObjectError {}

/// A flat key space of immutable objects. Keys are `/`-separated, lower-case ASCII.
pub trait ObjectStore: Send + Sync + 'static {
    /// Writes the parts, one after the other, as one object: whole or not at all, durable when answered.
    fn put<'a>(
        &'a self,
        key: &'a str,
        parts: Vec<Bytes>,
        mode: PutMode,
    ) -> BoxFuture<'a, Result<(), ObjectError>>;
    /// Reads a byte range; a range past the end is `Refused`.
    fn get_range<'a>(&'a self, key: &'a str, range: Range<u64>) -> BoxFuture<'a, Result<Bytes, ObjectError>>;
    /// Reads pieces of the object, in one go. They ascend and do not overlap; little or nothing lies between them, and is not answered. Each is
    /// a buffer of its own: one that is kept pins no other (trap T14). A piece past the end is `Refused`.
    fn get_pieces<'a>(
        &'a self,
        key: &'a str,
        pieces: &'a [Range<u64>],
    ) -> BoxFuture<'a, Result<Vec<Bytes>, ObjectError>> {
        Box::pin(async move {
            let whole = self.get_range(key, stretch(pieces)).await?;
            Ok(cut_apart(whole, pieces))
        })
    }
    /// Length in bytes.
    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<u64, ObjectError>>;
    /// Keys with the prefix and their lengths, in key order.
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, u64)>, ObjectError>>;
    /// Deletes; a missing key is success.
    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), ObjectError>>;
    /// From now on objects are written at this pace, by a store that writes them to a disk which others wait for.
    fn go_by(&self, _pace: Arc<dyn WritePace>) {}
    /// Whether objects lie on a disk of this machine, as a rule the one that the write-ahead log is written to.
    fn is_on_disk(&self) -> bool {
        false
    }
}

/// How fast objects are written to a disk whose flushes others wait for.
pub trait WritePace: Send + Sync {
    /// How long to wait before the next `bytes` of an object are written. `None`: go on, as fast as the disk does.
    fn wait(&self, bytes: usize) -> Option<Duration>;
}

/// From the first piece to the last, with what lies between them.
pub(super) fn stretch(pieces: &[Range<u64>]) -> Range<u64> {
    let (first, last) = (pieces.first(), pieces.last());
    first.map_or(0, |piece| piece.start)..last.map_or(0, |piece| piece.end)
}

/// Copies the pieces out of their stretch; a piece alone is the stretch.
pub(super) fn cut_apart(whole: Bytes, pieces: &[Range<u64>]) -> Vec<Bytes> {
    if pieces.len() == 1 {
        return vec![whole];
    }
    let begin = stretch(pieces).start;
    let at = |place: u64| usize::try_from(place - begin).expect("the stretch is in memory");
    let cut = |piece: &Range<u64>| Bytes::copy_from_slice(&whole[at(piece.start)..at(piece.end)]);
    pieces.iter().map(cut).collect()
}
