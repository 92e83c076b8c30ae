//! The partition's part of the fetch path: which bytes a read wants, without touching them.

use super::{Partition, State};
use crate::clock::TimestampMs;
use crate::error::ReadError;
use crate::ids::{GroupSeq, Offset};
use crate::stream::ReadLimit;
use crate::upload::source::TailBatch;

/// Where a read finds its batches.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Nothing below the limit.
    Empty,
    /// In objects, which hold everything below this offset.
    Objects(Offset),
    /// In the tail: whole batches, those that lie together as one piece.
    Tail(Vec<Piece>),
}

/// What a search of the tail found.
pub(crate) enum InTail {
    /// No batch that is late enough.
    Nothing,
    /// What was asked for went to objects meanwhile.
    Moved,
    /// This batch.
    Found(TailBatch),
}

/// Bytes of one group's block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Which group.
    pub(crate) group: GroupSeq,
    /// Where in its block.
    pub(crate) position: u32,
    /// How many.
    pub(crate) len: u32,
    /// The offset after its last batch.
    pub(crate) next: Offset,
}

impl Partition {
    /// Plans a read from `from`. `first_cached` is the oldest group whose block is in memory: of what is in objects, too,
    /// only that is read from the tail.
    pub(crate) fn plan(
        &self,
        from: Offset,
        limit: ReadLimit,
        first_cached: GroupSeq,
    ) -> Result<Plan, ReadError> {
        let state = self.state.lock();
        if self.is_deleted() {
            return Err(ReadError::StreamGone);
        }
        if from < state.start || from > state.end {
            return Err(ReadError::OffsetOutOfRange {
                start: state.start,
                end: state.end,
            });
        }
        let below = limit.below.min(state.end);
        if from >= below {
            return Ok(Plan::Empty);
        }
        let readable = state.tail_from(first_cached);
        let tail_start = state.tail.get(readable).map_or(state.end, |batch| batch.base);
        if from < tail_start {
            return Ok(Plan::Objects(tail_start.min(below)));
        }
        let pieces = state.pieces(readable, from, below, limit);
        Ok(if pieces.is_empty() {
            Plan::Empty
        } else {
            Plan::Tail(pieces)
        })
    }

    /// The first batch of the tail, from `from` on, whose largest timestamp is `at_least` or later.
    pub(crate) fn tail_by_time(&self, at_least: TimestampMs, from: Offset) -> InTail {
        let state = self.state.lock();
        if state.tail_start() > from.max(state.start) {
            return InTail::Moved;
        }
        let mut batches = state.tail.iter().filter(|batch| batch.last >= from);
        let found = batches.find(|batch| batch.max_timestamp >= at_least);
        found.map_or(InTail::Nothing, |batch| InTail::Found(*batch))
    }

    /// The first of the tail's batches, from `from` on, with the largest timestamp.
    pub(crate) fn tail_max_time(&self, from: Offset) -> Option<TailBatch> {
        let state = self.state.lock();
        let batches = state.tail.iter().filter(|batch| batch.last >= from);
        // `max_by_key` takes the last of several; the first is wanted.
        batches.rev().max_by_key(|batch| batch.max_timestamp).copied()
    }

    /// Start of the stream, and where the tail takes over from objects.
    pub(crate) fn start_and_uploaded(&self) -> (Offset, Offset) {
        let state = self.state.lock();
        (state.start, state.uploaded)
    }
}

impl State {
    /// Index of the first batch that is not in objects, or whose block is cached.
    pub(super) fn tail_from(&self, first_cached: GroupSeq) -> usize {
        self.tail
            .partition_point(|batch| batch.last < self.uploaded && batch.group < first_cached)
    }

    fn pieces(&self, readable: usize, from: Offset, below: Offset, limit: ReadLimit) -> Vec<Piece> {
        let at = self.tail.partition_point(|batch| batch.last < from).max(readable);
        let mut pieces: Vec<Piece> = Vec::new();
        let mut bytes = 0;
        for batch in self.tail.range(at..) {
            bytes += batch.len as usize;
            let is_forced = pieces.is_empty() && limit.at_least_one;
            if batch.last >= below || (bytes > limit.bytes_max && !is_forced) {
                break;
            }
            let next = batch.last.plus(1);
            match pieces.last_mut() {
                Some(piece) if piece.group == batch.group && piece.position + piece.len == batch.position => {
                    piece.len += batch.len;
                    piece.next = next;
                }
                _ => pieces.push(Piece {
                    group: batch.group,
                    position: batch.position,
                    len: batch.len,
                    next,
                }),
            }
        }
        pieces
    }
}
