//! The log as a whole: opening (recovery), background work, closing.
//!
//! Owns: the order in which the parts start and end. Never a decision about data.
//!
//! **Invariant**: nothing can be appended or read before recovery is complete, and `close` answers everything that was queued.

use crate::backlog::Bounds;
use crate::buffers::Buffers;
use crate::clock::Clock;
use crate::config::LogConfig;
use crate::core::Core;
use crate::disk::{Disk, DiskSpace};
use crate::error::{OpenError, StreamError};
use crate::housekeeping::{House, Housekeeper};
use crate::ids::{Epoch, GroupSeq, StreamId};
use crate::manifest::handle::ManifestHandle;
use crate::manifest::store::ManifestStore;
use crate::objects::cache::BlockCache;
use crate::objects::cold::ColdReader;
use crate::objects::fetch::Fetcher;
use crate::objects::pools::IoPools;
use crate::objects::store::ObjectStore;
use crate::objects::tier::{SecondTier, TierStats};
use crate::recovery::Recovery;
use crate::stream::Stream;
use crate::upload::uploader::Uploader;
use crate::wal::file::{FileWal, FileWalOptions};
use crate::wal::format::GROUP_RUNS_MAX;
use crate::wal::group_commit::{GROUP_BYTES_MAX, GroupCommit};
use crate::wal::queue::WalQueue;
use crate::wal::runner::{Ended, start};
use parking_lot::{Mutex, RwLock};
use std::sync::Arc;

/// The world, one door each.
pub struct LogPorts {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Files of the write-ahead log.
    pub disk: Arc<dyn Disk>,
    /// Objects.
    pub objects: Arc<dyn ObjectStore>,
    /// Below the block cache, if there is one.
    pub second_tier: Option<Arc<dyn SecondTier>>,
    /// The list of manifest records.
    pub manifest: Arc<dyn ManifestStore>,
    /// Whether the write-ahead log runs on a thread of its own (production) or as a task (simulator).
    pub wal_runner: WalRunner,
}

/// Where the loop of the write-ahead log runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalRunner {
    /// A std thread: its disk calls block.
    Thread,
    /// A tokio task: deterministic under the simulator.
    Task,
}

/// Counters and gauges, for metrics and for tests that count. All bytes.
#[derive(Clone, Debug, Default)]
pub struct LogStats {
    /// Streams open.
    pub streams: u64,
    /// Groups flushed by the write-ahead log.
    pub wal_groups: u64,
    /// Bytes written to it, headers and padding included.
    pub wal_bytes: u64,
    /// Batches appended.
    pub appended_batches: u64,
    /// Bytes of batches appended.
    pub appended_bytes: u64,
    /// Durable bytes that are not in objects yet.
    pub unuploaded_bytes: u64,
    /// Memory pinned by the tail cache.
    pub tail_cache_bytes: u64,
    /// Memory pinned by the block cache.
    pub block_cache_bytes: u64,
    /// Block cache hits.
    pub block_cache_hits: u64,
    /// Block cache misses.
    pub block_cache_misses: u64,
    /// How long reads of objects gave way to flushes on the same disk, in microseconds, summed over all reads.
    pub reads_held_micros: u64,
    /// The tier below the block cache, if there is one.
    pub second_tier: Option<TierStats>,
    /// Bytes put into objects.
    pub object_put_bytes: u64,
    /// Objects live.
    pub objects: u64,
    /// Bytes of live objects.
    pub object_bytes: u64,
    /// Objects deleted by the collector.
    pub objects_collected: u64,
    /// Room on the volume of the write-ahead log; `None` where the system does not tell.
    pub disk: Option<DiskSpace>,
}

/// One log: all streams of one broker. A cheap clone; the last one dropped ends the background work, as a crash would.
#[derive(Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    core: Arc<Core>,
    uploader: Uploader,
    housekeeper: Housekeeper,
    disk: Arc<dyn Disk>,
    /// The loops of the write-ahead log, until `close` waits for their end.
    wal: Mutex<Option<WalLoops>>,
}

struct WalLoops {
    commit: Ended,
    background: Ended,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.core.stop();
        self.uploader.stop();
        self.housekeeper.stop();
    }
}

impl Log {
    /// Recovers what the media hold and starts the background work, on the current tokio runtime.
    pub async fn open(mut config: LogConfig, ports: LogPorts) -> Result<Log, OpenError> {
        // Otherwise appends could wait for room while nothing asks for an upload.
        config.upload_bytes = config
            .upload_bytes
            .min(config.wal_unuploaded_bytes_max / 2)
            .max(1);
        let manifest = ManifestHandle::open(ports.manifest, ports.objects.clone()).await?;
        let clock = ports.clock.clone();
        let one_disk = ports.objects.is_on_disk();
        let bounds = Bounds::new(&config, one_disk);
        let mut recovery = Recovery::new(manifest.clone(), clock.clone(), &config, bounds);
        let options = FileWalOptions {
            segment_bytes: config.wal_segment_bytes,
            flush: config.flush,
        };
        let through = manifest.wal_through();
        let mut replay = |group| recovery.replay(group);
        let disk = ports.disk;
        let medium = FileWal::open(disk.clone(), clock.clone(), options, through, &mut replay).await?;
        recovery.finish();
        let durable = medium.durable();
        let pools = Arc::new(IoPools::new(one_disk, clock.clone()));
        ports.objects.go_by(pools.pace().clone());
        if let Some(tier) = &ports.second_tier {
            tier.forget_from(manifest.first_free().0);
        }
        let cache = BlockCache::new(config.block_cache_bytes, ports.second_tier);
        let fetcher = Arc::new(Fetcher::new(ports.objects, cache, pools.clone()));
        let core = Arc::new(Core {
            queue: Arc::new(WalQueue::new(
                config.wal_queue_bytes_max,
                // What is queued may become one group, and its table of streams is bounded.
                config.wal_queue_batches_max.min(GROUP_RUNS_MAX),
            )),
            tail: Arc::new(recovery.tail),
            backlog: Arc::new(recovery.backlog),
            counters: Arc::default(),
            medium: Arc::new(medium),
            streams: RwLock::new(recovery.streams),
            cold: ColdReader::new(manifest.clone(), fetcher.clone()),
            buffers: Buffers::default(),
            clock: clock.clone(),
            manifest: manifest.clone(),
            config,
        });
        let config = &core.config;
        let uploader = Uploader::start(
            core.clone(),
            manifest.clone(),
            pools.clone(),
            clock.clone(),
            config,
        );
        let house = House::new(core.clone(), manifest, fetcher, clock, config);
        let inner = Inner {
            disk,
            wal: Mutex::new(None),
            uploader,
            housekeeper: Housekeeper::start(house),
            core,
        };
        // From here on dropping `inner` stops what runs.
        let wal = start_wal(&inner, pools, ports.wal_runner, durable)?;
        *inner.wal.lock() = Some(wal);
        Ok(Log {
            inner: Arc::new(inner),
        })
    }

    /// The stream, opened under `epoch`; created empty when it never held a batch. Cheap; touches no medium.
    /// A lower epoch than the open one leaves the open one.
    #[must_use]
    pub fn open_stream(&self, id: StreamId, epoch: Epoch) -> Stream {
        let partition = self.inner.core.partition(id);
        partition.raise_epoch(epoch);
        Stream::new(self.inner.core.clone(), partition)
    }

    /// Waits while appends are too far ahead of uploads to the same disk; at once where nothing is, or objects lie elsewhere. For whoever is
    /// about to append what others sent, once for all of it: what a broker writes for itself is not to wait.
    pub async fn pace(&self) {
        self.inner.core.backlog.pace().await;
    }

    /// Every stream of which the log holds anything.
    #[must_use]
    pub fn stream_ids(&self) -> Vec<StreamId> {
        self.inner.core.stream_ids()
    }

    /// Deletes the stream, durably; its objects are collected later. Unknown ids are success.
    pub async fn delete_stream(&self, id: StreamId) -> Result<(), StreamError> {
        self.inner.core.delete_stream(id).await
    }

    /// Uploads everything that is durable now, and waits for it (tests, clean shutdown of a cluster broker).
    pub async fn upload_now(&self) -> Result<(), StreamError> {
        self.inner.uploader.upload_now().await
    }

    /// One round of retention, merging, compaction and collection, now.
    pub async fn housekeep_now(&self) -> Result<(), StreamError> {
        self.inner.housekeeper.housekeep_now().await
    }

    /// Memory for what is to be appended: a large batch that fills one of these and begins at a page of it is not copied.
    #[must_use]
    pub fn buffers(&self) -> &Buffers {
        &self.inner.core.buffers
    }

    /// Counters.
    #[must_use]
    pub fn stats(&self) -> LogStats {
        LogStats {
            object_put_bytes: self.inner.uploader.put_bytes(),
            objects_collected: self.inner.housekeeper.collected(),
            disk: self.inner.disk.space(),
            ..self.inner.core.stats()
        }
    }

    /// Refuses new appends, answers the queued ones, stops background work.
    pub async fn close(&self) {
        let inner = &self.inner;
        inner.core.refuse();
        let wal = inner.wal.lock().take();
        let Some(wal) = wal else { return };
        // The commit loop first: it needs the medium's background work to the end.
        wal.commit.wait().await;
        inner.uploader.close().await;
        inner.housekeeper.close().await;
        inner.core.cold.close().await;
        inner.core.stop();
        wal.background.wait().await;
    }

    pub(crate) fn core(&self) -> &Core {
        &self.inner.core
    }
}

fn start_wal(
    inner: &Inner,
    pools: Arc<IoPools>,
    runner: WalRunner,
    durable: GroupSeq,
) -> Result<WalLoops, OpenError> {
    let core = &inner.core;
    let commit = GroupCommit {
        medium: core.medium.clone(),
        queue: core.queue.clone(),
        tail: core.tail.clone(),
        backlog: core.backlog.clone(),
        counters: core.counters.clone(),
        clock: core.clock.clone(),
        group_bytes_max: core.config.wal_group_bytes_max.min(GROUP_BYTES_MAX),
        uploader: inner.uploader.clone(),
        pools,
        upload_bytes: core.config.upload_bytes,
        durable,
        buffers: core.buffers.clone(),
    };
    let medium = core.medium.clone();
    let background = async move { medium.background().await };
    Ok(WalLoops {
        commit: start(runner, "wal-commit", Box::pin(commit.run()))?,
        background: start(runner, "wal-segments", Box::pin(background))?,
    })
}
