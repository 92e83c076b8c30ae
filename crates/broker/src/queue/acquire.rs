//! Acquire: reads of several subscriptions under one budget, with a long poll that is woken, never polled.
//!
//! Queue path: front end -> **here** -> subscription (which records?) -> log (their bytes) -> subscription (locked) -> front end.
//! The bytes are the log's own batches; records in them that were not acquired are for the reader to skip.
//!
//! **Invariant**: a record is locked only once its bytes are at hand; and no more bytes are held by answers than fetches may hold. A
//! consumer that waits for more than there is locks nothing meanwhile.

use super::QueueError;
use super::cell::Cell;
use super::id::{Holder, SubscriptionId};
use super::policy::{Dispatch, Policy};
use super::queues::Queues;
use super::subscription::{Acquired, Candidate, Offer};
use super::waiting::InLine;
use crate::fetch::read_error;
use crate::topics::Topic;
use crate::{FetchError, Isolation};
use bytes::Bytes;
use millstream_log::batch;
use millstream_log::{AbortedTransaction, Offset, ReadLimit, Stream};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// One subscription of an acquire.
#[derive(Clone)]
pub struct AcquireAsk {
    /// Which.
    pub subscription: SubscriptionId,
    /// Its topic.
    pub topic: Arc<Topic>,
}

/// The budget of the whole request.
#[derive(Clone, Copy, Debug)]
pub struct AcquireBudget {
    /// The most for the whole answer, in bytes; one batch is given however large it is.
    pub bytes_max: usize,
    /// The most records; a bound or a goal, as `dispatch` says.
    pub records_max: u64,
    /// Wait until there are so many bytes, or as many records as may be had: anything if this is 0 or 1 ...
    pub bytes_min: usize,
    /// ... but no longer than this.
    pub wait_max: Duration,
    /// How records are handed out.
    pub dispatch: Dispatch,
}

/// Why a subscription gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AcquireError {
    /// The partition cannot be read.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The subscription cannot be used.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// What one subscription gave.
#[derive(Clone, Debug, Default)]
pub struct AcquireSlice {
    /// Whole batches, shared, never copied.
    pub chunks: Vec<Bytes>,
    /// Their bytes.
    pub bytes: usize,
    /// The records that the holder may work on.
    pub acquired: Vec<Acquired>,
}

type AcquireResult = Result<AcquireSlice, AcquireError>;

impl Queues {
    /// Acquires records for `holder`, from each subscription in the given order; waits within the budget.
    ///
    /// Returns one result per ask, in order. An error anywhere ends the wait at once, and so does `interrupt`.
    pub async fn acquire(
        &self,
        holder: Holder,
        asks: &[AcquireAsk],
        budget: AcquireBudget,
        interrupt: impl Future<Output = ()> + Send,
    ) -> Vec<AcquireResult> {
        let mut cells = Vec::with_capacity(asks.len());
        for ask in asks {
            cells.push(self.open(ask).await);
        }
        if budget.wait_max.is_zero() {
            return self
                .look(holder, asks, &cells, budget, Content::WithAnything)
                .await
                .0;
        }
        let (first, _) = self.look(holder, asks, &cells, budget, Content::WithEnough).await;
        if is_enough(&first) {
            return first;
        }
        let over = tokio::time::sleep(budget.wait_max);
        tokio::pin!(interrupt, over);
        let lines = asks.iter().zip(&cells).filter_map(|(ask, cell)| {
            let cell = cell.as_ref().ok()?;
            Some((cell, stream_of(ask)?))
        });
        let mut line = InLine::join(lines);
        loop {
            // Before the look, so that nothing changes unseen in between.
            line.watch();
            let (results, seen) = self.look(holder, asks, &cells, budget, Content::WithEnough).await;
            if is_enough(&results) {
                return results;
            }
            match seen {
                Seen::TooLittle => line.pass_on(),
                Seen::Nothing | Seen::Enough => line.forget(),
            }
            tokio::select! {
                biased;
                () = line.woken() => {}
                () = &mut interrupt => return results,
                () = &mut over => {
                    return self.look(holder, asks, &cells, budget, Content::WithAnything).await.0;
                }
            }
        }
    }

    /// One look at all subscriptions.
    async fn look(
        &self,
        holder: Holder,
        asks: &[AcquireAsk],
        cells: &[Result<Arc<Cell>, AcquireError>],
        budget: AcquireBudget,
        content: Content,
    ) -> (Vec<AcquireResult>, Seen) {
        #[cfg(feature = "testing")]
        self.inner
            .looks
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let share = self.inner.broker.inner.fetch_memory.take(budget.bytes_max);
        if content == Content::WithEnough && budget.bytes_min > 1 {
            let goal = Goal {
                bytes: budget.bytes_min.min(share.bytes()),
                records: budget.records_max,
            };
            let seen = self.weigh(asks, cells, goal).await;
            if seen != Seen::Enough {
                let nothing = |_| Ok(AcquireSlice::default());
                return (asks.iter().map(nothing).collect(), seen);
            }
        }
        let mut left = Left {
            // Less memory makes a smaller answer, not a later one.
            bytes: share.bytes(),
            records: budget.records_max,
            dispatch: budget.dispatch,
            at_least_one: true,
        };
        let mut results = Vec::with_capacity(asks.len());
        for (ask, cell) in asks.iter().zip(cells) {
            let result = match cell {
                Ok(cell) if left.records > 0 => self.acquire_from(holder, ask, cell, &mut left).await,
                Ok(_) => Ok(AcquireSlice::default()),
                Err(error) => Err(error.clone()),
            };
            results.push(result);
        }
        let bytes = results.iter().flatten().map(|slice| slice.bytes).sum();
        let chunks = results.iter_mut().flatten().flat_map(|slice| &mut slice.chunks);
        if let Some(largest) = chunks.max_by_key(|chunk| chunk.len()) {
            // Whoever holds the answer's bytes holds the share.
            *largest = share.bind(bytes, std::mem::take(largest));
        }
        (results, Seen::Enough)
    }

    /// Whether there is as much as the goal, all subscriptions together. Locks nothing.
    async fn weigh(
        &self,
        asks: &[AcquireAsk],
        cells: &[Result<Arc<Cell>, AcquireError>],
        goal: Goal,
    ) -> Seen {
        let mut left = goal;
        for (ask, cell) in asks.iter().zip(cells) {
            let Ok(cell) = cell else {
                // An error is told at once.
                return Seen::Enough;
            };
            let weighed = self.weigh_one(ask, cell, &mut left).await;
            if weighed.is_err() || left.is_reached() {
                return Seen::Enough;
            }
        }
        if left == goal {
            Seen::Nothing
        } else {
            Seen::TooLittle
        }
    }

    /// Takes off the goal what this subscription may hand out.
    async fn weigh_one(
        &self,
        ask: &AcquireAsk,
        cell: &Arc<Cell>,
        goal: &mut Goal,
    ) -> Result<(), AcquireError> {
        let stream = stream_of(ask).ok_or(FetchError::UnknownPartition)?;
        if stream.is_deleted() {
            return Err(FetchError::UnknownPartition.into());
        }
        let policy = self.policy(&ask.subscription);
        let bounds = stream.bounds();
        let end = policy.isolation.end_of(&bounds);
        let mut next = cell.candidate(0, bounds.start.0, &policy)?;
        while let Some(candidate) = next.filter(|candidate| candidate.from < end.0)
            && !goal.is_reached()
        {
            let read = read(stream, candidate, end, &policy, goal.bytes, true).await?;
            if read.next <= candidate.from {
                break;
            }
            next = if candidate.last == u64::MAX {
                // Everything behind is fresh too: it moves on only once it is handed out.
                let from = read.next;
                Some(Candidate { from, ..candidate })
            } else {
                cell.candidate_beyond(read.next, bounds.start.0, &policy)?
            };
            goal.bytes = goal.bytes.saturating_sub(read.visible_bytes);
            goal.records = goal.records.saturating_sub(cell.on_offer(&read.batches, &policy));
        }
        Ok(())
    }

    async fn acquire_from(
        &self,
        holder: Holder,
        ask: &AcquireAsk,
        cell: &Arc<Cell>,
        left: &mut Left,
    ) -> AcquireResult {
        let stream = stream_of(ask).ok_or(FetchError::UnknownPartition)?;
        if stream.is_deleted() {
            return Err(FetchError::UnknownPartition.into());
        }
        let policy = self.policy(&ask.subscription);
        let mut slice = AcquireSlice::default();
        // Somebody else reads for this subscription: there is nothing for two at once.
        let Some(_reader) = cell.begin_read() else {
            return Ok(slice);
        };
        let mut after = 0;
        while left.records > 0 && (left.bytes > 0 || left.at_least_one) {
            let bounds = stream.bounds();
            let end = policy.isolation.end_of(&bounds);
            let Some(candidate) = cell.candidate(after, bounds.start.0, &policy)? else {
                break;
            };
            if candidate.from >= end.0 {
                break;
            }
            let read = read(stream, candidate, end, &policy, left.bytes, left.at_least_one).await?;
            if read.next <= candidate.from || (!left.at_least_one && read.bytes > left.bytes) {
                break;
            }
            after = read.next;
            let offer = Offer {
                covered: (candidate.from, read.next - 1),
                batches: &read.batches,
                records_max: left.records,
                dispatch: left.dispatch,
            };
            let now = self.inner.broker.clock().monotonic();
            let acquired = cell.acquire(holder, offer, &policy, now);
            slice.add(read.chunks, acquired, left);
        }
        Ok(slice)
    }
}

/// When a look may take what it finds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// Only with as much as the budget wants.
    WithEnough,
    /// With whatever there is: nobody waits any longer.
    WithAnything,
}

/// What a look has found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nothing,
    /// Something, but less than the budget wants; it was left where it is.
    TooLittle,
    /// What there was has been taken.
    Enough,
}

/// What is still missing.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Goal {
    bytes: usize,
    records: u64,
}

impl Goal {
    /// An answer that can hold no more records is as good as a full one.
    fn is_reached(self) -> bool {
        self.bytes == 0 || self.records == 0
    }
}

/// What is left of the budget.
struct Left {
    bytes: usize,
    records: u64,
    dispatch: Dispatch,
    /// Nothing was found so far: the first batch may be larger than the budget.
    at_least_one: bool,
}

impl AcquireSlice {
    /// Takes the batches that hold acquired records; the others would be sent for nothing.
    fn add(&mut self, chunks: Vec<Bytes>, acquired: Vec<Acquired>, left: &mut Left) {
        let records: u64 = acquired
            .iter()
            .map(|acquired| acquired.range.end() - acquired.range.start() + 1)
            .sum();
        left.records = left.records.saturating_sub(records);
        for chunk in chunks {
            for wanted in wanted_parts(&chunk, &acquired) {
                self.bytes += wanted.len();
                left.bytes = left.bytes.saturating_sub(wanted.len());
                left.at_least_one = false;
                self.chunks.push(wanted);
            }
        }
        for next in acquired {
            match self.acquired.last_mut() {
                // Read in two parts, but one run all the same.
                Some(last)
                    if last.deliveries == next.deliveries && last.range.end() + 1 == *next.range.start() =>
                {
                    last.range = *last.range.start()..=*next.range.end();
                }
                _ => self.acquired.push(next),
            }
        }
    }
}

/// The parts of a chunk, whole batches each, that hold any acquired record. Batches that lie together stay together.
fn wanted_parts(chunk: &Bytes, acquired: &[Acquired]) -> Vec<Bytes> {
    let mut parts: Vec<(usize, usize)> = Vec::new();
    let mut position = 0;
    for (header, bytes) in batch::split(chunk.clone()).flatten() {
        let (first, last) = (header.base_offset.0, header.last_offset().0);
        let behind = acquired.partition_point(|acquired| *acquired.range.end() < first);
        let is_wanted = acquired
            .get(behind)
            .is_some_and(|acquired| *acquired.range.start() <= last);
        let end = position + bytes.len();
        if is_wanted {
            match parts.last_mut() {
                Some(part) if part.1 == position => part.1 = end,
                _ => parts.push((position, end)),
            }
        }
        position = end;
    }
    parts
        .into_iter()
        .map(|(from, to)| chunk.slice(from..to))
        .collect()
}

struct Read {
    chunks: Vec<Bytes>,
    batches: Vec<(u64, u64)>,
    bytes: usize,
    /// Of the batches that somebody is to see.
    visible_bytes: usize,
    next: u64,
}

/// From so many records on, a run of records that are back is read in one go.
const RUN_RECORDS_MIN: u64 = 64;

/// Reads on at the candidate. What is back lies scattered as a rule: then one batch is read at a time.
///
/// Batches that nobody is to see, markers of transactions and, under read committed, what was aborted, are none: their offsets are gaps.
async fn read(
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

fn stream_of(ask: &AcquireAsk) -> Option<&Stream> {
    ask.topic.stream(ask.subscription.partition)
}

fn is_enough(results: &[AcquireResult]) -> bool {
    let ends = |result: &AcquireResult| match result {
        Ok(slice) => !slice.acquired.is_empty(),
        Err(_) => true,
    };
    results.is_empty() || results.iter().any(ends)
}
