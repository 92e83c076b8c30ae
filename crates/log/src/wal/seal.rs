//! Makes a group's block of its batches: a large one that fills the buffer of its request stays where it is, the others are copied
//! together.
//!
//! Owns: that choice, and the stamp of offset and epoch. **Invariant**: each batch is copied once at most, and a block pins hardly more
//! memory than it has bytes (trap T14).
//!
//! On the append path: between the queue and the medium.

use super::Run;
use super::block::Block;
use super::queue::QueuedBatch;
use crate::batch::{BatchHeader, LARGE_BYTES_MIN, stamp};
use crate::buffers::Buffers;
use crate::disk::direct::ALIGN_BYTES;
use crate::spares::KEPT_MIN;
use bytes::{Bytes, BytesMut};

/// Copied batches share extents of about this size, or less at the end: of few sizes, so that buffers fit again. A larger batch has one of its
/// own.
const EXTENT_BYTES: usize = 256 << 10;

/// A block, with what is known of it.
pub(super) struct Sealed {
    pub(super) runs: Vec<Run>,
    pub(super) block: Block,
    /// Memory that the block pins.
    pub(super) pinned: usize,
}

/// Takes the batches' bytes, stamps them, and tells each batch its place. They are in the order of stream and offset.
pub(super) fn seal(batches: &mut [QueuedBatch], buffers: &Buffers) -> Sealed {
    let mut sealing = Sealing {
        buffers,
        runs: Vec::new(),
        block: Block::default(),
        pinned: 0,
        copies: BytesMut::new(),
    };
    let mut rest = batches;
    while let Some((batch, behind)) = rest.split_first_mut() {
        let bytes = std::mem::take(&mut batch.bytes);
        batch.position = match alone(bytes) {
            Ok(own) => sealing.keep(own, &batch.header),
            Err(bytes) => sealing.copy(bytes, &batch.header, behind),
        };
        sealing.note(batch);
        rest = behind;
    }
    sealing.close_copies();
    Sealed {
        pinned: sealing.pinned + sealing.block.overhead_bytes(),
        runs: sealing.runs,
        block: sealing.block,
    }
}

struct Sealing<'a> {
    buffers: &'a Buffers,
    runs: Vec<Run>,
    block: Block,
    pinned: usize,
    /// The extent that copies go to; without memory when there is none.
    copies: BytesMut,
}

impl Sealing<'_> {
    /// The batch becomes an extent.
    fn keep(&mut self, mut batch: BytesMut, header: &BatchHeader) -> usize {
        self.close_copies();
        stamp(&mut batch, header.base_offset, header.epoch);
        self.pinned += pinned(&batch);
        self.block.push(batch.freeze())
    }

    /// The batch is put behind other copies, into a new extent if there is no room. `behind` are the batches that follow it.
    fn copy(&mut self, batch: Bytes, header: &BatchHeader, behind: &[QueuedBatch]) -> usize {
        if self.copies.capacity() - self.copies.len() < batch.len() || self.copies.is_empty() {
            self.close_copies();
            let wanted = room_for_copies(batch.len(), behind);
            self.copies = match wanted {
                ..KEPT_MIN => BytesMut::with_capacity(wanted),
                _ => self.buffers.take(wanted, 0),
            };
        }
        let at = self.copies.len();
        self.copies.extend_from_slice(&batch);
        stamp(&mut self.copies[at..], header.base_offset, header.epoch);
        self.buffers.give(batch);
        self.block.next_at() + at
    }

    fn close_copies(&mut self) {
        if !self.copies.is_empty() {
            let copies = std::mem::take(&mut self.copies);
            self.pinned += pinned(&copies);
            self.block.push(copies.freeze());
        }
    }

    fn note(&mut self, batch: &QueuedBatch) {
        let (stream, bytes) = (batch.partition.id(), batch.len());
        match self.runs.last_mut() {
            Some(run) if run.stream == stream && run.end() == batch.position => {
                run.bytes += bytes;
                run.batches += 1;
            }
            _ => self.runs.push(Run {
                stream,
                position: batch.position,
                bytes,
                batches: 1,
            }),
        }
    }
}

/// Whether the batch may stay where it is: nobody else holds any of its buffer, of which it fills the most, and it begins at a page.
fn alone(batch: Bytes) -> Result<BytesMut, Bytes> {
    if !may_be_alone(&batch) {
        return Err(batch);
    }
    let len = batch.len();
    let mut own = batch.try_into_mut()?;
    let is_filled = pinned(&own) <= len + len / 2;
    // A batch behind others in its request: it is moved where there is room in front for as much as it is, and only there.
    let room = own.capacity();
    if !is_filled || own.try_reclaim(room) {
        return Err(own.freeze());
    }
    Ok(own)
}

fn may_be_alone(batch: &Bytes) -> bool {
    batch.len() >= LARGE_BYTES_MIN && batch.as_ptr().addr().is_multiple_of(ALIGN_BYTES)
}

/// Memory that the buffer takes. What lies in front of its first byte is less than two pages where a request was read for it.
fn pinned(buffer: &BytesMut) -> usize {
    match buffer.capacity() {
        small @ ..KEPT_MIN => small,
        large => large + 2 * ALIGN_BYTES,
    }
}

/// Bytes for a batch of `len` bytes and those that follow it, as far as they go into the same extent.
fn room_for_copies(len: usize, behind: &[QueuedBatch]) -> usize {
    let mut room = len;
    for batch in behind {
        let more = room + batch.bytes.len();
        if more > EXTENT_BYTES || may_be_alone(&batch.bytes) {
            break;
        }
        room = more;
    }
    room
}
