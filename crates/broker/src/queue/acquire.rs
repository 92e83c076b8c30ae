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
use super::policy::Dispatch;
use super::queues::Queues;
use super::stock::{Weight, Wish};
use super::subscription::{Acquired, Offer};
use super::waiting::InLine;
use super::weigh::read;
use crate::FetchError;
use crate::fetch_memory::MemoryShare;
use crate::topics::Topic;
use bytes::Bytes;
use millstream_log::Stream;
use millstream_log::batch;
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
        if asks.is_empty() {
            return Vec::new();
        }
        let mut cells = Vec::with_capacity(asks.len());
        for ask in asks {
            cells.push(self.open(ask).await);
        }
        let request = Request {
            holder,
            asks,
            cells: &cells,
            budget,
        };
        if budget.wait_max.is_zero() {
            return self.take_anything(&request).await;
        }
        let goal = Weight {
            bytes: budget.bytes_min,
            records: budget.records_max,
        };
        let mut wish = Wish::new(goal, asks.len());
        if let Some(results) = self.look(&request, &mut wish, &request.all()).await {
            return results;
        }
        let over = tokio::time::sleep(budget.wait_max);
        tokio::pin!(interrupt, over);
        let lines = asks
            .iter()
            .zip(&cells)
            .enumerate()
            .filter_map(|(at, (ask, cell))| {
                let cell = cell.as_ref().ok()?;
                Some((at, cell, stream_of(ask)?))
            });
        let mut line = InLine::join(lines);
        loop {
            // Before the look, so that nothing changes unseen in between.
            let fresh = line.watch();
            if !fresh.is_empty() {
                if let Some(results) = self.look(&request, &mut wish, &fresh).await {
                    return results;
                }
                line.looked(&mut wish);
            }
            tokio::select! {
                biased;
                () = line.woken() => {}
                () = &mut interrupt => return request.nothing(),
                () = &mut over => return self.take_anything(&request).await,
            }
        }
    }

    /// What there is, however little: nobody waits any longer.
    async fn take_anything(&self, request: &Request<'_>) -> Vec<AcquireResult> {
        let all = request.all();
        self.count_looks(all.len());
        self.take(request, &all, self.memory_for(request)).await
    }

    /// What the answer may take of the memory that all answers share.
    fn memory_for(&self, request: &Request<'_>) -> MemoryShare {
        let memory = &self.inner.broker.inner.fetch_memory;
        memory.take(request.budget.bytes_max)
    }

    /// Looks at those subscriptions of which there is news. `None`: there is less than the wish, or others were quicker.
    async fn look(
        &self,
        request: &Request<'_>,
        wish: &mut Wish,
        fresh: &[usize],
    ) -> Option<Vec<AcquireResult>> {
        let share = self.memory_for(request);
        if wish.is_modest() {
            self.count_looks(fresh.len());
            let results = self.take(request, fresh, share).await;
            return is_enough(&results).then_some(results);
        }
        // Less memory makes a smaller answer, not a later one.
        let goal = wish.goal_within(share.bytes());
        if !self.weigh(request, wish, goal, fresh).await {
            return None;
        }
        let results = self.take(request, &request.all(), share).await;
        if is_enough(&results) {
            return Some(results);
        }
        wish.was_outrun();
        None
    }

    pub(super) fn count_looks(&self, count: usize) {
        #[cfg(feature = "testing")]
        self.inner
            .looks
            .fetch_add(count as u64, std::sync::atomic::Ordering::Relaxed);
        #[cfg(not(feature = "testing"))]
        let _ = count;
    }

    /// Locks what the budget allows in these subscriptions.
    async fn take(&self, request: &Request<'_>, from: &[usize], share: MemoryShare) -> Vec<AcquireResult> {
        let budget = &request.budget;
        let mut left = Left {
            bytes: share.bytes(),
            records: budget.records_max,
            dispatch: budget.dispatch,
            at_least_one: true,
        };
        let mut results = request.nothing();
        for &at in from {
            let ask = &request.asks[at];
            results[at] = match &request.cells[at] {
                Ok(cell) if left.records > 0 => self.acquire_from(request.holder, ask, cell, &mut left).await,
                Ok(_) => Ok(AcquireSlice::default()),
                Err(error) => Err(error.clone()),
            };
        }
        let bytes = results.iter().flatten().map(|slice| slice.bytes).sum();
        let chunks = results.iter_mut().flatten().flat_map(|slice| &mut slice.chunks);
        if let Some(largest) = chunks.max_by_key(|chunk| chunk.len()) {
            // Whoever holds the answer's bytes holds the share.
            *largest = share.bind(bytes, std::mem::take(largest));
        }
        results
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
            let read = match read(stream, candidate, end, &policy, left.bytes, left.at_least_one).await {
                // Trimmed since the bounds were looked at: the queue begins further on. That is nothing that a consumer could do
                // anything about, and share consumers do not know the error.
                Err(FetchError::OffsetOutOfRange { .. }) if stream.bounds().start.0 > candidate.from => {
                    continue;
                }
                read => read?,
            };
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

/// What is asked for.
pub(super) struct Request<'a> {
    holder: Holder,
    pub asks: &'a [AcquireAsk],
    pub cells: &'a [Result<Arc<Cell>, AcquireError>],
    budget: AcquireBudget,
}

impl Request<'_> {
    /// All subscriptions.
    pub fn all(&self) -> Vec<usize> {
        (0..self.asks.len()).collect()
    }

    fn nothing(&self) -> Vec<AcquireResult> {
        self.asks.iter().map(|_| Ok(AcquireSlice::default())).collect()
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

pub(super) fn stream_of(ask: &AcquireAsk) -> Option<&Stream> {
    ask.topic.stream(ask.subscription.partition)
}

fn is_enough(results: &[AcquireResult]) -> bool {
    let ends = |result: &AcquireResult| match result {
        Ok(slice) => !slice.acquired.is_empty(),
        Err(_) => true,
    };
    results.iter().any(ends)
}
