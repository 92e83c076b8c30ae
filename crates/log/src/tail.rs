//! The tail cache: the newest groups' blocks of all streams, in memory.
//!
//! Owns: a FIFO of blocks and its byte budget. Never holds the only copy: a block enters when its group is durable.
//!
//! **Invariant**: the blocks are those of contiguous groups, and their bytes, as charged, are within the budget but for the newest
//! block. A block's buffers are hardly larger than its batches, and the charge is what they pin (trap T14).
//!
//! On the fetch path: first stop of every read near the end.

use crate::ids::GroupSeq;
use crate::wal::Block;
use bytes::Bytes;
use parking_lot::RwLock;
use std::collections::VecDeque;

/// What an entry costs besides its block: the handle here and the allocation's own header, rounded up.
const BLOCK_OVERHEAD_BYTES: usize = 96;

/// See the module.
pub(crate) struct TailCache {
    bytes_max: usize,
    inner: RwLock<Inner>,
}

struct Inner {
    /// Number of the first block's group.
    first: GroupSeq,
    blocks: VecDeque<Cached>,
    bytes: usize,
}

struct Cached {
    block: Block,
    /// Memory that it takes.
    charge: usize,
}

impl TailCache {
    /// An empty cache; the next group is `next`.
    pub(crate) fn new(bytes_max: usize, next: GroupSeq) -> Self {
        Self {
            bytes_max,
            inner: RwLock::new(Inner {
                first: next,
                blocks: VecDeque::new(),
                bytes: 0,
            }),
        }
    }

    /// Takes the block of a group that just became durable, which pins so much memory, and lets the oldest go for it, which it returns: to
    /// be dropped outside of the lock.
    pub(crate) fn insert(&self, seq: GroupSeq, block: Block, pinned: usize) -> Vec<Block> {
        let mut evicted = Vec::new();
        let mut inner = self.inner.write();
        let expected = inner.first.0 + inner.blocks.len() as u64;
        assert_eq!(seq.0, expected, "groups enter in order");
        let charge = pinned + BLOCK_OVERHEAD_BYTES;
        inner.bytes += charge;
        inner.blocks.push_back(Cached { block, charge });
        while inner.bytes > self.bytes_max && inner.blocks.len() > 1 {
            let oldest = inner.blocks.pop_front().expect("there are two");
            inner.bytes -= oldest.charge;
            inner.first.0 += 1;
            evicted.push(oldest.block);
        }
        evicted
    }

    /// Batches that lie together in the block of a group, unless that was evicted.
    pub(crate) fn get(&self, seq: GroupSeq, position: u32, len: u32) -> Option<Bytes> {
        let inner = self.inner.read();
        let index = usize::try_from(seq.0.checked_sub(inner.first.0)?).ok()?;
        let cached = inner.blocks.get(index)?;
        Some(cached.block.slice(position as usize, len as usize))
    }

    /// The oldest group whose block is here.
    pub(crate) fn first(&self) -> GroupSeq {
        self.inner.read().first
    }

    /// Memory pinned.
    pub(crate) fn bytes(&self) -> usize {
        self.inner.read().bytes
    }
}
