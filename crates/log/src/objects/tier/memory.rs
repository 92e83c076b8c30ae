//! A second tier in memory: for tests, and for the simulator, in which it outlives a crash as a disk's would.
//!
//! Owns: a bounded number of bytes, first in, first out. Never a thread, a task or a clock: the same calls give the same answers.

use super::{Piece, SecondTier, TierStats};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// See the module.
pub struct MemoryTier {
    medium: Arc<Mutex<Medium>>,
    is_open: AtomicBool,
}

struct Medium {
    pieces: BTreeMap<Piece, Bytes>,
    /// Oldest first.
    order: VecDeque<Piece>,
    bytes_max: u64,
    lies: bool,
    stats: TierStats,
}

impl MemoryTier {
    /// An empty tier of so many bytes.
    #[must_use]
    pub fn new(bytes_max: u64) -> Self {
        let medium = Medium {
            pieces: BTreeMap::new(),
            order: VecDeque::new(),
            bytes_max,
            lies: false,
            stats: TierStats::default(),
        };
        Self {
            medium: Arc::new(Mutex::new(medium)),
            is_open: AtomicBool::new(true),
        }
    }

    /// What a process finds that starts anew over the same medium.
    #[must_use]
    pub fn reopened(&self) -> Self {
        let bytes = self.stats().bytes;
        self.medium.lock().stats = TierStats {
            bytes,
            ..TierStats::default()
        };
        Self {
            medium: self.medium.clone(),
            is_open: AtomicBool::new(true),
        }
    }

    /// From now on every answer has a bit flipped: against the port's promise, to see who relies on it.
    pub fn lie(&self) {
        self.medium.lock().lies = true;
    }
}

impl Medium {
    fn find(&mut self, piece: Piece) -> Option<Bytes> {
        let found = self.pieces.get(&piece).cloned();
        let counter = match found {
            Some(_) => &mut self.stats.hits,
            None => &mut self.stats.misses,
        };
        *counter += 1;
        let found = found?;
        if !self.lies {
            return Some(found);
        }
        let mut damaged = found.to_vec();
        damaged[found.len() / 2] ^= 1;
        Some(damaged.into())
    }

    fn keep(&mut self, piece: Piece, bytes: &Bytes) {
        if self.pieces.contains_key(&piece) {
            return;
        }
        let len = u64::from(piece.len);
        while self.stats.bytes + len > self.bytes_max {
            let oldest = self
                .order
                .pop_front()
                .expect("what is kept has its place in the order");
            if self.pieces.remove(&oldest).is_some() {
                self.stats.bytes -= u64::from(oldest.len);
            }
        }
        // A copy: a medium pins no buffer of the log's.
        self.pieces.insert(piece, Bytes::copy_from_slice(bytes));
        self.order.push_back(piece);
        self.stats.bytes += len;
        self.stats.written_bytes += len;
    }

    fn forget(&mut self, goes: impl Fn(u64) -> bool) {
        self.order.retain(|piece| !goes(piece.object));
        self.pieces.retain(|piece, _| !goes(piece.object));
        self.stats.bytes = self.pieces.keys().map(|piece| u64::from(piece.len)).sum();
    }
}

impl SecondTier for MemoryTier {
    fn get(&self, piece: Piece) -> BoxFuture<'_, Option<Bytes>> {
        async move { self.medium.lock().find(piece) }.boxed()
    }

    fn offer(&self, piece: Piece, bytes: &Bytes) {
        let mut medium = self.medium.lock();
        let fits = !bytes.is_empty()
            && bytes.len() == piece.len as usize
            && u64::from(piece.len) <= medium.bytes_max
            && self.is_open.load(Ordering::Relaxed);
        if fits {
            medium.keep(piece, bytes);
        } else {
            medium.stats.dropped += 1;
        }
    }

    fn forget(&self, object: u64) {
        self.medium.lock().forget(|of| of == object);
    }

    fn forget_from(&self, object: u64) {
        self.medium.lock().forget(|of| of >= object);
    }

    fn stats(&self) -> TierStats {
        TierStats {
            is_on: true,
            ..self.medium.lock().stats
        }
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async { self.is_open.store(false, Ordering::Relaxed) }.boxed()
    }
}
