//! What all handles share: the table of streams, the queue, the caches, the media.
//!
//! Owns: finding a stream, and reading from wherever its bytes are. Never an offset: that is the partition's.
//!
//! **Invariant**: a read goes tail cache -> write-ahead log -> objects, and each step holds what the one before let go of.
//!
//! On the fetch path: between `Stream::read` and the caches.

use crate::backlog::Backlog;
use crate::batch::{StoredBatch, split};
use crate::clock::{Clock, TimestampMs};
use crate::config::LogConfig;
use crate::counters::Counters;
use crate::error::{ReadError, StreamError};
use crate::ids::{GroupSeq, Offset, StreamId};
use crate::log::LogStats;
use crate::manifest::handle::ManifestHandle;
use crate::partition::{Committed, Partition, Piece, Plan};
use crate::stream::{ReadLimit, ReadOutcome, TimestampedOffset};
use crate::tail::TailCache;
use crate::upload::source::TailBatch;
use crate::wal::WalMedium;
use crate::wal::queue::WalQueue;
use bytes::Bytes;
use parking_lot::RwLock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How often a read starts over because its bytes moved to objects in between. Each time an upload completed, so two are rare.
const READ_ATTEMPTS_MAX: usize = 8;
/// Decompressed bytes of one batch that a search by time looks at; larger ones are answered with their first record's place.
const SEARCH_BYTES_MAX: usize = 256 << 20;

/// See the module.
pub(crate) struct Core {
    pub(crate) config: LogConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) queue: Arc<WalQueue>,
    pub(crate) tail: Arc<TailCache>,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) medium: Arc<dyn WalMedium>,
    pub(crate) manifest: ManifestHandle,
    /// Ordered, so that whoever walks over all streams does it in the same order each time.
    pub(crate) streams: RwLock<BTreeMap<StreamId, Arc<Partition>>>,
}

impl Core {
    /// The stream, from the table or as the manifest knows it. Touches no medium.
    pub(crate) fn partition(&self, id: StreamId) -> Arc<Partition> {
        if let Some(partition) = self.streams.read().get(&id) {
            return partition.clone();
        }
        let mut streams = self.streams.write();
        let partition = streams
            .entry(id)
            .or_insert_with(|| Arc::new(open_partition(&self.manifest, id)));
        partition.clone()
    }

    /// All streams in the table.
    pub(crate) fn partitions(&self) -> Vec<Arc<Partition>> {
        self.streams.read().values().cloned().collect()
    }

    /// Bytes that objects hold of a stream.
    pub(crate) fn object_bytes(&self, id: StreamId) -> u64 {
        self.manifest.stream_state(id).map_or(0, |state| state.bytes)
    }

    /// See `Stream::read`.
    pub(crate) async fn read(
        &self,
        partition: &Partition,
        from: Offset,
        limit: ReadLimit,
    ) -> Result<ReadOutcome, ReadError> {
        let mut last_error = None;
        for _ in 0..READ_ATTEMPTS_MAX {
            match partition.plan(from, limit, self.tail.first())? {
                Plan::Empty => {
                    return Ok(ReadOutcome {
                        next: from,
                        ..ReadOutcome::default()
                    });
                }
                Plan::Objects(_below) => {
                    return Err(ReadError::Storage("reading from objects is not wired yet".into()));
                }
                Plan::Tail(pieces) => match self.read_tail(&pieces).await {
                    Ok(outcome) => return Ok(outcome),
                    // Uploaded and recycled since it was planned, as a rule: the next plan looks in objects.
                    Err(error) => last_error = Some(error),
                },
            }
        }
        Err(last_error.expect("every attempt but the last ended in it"))
    }

    async fn read_tail(&self, pieces: &[Piece]) -> Result<ReadOutcome, ReadError> {
        let mut outcome = ReadOutcome {
            chunks: Vec::with_capacity(pieces.len()),
            ..ReadOutcome::default()
        };
        for piece in pieces {
            let chunk = self.block_bytes(piece.group, piece.position, piece.len).await?;
            outcome.bytes += chunk.len();
            outcome.next = piece.next;
            outcome.chunks.push(chunk);
        }
        Ok(outcome)
    }

    /// Bytes of a durable group: from memory, else from the medium.
    pub(crate) async fn block_bytes(
        &self,
        group: GroupSeq,
        position: u32,
        len: u32,
    ) -> Result<Bytes, ReadError> {
        if let Some(block) = self.tail.get(group) {
            let position = position as usize;
            return Ok(block.slice(position..position + len as usize));
        }
        let bytes = self.medium.read(group, position, len).await?;
        check_batches(&bytes)?;
        Ok(bytes)
    }

    /// See `Stream::find_by_time`.
    pub(crate) async fn find_by_time(
        &self,
        partition: &Partition,
        at_least: TimestampMs,
    ) -> Result<Option<TimestampedOffset>, ReadError> {
        let (start, _) = partition.start_and_uploaded();
        let mut from = start;
        while let Some(batch) = partition.tail_by_time(at_least, from) {
            let found = self
                .search(&batch, |_, timestamp| timestamp >= at_least, start)
                .await?;
            if found.is_some() {
                return Ok(found);
            }
            // The header promised more than the records hold, or the record lies below the start.
            from = batch.last.plus(1);
        }
        Ok(None)
    }

    /// See `Stream::find_max_time`.
    pub(crate) async fn find_max_time(
        &self,
        partition: &Partition,
    ) -> Result<Option<TimestampedOffset>, ReadError> {
        let (start, _) = partition.start_and_uploaded();
        match partition.tail_max_time(start) {
            None => Ok(None),
            Some(batch) => {
                let max = batch.max_timestamp;
                self.search(&batch, |_, timestamp| timestamp >= max, start).await
            }
        }
    }

    /// The batch's first record, from `start` on, that is wanted.
    async fn search(
        &self,
        batch: &TailBatch,
        is_wanted: impl Fn(Offset, TimestampMs) -> bool,
        start: Offset,
    ) -> Result<Option<TimestampedOffset>, ReadError> {
        let bytes = self.block_bytes(batch.group, batch.position, batch.len).await?;
        let corrupt = |error| ReadError::Corrupt(format!("batch at offset {}: {error}", batch.base));
        let stored = StoredBatch::verify(bytes).map_err(corrupt)?;
        let epoch = stored.header().epoch;
        let records = stored.records(SEARCH_BYTES_MAX).map_err(corrupt)?;
        for record in records.iter() {
            let record = record.map_err(corrupt)?;
            if record.offset >= start && is_wanted(record.offset, record.timestamp) {
                return Ok(Some(TimestampedOffset {
                    offset: record.offset,
                    timestamp: record.timestamp,
                    epoch,
                }));
            }
        }
        Ok(None)
    }

    /// See `Stream::trim`.
    pub(crate) async fn trim(&self, partition: &Partition, start: Offset) -> Result<Offset, StreamError> {
        partition.check_trim(start)?;
        let start = self.manifest.trim(partition.id(), start).await?;
        partition.advance_start(start);
        Ok(start)
    }

    /// Streams in the table that hold, or held, anything, and streams in objects.
    pub(crate) fn stream_ids(&self) -> Vec<StreamId> {
        let in_objects = self
            .manifest
            .stream_ids()
            .into_iter()
            .filter(|id| !self.manifest.is_deleted(*id));
        let mut ids: BTreeSet<StreamId> = in_objects.collect();
        for partition in self.partitions() {
            if partition.is_deleted() {
                ids.remove(&partition.id());
            } else if partition.bounds(0).end > Offset::ZERO {
                ids.insert(partition.id());
            }
        }
        ids.into_iter().collect()
    }

    /// See `Log::stats`.
    pub(crate) fn stats(&self) -> LogStats {
        let counters = &self.counters;
        LogStats {
            streams: self.streams.read().len() as u64,
            wal_groups: counters.groups.load(Ordering::Relaxed),
            wal_bytes: counters.wal_bytes.load(Ordering::Relaxed),
            appended_batches: counters.batches.load(Ordering::Relaxed),
            appended_bytes: counters.batch_bytes.load(Ordering::Relaxed),
            unuploaded_bytes: self.backlog.waiting().0,
            tail_cache_bytes: self.tail.bytes() as u64,
            ..LogStats::default()
        }
    }

    /// Ends all loops: the commit loop once its queue is empty.
    pub(crate) fn stop(&self) {
        self.queue.close();
        self.medium.close();
    }

    /// See `Log::delete_stream`.
    pub(crate) async fn delete_stream(&self, id: StreamId) -> Result<(), StreamError> {
        let partition = self.streams.read().get(&id).cloned();
        // Refused first: what is queued now is in groups up to the next one, or fails.
        if let Some(partition) = &partition {
            partition.delete();
        }
        let as_of = GroupSeq(self.backlog.last_durable().0 + 1);
        self.manifest.delete_stream(id, as_of).await
    }
}

/// A stream as the manifest knows it.
pub(crate) fn open_partition(manifest: &ManifestHandle, id: StreamId) -> Partition {
    let committed = manifest
        .stream_state(id)
        .map_or_else(Committed::default, |state| Committed {
            start: state.start,
            end: state.end,
            epochs: state.epochs,
            producers: state.producers.to_vec(),
        });
    let partition = Partition::new(id, committed);
    if manifest.is_deleted(id) {
        partition.delete();
    }
    partition
}

/// Bytes read back from a medium are whole batches with their checksums, or an error.
fn check_batches(bytes: &Bytes) -> Result<(), ReadError> {
    for batch in split(bytes.clone()) {
        let corrupt = |error| ReadError::Corrupt(format!("batch in the write-ahead log: {error}"));
        let (_, batch) = batch.map_err(corrupt)?;
        StoredBatch::verify(batch).map_err(corrupt)?;
    }
    Ok(())
}
