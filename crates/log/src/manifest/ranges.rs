//! The ranges of one stream: sorted, contiguous, located by binary search. Pure; all rules of replacing live here.
//!
//! **Invariant**: `ranges[i].end == ranges[i + 1].base`, the last end is the committed end, and no range lies wholly below
//! the start (docs/ARCHITECTURE.md, invariant 4).

use super::record::{ProducerSnapshot, Range};
use crate::ids::{Epoch, Offset};
use crate::objects::ObjectId;
use crate::transactions::AbortedList;
use std::sync::Arc;

/// The largest number of offsets that one range may cover: 2^48 records in one object cannot be (trap T7).
const RANGE_OFFSETS_MAX: u64 = 1 << 48;
/// The largest offset that is believed: a stream does not reach it in a million years at a million records a second.
const OFFSET_MAX: u64 = 1 << 62;

/// Why a record does not fit the state. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// What it replaces is not, or no longer, what the stream holds (trap T8).
    StaleRange,
    /// What it adds does not cover exactly what it must.
    NotExactCover,
    /// A range is empty, reversed, or absurdly long (trap T7).
    InsaneRange,
    /// A range names an object that neither exists nor comes with the record, or an object that comes is not used.
    UnknownObject,
    /// An object comes twice.
    DuplicateObject,
    /// No such stream, or it was deleted.
    StreamGone,
    /// `wal_through` would go back.
    WalBackwards,
}

/// What the manifest knows of one stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StreamImage {
    /// First offset kept.
    pub(crate) start: Offset,
    /// One past the last committed offset; above it the write-ahead log rules.
    pub(crate) end: Offset,
    /// See the file's invariant.
    pub(crate) ranges: Vec<Range>,
    /// Bytes of all ranges: asked for with every look at a stream's bounds.
    pub(super) bytes: u64,
    /// Where each epoch began.
    pub(crate) epochs: Vec<(Epoch, Offset)>,
    /// Producers as of `end`.
    pub(crate) producers: Arc<[ProducerSnapshot]>,
    /// Transactions aborted by markers below `end`.
    pub(crate) aborted: AbortedList,
    /// Below it every key occurs once.
    pub(crate) compacted_through: Offset,
}

impl StreamImage {
    /// Index of the first range that ends above `offset`.
    pub(crate) fn range_at(&self, offset: Offset) -> usize {
        self.ranges.partition_point(|range| range.end <= offset)
    }

    /// Bytes of all ranges; the first may lie partly below the start.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A stream with these ranges.
    pub(crate) fn with_ranges(ranges: Vec<Range>) -> Self {
        Self {
            bytes: sum(&ranges),
            ranges,
            ..Self::default()
        }
    }

    /// Whether `ranges` may be appended. Where the stream was trimmed past its committed end, they may begin above it.
    pub(crate) fn check_append(&self, ranges: &[Range]) -> Result<(), Refusal> {
        let Some(first) = ranges.first() else {
            return Err(Refusal::NotExactCover);
        };
        check_contiguous(ranges)?;
        let fits = first.base == self.end
            || (self.ranges.is_empty() && first.base > self.end && first.base <= self.start);
        if fits { Ok(()) } else { Err(Refusal::NotExactCover) }
    }

    /// Appends what `check_append` let pass. Returns the ranges that lie below the start and are not kept.
    pub(crate) fn append(&mut self, ranges: &[Range]) -> Vec<Range> {
        self.ranges.extend_from_slice(ranges);
        self.bytes = self.bytes.saturating_add(sum(ranges));
        self.end = self.ranges.last().map_or(self.end, |range| range.end);
        self.drop_trimmed()
    }

    /// Where `removed` stands in the stream, if exactly so, and `added` covers exactly the same.
    pub(crate) fn check_replace(&self, removed: &[Range], added: &[Range]) -> Result<usize, Refusal> {
        let (Some(first), Some(last)) = (removed.first(), removed.last()) else {
            return Err(Refusal::StaleRange);
        };
        let at = self.ranges.partition_point(|range| range.base < first.base);
        if self.ranges.get(at..at + removed.len()) != Some(removed) {
            return Err(Refusal::StaleRange);
        }
        check_contiguous(added)?;
        let covers = added.first().is_some_and(|range| range.base == first.base)
            && added.last().is_some_and(|range| range.end == last.end);
        if covers {
            Ok(at)
        } else {
            Err(Refusal::NotExactCover)
        }
    }

    /// Replaces what `check_replace` located.
    pub(crate) fn replace(&mut self, at: usize, removed: usize, added: &[Range]) {
        let removed: Vec<Range> = self
            .ranges
            .splice(at..at + removed, added.iter().copied())
            .collect();
        self.bytes = self
            .bytes
            .saturating_sub(sum(&removed))
            .saturating_add(sum(added));
    }

    /// Raises the start; returns the ranges that go.
    pub(crate) fn trim(&mut self, start: Offset) -> Vec<Range> {
        self.start = self.start.max(start);
        self.drop_trimmed()
    }

    fn drop_trimmed(&mut self) -> Vec<Range> {
        let gone = self.range_at(self.start);
        let dropped: Vec<Range> = self.ranges.drain(..gone).collect();
        self.bytes = self.bytes.saturating_sub(sum(&dropped));
        self.drop_old_epochs();
        self.aborted.trim(self.start);
        dropped
    }

    /// Epochs that ended at or below the start answer no question any more; the one that covers the start stays.
    fn drop_old_epochs(&mut self) {
        let begun = self.epochs.partition_point(|(_, from)| *from <= self.start);
        self.epochs.drain(..begun.saturating_sub(1));
    }
}

/// Saturating: a manifest that is damaged in a way that no checksum shows must not panic.
fn sum(ranges: &[Range]) -> u64 {
    ranges
        .iter()
        .fold(0, |bytes, range| bytes.saturating_add(range.bytes))
}

/// Each range sane, each beginning where the one before ends.
fn check_contiguous(ranges: &[Range]) -> Result<(), Refusal> {
    for range in ranges {
        let len = range.end.0.saturating_sub(range.base.0);
        let empty_object = range.object == ObjectId::NONE;
        if len == 0
            || len > RANGE_OFFSETS_MAX
            || range.end.0 > OFFSET_MAX
            || empty_object != (range.bytes == 0)
        {
            return Err(Refusal::InsaneRange);
        }
    }
    let contiguous = ranges.windows(2).all(|pair| pair[0].end == pair[1].base);
    if contiguous {
        Ok(())
    } else {
        Err(Refusal::NotExactCover)
    }
}
