//! What the streams' tails give to the uploader and the housekeeper.
//!
//! Owns: nothing; it walks the table of streams in order. Never awaits under a lock.
//!
//! **Invariant**: what is let go of after an upload is in committed objects, and readable from there before it is let go of.

use crate::batch::{BatchHeader, ControlRecord, split};
use crate::config::StreamPolicy;
use crate::core::Core;
use crate::error::ReadError;
use crate::ids::{AbortedTransaction, GroupSeq, Offset, StreamId};
use crate::manifest::record::ProducerSnapshot;
use crate::partition::{ExactCut, Partition};
use crate::producers::Producers;
use crate::upload::build::{as_one, lie_together};
use crate::upload::source::{Oldest, TailBatch, TailPart, TailSource, Unuploaded};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::sync::Arc;

impl Core {
    fn known(&self, id: StreamId) -> Option<Arc<Partition>> {
        let partition = self.streams.read().get(&id).cloned();
        partition.filter(|partition| !partition.is_deleted())
    }

    /// What each stream gives, and its producers as of where objects end: one look, so that both fit.
    fn cuts(&self, through: GroupSeq) -> Vec<(ExactCut, Arc<[ProducerSnapshot]>)> {
        let cut = |partition: &Arc<Partition>| {
            let cut = partition.cut_exactly(through)?;
            let committed = self.manifest.with_image(|image| {
                let stream = image.streams.get(&partition.id());
                stream.map(|stream| stream.producers.clone())
            });
            Some((cut, committed.unwrap_or_default()))
        };
        self.partitions().iter().filter_map(cut).collect()
    }

    /// The producers that were `committed`, after these batches: what recovery would find.
    async fn producers_after(
        &self,
        committed: &[ProducerSnapshot],
        batches: &[TailBatch],
    ) -> Result<Vec<ProducerSnapshot>, ReadError> {
        let mut producers = Producers::restore(committed);
        for run in batches.chunk_by(lie_together) {
            let run = as_one(run);
            let not_waiting = || ReadError::Storage(format!("{} waits for no upload", run.group));
            let wall_ms = self.backlog.wall_ms(run.group).ok_or_else(not_waiting)?;
            let bytes = self.block_bytes(run.group, run.position, run.len).await?;
            for batch in split(bytes) {
                let (header, bytes): (BatchHeader, Bytes) =
                    batch.map_err(|error| ReadError::Corrupt(format!("a batch of the tail: {error}")))?;
                if header.has_producer() {
                    let marker = ControlRecord::of_batch(&header, &bytes);
                    producers.replay(&header, marker.as_ref(), wall_ms);
                }
            }
        }
        Ok(producers.snapshot())
    }
}

impl TailSource for Core {
    fn durable_group(&self) -> GroupSeq {
        self.backlog.last_durable()
    }

    fn unuploaded(&self) -> Unuploaded {
        let (bytes, oldest) = self.backlog.waiting();
        Unuploaded {
            bytes,
            oldest,
            is_pressed: self.backlog.is_pressed(),
            brakes_soon: self.backlog.brakes_soon(),
        }
    }

    fn oldest(&self, bytes_max: u64) -> Oldest {
        self.backlog.oldest(bytes_max)
    }

    /// `through` is a lower bound: a stream gives all that is durable when it is looked at (see `Partition::cut`).
    fn cut(&self, through: GroupSeq) -> Vec<TailPart> {
        debug_assert!(
            through <= self.backlog.last_durable(),
            "only what is durable is cut"
        );
        self.partitions()
            .iter()
            .filter_map(|partition| partition.cut())
            .collect()
    }

    fn cut_exactly(&self, through: GroupSeq) -> BoxFuture<'_, Result<Vec<TailPart>, ReadError>> {
        let cuts = self.cuts(through);
        Box::pin(async move {
            let mut parts = Vec::with_capacity(cuts.len());
            for (ExactCut { mut part, untold }, committed) in cuts {
                if !untold.is_empty() {
                    part.producers = self.producers_after(&committed, &untold).await?;
                }
                parts.push(part);
            }
            Ok(parts)
        })
    }

    fn tail_bytes<'a>(
        &'a self,
        _: StreamId,
        batch: &'a TailBatch,
    ) -> BoxFuture<'a, Result<Bytes, ReadError>> {
        // Also of a stream that was deleted since: the commit leaves it out, and the others' upload need not start over.
        Box::pin(self.block_bytes(batch.group, batch.position, batch.len))
    }

    fn give_back(&self, bytes: Bytes) {
        self.buffers.give(bytes);
    }

    fn put(&self, bytes: u64) {
        self.backlog.put(bytes);
    }

    fn upload_failed(&self) {
        self.backlog.upload_failed();
    }

    fn uploaded(&self, through: GroupSeq, ends: &[(StreamId, Offset)]) {
        for (id, end) in ends {
            // Also where it is deleted: the deletion may not be durable yet.
            let partition = self.streams.read().get(id).cloned();
            if let Some(partition) = partition {
                partition.uploaded(*end);
            }
        }
        self.backlog.uploaded(through);
        self.medium.reclaim(through);
        let (now, first_cached) = (self.clock.wall_ms(), self.tail.first());
        for partition in self.partitions() {
            let is_left_out = ends.binary_search_by_key(&partition.id(), |(id, _)| *id).is_err();
            if is_left_out && partition.is_deleted() && !partition.waits_above(through) {
                // The commit found its deletion durable, or there was nothing to upload; who deleted it may have gone away
                // before the answer. What waits above was not asked for: it may be needed yet.
                partition.forget();
            }
            partition.tidy(first_cached, now, self.config.producer_expiry);
        }
    }

    fn policy(&self, stream: StreamId) -> Option<StreamPolicy> {
        Some(self.known(stream)?.policy()?.as_ref().clone())
    }

    fn streams(&self) -> Vec<StreamId> {
        let open = self
            .partitions()
            .into_iter()
            .filter(|partition| !partition.is_deleted());
        open.map(|partition| partition.id()).collect()
    }

    fn stable_end(&self, stream: StreamId) -> Option<Offset> {
        Some(self.known(stream)?.stable_end())
    }

    fn tail(&self, stream: StreamId) -> Vec<TailBatch> {
        self.known(stream)
            .map_or_else(Vec::new, |partition| partition.tail())
    }

    fn advance_start(&self, stream: StreamId, start: Offset) {
        if let Some(partition) = self.known(stream) {
            partition.advance_start(start);
        }
    }

    fn aborted(&self, stream: StreamId, from: Offset, below: Offset) -> Vec<AbortedTransaction> {
        self.known(stream)
            .map_or_else(Vec::new, |partition| partition.aborted_between(from, below))
    }

    fn forget_aborted(&self, stream: StreamId, through: Offset) -> bool {
        let partition = self.known(stream);
        partition.is_none_or(|partition| partition.forget_compacted(through))
    }

    fn producer_needs(&self, stream: StreamId, producer_id: i64, last: Offset) -> bool {
        let needs = |partition: Arc<Partition>| {
            partition.with_producers(|known| known.is_some_and(|known| known.ends_at(producer_id, last)))
        };
        self.known(stream).is_some_and(needs)
    }
}
