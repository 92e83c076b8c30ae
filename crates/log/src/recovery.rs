//! Opening: what objects hold, then what the write-ahead log holds above it (docs/paths/recover.md).
//!
//! Owns: the replay of groups into streams. Never writes.
//!
//! **Invariant**: after it, every acknowledged batch is at its offset, and producers and epochs are as they were live.

use crate::backlog::{Backlog, Bounds, GroupTime};
use crate::batch::{BatchHeader, ControlRecord, split};
use crate::clock::Clock;
use crate::config::LogConfig;
use crate::core::open_partition;
use crate::error::OpenError;
use crate::ids::{GroupSeq, StreamId};
use crate::manifest::handle::ManifestHandle;
use crate::partition::Partition;
use crate::tail::TailCache;
use crate::wal::{ReplayedGroup, Run};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What replay fills.
pub(crate) struct Recovery {
    manifest: ManifestHandle,
    clock: Arc<dyn Clock>,
    pub(crate) streams: BTreeMap<StreamId, Arc<Partition>>,
    pub(crate) tail: TailCache,
    pub(crate) backlog: Backlog,
}

impl Recovery {
    /// Nothing replayed: the write-ahead log counts from `through + 1`.
    pub(crate) fn new(
        manifest: ManifestHandle,
        clock: Arc<dyn Clock>,
        config: &LogConfig,
        bounds: Bounds,
    ) -> Self {
        let through = manifest.wal_through();
        Self {
            manifest,
            clock,
            streams: BTreeMap::new(),
            tail: TailCache::new(config.tail_cache_bytes, GroupSeq(through.0 + 1)),
            backlog: Backlog::new(bounds, through),
        }
    }

    /// Everything was replayed.
    pub(crate) fn finish(&self) {
        for partition in self.streams.values() {
            partition.finish_replay();
        }
    }

    /// Replays one group.
    pub(crate) fn replay(&mut self, replayed: ReplayedGroup) -> Result<(), OpenError> {
        let ReplayedGroup { group, stored_bytes } = replayed;
        for run in &group.runs {
            let bytes = group.block.slice(run.position, run.bytes as usize);
            self.replay_run(group.seq, group.wall_ms, run, bytes)?;
        }
        let batches = group.runs.iter().map(|run| run.batches as usize).sum();
        let time = GroupTime {
            at: self.clock.monotonic(),
            wall_ms: group.wall_ms,
        };
        self.backlog.replayed(group.seq, batches, stored_bytes, time);
        let pinned = group.block.len() + group.block.overhead_bytes();
        drop(self.tail.insert(group.seq, group.block, pinned));
        Ok(())
    }

    fn replay_run(&mut self, seq: GroupSeq, wall_ms: i64, run: &Run, bytes: Bytes) -> Result<(), OpenError> {
        if self.manifest.is_deleted(run.stream) {
            return Ok(());
        }
        let manifest = &self.manifest;
        let stream = self.streams.entry(run.stream);
        let partition = stream.or_insert_with(|| Arc::new(open_partition(manifest, run.stream)));
        let mut at = run.position;
        let mut batches = 0;
        for batch in split(bytes) {
            let (header, bytes): (BatchHeader, Bytes) = batch.map_err(|error| {
                // The group's checksum holds, so it was written like this.
                OpenError::Corrupt(format!("{} in {seq}: {error}", run.stream))
            })?;
            let marker = ControlRecord::of_batch(&header, &bytes);
            partition.replay(&header, marker.as_ref(), seq, wall_ms, at)?;
            at += header.size_bytes;
            batches += 1;
        }
        if batches != run.batches {
            return Err(OpenError::Corrupt(format!(
                "{} in {seq}: {batches} batches instead of {}",
                run.stream, run.batches
            )));
        }
        Ok(())
    }
}
