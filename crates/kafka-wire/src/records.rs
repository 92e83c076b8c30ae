//! [`Records`]: the record batches of one partition as a rope of shared chunks. Never looks inside, never copies on its own.
//!
//! On the fetch path the chunks are what the log's caches hold; on the append path there is one, a slice of the request's frame.

use bytes::{Bytes, BytesMut};
use std::fmt;

/// Encoded record batches, in order. The common case of one chunk needs no allocation.
#[derive(Clone, Default)]
pub struct Records {
    first: Bytes,
    rest: Vec<Bytes>,
    len: usize,
}

impl Records {
    /// No records.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            first: Bytes::new(),
            rest: Vec::new(),
            len: 0,
        }
    }

    /// Appends a chunk; an empty one is dropped.
    pub fn push(&mut self, chunk: Bytes) {
        if chunk.is_empty() {
            return;
        }
        self.len += chunk.len();
        if self.first.is_empty() {
            self.first = chunk;
        } else {
            self.rest.push(chunk);
        }
    }

    /// Bytes in all chunks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The chunks in order, none of them empty.
    pub fn chunks(&self) -> impl Iterator<Item = &Bytes> {
        let first = (!self.first.is_empty()).then_some(&self.first);
        first.into_iter().chain(&self.rest)
    }

    /// All bytes in one piece: free for one chunk (always so after decoding), a copy for several.
    #[must_use]
    pub fn into_contiguous(self) -> Bytes {
        if self.rest.is_empty() {
            return self.first;
        }
        let mut whole = BytesMut::with_capacity(self.len);
        for chunk in self.chunks() {
            whole.extend_from_slice(chunk);
        }
        whole.freeze()
    }
}

impl From<Bytes> for Records {
    fn from(chunk: Bytes) -> Self {
        Self {
            len: chunk.len(),
            first: chunk,
            rest: Vec::new(),
        }
    }
}

impl FromIterator<Bytes> for Records {
    fn from_iter<I: IntoIterator<Item = Bytes>>(chunks: I) -> Self {
        let mut records = Self::new();
        chunks.into_iter().for_each(|chunk| records.push(chunk));
        records
    }
}

impl From<Vec<Bytes>> for Records {
    fn from(chunks: Vec<Bytes>) -> Self {
        chunks.into_iter().collect()
    }
}

/// Equal bytes, no matter how they are cut.
impl PartialEq for Records {
    fn eq(&self, other: &Self) -> bool {
        self.len == other.len && self.chunks().flatten().eq(other.chunks().flatten())
    }
}

impl Eq for Records {}

/// The length only: records are the user's data and do not belong into a log.
impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Records({} bytes)", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_does_not_matter_for_equality() {
        let cut: Records = vec![Bytes::from_static(b"ab"), Bytes::new(), Bytes::from_static(b"c")].into();
        let whole = Records::from(Bytes::from_static(b"abc"));
        assert_eq!(cut, whole);
        assert_eq!(cut.len(), 3);
        assert_eq!(cut.chunks().count(), 2);
        assert_eq!(cut.into_contiguous(), Bytes::from_static(b"abc"));
    }

    #[test]
    fn one_chunk_is_given_back_without_a_copy() {
        let chunk = Bytes::from(vec![7; 100]);
        let records = Records::from(chunk.clone());
        assert_eq!(records.into_contiguous().as_ptr(), chunk.as_ptr());
    }
}
