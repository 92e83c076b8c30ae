//! The block cache: blocks and object indexes in memory, bounded by what they pin, each loaded once however many wait for it.
//!
//! A second tier (local disk) fits behind `SecondTier`. Never the source of truth: everything in it was checked against the
//! object's checksums, and can go at any time.

use super::ObjectId;
use super::format::ObjectIndex;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use quick_cache::sync::{Cache, GuardResult, PlaceholderGuard};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
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
const INDEX_SHARE: u64 = 8;
/// What an entry costs beside its bytes.
const ENTRY_OVERHEAD_BYTES: u64 = 128;
/// Size by which the number of entries is estimated.
const BLOCK_BYTES_ESTIMATE: u64 = 256 << 10;
/// Independent parts of each cache. Few, as one part must hold several of the largest usual blocks.
const SHARDS: usize = 4;

/// A slower, larger cache below the memory. May lose anything at any time; what it answers is checked again by the caller.
pub trait SecondTier: Send + Sync + 'static {
    /// The bytes put under this name, if it still has them.
    fn get(&self, object: u64, block: u32) -> BoxFuture<'_, Option<Bytes>>;
    /// Offers bytes; never waits for a medium.
    fn offer(&self, object: u64, block: u32, bytes: &Bytes);
}

type Blocks = Cache<BlockKey, Bytes, Charge, FixedHash>;
type Indexes = Cache<ObjectId, Arc<ObjectIndex>, Charge, FixedHash>;
pub(crate) type BlockGuard<'a> =
    PlaceholderGuard<'a, BlockKey, Bytes, Charge, FixedHash, quick_cache::sync::DefaultLifecycle<BlockKey, Bytes>>;

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
}
