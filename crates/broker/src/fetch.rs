//! Fetch: reads of several partitions under one budget, with a long poll that is woken, never polled.
//!
//! Fetch path: socket -> front end -> **here** -> log -> the very bytes back to the socket.
//!
//! **Invariant**: at least one batch per *request* while any partition has data, however large the batch (trap T16); the caller
//! rotates the order of partitions between requests.

use crate::Broker;
use crate::fetch_memory::MemoryShare;
use crate::topics::Topic;
use bytes::Bytes;
use millstream_log::{AbortedTransaction, Epoch, Offset, ReadError, ReadLimit, StreamBounds, WakeSet};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// One partition of a fetch.
#[derive(Clone)]
pub struct FetchRead {
    /// The topic.
    pub topic: Arc<Topic>,
    /// Its partition.
    pub partition: u32,
    /// Where to read on.
    pub from: Offset,
    /// The most for this partition, in bytes.
    pub bytes_max: usize,
    /// The epoch that the client believes in, if it says so (KIP-320).
    pub epoch: Option<Epoch>,
    /// Epoch of the last batch that the client has read, for truncation detection (KIP-595).
    pub last_fetched_epoch: Option<Epoch>,
}

/// The budget of the whole request.
#[derive(Clone, Copy, Debug)]
pub struct FetchBudget {
    /// The most for the whole answer, in bytes.
    pub bytes_max: usize,
    /// Wait until so many bytes are there ...
    pub bytes_min: usize,
    /// ... but no longer than this.
    pub wait_max: Duration,
    /// What may be shown.
    pub isolation: Isolation,
}

/// What a reader may see (Kafka: isolation.level).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Everything durable.
    ReadUncommitted,
    /// Nothing of a transaction that is not decided.
    ReadCommitted,
}

impl Isolation {
    /// One past the last record that such a reader may see.
    pub(crate) fn end_of(self, bounds: &StreamBounds) -> Offset {
        match self {
            Self::ReadUncommitted => bounds.end,
            Self::ReadCommitted => bounds.stable_end,
        }
    }
}

/// Why a partition gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FetchError {
    /// No such partition, or deleted.
    #[error("the topic has no such partition")]
    UnknownPartition,
    /// Below the start or above the end.
    #[error("offset out of range: the partition holds [{start}, {end})")]
    OffsetOutOfRange {
        /// First offset kept.
        start: Offset,
        /// One past the last readable.
        end: Offset,
    },
    /// The client's epoch is older than the partition's.
    #[error("the partition is owned under a newer epoch")]
    FencedEpoch,
    /// The client's epoch is newer than the partition's.
    #[error("the partition has not seen that epoch")]
    UnknownEpoch,
    /// The medium failed; nothing is lost.
    #[error("the read failed: {0}")]
    Storage(String),
}

/// What one partition gave.
#[derive(Clone, Debug)]
pub struct FetchSlice {
    /// Bounds at the time of the read.
    pub bounds: StreamBounds,
    /// Whole batches, shared, never copied.
    pub chunks: Vec<Bytes>,
    /// Their bytes.
    pub bytes: usize,
    /// Under `ReadCommitted`: aborted transactions that may have records in these batches; their records are to be left out.
    pub aborted: Vec<AbortedTransaction>,
    /// Where the client's history leaves the partition's, if it does: (epoch, end offset).
    pub diverging: Option<(Epoch, Offset)>,
}

/// The answer for one partition.
pub type FetchResult = Result<FetchSlice, FetchError>;

impl Broker {
    /// Reads every partition once, in the given order; waits for data within the budget.
    ///
    /// Returns one result per read, in order. An error in any partition ends the wait at once, and so does `interrupt`.
    pub async fn fetch(
        &self,
        reads: &[FetchRead],
        budget: FetchBudget,
        interrupt: impl Future<Output = ()> + Send,
    ) -> Vec<FetchResult> {
        let first = self.fetch_once(reads, budget).await;
        if budget.wait_max.is_zero() || first.is_enough {
            return first.results;
        }
        drop(first);
        let over = tokio::time::sleep(budget.wait_max);
        tokio::pin!(interrupt, over);
        let streams = reads.iter().filter_map(|read| read.topic.stream(read.partition));
        let mut wakes = WakeSet::register(streams);
        loop {
            // Read again after registering: what arrived in between has nobody left to wake.
            let Round { results, is_enough } = self.fetch_once(reads, budget).await;
            if is_enough {
                return results;
            }
            tokio::select! {
                biased;
                () = wakes.woken() => {}
                () = &mut interrupt => return results,
                () = &mut over => return results,
            }
        }
    }

    async fn fetch_once(&self, reads: &[FetchRead], mut budget: FetchBudget) -> Round {
        let share = self.inner.fetch_memory.take(budget.bytes_max);
        // Less memory makes a smaller answer, not a later one.
        budget.bytes_max = share.bytes();
        budget.bytes_min = budget.bytes_min.min(budget.bytes_max.max(1));
        let mut left = budget.bytes_max;
        let mut nothing_yet = true;
        let mut results = Vec::with_capacity(reads.len());
        for read in reads {
            let bytes_max = read.bytes_max.min(left);
            let result = fetch_partition(read, bytes_max, nothing_yet, budget.isolation).await;
            if let Ok(slice) = &result {
                left = left.saturating_sub(slice.bytes);
                nothing_yet &= slice.bytes == 0;
            }
            results.push(result);
        }
        let is_enough = is_enough(&results, budget);
        hold(&mut results, share);
        Round { results, is_enough }
    }
}

/// One look at all partitions.
struct Round {
    results: Vec<FetchResult>,
    is_enough: bool,
}

/// Binds the share to the largest chunk: whoever holds the answer's bytes holds the share.
fn hold(results: &mut [FetchResult], share: MemoryShare) {
    let slices = || results.iter().filter_map(|result| result.as_ref().ok());
    let answer_bytes = slices().map(|slice| slice.bytes).sum();
    let chunks = results
        .iter_mut()
        .filter_map(|result| result.as_mut().ok())
        .flat_map(|slice| &mut slice.chunks);
    if let Some(largest) = chunks.max_by_key(|chunk| chunk.len()) {
        *largest = share.bind(answer_bytes, std::mem::take(largest));
    }
}

fn is_enough(results: &[FetchResult], budget: FetchBudget) -> bool {
    if results.is_empty() {
        return true;
    }
    let mut bytes = 0;
    for result in results {
        match result {
            Ok(slice) if slice.diverging.is_some() => return true,
            Ok(slice) => bytes += slice.bytes,
            Err(_) => return true,
        }
    }
    bytes >= budget.bytes_min
}

async fn fetch_partition(
    read: &FetchRead,
    bytes_max: usize,
    at_least_one: bool,
    isolation: Isolation,
) -> FetchResult {
    let stream = read
        .topic
        .stream(read.partition)
        .ok_or(FetchError::UnknownPartition)?;
    if stream.is_deleted() {
        return Err(FetchError::UnknownPartition);
    }
    check_epoch(stream.epoch(), read.epoch)?;
    let bounds = stream.bounds();
    let end = isolation.end_of(&bounds);
    let mut slice = FetchSlice {
        bounds,
        chunks: Vec::new(),
        bytes: 0,
        aborted: Vec::new(),
        diverging: None,
    };
    if let Some(epoch) = read.last_fetched_epoch
        && let Some((held, held_end)) = stream.epoch_end(epoch)
        && (held < epoch || held_end < read.from)
    {
        slice.diverging = Some((held, held_end));
        return Ok(slice);
    }
    if read.from < bounds.start || read.from > bounds.end {
        return Err(FetchError::OffsetOutOfRange {
            start: bounds.start,
            end: bounds.end,
        });
    }
    if read.from >= end || (bytes_max == 0 && !at_least_one) {
        return Ok(slice);
    }
    let limit = ReadLimit {
        bytes_max,
        at_least_one,
        below: end,
    };
    let outcome = stream.read(read.from, limit).await.map_err(read_error)?;
    slice.bytes = outcome.bytes;
    if isolation == Isolation::ReadCommitted && outcome.bytes > 0 {
        slice.aborted = stream.aborted_between(read.from, outcome.next);
    }
    slice.chunks = outcome.chunks;
    Ok(slice)
}

/// Compares the epoch that a client believes in with the one that holds (KIP-320).
pub(crate) fn check_epoch(held: Epoch, believed: Option<Epoch>) -> Result<(), FetchError> {
    match believed {
        Some(epoch) if epoch < held => Err(FetchError::FencedEpoch),
        Some(epoch) if epoch > held => Err(FetchError::UnknownEpoch),
        _ => Ok(()),
    }
}

pub(crate) fn read_error(error: ReadError) -> FetchError {
    match error {
        ReadError::OffsetOutOfRange { start, end } => FetchError::OffsetOutOfRange { start, end },
        ReadError::StreamGone => FetchError::UnknownPartition,
        ReadError::Storage(what) | ReadError::Corrupt(what) => FetchError::Storage(what),
    }
}
