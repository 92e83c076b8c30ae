//! Ids that are handed out in blocks: streams, and producers of idempotent writes.
//!
//! Owns: that no id is handed out twice, also after a crash or a lost answer. Never: who uses one.
//! **Invariant**: a counter in the store is above every id that was handed out. What is left of a block at a crash stays unused.

use super::records::{decode_counter, encode_counter};
use super::{Catalog, CatalogError, ROUNDS_MAX};
use crate::key::Key;
use crate::settle::{Settled, StoreFailure};
use crate::store::{Txn, TxnOutcome};
use parking_lot::Mutex;
use std::ops::Range;

/// Producer ids in one block (as in Kafka, KIP-730).
pub const PRODUCER_ID_BLOCK: u64 = 1000;
/// Stream ids taken from the store at once: creating topics one by one costs one transaction each, not two.
const STREAM_ID_BLOCK: u64 = 1000;
/// Stream 0 is never used: a zeroed field is no stream.
const STREAM_ID_FIRST: u64 = 1;
/// Kafka's producer ids are signed.
const PRODUCER_ID_END: u64 = i64::MAX as u64;

/// What is left of the block of stream ids in hand.
#[derive(Default)]
pub(super) struct StreamIds {
    left: Mutex<Range<u64>>,
    /// Held while a block is fetched, so that ten creations at once fetch one.
    fetching: tokio::sync::Mutex<()>,
}

impl StreamIds {
    fn take(&self, count: u64) -> Option<u64> {
        let mut left = self.left.lock();
        let first = left.start;
        if left.end - first < count {
            return None;
        }
        left.start += count;
        Some(first)
    }

    fn refill(&self, block: Range<u64>) {
        let mut left = self.left.lock();
        // With one broker blocks follow each other, and nothing is lost between them.
        if left.end == block.start {
            left.end = block.end;
        } else {
            *left = block;
        }
    }
}

impl Catalog {
    /// A thousand ids for idempotent producers, never handed out before, to anybody.
    pub async fn allocate_producer_ids(&self) -> Result<Range<i64>, CatalogError> {
        let block = self
            .advance(Key::ProducerCounter, 0, PRODUCER_ID_BLOCK, PRODUCER_ID_END)
            .await?;
        let signed = |id| i64::try_from(id).expect("below PRODUCER_ID_END");
        Ok(signed(block.start)..signed(block.end))
    }

    /// The first of `count` consecutive ids of streams.
    pub(super) async fn allocate_streams(&self, count: u32) -> Result<u64, CatalogError> {
        let streams = &self.inner.streams;
        let count = u64::from(count);
        if let Some(first) = streams.take(count) {
            return Ok(first);
        }
        let _turn = streams.fetching.lock().await;
        loop {
            // Another may have fetched while we waited, or taken what we fetched.
            if let Some(first) = streams.take(count) {
                return Ok(first);
            }
            let wanted = count.max(STREAM_ID_BLOCK);
            let block = self
                .advance(Key::StreamCounter, STREAM_ID_FIRST, wanted, u64::MAX)
                .await?;
            streams.refill(block);
        }
    }

    /// Moves a counter on. After a lost answer it is simply moved again: a block that nobody has harms nobody.
    async fn advance(&self, key: Key<'_>, first: u64, by: u64, end: u64) -> Result<Range<u64>, CatalogError> {
        let key = key.encode();
        for _ in 0..ROUNDS_MAX {
            let entry = self.store().get(&key).await.map_err(StoreFailure::not_done)?;
            let stored = entry
                .as_ref()
                .map(|entry| decode_counter(&entry.value))
                .transpose();
            let start = stored.map_err(StoreFailure::not_done)?.unwrap_or(first);
            let next = start.checked_add(by).filter(|next| *next <= end);
            let next = next.ok_or_else(|| StoreFailure::not_done(format_args!("no more ids under {key}")))?;
            let txn = Txn::new()
                .when_unchanged(&key, entry.map(|entry| entry.modified))
                .put(&key, encode_counter(next));
            if let Settled {
                outcome: TxnOutcome::Committed { .. },
                ..
            } = self.send(txn).await?
            {
                return Ok(start..next);
            }
        }
        Err(CatalogError::Contended)
    }
}
