//! Weighing: how much consumers may have of a subscription, without locking any of it; and the reads that it shares with acquiring.
//!
//! Owns: the walk over what is on offer. Never: a lock on a record, who waits for how much (`stock`).
//!
//! **Invariant**: what was weighed once is not weighed again until something else is on offer than appends (`Subscription::offers`):
//! a long backlog costs one walk, however many consumers wait for more of it.

use super::acquire::{AcquireAsk, AcquireError, Request, stream_of};
use super::cell::Cell;
use super::policy::Policy;
use super::queues::Queues;
use super::stock::{Weight, Wish};
use super::subscription::Candidate;
use crate::fetch::read_error;
use crate::{FetchError, Isolation};
use bytes::Bytes;
use millstream_log::batch;
use millstream_log::{AbortedTransaction, Offset, ReadLimit, Stream};
use std::sync::Arc;

impl Queues {
    /// Whether there is as much as the goal, all subscriptions together, after a look at those of which there is news. An error is
    /// as good: it is told at once.
    pub(super) async fn weigh(
        &self,
        request: &Request<'_>,
        wish: &mut Wish,
        goal: Weight,
        fresh: &[usize],
    ) -> bool {
        let lines = request.asks.len();
        if !wish.looks_at_all() && fresh.len() < lines {
            if !self.weigh_these(request, wish, goal, fresh).await && !wish.has_come_closer() {
                return false;
            }
            // Of the others it is known what lay there once. It may have gone to somebody, or become more.
            wish.forget();
        }
        self.weigh_these(request, wish, goal, &request.all()).await
    }

    async fn weigh_these(
        &self,
        request: &Request<'_>,
        wish: &mut Wish,
        goal: Weight,
        these: &[usize],
    ) -> bool {
        for &at in these {
            self.count_looks(1);
            let Ok(cell) = &request.cells[at] else {
                return true;
            };
            let wanted = wish.wanted_of(at, goal);
            match self.weigh_one(&request.asks[at], cell, wanted).await {
                Ok(weight) => wish.learn(at, weight),
                Err(_) => return true,
            }
            if wish.is_fulfilled(goal) {
                return true;
            }
        }
        wish.is_fulfilled(goal)
    }

    /// What this subscription may hand out; no further than to what is wanted of it.
    async fn weigh_one(
        &self,
        ask: &AcquireAsk,
        cell: &Arc<Cell>,
        wanted: Weight,
    ) -> Result<Weight, AcquireError> {
        let stream = stream_of(ask).ok_or(FetchError::UnknownPartition)?;
        if stream.is_deleted() {
            return Err(FetchError::UnknownPartition.into());
        }
        let policy = self.policy(&ask.subscription);
        let bounds = stream.bounds();
        let end = policy.isolation.end_of(&bounds);
        let mut stock = cell.stock(bounds.start.0, &policy)?;
        while let Some(candidate) = stock.next.filter(|candidate| candidate.from < end.0)
            && !stock.weight.reaches(wanted)
        {
            let bytes_max = wanted.bytes.saturating_sub(stock.weight.bytes);
            let read = read(stream, candidate, end, &policy, bytes_max, true).await?;
            if read.next <= candidate.from {
                break;
            }
            #[cfg(feature = "testing")]
            self.inner
                .weighed
                .fetch_add(read.batches.len() as u64, std::sync::atomic::Ordering::Relaxed);
            stock.next = if candidate.last == u64::MAX {
                // Everything behind is fresh too: it moves on only once it is handed out.
                let from = read.next;
                Some(Candidate { from, ..candidate })
            } else {
                cell.candidate_beyond(read.next, bounds.start.0, &policy)?
            };
            stock.weight = stock.weight.plus(Weight {
                bytes: read.visible_bytes,
                records: cell.on_offer(&read.batches, &policy),
            });
        }
        cell.learn_stock(stock);
        Ok(stock.weight)
    }
}

pub(super) struct Read {
    pub chunks: Vec<Bytes>,
    pub batches: Vec<(u64, u64)>,
    pub bytes: usize,
    /// Of the batches that somebody is to see.
    visible_bytes: usize,
    pub next: u64,
}

/// From so many records on, a run of records that are back is read in one go.
const RUN_RECORDS_MIN: u64 = 64;

/// Reads on at the candidate. What is back lies scattered as a rule: then one batch is read at a time.
///
/// Batches that nobody is to see, markers of transactions and, under read committed, what was aborted, are none: their offsets are gaps.
pub(super) async fn read(
    stream: &Stream,
    candidate: Candidate,
    below: Offset,
    policy: &Policy,
    bytes_max: usize,
    at_least_one: bool,
) -> Result<Read, FetchError> {
    let is_run = candidate.last - candidate.from >= RUN_RECORDS_MIN;
    let limit = ReadLimit {
        bytes_max: if is_run { bytes_max } else { 1 },
        at_least_one: at_least_one || !is_run,
        below,
    };
    let outcome = stream
        .read(Offset(candidate.from), limit)
        .await
        .map_err(read_error)?;
    let (mut batches, mut visible_bytes) = (Vec::new(), 0);
    let aborted = match policy.isolation {
        Isolation::ReadCommitted => stream.aborted_between(Offset(candidate.from), outcome.next),
        Isolation::ReadUncommitted => Vec::new(),
    };
    for chunk in &outcome.chunks {
        for split in batch::split(chunk.clone()) {
            let (header, bytes) = split.map_err(|error| FetchError::Storage(error.to_string()))?;
            let holds = |transaction: &AbortedTransaction| {
                transaction.producer_id == header.producer_id
                    && (transaction.first..transaction.marker).contains(&header.base_offset)
            };
            let is_hidden = header.is_control() || header.is_transactional() && aborted.iter().any(holds);
            if !is_hidden {
                visible_bytes += bytes.len();
                batches.push((header.base_offset.0, header.last_offset().0));
            }
        }
    }
    Ok(Read {
        chunks: outcome.chunks,
        batches,
        bytes: outcome.bytes,
        visible_bytes,
        next: outcome.next.0,
    })
}
