//! Buffers for blocks of the write-ahead log and of objects: those that nobody reads any more are filled again. Fresh ones cost more than
//! the copy into them, as the kernel zeroes every page first.
//!
//! Owns: spare buffers, within a bound. Never: a buffer that somebody still holds a slice of; the last one to let go of it,
//! wherever that is, gives it back.
//!
//! On the append path, in the loop of the write-ahead log; on the cold fetch path, where a block is read from a file.

use crate::disk::direct::{ALIGN_BYTES, Aligned};
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

/// Bytes of spare buffers that are kept: what a few large groups or hundreds of small ones take.
const SPARE_BYTES_MAX: usize = 24 << 20;
/// Buffers that are kept, as each is looked at.
const SPARES_MAX: usize = 128;
/// From this size on buffers are kept, and begin at a page. Smaller ones are as large as their blocks: the allocator has them at hand.
const KEPT_MIN: usize = 16 << 10;
/// Sizes between a power of two and the next, so that a buffer fits more than one block and wastes a ninth at most.
const STEPS: usize = 8;
/// The same of the blocks of large groups, which are few and of any size: a fifth at most.
const STEPS_OF_LARGE: usize = 4;
/// From this size on.
const LARGE_MIN: usize = 1 << 20;

/// Whether a block of `len` bytes lies in a buffer of the pool, and so begins at a page.
pub(crate) const fn is_recycled(len: usize) -> bool {
    len >= KEPT_MIN
}

/// Bytes that a buffer for a block of `len` bytes takes.
fn room(len: usize) -> usize {
    let floor = (len + 1).next_power_of_two() / 2;
    let steps = if len < LARGE_MIN { STEPS } else { STEPS_OF_LARGE };
    len.next_multiple_of(floor / steps)
}

/// Memory that a block of `len` bytes pins.
pub(crate) fn pinned(len: usize) -> usize {
    if is_recycled(len) {
        room(len) + ALIGN_BYTES
    } else {
        len
    }
}

/// Memory that a piece of `len` bytes pins at most, which was read from a file with the pages at its ends.
pub(crate) fn pinned_by_read(len: usize) -> usize {
    if is_recycled(len) {
        pinned(len + 2 * ALIGN_BYTES)
    } else {
        len
    }
}

/// See the module. A cheap clone.
#[derive(Clone, Default)]
pub(crate) struct BlockPool {
    spares: Arc<Mutex<Spares>>,
}

#[derive(Default)]
struct Spares {
    /// The oldest first.
    buffers: VecDeque<Aligned>,
    bytes: usize,
}

/// A block that is being filled.
pub(crate) enum Filling {
    /// In a buffer of its own size.
    Small(Vec<u8>),
    /// In one of the pool's.
    Large(Block),
}

/// A buffer with the block in it.
pub(crate) struct Block {
    /// None once it was given back.
    buffer: Option<Aligned>,
    len: usize,
    home: BlockPool,
}

impl BlockPool {
    /// An empty buffer with room for `len` bytes; one that was kept may have up to half as much more.
    pub(crate) fn take(&self, len: usize) -> Filling {
        if is_recycled(len) {
            let room = room(len);
            Filling::Large(self.take_within(room, room + room / 2))
        } else {
            Filling::Small(Vec::with_capacity(len))
        }
    }

    /// An empty buffer that begins at a page, with room for `len` bytes: what `pinned` says of them.
    pub(crate) fn take_large(&self, len: usize) -> Block {
        let room = room(len.max(KEPT_MIN));
        self.take_within(room, room)
    }

    fn take_within(&self, room: usize, room_max: usize) -> Block {
        let buffer = self.spares.lock().take(room, room_max);
        Block {
            buffer: Some(buffer.unwrap_or_else(|| Aligned::new(room))),
            len: 0,
            home: self.clone(),
        }
    }
}

impl Spares {
    fn take(&mut self, room: usize, room_max: usize) -> Option<Aligned> {
        let fits = |spare: &Aligned| (room..=room_max).contains(&spare.len());
        // Of those the smallest, and of equals the oldest.
        let fitting = self.buffers.iter().enumerate().filter(|(_, spare)| fits(spare));
        let (at, _) = fitting.min_by_key(|(_, spare)| spare.len())?;
        let buffer = self.buffers.remove(at)?;
        self.bytes -= buffer.len();
        Some(buffer)
    }

    /// Answers what is too much, to be freed outside of the lock: the oldest, for which nobody has asked.
    fn give(&mut self, buffer: Aligned) -> Vec<Aligned> {
        self.bytes += buffer.len();
        self.buffers.push_back(buffer);
        let mut surplus = Vec::new();
        while self.buffers.len() > SPARES_MAX || self.bytes > SPARE_BYTES_MAX {
            let Some(oldest) = self.buffers.pop_front() else {
                break;
            };
            self.bytes -= oldest.len();
            surplus.push(oldest);
        }
        surplus
    }
}

impl Filling {
    /// Appends the bytes, and answers where they lie now. They fit: the block's size was told when it was taken.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> &mut [u8] {
        match self {
            Filling::Small(block) => {
                let at = block.len();
                block.extend_from_slice(bytes);
                &mut block[at..]
            }
            Filling::Large(block) => {
                let at = block.len;
                block.len += bytes.len();
                let buffer = block
                    .buffer
                    .as_mut()
                    .expect("it is given back when it is dropped");
                let place = &mut buffer[at..at + bytes.len()];
                place.copy_from_slice(bytes);
                place
            }
        }
    }

    /// Memory that the block pins.
    pub(crate) fn pinned(&self) -> usize {
        match self {
            Filling::Small(block) => block.capacity(),
            Filling::Large(block) => block
                .buffer
                .as_ref()
                .map_or(0, |buffer| buffer.len() + ALIGN_BYTES),
        }
    }

    /// The block, which does not change any more.
    pub(crate) fn freeze(self) -> Bytes {
        match self {
            Filling::Small(block) => block.into(),
            Filling::Large(block) => Bytes::from_owner(block),
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

    fn block(pool: &BlockPool, len: usize) -> Bytes {
        let mut filling = pool.take(len);
        filling.push(&vec![7; len / 2]);
        filling.push(&vec![8; len - len / 2]);
        filling.freeze()
    }

    fn spare_bytes(pool: &BlockPool) -> usize {
        pool.spares.lock().bytes
    }

    #[test]
    fn a_buffer_holds_its_block_and_wastes_little() {
        for len in (KEPT_MIN..100_000).chain([1 << 20, (1 << 20) + 1, (8 << 20) - 1]) {
            let room = room(len);
            assert!(room >= len, "{len}");
            let share = if len < LARGE_MIN { 9 } else { 5 };
            assert!((room - len) * share <= room, "{len}: {room}");
            assert_eq!(super::room(room), room, "a buffer serves blocks of its own size");
        }
    }

    #[test]
    fn a_block_is_what_was_pushed_and_begins_at_a_page_if_it_is_large() {
        let pool = BlockPool::default();
        for len in [0, 1, KEPT_MIN - 1, KEPT_MIN, 100_000] {
            let block = block(&pool, len);
            assert_eq!(block.len(), len);
            assert!(
                block[..len / 2].iter().all(|byte| *byte == 7)
                    && block[len / 2..].iter().all(|byte| *byte == 8)
            );
            assert!(!is_recycled(len) || block.as_ptr().addr().is_multiple_of(ALIGN_BYTES));
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
        many(1, 1);
        assert_eq!(
            spare_bytes(&pool) % (1 << 20),
            0,
            "small ones are the allocator's"
        );
        let pool = BlockPool::default();
        drop(
            (0..2 * SPARES_MAX)
                .map(|_| block(&pool, KEPT_MIN))
                .collect::<Vec<_>>(),
        );
        assert!(pool.spares.lock().buffers.len() <= SPARES_MAX);
    }
}
