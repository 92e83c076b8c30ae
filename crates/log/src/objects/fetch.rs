//! Blocks and indexes, from the cache, its second tier or the store: adjacent missing blocks in one ranged read, every block checked
//! against its checksum, every load shared by all who wait for it.
//!
//! On the cold fetch path between `cold` and the `ObjectStore` port.

use super::cache::{BlockCache, BlockGuard, BlockKey};
use super::format::{BlockEntry, Covers, FOOTER_BYTES_MAX, ObjectIndex, decode_footer, stated_checksum};
use super::pools::{IoClass, IoPools};
use super::store::{ObjectError, ObjectStore};
use super::tier::{Piece, SecondTier};
use crate::backoff::Backoff;
use crate::error::ReadError;
use crate::manifest::record::ObjectMeta;
use bytes::Bytes;
use futures_util::future::join_all;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::SemaphorePermit;

/// The largest ranged read: more is split, so that a reader's first bytes are not behind its last.
pub(crate) const GET_BYTES_MAX: u64 = 8 << 20;
/// Attempts of one read before the reader is told; it may come again.
const READ_ATTEMPTS_MAX: u32 = 4;

/// Reads objects.
pub(crate) struct Fetcher {
    store: Arc<dyn ObjectStore>,
    cache: BlockCache,
    pools: Arc<IoPools>,
}

impl Fetcher {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, cache: BlockCache, pools: Arc<IoPools>) -> Self {
        Self { store, cache, pools }
    }

    pub(crate) fn cache(&self) -> &BlockCache {
        &self.cache
    }

    pub(crate) fn pools(&self) -> &Arc<IoPools> {
        &self.pools
    }

    /// `None`: the caller has entered a pool already. (Read-ahead has to: it may wait long for its place, and must not hold
    /// the claim on a block meanwhile that a reader waits for.)
    async fn enter(&self, class: Option<IoClass>) -> Option<SemaphorePermit<'_>> {
        match class {
            Some(class) => Some(self.pools.enter(class).await),
            None => None,
        }
    }

    /// The object's index. The caller holds a lease on the object.
    pub(crate) async fn index(
        &self,
        object: &ObjectMeta,
        class: Option<IoClass>,
    ) -> Result<Arc<ObjectIndex>, ReadError> {
        self.cache.index(object.id, self.load_index(object, class)).await
    }

    async fn load_index(
        &self,
        object: &ObjectMeta,
        class: Option<IoClass>,
    ) -> Result<Arc<ObjectIndex>, ReadError> {
        let footer_len = u64::from(object.footer_len);
        let from = object
            .len
            .checked_sub(footer_len)
            .filter(|_| object.footer_len <= FOOTER_BYTES_MAX);
        let from =
            from.ok_or_else(|| ReadError::Corrupt(format!("{}: absurd length of its footer", object.id)))?;
        let decode = |footer: &Bytes| {
            let index = decode_footer(object.id, object.len, footer);
            let index = index
                .map(Arc::new)
                .map_err(|error| format!("{}: {error}", object.id))?;
            match object.checksum {
                Some(sum) if stated_checksum(footer) != Some(sum) => Err(format!(
                    "{}: another object than the one that was committed",
                    object.id
                )),
                _ => Ok(index),
            }
        };
        let piece = piece(object, from, object.footer_len);
        if let Some(second) = self.cache.second()
            && object.checksum.is_some()
            && let Some(footer) = ask(&**second, piece, class).await
        {
            match decode(&footer) {
                Ok(index) => return Ok(index),
                // Kept for an object that is not this one.
                Err(_) => second.forget(object.id.0),
            }
        }
        let _permit = self.enter(class).await;
        let both = |pieces: Vec<Bytes>| decode(&pieces[0]).map(|index| (index, pieces));
        let place = from..object.len;
        let (index, footer) = self.get_checked(object, &[place], both).await?;
        if let Some(second) = self.cache.second() {
            second.offer(piece, &footer[0]);
        }
        Ok(index)
    }

    /// The blocks `wanted` of the object, in order, through the cache. The caller bounds how many.
    pub(crate) async fn blocks(
        &self,
        object: &ObjectMeta,
        index: &ObjectIndex,
        wanted: Range<usize>,
        class: Option<IoClass>,
    ) -> Result<Vec<Bytes>, ReadError> {
        let mut found = Vec::with_capacity(wanted.len());
        while found.len() < wanted.len() {
            let at = wanted.start + found.len();
            match self.cache.block(&key(object, at)).await {
                Ok(block) => found.push(block),
                Err(guard) => {
                    let guards = self.claim_run(object, index, at..wanted.end, guard);
                    found.extend(self.load_run(object, index, at, guards, class).await?);
                }
            }
        }
        Ok(found)
    }

    /// Extends the claim on the first block over those that follow it directly and are as missing. Ascending and without
    /// waiting: two readers can never wait for each other.
    fn claim_run<'a>(
        &'a self,
        object: &ObjectMeta,
        index: &ObjectIndex,
        wanted: Range<usize>,
        first: BlockGuard<'a>,
    ) -> Vec<BlockGuard<'a>> {
        let count = one_read(&index.blocks[wanted.clone()]);
        let mut guards = vec![first];
        for at in wanted.start + 1..wanted.start + count {
            match self.cache.claim(&key(object, at)) {
                Some(guard) => guards.push(guard),
                None => break,
            }
        }
        guards
    }

    async fn load_run(
        &self,
        object: &ObjectMeta,
        index: &ObjectIndex,
        at: usize,
        guards: Vec<BlockGuard<'_>>,
        class: Option<IoClass>,
    ) -> Result<Vec<Bytes>, ReadError> {
        let entries = &index.blocks[at..at + guards.len()];
        let blocks = match self.cache.second() {
            None => {
                let _permit = self.enter(class).await;
                self.load_blocks(object, index.covers, entries).await?
            }
            Some(second) => {
                self.load_by_way_of(&**second, object, index.covers, entries, class)
                    .await?
            }
        };
        for (guard, block) in guards.into_iter().zip(&blocks) {
            // Refused only when the entry was removed meanwhile: the bytes are right all the same.
            let _ = guard.insert(block.clone());
        }
        Ok(blocks)
    }

    /// Reads blocks that lie one after the other, past the cache. (Rewriting reads each block once: it would only drive out
    /// what readers use.)
    pub(crate) async fn load_blocks(
        &self,
        object: &ObjectMeta,
        covers: Covers,
        entries: &[BlockEntry],
    ) -> Result<Vec<Bytes>, ReadError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let pieces: Vec<Range<u64>> = entries.iter().map(BlockEntry::place).collect();
        let whole = |blocks: Vec<Bytes>| {
            let sound = blocks
                .iter()
                .zip(entries)
                .all(|(block, entry)| covers.holds(entry, block));
            sound
                .then_some(blocks)
                .ok_or_else(|| format!("{}: a block is damaged", object.id))
        };
        self.get_checked(object, &pieces, whole).await
    }

    /// Reads until `check` is content. A damaged answer is asked for once more: the damage may have been on the way.
    async fn get_checked<T>(
        &self,
        object: &ObjectMeta,
        pieces: &[Range<u64>],
        check: impl Fn(Vec<Bytes>) -> Result<T, String>,
    ) -> Result<T, ReadError> {
        let key = object.id.key();
        let mut backoff = Backoff::new();
        let mut damaged_before = false;
        for attempt in 1.. {
            let got = {
                let _turn = self.pools.courtesy().turn().await;
                self.store.get_pieces(&key, pieces).await
            };
            match got {
                Ok(pieces) => match check(pieces) {
                    Ok(checked) => return Ok(checked),
                    Err(what) if damaged_before => return Err(ReadError::Corrupt(what)),
                    Err(_) => damaged_before = true,
                },
                Err(error @ ObjectError::Retry { .. }) if attempt < READ_ATTEMPTS_MAX => {
                    tracing::warn!(key, %error, "reading an object failed, trying again");
                    backoff.wait().await;
                }
                Err(ObjectError::NotFound) => {
                    return Err(ReadError::Corrupt(format!(
                        "{} is missing from the store",
                        object.id
                    )));
                }
                Err(error) => return Err(ReadError::Storage(error.to_string())),
            }
        }
        unreachable!("the last attempt returns")
    }

    /// From the second tier what it has; from the store, in as few reads as may be, what it has not, which it is then offered.
    async fn load_by_way_of(
        &self,
        second: &dyn SecondTier,
        object: &ObjectMeta,
        covers: Covers,
        entries: &[BlockEntry],
        class: Option<IoClass>,
    ) -> Result<Vec<Bytes>, ReadError> {
        let asked = entries
            .iter()
            .map(|entry| kept(second, object, covers, entry, class));
        let mut found = join_all(asked).await;
        let mut at = 0;
        while at < found.len() {
            let missing = found[at..].iter().take_while(|block| block.is_none()).count();
            if missing > 0 {
                let gap = &entries[at..at + missing];
                let blocks = {
                    let _permit = self.enter(class).await;
                    self.load_blocks(object, covers, gap).await?
                };
                for (n, (entry, block)) in gap.iter().zip(blocks).enumerate() {
                    second.offer(piece(object, entry.position, entry.len), &block);
                    found[at + n] = Some(block);
                }
            }
            at += missing.max(1);
        }
        Ok(found.into_iter().flatten().collect())
    }
}

/// How many of the blocks, which lie one after the other, are read at once; at least one.
pub(crate) fn one_read(blocks: &[BlockEntry]) -> usize {
    let begin = blocks.first().map_or(0, |block| block.position);
    let fits = |block: &&BlockEntry| block.place().end - begin <= GET_BYTES_MAX;
    blocks.iter().take_while(fits).count().max(1)
}

/// The block, if the tier has it and it is the one that the object's index describes.
async fn kept(
    second: &dyn SecondTier,
    object: &ObjectMeta,
    covers: Covers,
    entry: &BlockEntry,
    class: Option<IoClass>,
) -> Option<Bytes> {
    let block = ask(second, piece(object, entry.position, entry.len), class).await?;
    if block.len() == entry.len as usize && covers.holds(entry, &block) {
        return Some(block);
    }
    second.forget(object.id.0);
    None
}

/// Asks the tier, in front of what is read ahead if a reader waits.
async fn ask(second: &dyn SecondTier, piece: Piece, class: Option<IoClass>) -> Option<Bytes> {
    match class {
        Some(IoClass::ColdRead) => second.get(piece).await,
        _ => second.get_ahead(piece).await,
    }
}

fn piece(object: &ObjectMeta, position: u64, len: u32) -> Piece {
    Piece {
        object: object.id.0,
        position,
        len,
    }
}

fn key(object: &ObjectMeta, block: usize) -> BlockKey {
    let block = u32::try_from(block).expect("a footer holds fewer than 2^21 entries");
    BlockKey {
        object: object.id,
        block,
    }
}
