//! The partition's part of an upload: what it gives, what it lets go of.

use super::{Partition, State};
use crate::clock::TimestampMs;
use crate::ids::{AbortedTransaction, GroupSeq, Offset};
use crate::upload::source::{TailBatch, TailPart};
use std::time::Duration;

/// What `Partition::cut_exactly` gives.
pub(crate) struct ExactCut {
    /// Without producers.
    pub(crate) part: TailPart,
    /// What tells of the producers, from where objects end to where the part ends: what a trim took first, then the part's batches.
    /// Empty where no producer is known.
    pub(crate) untold: Vec<TailBatch>,
}

impl Partition {
    /// Everything durable that is not in objects. It may reach beyond the cut: then recovery skips what it finds of it in the
    /// write-ahead log, and the producers' state, taken in the same step, fits the end exactly.
    pub(crate) fn cut(&self) -> Option<TailPart> {
        let state = self.state.lock();
        let at = state.first_waiting();
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
            aborted: state.aborted_waiting().to_vec(),
        })
    }

    /// What groups up to `through` hold of it that is not in objects.
    ///
    /// Epochs and aborted transactions bear the offsets at which they came, so those below the cut's end are those as of it. What is
    /// known of producers is as of `end` only: it has to be found anew.
    pub(crate) fn cut_exactly(&self, through: GroupSeq) -> Option<ExactCut> {
        let state = self.state.lock();
        let from = state.first_waiting();
        let to = state.tail.partition_point(|batch| batch.group <= through);
        let waiting = state.tail.range(from.min(to)..to).copied();
        let trimmed = state.trimmed.iter().flat_map(|trimmed| trimmed.iter());
        let trimmed = trimmed.take_while(|batch| batch.group <= through).copied();
        let untold: Vec<TailBatch> = trimmed.chain(waiting.clone()).collect();
        // With the last batch epochs and producers get there, although nobody reads it any more.
        let newest = *untold.last()?;
        let mut batches: Vec<TailBatch> = waiting.collect();
        if batches.is_empty() {
            batches.push(newest);
        }
        let end = newest.last.plus(1);
        let epochs = state.epochs.iter().filter(|(_, base)| *base < end);
        let aborted = state.aborted_waiting().iter();
        Some(ExactCut {
            part: TailPart {
                stream: self.id,
                batches,
                epochs: epochs.copied().collect(),
                producers: Vec::new(),
                aborted: aborted.filter(|aborted| aborted.marker < end).copied().collect(),
            },
            untold: if state.producers.is_some() {
                untold
            } else {
                Vec::new()
            },
        })
    }

    /// Whether the oldest of what is not in objects lies in a group above `through`.
    pub(crate) fn waits_above(&self, through: GroupSeq) -> bool {
        let state = self.state.lock();
        let at = state.first_waiting();
        let trimmed = state.trimmed.iter().flat_map(|trimmed| trimmed.iter());
        let oldest = trimmed.chain(state.tail.range(at..)).next();
        oldest.is_some_and(|batch| batch.group > through)
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
        state.forget_trimmed();
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
        let at = state.first_waiting();
        state.tail.range(at..).copied().collect()
    }
}

impl State {
    /// Where in the tail that begins which is not in objects.
    fn first_waiting(&self) -> usize {
        self.tail.partition_point(|batch| batch.last < self.uploaded)
    }

    /// Transactions that were aborted by markers that are not in objects.
    fn aborted_waiting(&self) -> &[AbortedTransaction] {
        let aborted = self.aborted.as_ref();
        aborted.map_or(&[], |aborted| aborted.since_marker(self.uploaded))
    }

    /// Objects tell of the producers of what is below `uploaded`.
    fn forget_trimmed(&mut self) {
        if let Some(trimmed) = &mut self.trimmed {
            let told = trimmed.partition_point(|batch| batch.last < self.uploaded);
            trimmed.drain(..told);
            if trimmed.is_empty() {
                self.trimmed = None;
            }
        }
    }
}
