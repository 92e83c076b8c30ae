//! The log as a whole: opening (recovery), the table of streams, background work, closing.

use crate::clock::Clock;
use crate::config::LogConfig;
use crate::disk::Disk;
use crate::error::{OpenError, StreamError};
use crate::ids::{Epoch, StreamId};
use crate::manifest::store::ManifestStore;
use crate::objects::store::ObjectStore;
use crate::stream::Stream;
use std::sync::Arc;

/// The world, one door each.
pub struct LogPorts {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Files of the write-ahead log.
    pub disk: Arc<dyn Disk>,
    /// Objects.
    pub objects: Arc<dyn ObjectStore>,
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
    /// Bytes put into objects.
    pub object_put_bytes: u64,
    /// Objects live.
    pub objects: u64,
    /// Bytes of live objects.
    pub object_bytes: u64,
    /// Objects deleted by the collector.
    pub objects_collected: u64,
}

/// One log: all streams of one broker.
#[derive(Clone)]
pub struct Log {}

impl Log {
    /// Recovers what the media hold and starts the background work.
    pub async fn open(_config: LogConfig, _ports: LogPorts) -> Result<Log, OpenError> {
        todo!()
    }
    /// The stream, opened under `epoch`; created empty when it never held a batch. Cheap; touches no medium.
    /// A lower epoch than the open one leaves the open one.
    pub fn open_stream(&self, _id: StreamId, _epoch: Epoch) -> Stream {
        todo!()
    }
    /// Every stream of which the log holds anything.
    #[must_use]
    pub fn stream_ids(&self) -> Vec<StreamId> {
        todo!()
    }
    /// Deletes the stream, durably; its objects are collected later. Unknown ids are success.
    pub async fn delete_stream(&self, _id: StreamId) -> Result<(), StreamError> {
        todo!()
    }
    /// Uploads everything that is durable now, and waits for it (tests, clean shutdown of a cluster broker).
    pub async fn upload_now(&self) -> Result<(), StreamError> {
        todo!()
    }
    /// One round of retention, merging, compaction and collection, now.
    pub async fn housekeep_now(&self) -> Result<(), StreamError> {
        todo!()
    }
    /// Counters.
    #[must_use]
    pub fn stats(&self) -> LogStats {
        todo!()
    }
    /// Refuses new appends, answers the queued ones, stops background work.
    pub async fn close(&self) {
        todo!()
    }
}
