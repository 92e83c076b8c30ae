//! The block cache: blocks and object indexes in memory, bounded by what they pin, each loaded once however many wait for it.
//!
//! A second tier (`tier`) may stand below it. Never the source of truth: everything in it was checked against the
//! object's checksums, and can go at any time.

use super::ObjectId;
use super::format::ObjectIndex;
use super::tier::{SecondTier, TierStats};
use crate::disk::pages::pinned_by_read;
use bytes::Bytes;
use quick_cache::sync::{Cache, GuardResult, PlaceholderGuard};
use quick_cache::{OptionsBuilder, Weighter};
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Name of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct BlockKey {
    pub(crate) object: ObjectId,
    pub(crate) block: u32,
}

/// Part of the budget that indexes get.
pub(crate) const INDEX_SHARE: u64 = 6;
/// What an entry costs beside its bytes.
const ENTRY_OVERHEAD_BYTES: u64 = 128;
/// Size by which the number of entries is estimated.
const BLOCK_BYTES_ESTIMATE: u64 = 256 << 10;
/// Independent parts of each cache. Few, as one part must hold several of the largest usual blocks.
pub(crate) const SHARDS: usize = 4;

/// Part of the cache that is kept for what was asked for again. Most of it is for what is new: a reader that catches up asks for each block a
/// few times and then never again, and what it is through with must not drive out what was read ahead for it.
const HOT_SHARE: f64 = 0.25;

type Blocks = Cache<BlockKey, Bytes, Charge, FixedHash>;
type Indexes = Cache<ObjectId, Arc<ObjectIndex>, Charge, FixedHash>;
pub(crate) type BlockGuard<'a> = PlaceholderGuard<
    'a,
    BlockKey,
    Bytes,
    Charge,
    FixedHash,
    quick_cache::sync::DefaultLifecycle<BlockKey, Bytes>,
>;

/// See the file's text.
pub(crate) struct BlockCache {
    blocks: Blocks,
    indexes: Indexes,
    second: Option<Arc<dyn SecondTier>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// Counters of the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CacheStats {
    pub(crate) bytes: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) second: Option<TierStats>,
}

impl BlockCache {
    pub(crate) fn new(capacity_bytes: usize, second: Option<Arc<dyn SecondTier>>) -> Self {
        let capacity = capacity_bytes as u64;
        let for_indexes = capacity / INDEX_SHARE;
        Self {
            blocks: build(capacity - for_indexes),
            indexes: build(for_indexes),
            second,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// Bytes that blocks may pin.
    pub(crate) fn capacity_bytes(&self) -> u64 {
        self.blocks.capacity()
    }

    /// The block, or the right to load it; waits while another loads it.
    pub(crate) async fn block(&self, key: &BlockKey) -> Result<Bytes, BlockGuard<'_>> {
        let found = self.blocks.get_value_or_guard_async(key).await;
        let counter = if found.is_ok() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// The right to load the block, if it is neither here nor being loaded. Never waits.
    pub(crate) fn claim(&self, key: &BlockKey) -> Option<BlockGuard<'_>> {
        match self.blocks.get_value_or_guard(key, Some(Duration::ZERO)) {
            GuardResult::Guard(guard) => {
                self.misses.fetch_add(1, Ordering::Relaxed);
                Some(guard)
            }
            GuardResult::Value(_) | GuardResult::Timeout => None,
        }
    }

    /// The object's index, loaded by `load` once however many ask.
    pub(crate) async fn index<E>(
        &self,
        object: ObjectId,
        load: impl Future<Output = Result<Arc<ObjectIndex>, E>>,
    ) -> Result<Arc<ObjectIndex>, E> {
        self.indexes.get_or_insert_async(&object, load).await
    }

    /// The object was deleted. What the memory holds of it goes by itself, as nobody asks for it; a disk forgets slowly.
    pub(crate) fn forget(&self, object: ObjectId) {
        if let Some(second) = &self.second {
            second.forget(object.0);
        }
    }

    pub(crate) fn second(&self) -> Option<&Arc<dyn SecondTier>> {
        self.second.as_ref()
    }

    pub(crate) fn stats(&self) -> CacheStats {
        CacheStats {
            bytes: self.blocks.weight() + self.indexes.weight(),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            second: self.second.as_ref().map(|second| second.stats()),
        }
    }
}

fn build<K, V>(capacity: u64) -> Cache<K, V, Charge, FixedHash>
where
    K: Eq + std::hash::Hash + Clone,
    V: Clone,
    Charge: Weighter<K, V>,
{
    let entries = usize::try_from(capacity / BLOCK_BYTES_ESTIMATE)
        .unwrap_or(usize::MAX)
        .max(64);
    let options = OptionsBuilder::new()
        .shards(SHARDS)
        .estimated_items_capacity(entries)
        .weight_capacity(capacity)
        .hot_allocation(HOT_SHARE)
        .build()
        .expect("entries and capacity are given");
    Cache::with_options(options, Charge, FixedHash, Default::default())
}

/// What an entry pins.
#[derive(Clone)]
pub(crate) struct Charge;

impl Weighter<BlockKey, Bytes> for Charge {
    fn weight(&self, _: &BlockKey, block: &Bytes) -> u64 {
        pinned_by_read(block.len()) as u64 + ENTRY_OVERHEAD_BYTES
    }
}

impl Weighter<ObjectId, Arc<ObjectIndex>> for Charge {
    fn weight(&self, _: &ObjectId, index: &Arc<ObjectIndex>) -> u64 {
        index.charge_bytes() + ENTRY_OVERHEAD_BYTES
    }
}

/// Keys are our own numbers, so no secret seed is needed; a fixed hash evicts the same entries in every run of the simulator.
#[derive(Clone, Default)]
pub(crate) struct FixedHash;

impl BuildHasher for FixedHash {
    type Hasher = KeyHasher;
    fn build_hasher(&self) -> KeyHasher {
        KeyHasher(0)
    }
}

/// Mixes the few integers of a key (the finalizer of splitmix64).
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }
    fn write_u64(&mut self, value: u64) {
        let mut mixed = (self.0 ^ value).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.0 = mixed ^ (mixed >> 31);
    }
}
