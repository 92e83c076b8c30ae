//! Buffers of large frames: those that nobody reads any more are filled again. Fresh ones cost more than the copy into them, as the
//! kernel zeroes every page first.
//!
//! Each is mapped by itself: one thread takes it and another one lets go of it, and what comes back that way an allocator keeps for the
//! thread that took it.
//!
//! Owns: spare buffers of all connections, within a bound, until connections fall quiet. Never: a buffer that somebody still holds a slice of; the last one to let go of
//! it, wherever that is, gives it back.

use bytes::Bytes;
use memmap2::MmapMut;
use parking_lot::Mutex;
use std::ops::DerefMut;
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
    buffers: Vec<Memory>,
    bytes: usize,
}

type Memory = Box<dyn DerefMut<Target = [u8]> + Send + Sync>;

/// Of `len` zeros.
fn memory(len: usize) -> Memory {
    match MmapMut::map_anon(len) {
        Ok(mapped) => Box::new(mapped),
        // The system bounds how many a process has.
        Err(_) => Box::new(vec![0; len]),
    }
}

/// A frame that is being read.
pub(super) struct FrameBuffer {
    /// None once it was given back.
    memory: Option<Memory>,
    /// Bytes that have arrived.
    len: usize,
    home: FrameBuffers,
}

impl FrameBuffers {
    /// An empty buffer with room for `len` bytes.
    pub(super) fn take(&self, len: usize) -> FrameBuffer {
        let room = len.next_multiple_of(STEP_BYTES);
        let spare = self.spares.lock().take(room);
        FrameBuffer {
            memory: Some(spare.unwrap_or_else(|| memory(room))),
            len: 0,
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
    fn take(&mut self, room: usize) -> Option<Memory> {
        // The newest: its pages are the likeliest to be in the processor's caches.
        let at = self.buffers.iter().rposition(|spare| spare.len() == room)?;
        self.bytes -= room;
        Some(self.buffers.remove(at))
    }

    /// Answers the buffer where it is too much, to be freed outside of the lock.
    fn give(&mut self, buffer: Memory) -> Option<Memory> {
        let bytes = self.bytes + buffer.len();
        if self.buffers.len() >= SPARES_MAX || bytes > SPARE_BYTES_MAX {
            return Some(buffer);
        }
        self.bytes = bytes;
        self.buffers.push(buffer);
        None
    }
}

impl FrameBuffer {
    /// Bytes that have arrived.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Where the next bytes go; `arrived` then says how many they were.
    pub(super) fn room(&mut self) -> &mut [u8] {
        let memory = self.memory.as_mut().expect("it is given back when it is dropped");
        &mut memory[self.len..]
    }

    /// See `room`.
    pub(super) fn arrived(&mut self, count: usize) {
        self.len += count;
    }

    /// Appends bytes that arrived elsewhere.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.room()[..bytes.len()].copy_from_slice(bytes);
        self.arrived(bytes.len());
    }

    /// The frame, which does not change any more.
    pub(super) fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for FrameBuffer {
    fn as_ref(&self) -> &[u8] {
        self.memory.as_deref().map_or(&[], |memory| &memory[..self.len])
    }
}

impl Drop for FrameBuffer {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            let surplus = self.home.spares.lock().give(memory);
            drop(surplus);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(buffers: &FrameBuffers, len: usize) -> Bytes {
        let mut buffer = buffers.take(len);
        buffer.push(&vec![7; len]);
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
