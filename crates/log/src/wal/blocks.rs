//! Buffers for blocks: those that the tail cache let go of are filled again. Fresh ones cost more than the copy into them, as the
//! kernel zeroes every page first.
//!
//! Owns: spare buffers, within a bound. Never: a buffer that a reader still holds a slice of.
//!
//! On the append path, in the loop of the write-ahead log.

use bytes::{Bytes, BytesMut};

/// Bytes of spare buffers that are kept: what a few large groups or hundreds of small ones take.
const SPARE_BYTES_MAX: usize = 16 << 20;
/// Buffers that are kept, as each is looked at.
const SPARES_MAX: usize = 128;
/// From this size on buffers are kept. Smaller ones are as large as their blocks: the allocator has them at hand.
const KEPT_MIN: usize = 16 << 10;
/// Sizes between a power of two and the next, so that a buffer fits more than one block and wastes a fifth at most.
const STEPS: usize = 4;

/// Bytes that a buffer for a block of `len` bytes takes.
pub(crate) fn room(len: usize) -> usize {
    if len < KEPT_MIN {
        return len;
    }
    let floor = (len + 1).next_power_of_two() / 2;
    len.next_multiple_of(floor / STEPS)
}

/// See the module.
#[derive(Default)]
pub(crate) struct BlockPool {
    spares: Vec<BytesMut>,
    bytes: usize,
}

impl BlockPool {
    /// An empty buffer with room for `len` bytes.
    pub(crate) fn take(&mut self, len: usize) -> BytesMut {
        let room = room(len);
        match self.spares.iter().position(|spare| spare.capacity() == room) {
            Some(at) => {
                self.bytes -= room;
                self.spares.swap_remove(at)
            }
            None => BytesMut::with_capacity(room),
        }
    }

    /// Takes back the buffers of blocks that nobody reads any more.
    pub(crate) fn give(&mut self, blocks: Vec<Bytes>) {
        for block in blocks {
            let Ok(mut spare) = block.try_into_mut() else {
                continue;
            };
            spare.clear();
            let room = spare.capacity();
            if room >= KEPT_MIN && self.spares.len() < SPARES_MAX && self.bytes + room <= SPARE_BYTES_MAX {
                self.bytes += room;
                self.spares.push(spare);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_holds_its_block_and_wastes_a_fifth_at_most() {
        for len in (0..100_000).chain([1 << 20, (1 << 20) + 1, (8 << 20) - 1]) {
            let room = room(len);
            assert!(room >= len, "{len}");
            assert!((room - len) * 5 <= room, "{len}: {room}");
            assert_eq!(super::room(room), room, "a buffer serves blocks of its own size");
        }
    }

    #[test]
    fn a_block_that_is_read_is_not_filled_again() {
        let mut pool = BlockPool::default();
        let block = |pool: &mut BlockPool| {
            let mut buffer = pool.take(20_000);
            buffer.extend_from_slice(&[7; 20_000]);
            buffer.freeze()
        };
        let first = block(&mut pool);
        let read = first.slice(5..10);
        pool.give(vec![first]);
        assert_eq!(pool.bytes, 0);
        drop(read);
        let second = block(&mut pool);
        let at = second.as_ptr();
        pool.give(vec![second]);
        assert_eq!(pool.bytes, room(20_000));
        let third = block(&mut pool);
        assert_eq!((third.as_ptr(), third.len(), pool.bytes), (at, 20_000, 0));
    }

    #[test]
    fn spares_are_bounded() {
        let mut pool = BlockPool::default();
        let blocks = |len: usize, count: usize| (0..count).map(|_| Bytes::from(vec![1; len])).collect();
        pool.give(blocks(1 << 20, 40));
        assert!(pool.bytes <= SPARE_BYTES_MAX);
        assert!(pool.bytes > 0);
        pool.give(blocks(1, 1));
        assert_eq!(pool.bytes % (1 << 20), 0, "small ones are the allocator's");
        let mut pool = BlockPool::default();
        pool.give(blocks(KEPT_MIN, 2 * SPARES_MAX));
        assert!(pool.spares.len() <= SPARES_MAX);
    }
}
