//! What all handles share: the table of streams, the queue, the caches, the media.
//!
//! Owns: finding a stream, and reading from wherever its bytes are. Never an offset: that is the partition's.
//!
//! **Invariant**: a read goes tail cache -> write-ahead log -> objects, and each step holds what the one before let go of.
//!
//! On the fetch path: between `Stream::read` and the caches.

use crate::backlog::Backlog;
use crate::batch::{BatchHeader, StoredBatch, split};
use crate::buffers::Buffers;
use crate::clock::{Clock, TimestampMs};
use crate::config::LogConfig;
use crate::counters::Counters;
use crate::error::{ReadError, StreamError};
use crate::ids::{GroupSeq, Offset, StreamId};
use crate::log::LogStats;
use crate::manifest::handle::ManifestHandle;
use crate::objects::cold::ColdReader;
use crate::objects::search::first_in_batch;
use crate::partition::{Committed, InTail, Partition, Piece, Plan};
use crate::stream::{ReadLimit, ReadOutcome, TimestampedOffset};
use crate::tail::TailCache;
use crate::wal::WalMedium;
use crate::wal::queue::WalQueue;
use bytes::Bytes;
use parking_lot::RwLock;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How often a read starts over because its bytes moved to objects in between. Each time an upload completed, so two are rare.
const READ_ATTEMPTS_MAX: usize = 8;

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
    pub(crate) cold: ColdReader,
    /// Memory for what is to be appended.
    pub(crate) buffers: Buffers,
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
        self.manifest
            .with_image(|image| image.streams.get(&id).map_or(0, |stream| stream.bytes()))
    }

    /// See `Stream::read`.
    pub(crate) async fn read(
        &self,
        partition: &Partition,
        mut from: Offset,
        limit: ReadLimit,
    ) -> Result<ReadOutcome, ReadError> {
        let mut last_error = None;
        let mut attempts = 0;
        while attempts < READ_ATTEMPTS_MAX {
            let read = match partition.plan(from, limit, self.tail.first())? {
                Plan::Empty => Ok(ReadOutcome {
                    next: from,
                    ..ReadOutcome::default()
                }),
                Plan::Objects(below) => {
                    self.cold
                        .read(partition.id(), from, ReadLimit { below, ..limit })
                        .await
                }
                Plan::Tail(pieces) => self.read_tail(&pieces).await,
            };
            match read {
                // Compaction left nothing here. A reader has to be given what follows: it cannot skip what it is not shown.
                Ok(outcome) if outcome.chunks.is_empty() && outcome.next > from => from = outcome.next,
                Ok(outcome) => return Ok(outcome),
                Err(error @ ReadError::Corrupt(_)) => return Err(error),
                // Uploaded and recycled, or trimmed, since it was planned, as a rule: the next plan sees that.
                Err(error) => {
                    self.hear_of_trim(partition);
                    last_error = Some(error);
                    attempts += 1;
                }
            }
        }
        Err(last_error.expect("every attempt ended in one"))
    }

    /// Whoever trimmed may have gone away before the answer: then the stream has not heard of it.
    fn hear_of_trim(&self, partition: &Partition) {
        let start = self
            .manifest
            .with_image(|image| image.streams.get(&partition.id()).map(|stream| stream.start));
        if let Some(start) = start {
            partition.advance_start(start);
        }
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
        if let Some(bytes) = self.tail.get(group, position, len) {
            return Ok(bytes);
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
        let (mut from, _) = partition.start_and_uploaded();
        loop {
            // Taken before objects are searched: what is uploaded meanwhile is searched for there in the next round.
            let (start, uploaded) = partition.start_and_uploaded();
            from = from.max(start);
            if from < uploaded {
                let found = self.cold.find_by_time(partition.id(), at_least, from).await?;
                if found.is_some() {
                    return Ok(found);
                }
                from = uploaded;
            }
            match partition.tail_by_time(at_least, from) {
                InTail::Nothing => return Ok(None),
                InTail::Moved => {}
                InTail::Found(batch) => {
                    let bytes = self.block_bytes(batch.group, batch.position, batch.len).await;
                    match bytes {
                        Ok(bytes) => {
                            if let Some(found) = search(bytes, from, at_least)? {
                                return Ok(Some(found));
                            }
                            // The header promised more than the records hold, or the record lies below the start.
                            from = batch.last.plus(1);
                        }
                        // Uploaded and recycled in between: the next round looks in objects.
                        Err(_) if partition.start_and_uploaded().1 > batch.last => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
    }

    /// See `Stream::find_max_time`.
    pub(crate) async fn find_max_time(
        &self,
        partition: &Partition,
    ) -> Result<Option<TimestampedOffset>, ReadError> {
        // The tail's maximum first: what moves to objects afterwards is found there.
        let (start, _) = partition.start_and_uploaded();
        let in_tail = partition.tail_max_time(start);
        let in_objects = self.cold.find_max_time(partition.id()).await?;
        let Some(batch) = in_tail else {
            return Ok(in_objects);
        };
        if in_objects.is_some_and(|found| found.timestamp >= batch.max_timestamp) {
            return Ok(in_objects);
        }
        let limit = ReadLimit {
            bytes_max: 0,
            at_least_one: true,
            below: Offset(u64::MAX),
        };
        let read = self.read(partition, batch.base.max(start), limit).await?;
        let bytes = read.chunks.into_iter().next().unwrap_or_default();
        Ok(search(bytes, start, batch.max_timestamp)?.or(in_objects))
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

    /// See `Log::stats`; without what the background loops count.
    pub(crate) fn stats(&self) -> LogStats {
        let counters = &self.counters;
        let cache = self.cold.cache_stats();
        let (objects, object_bytes) = self.manifest.with_image(|image| {
            let bytes = image.objects.values().map(|object| object.meta.len).sum();
            (image.objects.len() as u64, bytes)
        });
        LogStats {
            streams: self.streams.read().len() as u64,
            wal_groups: counters.groups.load(Ordering::Relaxed),
            wal_bytes: counters.wal_bytes.load(Ordering::Relaxed),
            appended_batches: counters.batches.load(Ordering::Relaxed),
            appended_bytes: counters.batch_bytes.load(Ordering::Relaxed),
            unuploaded_bytes: self.backlog.waiting().0,
            tail_cache_bytes: self.tail.bytes() as u64,
            block_cache_bytes: cache.bytes,
            block_cache_hits: cache.hits,
            block_cache_misses: cache.misses,
            second_tier: cache.second,
            reads_held_micros: self.cold.held_micros(),
            objects,
            object_bytes,
            ..LogStats::default()
        }
    }

    /// Refuses new appends, also those that wait for room.
    pub(crate) fn refuse(&self) {
        self.backlog.close();
        self.queue.close();
    }

    /// Ends all loops: the commit loop once its queue is empty.
    pub(crate) fn stop(&self) {
        self.refuse();
        self.medium.close();
    }

    /// See `Log::delete_stream`.
    pub(crate) async fn delete_stream(&self, id: StreamId) -> Result<(), StreamError> {
        // Refused first: only the group that is in flight now, the next durable one, can still hold a batch of it. Put into
        // the table if it was not there: whoever opens it meanwhile must get this one, not one that still takes batches.
        let partition = self.partition(id);
        partition.delete();
        let as_of = GroupSeq(self.backlog.last_durable().0 + 1);
        self.manifest.delete_stream(id, as_of).await?;
        partition.forget();
        self.streams.write().remove(&id);
        Ok(())
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
            aborted: state.aborted,
        });
    let partition = Partition::new(id, committed);
    if manifest.is_deleted(id) {
        partition.delete();
        partition.forget();
    }
    partition
}

/// The first record of a batch, from `from` on, that is as late as asked.
fn search(batch: Bytes, from: Offset, at_least: TimestampMs) -> Result<Option<TimestampedOffset>, ReadError> {
    let header = BatchHeader::parse(&batch)
        .map_err(|error| ReadError::Corrupt(format!("batch in the tail: {error}")))?;
    Ok(first_in_batch(&header, batch, from, at_least))
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
