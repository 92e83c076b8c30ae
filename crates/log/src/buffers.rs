//! Buffers for what producers send. A large request is read into one, and its batch stays there: it becomes a part of the write-ahead log's
//! block, and of the tail cache, without a copy. When the cache lets go of it, the buffer is filled again.
//!
//! Owns: spare buffers, within a bound, and where in them a page begins. Never: a buffer that somebody still holds a slice of. Whoever lets
//! go of one says so (`give`); where another one was last, its memory goes back to the allocator instead.
//!
//! On the append path: in front of hop 1, and in the loop of the write-ahead log.

use crate::disk::direct::ALIGN_BYTES;
use crate::spares::{KEPT_MIN, Spares, room};
use bytes::{Buf, BufMut, Bytes, BytesMut};
use parking_lot::Mutex;
use std::sync::Arc;

/// Bytes of spare buffers that are kept: what a few large groups let go of. (With twice as
/// many the broker takes 8 MB more, and CPU time that differs by less than its spread.)
const SPARE_BYTES_MAX: usize = 16 << 20;
/// Buffers that are kept.
const SPARES_MAX: usize = 256;
/// Buffers up to this size are kept. Larger ones are rare and do not come back in time.
const KEPT_MAX: usize = 4 << 20;

/// See the module. A cheap clone.
#[derive(Clone)]
pub struct Buffers {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    spares: Spares,
    /// Whether anybody has asked for a buffer since spare ones were let go of: until then none is kept.
    is_wanted: bool,
}

impl Default for Buffers {
    fn default() -> Self {
        Self {
            inner: Arc::new(Mutex::new(Inner {
                spares: Spares::new(SPARE_BYTES_MAX, SPARES_MAX),
                is_wanted: false,
            })),
        }
    }
}

impl Buffers {
    /// An empty buffer with room for `len` bytes, whose byte number `page_at` will begin a page.
    #[must_use]
    pub fn take(&self, len: usize, page_at: usize) -> BytesMut {
        let room = room(len + ALIGN_BYTES);
        // One with up to half as much more: sizes vary.
        let spare = {
            let mut inner = self.inner.lock();
            inner.is_wanted = true;
            inner.spares.take(room, room + room / 2)
        };
        let mut buffer = spare.unwrap_or_else(|| BytesMut::with_capacity(room));
        let before = (buffer.as_ptr().addr() + page_at).next_multiple_of(ALIGN_BYTES)
            - (buffer.as_ptr().addr() + page_at);
        buffer.put_bytes(0, before);
        buffer.advance(before);
        buffer
    }

    /// Keeps the memory of these bytes, if nobody else holds any of it, to be filled again.
    pub fn give(&self, bytes: Bytes) {
        if bytes.len() < KEPT_MIN {
            return;
        }
        let Ok(mut buffer) = bytes.try_into_mut() else {
            return;
        };
        buffer.clear();
        // Asks for what lies in front of the first byte, too: it has it all then, or it had it before.
        let more = buffer.capacity() + 1;
        let _ = buffer.try_reclaim(more);
        if buffer.capacity() > KEPT_MAX {
            return;
        }
        let mut inner = self.inner.lock();
        let surplus = match inner.is_wanted {
            true => inner.spares.give(buffer),
            false => vec![buffer],
        };
        drop(inner);
        drop(surplus);
    }

    /// Lets spare buffers go, also those that come back before the next is asked for: what filled them has stopped.
    pub fn trim(&self) {
        let mut inner = self.inner.lock();
        inner.is_wanted = false;
        let spares = inner.spares.drain();
        drop(inner);
        drop(spares);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(buffers: &Buffers, len: usize) -> Bytes {
        let mut buffer = buffers.take(len, 0);
        buffer.put_bytes(7, len);
        buffer.freeze()
    }

    fn spare_bytes(buffers: &Buffers) -> usize {
        buffers.inner.lock().spares.bytes()
    }

    #[test]
    fn a_buffer_has_room_and_a_page_where_it_was_asked_for() {
        let buffers = Buffers::default();
        for len in [1, KEPT_MIN, 100_000, (1 << 20) - 1, 3 << 20] {
            for page_at in [0, 1, 100, ALIGN_BYTES - 1, ALIGN_BYTES, 20_000] {
                let mut buffer = buffers.take(len, page_at);
                assert!(buffer.is_empty() && buffer.capacity() >= len, "{len} {page_at}");
                let at = buffer.as_ptr();
                assert!(
                    (at.addr() + page_at).is_multiple_of(ALIGN_BYTES),
                    "{len} {page_at}"
                );
                buffer.put_bytes(1, len);
                assert_eq!(buffer.as_ptr(), at, "it had the room");
                buffers.give(buffer.freeze());
            }
        }
    }

    #[test]
    fn a_buffer_is_filled_again_with_all_its_room_once_nobody_holds_a_slice_of_it() {
        let buffers = Buffers::default();
        let first = filled(&buffers, 200_000);
        let slice = first.slice(10..20);
        buffers.give(first);
        assert_eq!(spare_bytes(&buffers), 0, "a slice of it is held");
        drop(slice);
        let mut again = filled(&buffers, 200_000);
        let at = again.as_ptr();
        // Only a part of it is left when it is given back.
        again.advance(50_000);
        buffers.give(again.slice(..100_000));
        assert_eq!(spare_bytes(&buffers), 0);
        buffers.give(again);
        assert_eq!(spare_bytes(&buffers), room(200_000 + ALIGN_BYTES));
        let third = filled(&buffers, 200_000);
        assert_eq!((third.as_ptr(), spare_bytes(&buffers)), (at, 0));
        assert!(third.iter().all(|byte| *byte == 7) && third.len() == 200_000);
    }

    #[test]
    fn what_is_not_ours_or_not_ours_alone_is_left_alone() {
        let buffers = Buffers::default();
        buffers.give(Bytes::from_static(&[0; 2 * KEPT_MIN]));
        buffers.give(Bytes::from_owner(vec![0; 2 * KEPT_MIN]));
        buffers.give(Bytes::from(vec![0; KEPT_MIN - 1]));
        buffers.give(Bytes::from(vec![0; KEPT_MAX + 1]));
        assert_eq!(spare_bytes(&buffers), 0);
    }

    #[test]
    fn spares_are_bounded_in_bytes_and_count_and_let_go_when_asked() {
        let buffers = Buffers::default();
        let give = |len: usize, count: usize| {
            let all: Vec<Bytes> = (0..count).map(|_| filled(&buffers, len)).collect();
            all.into_iter().for_each(|bytes| buffers.give(bytes));
        };
        give(1 << 20, 2 * (SPARE_BYTES_MAX >> 20));
        assert!((1..=SPARE_BYTES_MAX).contains(&spare_bytes(&buffers)));
        give(KEPT_MIN, 2 * SPARES_MAX);
        assert!(buffers.inner.lock().spares.len() <= SPARES_MAX);
        let on_its_way = filled(&buffers, 1 << 20);
        buffers.trim();
        assert_eq!(spare_bytes(&buffers), 0);
        buffers.give(on_its_way);
        assert_eq!(spare_bytes(&buffers), 0, "nobody wants it");
        give(1 << 20, 1);
        assert!(spare_bytes(&buffers) > 0);
    }
}
