//! Read-ahead: who reads on where the last read of a stream ended gets the next blocks before asking, 0.5 MiB at first, twice
//! as much every time, up to 32 MiB.
//!
//! Owns: the positions of sequential readers (bounded) and the bytes being read ahead for all of them together (bounded).
//! Pure bookkeeping; `cold` does the reading.

use crate::ids::{Offset, StreamId};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// First window.
const WINDOW_BYTES_MIN: u64 = 512 << 10;
/// Largest window.
const WINDOW_BYTES_MAX: u64 = 32 << 20;
/// Sequential readers that are remembered. One that is forgotten starts again with the smallest window.
const READERS_MAX: usize = 1024;
/// Bytes read ahead at once for all readers together.
const TOTAL_BYTES_MAX: u64 = 64 << 20;
/// All windows together take at most this share of the block cache: what was read ahead is new there, and not driven out while twice
/// as much comes after it. (What limits a reader is its window, not the cache: with a third of 48 MiB it is as fast as with a fourth of 64 MiB, and
/// the broker takes 18 MB less.) Read-ahead that drives itself out costs twice and gains nothing.
const CACHE_SHARE: u64 = 3;
/// Readers that were answered within so many reads share that room.
const RECENT_READS: u64 = 64;
/// Unit of the total's permits.
const PERMIT_BYTES: u64 = 64 << 10;

/// See the file's text.
pub(crate) struct ReadAhead {
    readers: Mutex<Readers>,
    total_bytes: u64,
    total: Arc<Semaphore>,
}

#[derive(Default)]
struct Readers {
    by_next: BTreeMap<(StreamId, Offset), Reader>,
    /// Age order, for forgetting.
    by_age: BTreeMap<u64, (StreamId, Offset)>,
    clock: u64,
}

#[derive(Clone)]
struct Reader {
    age: u64,
    window_bytes: u64,
    progress: Arc<Mutex<Progress>>,
}

/// How far a reader's blocks were read ahead.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Up to here.
    pub(crate) through: Offset,
    /// Bytes between the reader and there.
    pub(crate) ahead_bytes: u64,
    /// Whether a read-ahead runs.
    busy: bool,
}

/// One read-ahead to be done; dropping it ends it.
pub(crate) struct Job {
    pub(crate) stream: StreamId,
    pub(crate) bytes: u64,
    progress: Arc<Mutex<Progress>>,
    _permit: OwnedSemaphorePermit,
}

impl ReadAhead {
    pub(crate) fn new(cache_bytes: u64) -> Self {
        let permits = TOTAL_BYTES_MAX.min(cache_bytes / CACHE_SHARE) / PERMIT_BYTES;
        Self {
            readers: Mutex::default(),
            // What is asked for at once is never above all permits, whatever the division left over.
            total_bytes: permits * PERMIT_BYTES,
            total: Arc::new(Semaphore::new(usize::try_from(permits).expect("at most 64 MiB"))),
        }
    }

    /// A read of `[from, next)` was answered with `bytes`. Returns what to read ahead, if anything, now.
    pub(crate) fn note(&self, stream: StreamId, from: Offset, next: Offset, bytes: u64) -> Option<Job> {
        if next <= from {
            return None;
        }
        let mut readers = self.readers.lock();
        let Some(mut reader) = readers.take(stream, from) else {
            readers.put(stream, next, Reader::new());
            return None;
        };
        reader.window_bytes = (reader.window_bytes * 2).clamp(WINDOW_BYTES_MIN, WINDOW_BYTES_MAX);
        let wanted = reader.window_bytes;
        let progress = reader.progress.clone();
        readers.put(stream, next, reader);
        let window = wanted.min(self.total_bytes / readers.recent());
        drop(readers);
        self.job(stream, next, bytes, window, progress)
    }

    fn job(
        &self,
        stream: StreamId,
        next: Offset,
        consumed: u64,
        window: u64,
        shared: Arc<Mutex<Progress>>,
    ) -> Option<Job> {
        let mut progress = shared.lock();
        progress.ahead_bytes = progress.ahead_bytes.saturating_sub(consumed);
        if progress.through < next {
            progress.through = next;
            progress.ahead_bytes = 0;
        }
        // Refilled when half used up: fewer and larger reads.
        if progress.busy || progress.ahead_bytes > window / 2 {
            return None;
        }
        let bytes = window - progress.ahead_bytes;
        let permits = u32::try_from(bytes.div_ceil(PERMIT_BYTES)).ok()?;
        let permit = self.total.clone().try_acquire_many_owned(permits).ok()?;
        progress.busy = true;
        drop(progress);
        Some(Job {
            stream,
            bytes,
            progress: shared,
            _permit: permit,
        })
    }
}

impl Job {
    /// Where to read on: behind what was read ahead, and not behind the reader.
    pub(crate) fn from(&self) -> Offset {
        self.progress.lock().through
    }

    /// Blocks of `bytes` bytes are in the cache, up to `through`.
    pub(crate) fn done(&self, through: Offset, bytes: u64) {
        let mut progress = self.progress.lock();
        progress.through = progress.through.max(through);
        progress.ahead_bytes += bytes;
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.progress.lock().busy = false;
    }
}

impl Reader {
    fn new() -> Self {
        Self {
            age: 0,
            window_bytes: WINDOW_BYTES_MIN / 2,
            progress: Arc::default(),
        }
    }
}

impl Readers {
    /// Readers that take turns now; at least one.
    fn recent(&self) -> u64 {
        let since = self.clock.saturating_sub(RECENT_READS);
        self.by_age.range(since + 1..).count().max(1) as u64
    }

    fn take(&mut self, stream: StreamId, next: Offset) -> Option<Reader> {
        let reader = self.by_next.remove(&(stream, next))?;
        self.by_age.remove(&reader.age);
        Some(reader)
    }

    fn put(&mut self, stream: StreamId, next: Offset, mut reader: Reader) {
        self.clock += 1;
        reader.age = self.clock;
        self.by_age.insert(reader.age, (stream, next));
        if let Some(replaced) = self.by_next.insert((stream, next), reader) {
            self.by_age.remove(&replaced.age);
        }
        if self.by_next.len() > READERS_MAX
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.by_next.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CACHE_BYTES: u64 = 48 << 20;

    /// Lets `readers` read a block each in turn, `turns` times; the size of the last job that each got.
    fn windows(ahead: &ReadAhead, readers: u32, turns: u64) -> Vec<u64> {
        let mut last = vec![0; readers as usize];
        for turn in 0..turns {
            for reader in 0..readers {
                let job = ahead.note(
                    StreamId(u64::from(reader)),
                    Offset(turn),
                    Offset(turn + 1),
                    1 << 20,
                );
                if let Some(job) = job {
                    last[reader as usize] = job.bytes;
                }
            }
        }
        last
    }

    #[test]
    fn a_reader_alone_gets_all_the_room_that_there_is() {
        let ahead = ReadAhead::new(CACHE_BYTES);
        assert_eq!(windows(&ahead, 1, 20), [CACHE_BYTES / CACHE_SHARE]);
    }

    #[test]
    fn readers_that_take_turns_share_the_room_and_none_goes_without() {
        let ahead = ReadAhead::new(CACHE_BYTES);
        let windows = windows(&ahead, 6, 20);
        let sum: u64 = windows.iter().sum();
        assert!(
            windows.iter().all(|window| *window >= WINDOW_BYTES_MIN),
            "{windows:?}"
        );
        assert!(sum <= CACHE_BYTES / CACHE_SHARE, "{windows:?}");
    }

    #[test]
    fn who_stopped_reading_leaves_its_room_to_the_others() {
        let ahead = ReadAhead::new(CACHE_BYTES);
        windows(&ahead, 6, 20);
        let stream = StreamId(0);
        let jobs = (20..20 + 2 * RECENT_READS).filter_map(|turn| {
            let job = ahead.note(stream, Offset(turn), Offset(turn + 1), 1 << 20);
            job.map(|job| job.bytes)
        });
        assert_eq!(jobs.last(), Some(CACHE_BYTES / CACHE_SHARE));
    }
}
