//! Buffers that nobody uses any more, kept to be filled again: fresh ones cost more than the copy into them, as the kernel zeroes every
//! page first.
//!
//! Owns: of which sizes they are, which of them is taken, and which are too much. Never: a lock, or a buffer that somebody still reads.

use bytes::BytesMut;
use std::collections::VecDeque;

/// From this size on a buffer is worth keeping. The allocator has smaller ones at hand.
pub(crate) const KEPT_MIN: usize = 16 << 10;
/// Sizes between a power of two and the next, so that a buffer fits again and wastes a ninth at most.
const STEPS: usize = 8;

/// Bytes of a buffer for `len` bytes, which are a page at least.
pub(crate) fn room(len: usize) -> usize {
    let floor = (len + 1).next_power_of_two() / 2;
    len.next_multiple_of(floor / STEPS)
}

/// See the module.
pub(crate) struct Spares {
    /// The oldest first.
    buffers: VecDeque<BytesMut>,
    bytes: usize,
    bytes_max: usize,
    /// As each is looked at.
    count_max: usize,
}

impl Spares {
    /// None yet; later so many bytes, in so many buffers, at most.
    pub(crate) fn new(bytes_max: usize, count_max: usize) -> Self {
        Self {
            buffers: VecDeque::new(),
            bytes: 0,
            bytes_max,
            count_max,
        }
    }

    /// One of `room` bytes or more, up to `room_max`.
    pub(crate) fn take(&mut self, room: usize, room_max: usize) -> Option<BytesMut> {
        let fits = |spare: &BytesMut| (room..=room_max).contains(&spare.capacity());
        // Of those the smallest, and of equals the oldest.
        let fitting = self.buffers.iter().enumerate().filter(|(_, spare)| fits(spare));
        let (at, _) = fitting.min_by_key(|(_, spare)| spare.capacity())?;
        let buffer = self.buffers.remove(at)?;
        self.bytes -= buffer.capacity();
        Some(buffer)
    }

    /// Answers what is too much, to be freed outside of the lock: the oldest, for which nobody has asked.
    pub(crate) fn give(&mut self, buffer: BytesMut) -> Vec<BytesMut> {
        self.bytes += buffer.capacity();
        self.buffers.push_back(buffer);
        let mut surplus = Vec::new();
        while self.buffers.len() > self.count_max || self.bytes > self.bytes_max {
            let Some(oldest) = self.buffers.pop_front() else {
                break;
            };
            self.bytes -= oldest.capacity();
            surplus.push(oldest);
        }
        surplus
    }

    /// All of them, to be freed outside of the lock.
    pub(crate) fn drain(&mut self) -> VecDeque<BytesMut> {
        self.bytes = 0;
        std::mem::take(&mut self.buffers)
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.buffers.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_has_room_and_wastes_little() {
        for len in (KEPT_MIN..100_000).chain([1 << 20, (1 << 20) + 1, (8 << 20) - 1]) {
            let room = room(len);
            assert!(room >= len && (room - len) * 9 <= room, "{len}: {room}");
            assert_eq!(super::room(room), room, "a buffer serves what is of its own size");
        }
    }
}
