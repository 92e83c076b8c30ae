//! Memory for answers of fetches: a bound on the bytes that are read and not yet taken by their readers.
//!
//! Owns: the count. A fetch takes a share before it reads and gives back what it did not need; the rest goes back when the answer's
//! bytes are let go, after they were written or when the connection ends. Never waits: when nothing is left, an answer shrinks to
//! one batch, so that readers who take nothing cannot stop those who do.
//!
//! **Invariant**: beyond one batch a fetch, no more bytes than the memory has are held by answers.

use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Where nothing is set, bytes that all answers together may hold: a few of the largest (fetch.max.bytes), thousands of usual ones.
pub(crate) const FETCH_MEMORY_BYTES: usize = 256 << 20;

/// The bytes that are left.
pub(crate) struct FetchMemory(Arc<AtomicUsize>);

impl FetchMemory {
    /// A memory of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(bytes)))
    }

    /// A share of at most `asked` bytes; of none, if none are left.
    pub fn take(&self, asked: usize) -> MemoryShare {
        let mut granted = 0;
        let taken = |left: usize| {
            granted = left.min(asked);
            Some(left - granted)
        };
        // The closure never refuses.
        let _ = self.0.fetch_update(Relaxed, Relaxed, taken);
        MemoryShare {
            left: self.0.clone(),
            bytes: granted,
        }
    }
}

/// Bytes that an answer may hold. Goes back when it is dropped.
pub(crate) struct MemoryShare {
    left: Arc<AtomicUsize>,
    bytes: usize,
}

impl MemoryShare {
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Gives back what the answer does not need, and binds the rest to the life of `chunk`.
    pub fn bind(mut self, answer_bytes: usize, chunk: Bytes) -> Bytes {
        let unused = self.bytes.saturating_sub(answer_bytes);
        self.bytes -= unused;
        self.left.fetch_add(unused, Relaxed);
        Bytes::from_owner(Held { chunk, _share: self })
    }
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        self.left.fetch_add(self.bytes, Relaxed);
    }
}

struct Held {
    chunk: Bytes,
    _share: MemoryShare,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES: usize = 4000;

    fn left(memory: &FetchMemory) -> usize {
        memory.0.load(Relaxed)
    }

    #[test]
    fn a_share_goes_back_with_the_last_of_its_answer() {
        let memory = FetchMemory::new(BYTES);
        let share = memory.take(1000);
        assert_eq!((share.bytes(), left(&memory)), (1000, BYTES - 1000));
        let chunk = share.bind(300, Bytes::from_static(b"batch"));
        assert_eq!(left(&memory), BYTES - 300);
        let slice = chunk.slice(1..3);
        drop(chunk);
        assert_eq!((left(&memory), slice.as_ref()), (BYTES - 300, b"at".as_slice()));
        drop(slice);
        assert_eq!(left(&memory), BYTES);
    }

    #[test]
    fn when_nothing_is_left_shares_are_empty_and_nothing_overflows() {
        let memory = FetchMemory::new(BYTES);
        let all = memory.take(usize::MAX);
        assert_eq!((all.bytes(), left(&memory)), (BYTES, 0));
        let none = memory.take(1);
        assert_eq!(none.bytes(), 0);
        let chunk = none.bind(77, Bytes::from_static(b"one batch all the same"));
        drop((all, chunk));
        assert_eq!(left(&memory), BYTES);
    }
}
