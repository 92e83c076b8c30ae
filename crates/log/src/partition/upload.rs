//! The partition's part of an upload: what it gives, what it lets go of.

use super::Partition;
use crate::clock::TimestampMs;
use crate::ids::{GroupSeq, Offset};
use crate::upload::source::{TailBatch, TailPart};
use std::time::Duration;

impl Partition {
    /// Everything durable that is not in objects. It may reach beyond the cut: then recovery skips what it finds of it in the
    /// write-ahead log, and the producers' state, taken in the same step, fits the end exactly.
    pub(crate) fn cut(&self) -> Option<TailPart> {
        let state = self.state.lock();
        let at = state.tail.partition_point(|batch| batch.last < state.uploaded);
        if at == state.tail.len() {
            return None;
        }
        Some(TailPart {
            stream: self.id,
            batches: state.tail.range(at..).copied().collect(),
            epochs: state.epochs.clone(),
            producers: state
                .producers
                .as_ref()
                .map_or_else(Vec::new, |producers| producers.snapshot()),
            aborted: state
                .aborted
                .as_ref()
                .map_or_else(Vec::new, |aborted| aborted.since_marker(state.uploaded).to_vec()),
        })
    }

    /// Objects hold everything below `end`.
    pub(crate) fn uploaded(&self, end: Offset) {
        let mut state = self.state.lock();
        let from = state.uploaded;
        if end <= from {
            return;
        }
        assert!(end <= state.end, "only what is durable is uploaded");
        let moved = state
            .tail
            .iter()
            .filter(|batch| batch.base >= from && batch.base < end);
        let bytes: u64 = moved.map(|batch| u64::from(batch.len)).sum();
        state.tail_bytes -= bytes;
        state.uploaded = end;
    }

    /// Lets go of batches that are in objects and whose blocks were evicted, and of producers that fell silent.
    pub(crate) fn tidy(&self, first_cached: GroupSeq, now: TimestampMs, expiry: Duration) {
        let mut state = self.state.lock();
        if let Some(producers) = &mut state.producers {
            producers.expire(now, expiry);
            if producers.is_empty() {
                state.producers = None;
            }
        }
        let gone = state.tail_from(first_cached);
        state.tail.drain(..gone);
        if state.tail.is_empty() {
            state.tail = std::collections::VecDeque::new();
        }
    }

    /// The durable batches of the tail that are not in objects.
    pub(crate) fn tail(&self) -> Vec<TailBatch> {
        let state = self.state.lock();
        let at = state.tail.partition_point(|batch| batch.last < state.uploaded);
        state.tail.range(at..).copied().collect()
    }
}
