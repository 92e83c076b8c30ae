//! What a disk tier knows: which piece lies where, and what waits to be written. Bookkeeping under one short lock; no IO.
//!
//! Owns: the index, the queue, and whether the tier is on. Never the files' contents: `writer` does.
//!
//! **Invariant**: a piece that the index calls queued is in the queue or being written; queued bytes are bounded.

use super::{Piece, TierStats};
use crate::disk::DiskFile;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;

/// Bytes that wait to be written; an offer beyond is dropped. Memory beside that of the block cache.
pub(super) const QUEUE_BYTES_MAX: usize = 16 << 20;
/// Keys that are removed under one hold of the lock.
const FORGET_BATCH: usize = 1024;

/// Where a piece is.
enum Place {
    /// Not written yet.
    Queued(Bytes),
    /// In a cache file.
    Stored(Stored),
}

/// A place in a cache file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    /// The file's number.
    pub(super) file: u64,
    /// Where in it.
    pub(super) at: u64,
    /// Of the piece's bytes.
    pub(super) checksum: u64,
}

/// Answer of a look into the index.
pub(super) enum Found {
    Nothing,
    Queued(Bytes),
    Stored(Stored, Arc<dyn DiskFile>),
}

/// Where the tier is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    On,
    /// Takes nothing more; what is queued is written.
    Closing,
    /// A medium failed.
    Off,
    /// Nobody has a handle any more.
    Dropped,
}

/// What the writer does next.
pub(super) enum Step {
    /// Writes these, in one bundle.
    Write(Vec<(Piece, Bytes)>),
    /// Waits for work.
    Wait,
    /// Gives the room back, and ends.
    Remove,
    /// Ends.
    End,
}

/// See the module.
pub(super) struct Shelf {
    state: Mutex<State>,
    /// Wakes the writer.
    pub(super) work: Notify,
    /// Wakes who waits for the queue to be empty.
    pub(super) written: Notify,
    pub(super) counters: TierCounters,
}

struct State {
    index: BTreeMap<Piece, Place>,
    files: BTreeMap<u64, Arc<dyn DiskFile>>,
    queue: VecDeque<Piece>,
    queued_bytes: usize,
    /// Objects from here on are not recovered in this life.
    undone_from: u64,
    phase: Phase,
}

#[derive(Default)]
pub(super) struct TierCounters {
    pub(super) bytes: AtomicU64,
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) written_bytes: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) damaged: AtomicU64,
    pub(super) errors: AtomicU64,
}

impl Shelf {
    pub(super) fn new() -> Self {
        let state = State {
            index: BTreeMap::new(),
            files: BTreeMap::new(),
            queue: VecDeque::new(),
            queued_bytes: 0,
            undone_from: u64::MAX,
            phase: Phase::On,
        };
        Self {
            state: Mutex::new(state),
            work: Notify::new(),
            written: Notify::new(),
            counters: TierCounters::default(),
        }
    }

    pub(super) fn find(&self, piece: Piece) -> Found {
        let state = self.state.lock();
        match state.index.get(&piece) {
            Some(Place::Queued(bytes)) => Found::Queued(bytes.clone()),
            Some(Place::Stored(stored)) => match state.files.get(&stored.file) {
                Some(file) => Found::Stored(*stored, file.clone()),
                None => Found::Nothing,
            },
            None => Found::Nothing,
        }
    }

    /// Queues the piece unless it is here already; whether it is here now.
    pub(super) fn queue(&self, piece: Piece, bytes: &Bytes) -> bool {
        let mut state = self.state.lock();
        if state.phase != Phase::On {
            return false;
        }
        if state.index.contains_key(&piece) {
            return true;
        }
        if state.queued_bytes + bytes.len() > QUEUE_BYTES_MAX {
            return false;
        }
        state.queued_bytes += bytes.len();
        state.queue.push_back(piece);
        state.index.insert(piece, Place::Queued(bytes.clone()));
        drop(state);
        self.work.notify_one();
        true
    }

    /// What the writer is to do. A bundle holds at least one piece, and no more than these bounds with the second.
    pub(super) fn next_step(&self, bytes_max: usize, pieces_max: usize) -> Step {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        match state.phase {
            Phase::Off => return Step::Remove,
            Phase::Dropped => return Step::End,
            Phase::On | Phase::Closing => {}
        }
        let mut taken = Vec::new();
        let mut sum = 0;
        while let Some(piece) = state.queue.front() {
            let fits =
                taken.is_empty() || (sum + piece.len as usize <= bytes_max && taken.len() < pieces_max);
            if !fits {
                break;
            }
            // Forgotten while it waited otherwise.
            if let Some(Place::Queued(bytes)) = state.index.get(piece) {
                sum += bytes.len();
                taken.push((*piece, bytes.clone()));
            } else {
                state.queued_bytes -= piece.len as usize;
            }
            state.queue.pop_front();
        }
        match (taken.is_empty(), state.phase) {
            (false, _) => Step::Write(taken),
            (true, Phase::Closing) => Step::End,
            (true, _) => Step::Wait,
        }
    }

    /// The bundle is written: its pieces lie in the file from now on, unless they were forgotten meanwhile.
    pub(super) fn store(&self, pieces: impl Iterator<Item = (Piece, Stored)>) {
        let mut state = self.state.lock();
        if matches!(state.phase, Phase::Off | Phase::Dropped) {
            return; // A read failed meanwhile, and everything was let go.
        }
        for (piece, stored) in pieces {
            state.queued_bytes -= piece.len as usize;
            self.counters
                .written_bytes
                .fetch_add(u64::from(piece.len), Ordering::Relaxed);
            if let Some(place @ Place::Queued(_)) = state.index.get_mut(&piece) {
                *place = Place::Stored(stored);
            }
        }
        drop(state);
        self.written.notify_waiters();
    }

    /// Pieces of an earlier life; those that were taken.
    pub(super) fn recover(&self, pieces: impl Iterator<Item = (Piece, Stored)>) -> Vec<Piece> {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        if state.phase == Phase::Off {
            return Vec::new();
        }
        let mut taken = Vec::new();
        for (piece, stored) in pieces {
            if piece.object < state.undone_from {
                // A later file's piece takes the place of an earlier one's; never that of what this life was offered.
                let place = state.index.entry(piece).or_insert(Place::Stored(stored));
                if let Place::Stored(now) = place {
                    *now = stored;
                    taken.push(piece);
                }
            }
        }
        taken
    }

    /// Nothing of what waits is going to be written.
    pub(super) fn drop_queue(&self) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        for piece in state.queue.drain(..) {
            if matches!(state.index.get(&piece), Some(Place::Queued(_))) {
                state.index.remove(&piece);
                self.counters.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
        state.queued_bytes = 0;
        drop(guard);
        self.written.notify_waiters();
    }

    pub(super) fn add_file(&self, number: u64, file: Arc<dyn DiskFile>) {
        let mut state = self.state.lock();
        if state.phase != Phase::Off {
            state.files.insert(number, file);
        }
    }

    /// Whether there is any use in reading on what an earlier life left.
    pub(super) fn is_working(&self) -> bool {
        matches!(self.state.lock().phase, Phase::On)
    }

    /// The file is to be used again, or is gone: none of its pieces can be read any more.
    pub(super) fn remove_file(&self, number: u64, keys: &[Piece]) {
        self.state.lock().files.remove(&number);
        for batch in keys.chunks(FORGET_BATCH) {
            let mut state = self.state.lock();
            for piece in batch {
                if matches!(state.index.get(piece), Some(Place::Stored(stored)) if stored.file == number) {
                    state.index.remove(piece);
                }
            }
        }
    }

    /// The piece at this place is not what was written. Whether it was still expected there.
    pub(super) fn remove_damaged(&self, piece: Piece, at: Stored) -> bool {
        let mut state = self.state.lock();
        let expected = matches!(state.index.get(&piece), Some(Place::Stored(stored)) if *stored == at)
            && state.files.contains_key(&at.file);
        if expected {
            state.index.remove(&piece);
        }
        expected
    }

    pub(super) fn forget(&self, object: u64) {
        let piece = |position, len| Piece {
            object,
            position,
            len,
        };
        let all = piece(0, 0)..=piece(u64::MAX, u32::MAX);
        let mut state = self.state.lock();
        let those: Vec<Piece> = state.index.range(all).map(|(piece, _)| *piece).collect();
        for piece in those {
            state.index.remove(&piece);
        }
    }

    pub(super) fn forget_from(&self, object: u64) {
        let first = Piece {
            object,
            position: 0,
            len: 0,
        };
        let mut state = self.state.lock();
        state.undone_from = object;
        drop(state.index.split_off(&first));
    }

    /// The medium failed. Whether it was on until now.
    pub(super) fn turn_off(&self) -> bool {
        self.counters.errors.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state.lock();
        let was_on = matches!(state.phase, Phase::On | Phase::Closing);
        if was_on {
            state.phase = Phase::Off;
            state.clear();
        }
        drop(state);
        self.work.notify_one();
        self.written.notify_waiters();
        was_on
    }

    pub(super) fn begin_closing(&self) {
        let mut state = self.state.lock();
        if state.phase == Phase::On {
            state.phase = Phase::Closing;
        }
        drop(state);
        self.work.notify_one();
    }

    pub(super) fn let_go(&self) {
        let mut state = self.state.lock();
        if state.phase != Phase::Off {
            state.phase = Phase::Dropped;
        }
        state.clear();
        drop(state);
        self.work.notify_one();
    }

    /// Bytes that wait.
    pub(super) fn queued_bytes(&self) -> usize {
        self.state.lock().queued_bytes
    }

    pub(super) fn stats(&self) -> TierStats {
        let is_on = matches!(self.state.lock().phase, Phase::On | Phase::Closing);
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        TierStats {
            is_on,
            bytes: of(&self.counters.bytes),
            hits: of(&self.counters.hits),
            misses: of(&self.counters.misses),
            written_bytes: of(&self.counters.written_bytes),
            dropped: of(&self.counters.dropped),
            damaged: of(&self.counters.damaged),
            errors: of(&self.counters.errors),
        }
    }
}

impl State {
    fn clear(&mut self) {
        self.index.clear();
        self.files.clear();
        self.queue.clear();
        self.queued_bytes = 0;
    }
}
