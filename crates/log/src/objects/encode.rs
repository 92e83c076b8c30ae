//! Builds one object from whole batches, in order, as gathered parts: large batches are taken as they are, small ones are
//! copied together (a part per hundred-byte batch would cost more than the copy, and pin the memory around it, trap T14).
//! A block of large batches begins at a page of the object: who writes past the page cache can take it from where it lies.
//!
//! Memory: the parts, that is the object; the caller bounds how many are built at once.

use super::ObjectId;
use super::format::{
    BLOCK_BYTES_MAX, BlockEntry, HEADER_BYTES, PAGE_BYTES, encode_footer, encode_header, stated_checksum,
};
use crate::batch::{HeadsSum, LARGE_BYTES_MIN};
use crate::clock::TimestampMs;
use crate::disk::direct::{ALIGN_BYTES, padding};
use crate::ids::{Offset, StreamId};
use bytes::{BufMut, Bytes, BytesMut};

/// Batches below this are copied into a common buffer.
pub(crate) const COPY_BELOW_BYTES: usize = 4 << 10;
/// The common buffer is sealed as a part at this size.
const GATHER_BYTES: usize = 256 << 10;
// A page of the format is one of the disk's: `padding` ends at it, and a direct write may begin there.
const _: () = assert!(PAGE_BYTES == ALIGN_BYTES as u64);

/// What the encoder has to know of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BatchSpan {
    /// Offset of the first record.
    pub(crate) base: Offset,
    /// Offset of the last record.
    pub(crate) last: Offset,
    /// Timestamp of the first record.
    pub(crate) first_timestamp: TimestampMs,
    /// Largest timestamp.
    pub(crate) max_timestamp: TimestampMs,
}

/// An object, ready to be put.
#[cfg_attr(not(test), expect(dead_code, reason = "tests compare with what is read back"))]
pub(crate) struct EncodedObject {
    pub(crate) id: ObjectId,
    pub(crate) nonce: u64,
    /// The whole object, one part after the other.
    pub(crate) parts: Vec<Bytes>,
    pub(crate) len: u64,
    pub(crate) footer_len: u32,
    /// As in the trailer: of all of it.
    pub(crate) checksum: u64,
    /// As in the index.
    pub(crate) blocks: Vec<BlockEntry>,
}

/// Builds one object.
pub(crate) struct ObjectEncoder {
    id: ObjectId,
    nonce: u64,
    block_target_bytes: usize,
    parts: Vec<Bytes>,
    gather: BytesMut,
    position: u64,
    blocks: Vec<BlockEntry>,
    open: Option<(BlockEntry, Box<HeadsSum>)>,
}

impl ObjectEncoder {
    pub(crate) fn new(id: ObjectId, nonce: u64, block_target_bytes: usize) -> Self {
        let mut gather = BytesMut::with_capacity(GATHER_BYTES);
        gather.put_slice(&encode_header(id, nonce));
        Self {
            id,
            nonce,
            block_target_bytes,
            parts: Vec::new(),
            gather,
            position: HEADER_BYTES as u64,
            blocks: Vec::new(),
            open: None,
        }
    }

    /// Adds one whole batch. Streams ascend, offsets of a stream ascend.
    pub(crate) fn push(&mut self, stream: StreamId, span: BatchSpan, batch: Bytes) {
        assert!(
            span.base <= span.last && !batch.is_empty(),
            "a batch holds records"
        );
        let len = u32::try_from(batch.len()).expect("a batch's length is an i32 on the wire");
        let closes = self.open.as_ref().is_some_and(|(block, _)| {
            assert!(
                (block.stream, block.last) < (stream, span.base),
                "batches are pushed in order of stream and offset"
            );
            block.stream != stream || block.len as usize + batch.len() > self.block_target_bytes
        });
        if closes {
            self.close_block();
        }
        if self.open.is_none() && batch.len() >= LARGE_BYTES_MIN {
            self.skip_to_page();
        }
        let position = self.position;
        let (block, sum) = self
            .open
            .get_or_insert_with(|| (first_entry(stream, span, position), Box::default()));
        block.last = span.last;
        block.max_timestamp = block.max_timestamp.max(span.max_timestamp);
        block.batches += 1;
        block.len = block.len.checked_add(len).expect("a block closes at its target");
        assert!(block.len <= BLOCK_BYTES_MAX, "a block closes at its target");
        sum.push(&batch);
        self.position += u64::from(len);
        self.gather(batch);
    }

    /// For a block whose first batch is large: a direct write takes it from where it lies in memory, at a page too if it is the write-ahead
    /// log's (`wal/seal.rs`). The gap is a sixteenth of such a block at most, less than a hundredth of a full one.
    ///
    /// A large batch does not close the block that is open, so of several in one block only the first lies at a page. Blocks of one batch each
    /// would be up to eight times as many: in the index, and as direct reads of a backlog, of which each waits for the disk. Batches of more
    /// than half a block never share one with each other as it is.
    fn skip_to_page(&mut self) {
        let gap = padding(self.position);
        if !gap.is_empty() {
            self.seal_gathered();
            self.position += gap.len() as u64;
            self.parts.push(gap);
        }
    }

    fn gather(&mut self, batch: Bytes) {
        if batch.len() < COPY_BELOW_BYTES {
            if self.gather.capacity() - self.gather.len() < batch.len() {
                self.seal_gathered();
                self.gather = BytesMut::with_capacity(GATHER_BYTES);
            }
            self.gather.put_slice(&batch);
        } else {
            self.seal_gathered();
            self.parts.push(batch);
        }
    }

    fn seal_gathered(&mut self) {
        if !self.gather.is_empty() {
            // The rest of the buffer takes the next small batches: a buffer for each would be pinned by a few bytes (T14).
            self.parts.push(self.gather.split().freeze());
        }
    }

    fn close_block(&mut self) {
        if let Some((mut block, sum)) = self.open.take() {
            block.checksum = sum.digest();
            self.blocks.push(block);
        }
    }

    pub(crate) fn finish(mut self) -> EncodedObject {
        self.close_block();
        let footer = encode_footer(self.id, self.nonce, self.position, &self.blocks);
        let checksum = stated_checksum(&footer).expect("a trailer was just written");
        let footer_len = u32::try_from(footer.len()).expect("an object holds fewer than 2^26 blocks");
        self.seal_gathered();
        self.parts.push(footer.freeze());
        EncodedObject {
            id: self.id,
            nonce: self.nonce,
            parts: self.parts,
            len: self.position + u64::from(footer_len),
            footer_len,
            checksum,
            blocks: self.blocks,
        }
    }
}

fn first_entry(stream: StreamId, span: BatchSpan, position: u64) -> BlockEntry {
    BlockEntry {
        stream,
        base: span.base,
        last: span.last,
        position,
        len: 0,
        batches: 0,
        first_timestamp: span.first_timestamp,
        max_timestamp: span.max_timestamp,
        checksum: 0,
    }
}
