//! The table of segment files: which one is written, which one is next, which hold groups, which may be used again.
//!
//! Owns: that bookkeeping, under one short lock. Never does IO.
//!
//! **Invariant**: a file is in one place only: current, next, sealed, retired or spare; only retired and spare files are reused.

use super::format::{ALIGN_BYTES, BLOCK_UNIT_BYTES};
use super::refusal::Refusal;
use crate::disk::DiskFile;
use crate::ids::GroupSeq;
use std::collections::VecDeque;
use std::sync::Arc;

/// Files kept for reuse; more are removed. One or two hold what an upload frees with default settings, one is for the odd end.
pub(super) const SPARES_MAX: usize = 3;

/// A file whose header bears its number, with the groups that it holds.
pub(super) struct Segment {
    /// Its number.
    pub id: u64,
    /// The file.
    pub file: Arc<dyn DiskFile>,
    /// Its length.
    pub len: u64,
    /// Where the next group goes.
    pub position: u64,
    /// A write or flush failed: the file is removed rather than used again.
    pub is_suspect: bool,
    /// Number of the first group, once there is one.
    first: Option<GroupSeq>,
    /// Where each group's block begins, in units of `BLOCK_UNIT_BYTES`.
    blocks: Vec<u32>,
}

/// A file that holds nothing needed.
pub(super) struct Spare {
    /// Its name.
    pub name: String,
    /// Its length.
    pub len: u64,
}

/// All files of one write-ahead log.
#[derive(Default)]
pub(super) struct Segments {
    /// Written now.
    pub current: Option<Segment>,
    /// Ready to be written.
    pub next: Option<Segment>,
    /// Full or given up, by number.
    pub sealed: VecDeque<Segment>,
    /// Waiting to become spares.
    pub retired: Vec<Segment>,
    /// Ready to be given a number.
    pub spares: Vec<Spare>,
    /// Number of the next segment.
    pub next_id: u64,
    /// The log's identity.
    pub log_id: u64,
    /// Checksum of the last durable group's head.
    pub chain: u64,
    /// Last durable group.
    pub durable: GroupSeq,
    /// What an append waits for: bytes of a segment.
    pub wanted: Option<u64>,
    /// Why the wanted segment could not be had.
    pub refused: Option<std::io::Error>,
    /// Why the last preparation failed, and until when none is tried again. Room that was made ends it.
    pub refusal: Option<Refusal>,
    /// Whether the last preparation failed; the next append asks again.
    pub is_stuck: bool,
    /// Whether the background work is to end.
    pub is_closed: bool,
}

impl Segment {
    /// A segment without groups.
    pub(super) fn new(id: u64, file: Arc<dyn DiskFile>, len: u64) -> Self {
        Self {
            id,
            file,
            len,
            position: ALIGN_BYTES,
            is_suspect: false,
            first: None,
            blocks: Vec::new(),
        }
    }

    /// Its last group.
    pub(super) fn last(&self) -> Option<GroupSeq> {
        Some(GroupSeq(self.first?.0 + self.blocks.len() as u64 - 1))
    }

    /// Notes a durable group whose block begins at `block_at`; the next group begins at `end`.
    pub(super) fn push(&mut self, seq: GroupSeq, block_at: u64, end: u64) {
        let first = *self.first.get_or_insert(seq);
        assert_eq!(
            first.0 + self.blocks.len() as u64,
            seq.0,
            "groups of a segment are contiguous"
        );
        let unit = u32::try_from(block_at / BLOCK_UNIT_BYTES).expect("segments are below 64 GiB");
        self.blocks.push(unit);
        self.position = end;
    }

    /// Whether `bytes` more fit.
    pub(super) fn has_room(&self, bytes: u64) -> bool {
        self.len - self.position >= bytes
    }

    fn block_at(&self, seq: GroupSeq) -> Option<u64> {
        let index = seq.0.checked_sub(self.first?.0)?;
        let unit = self.blocks.get(usize::try_from(index).ok()?)?;
        Some(u64::from(*unit) * BLOCK_UNIT_BYTES)
    }
}

impl Segments {
    /// File, its segment's number and the position of a group's block; `None` if it was reclaimed or never written.
    pub(super) fn locate(&self, seq: GroupSeq) -> Option<(Arc<dyn DiskFile>, u64, u64)> {
        let index = self
            .sealed
            .partition_point(|s| s.last().is_some_and(|last| last < seq));
        let candidates = self.sealed.get(index).into_iter().chain(self.current.as_ref());
        for segment in candidates {
            if let Some(at) = segment.block_at(seq) {
                return Some((segment.file.clone(), segment.id, at));
            }
        }
        None
    }

    /// Whether the segment still holds what `locate` found.
    pub(super) fn holds(&self, segment: u64) -> bool {
        self.current.as_ref().is_some_and(|s| s.id == segment) || self.sealed.iter().any(|s| s.id == segment)
    }

    /// Puts the current segment away: full, or given up after an error. One without a durable group is retired at once.
    pub(super) fn seal_current(&mut self) {
        if let Some(segment) = self.current.take() {
            if segment.last().is_some() {
                self.sealed.push_back(segment);
            } else {
                self.retired.push(segment);
            }
        }
    }

    /// Retires every sealed segment that ends at or below `through`.
    pub(super) fn reclaim(&mut self, through: GroupSeq) {
        while let Some(segment) = self.sealed.front() {
            if segment.last().is_some_and(|last| last > through) {
                break;
            }
            let segment = self.sealed.pop_front().expect("it was there");
            self.retired.push(segment);
            // There is room, or will be in a moment.
            self.refusal = None;
        }
    }
}
