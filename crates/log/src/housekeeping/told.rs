//! Aborted transactions of which compaction has left nothing: readers are told of them a while longer, then no more.
//!
//! Owns: the wait. Never: the list (the partition's), nor what compaction removes.
//!
//! **Invariant**: a reader that holds batches from before a compaction is told of every aborted transaction in them. So the list is
//! shortened only when no such reader is left; until the next restart it used to grow, and at its limit no transaction begins.

use super::House;
use crate::ids::{Offset, StreamId};
use std::collections::VecDeque;
use std::time::Duration;

/// Longer than any request reads; clients give up after a minute or two.
const READERS_SPAN: Duration = Duration::from_secs(300);

/// Compacted parts whose readers may not be gone yet, the oldest first. At most one entry a compaction of the last `READERS_SPAN`, and
/// one a stream beside.
#[derive(Default)]
pub(super) struct Told(VecDeque<Compacted>);

#[derive(Clone, Copy)]
struct Compacted {
    at: Duration,
    stream: StreamId,
    through: Offset,
}

impl House {
    /// Compaction of the stream has left no record of an aborted transaction below `through`.
    pub(super) fn note_told(&self, stream: StreamId, through: Offset) {
        let at = self.clock.monotonic();
        self.told.lock().0.push_back(Compacted { at, stream, through });
    }

    /// Shortens the lists whose readers are gone.
    pub(super) fn forget_told(&self) {
        let now = self.clock.monotonic();
        let mut told = self.told.lock();
        let due = told.0.partition_point(|one| one.at + READERS_SPAN <= now);
        let due: Vec<Compacted> = told.0.drain(..due).collect();
        for one in due {
            let is_done = self.tail.forget_aborted(one.stream, one.through);
            let has_later = told.0.iter().any(|later| later.stream == one.stream);
            if !is_done && !has_later {
                // Part of it is still read from the tail, as it was written.
                told.0.push_back(Compacted { at: now, ..one });
            }
        }
    }
}
