//! Buffers for what is read from objects' files, and for what is copied on its way into them: those that nobody reads any more are filled
//! again.
//!
//! Owns: spare buffers, within a bound. Never: a buffer that somebody still holds a slice of; the last one to let go of it,
//! wherever that is, gives it back.
//!
//! On the cold fetch path, and where an object is written.

use crate::disk::direct::{ALIGN_BYTES, Aligned};
use crate::spares::{KEPT_MIN, Room, Spares, room};
use parking_lot::Mutex;
use std::sync::Arc;

/// Bytes of spare buffers that are kept.
const SPARE_BYTES_MAX: usize = 12 << 20;
/// Buffers that are kept.
const SPARES_MAX: usize = 128;

/// Whether a block of `len` bytes lies in a buffer of the pool, and so begins at a page.
pub(crate) const fn is_recycled(len: usize) -> bool {
    len >= KEPT_MIN
}

/// Memory that a piece of `len` bytes pins at most, which was read from a file with the pages at its ends.
pub(crate) fn pinned_by_read(len: usize) -> usize {
    if is_recycled(len) {
        room(len + 2 * ALIGN_BYTES) + ALIGN_BYTES
    } else {
        len
    }
}

impl Room for Aligned {
    fn room(&self) -> usize {
        self.len()
    }
}

/// See the module. A cheap clone.
#[derive(Clone)]
pub(crate) struct BlockPool {
    spares: Arc<Mutex<Spares<Aligned>>>,
}

impl Default for BlockPool {
    fn default() -> Self {
        Self {
            spares: Arc::new(Mutex::new(Spares::new(SPARE_BYTES_MAX, SPARES_MAX))),
        }
    }
}

/// A buffer with the block in it.
pub(crate) struct Block {
    /// None once it was given back.
    buffer: Option<Aligned>,
    len: usize,
    home: BlockPool,
}

impl BlockPool {
    /// An empty buffer that begins at a page, with room for `len` bytes.
    pub(crate) fn take(&self, len: usize) -> Block {
        let room = room(len.max(KEPT_MIN));
        let spare = self.spares.lock().take(room, room);
        Block {
            buffer: Some(spare.unwrap_or_else(|| Aligned::new(room))),
            len: 0,
            home: self.clone(),
        }
    }
}

impl Block {
    /// Room for the first `len` bytes, which count as filled.
    pub(crate) fn fill(&mut self, len: usize) -> &mut [u8] {
        self.len = len;
        let buffer = self.buffer.as_mut().expect("it is given back when it is dropped");
        &mut buffer[..len]
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        self.buffer.as_deref().map_or(&[], |buffer| &buffer[..self.len])
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            let surplus = self.home.spares.lock().give(buffer);
            drop(surplus);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn block(pool: &BlockPool, len: usize) -> Bytes {
        let mut block = pool.take(len);
        block.fill(len).fill(7);
        Bytes::from_owner(block)
    }

    fn spare_bytes(pool: &BlockPool) -> usize {
        pool.spares.lock().bytes()
    }

    #[test]
    fn a_block_is_as_long_as_asked_and_begins_at_a_page() {
        let pool = BlockPool::default();
        for len in [0, 1, KEPT_MIN - 1, KEPT_MIN, 100_000, 1 << 20] {
            let block = block(&pool, len);
            assert_eq!(block.len(), len);
            assert!(block.is_empty() || block.as_ptr().addr().is_multiple_of(ALIGN_BYTES));
            assert!(block.iter().all(|byte| *byte == 7));
        }
    }

    #[test]
    fn a_block_is_filled_again_when_the_last_slice_of_it_is_gone() {
        let pool = BlockPool::default();
        let first = block(&pool, 20_000);
        let read = first.slice(5..10);
        let at = first.as_ptr();
        drop(first);
        assert_eq!(spare_bytes(&pool), 0, "somebody reads it");
        drop(read);
        assert_eq!(spare_bytes(&pool), room(20_000));
        let second = block(&pool, 20_000);
        assert_eq!(
            (second.as_ptr(), second.len(), spare_bytes(&pool)),
            (at, 20_000, 0)
        );
    }

    #[test]
    fn sizes_that_nobody_asks_for_any_more_make_room_for_others() {
        let pool = BlockPool::default();
        drop((0..4).map(|_| block(&pool, 8 << 20)).collect::<Vec<_>>());
        let other = block(&pool, 20_000);
        let at = other.as_ptr();
        drop(other);
        assert_eq!(block(&pool, 20_000).as_ptr(), at);
    }

    #[test]
    fn spares_are_bounded() {
        let pool = BlockPool::default();
        let many = |len: usize, count: usize| drop((0..count).map(|_| block(&pool, len)).collect::<Vec<_>>());
        many(1 << 20, 2 * (SPARE_BYTES_MAX >> 20));
        assert!((1..=SPARE_BYTES_MAX).contains(&spare_bytes(&pool)));
        many(KEPT_MIN, 2 * SPARES_MAX);
        assert!(pool.spares.lock().len() <= SPARES_MAX);
    }
}
