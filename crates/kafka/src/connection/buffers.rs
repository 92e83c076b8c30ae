//! Buffers of large frames: those that nobody reads any more are filled again. Fresh ones cost more than the copy into them, as the
//! kernel zeroes every page first.
//!
//! Owns: spare buffers of all connections, within a bound, until connections fall quiet. Never: a buffer that somebody still holds a slice of; the last one to let go of
//! it, wherever that is, gives it back.

use bytes::Bytes;
use parking_lot::Mutex;
use std::sync::Arc;

/// Bytes of spare buffers that are kept: frames that one group of the write-ahead log brings back at once.
const SPARE_BYTES_MAX: usize = 48 << 20;
/// Buffers that are kept, as each is looked at.
const SPARES_MAX: usize = 256;
/// Capacities are multiples of this, so that a buffer fits more than one frame. What a frame does not touch takes no memory.
const STEP_BYTES: usize = 128 << 10;

/// See the module. A cheap clone.
#[derive(Clone, Default)]
pub(crate) struct FrameBuffers {
    spares: Arc<Mutex<Spares>>,
}

#[derive(Default)]
struct Spares {
    buffers: Vec<Vec<u8>>,
    bytes: usize,
}

/// A frame that is being read.
pub(super) struct FrameBuffer {
    /// What has arrived.
    pub(super) bytes: Vec<u8>,
    home: FrameBuffers,
}

impl FrameBuffers {
    /// An empty buffer with room for `len` bytes.
    pub(super) fn take(&self, len: usize) -> FrameBuffer {
        let room = len.next_multiple_of(STEP_BYTES);
        let spare = self.spares.lock().take(room);
        FrameBuffer {
            bytes: spare.unwrap_or_else(|| Vec::with_capacity(room)),
            home: self.clone(),
        }
    }

    /// Lets spare buffers go: what filled them has stopped.
    pub(super) fn trim(&self) {
        let spares = std::mem::take(&mut *self.spares.lock());
        drop(spares);
    }
}

impl Spares {
    fn take(&mut self, room: usize) -> Option<Vec<u8>> {
        // The newest: its pages are the likeliest to be in the processor's caches.
        let at = self.buffers.iter().rposition(|spare| spare.capacity() == room)?;
        self.bytes -= room;
        Some(self.buffers.remove(at))
    }

    /// Answers the buffer where it is too much, to be freed outside of the lock.
    fn give(&mut self, mut buffer: Vec<u8>) -> Option<Vec<u8>> {
        let bytes = self.bytes + buffer.capacity();
        if self.buffers.len() >= SPARES_MAX || bytes > SPARE_BYTES_MAX {
            return Some(buffer);
        }
        buffer.clear();
        self.bytes = bytes;
        self.buffers.push(buffer);
        None
    }
}

impl FrameBuffer {
    /// The frame, which does not change any more.
    pub(super) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for FrameBuffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for FrameBuffer {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.bytes);
        let surplus = self.home.spares.lock().give(buffer);
        drop(surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(buffers: &FrameBuffers, len: usize) -> Bytes {
        let mut buffer = buffers.take(len);
        buffer.bytes.resize(len, 7);
        buffer.freeze()
    }

    #[test]
    fn a_buffer_is_filled_again_once_nobody_holds_a_slice_of_it() {
        let buffers = FrameBuffers::default();
        let first = frame(&buffers, 200_000);
        let (at, slice) = (first.as_ptr(), first.slice(10..20));
        drop(first);
        let second = frame(&buffers, 200_000);
        assert_ne!(second.as_ptr(), at, "a slice of it is held");
        drop((slice, second));
        let third = frame(&buffers, 250_000);
        let fourth = frame(&buffers, 240_000);
        assert!([third.as_ptr(), fourth.as_ptr()].contains(&at));
        assert!(third.iter().all(|byte| *byte == 7) && third.len() == 250_000);
    }

    #[test]
    fn spares_are_bounded_in_bytes_and_count() {
        let buffers = FrameBuffers::default();
        let frames: Vec<Bytes> = (0..2 * SPARES_MAX).map(|_| frame(&buffers, 1)).collect();
        drop(frames);
        assert_eq!(
            buffers.spares.lock().buffers.len(),
            SPARES_MAX.min(SPARE_BYTES_MAX / STEP_BYTES)
        );
        let large = frame(&buffers, SPARE_BYTES_MAX);
        drop(large);
        assert!(buffers.spares.lock().bytes <= SPARE_BYTES_MAX);
        buffers.trim();
        assert_eq!(buffers.spares.lock().bytes, 0);
    }
}
