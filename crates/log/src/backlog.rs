//! What the write-ahead log holds that is not in objects yet, and the bound on it.
//!
//! Owns: that account, in bytes of the medium and of the index of batches in memory, by group. Never starts an upload: the uploader looks here.
//!
//! **Invariant**: reserved plus durable bytes exceed the bound by no more than one append of each waiter; they return to zero
//! when everything is uploaded.

use crate::error::AppendError;
use crate::ids::GroupSeq;
use crate::upload::source::TAIL_BATCH_CHARGE_BYTES;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long an append waits for an upload to make room before it fails with `StorageFull`. Kafka's clients give up on a request
/// after 30 s by default; an answer shortly before that tells them why.
const ROOM_WAIT_MAX: Duration = Duration::from_secs(25);

/// See the module.
pub(crate) struct Backlog {
    bytes_max: u64,
    /// Queued, in flight, or durable and not in objects.
    bytes: AtomicU64,
    durable: Mutex<Durable>,
    room: Notify,
    is_closed: AtomicBool,
}

/// Room reserved for one batch; given back when dropped unused.
#[must_use]
pub(crate) struct Room<'a> {
    backlog: &'a Backlog,
    bytes: u64,
}

impl Room<'_> {
    /// The reservation passes to the queued batch.
    pub(crate) fn keep(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.backlog.give_back(self.bytes);
        }
    }
}

struct Durable {
    /// The last durable group; its account is the last in `groups`.
    last: GroupSeq,
    groups: VecDeque<GroupCharge>,
    bytes: u64,
}

struct GroupCharge {
    stored: u64,
    /// Monotonic time at which it became durable.
    at: Duration,
}

impl Backlog {
    /// Nothing waits; everything up to `through` is in objects.
    pub(crate) fn new(bytes_max: u64, through: GroupSeq) -> Self {
        Self {
            bytes_max,
            bytes: AtomicU64::new(0),
            durable: Mutex::new(Durable {
                last: through,
                groups: VecDeque::new(),
                bytes: 0,
            }),
            room: Notify::new(),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Waits until the bound leaves room, then reserves it for a batch of `bytes`.
    pub(crate) async fn reserve(&self, bytes: u64) -> Result<Room<'_>, AppendError> {
        if self.bytes.load(Ordering::Relaxed) >= self.bytes_max {
            timeout(ROOM_WAIT_MAX, self.wait_for_room())
                .await
                .map_err(|_| AppendError::StorageFull)?;
        }
        let bytes = bytes + TAIL_BATCH_CHARGE_BYTES;
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(Room { backlog: self, bytes })
    }

    async fn wait_for_room(&self) {
        loop {
            let mut room = std::pin::pin!(self.room.notified());
            // Registered before the look, so that room made in between is not missed.
            room.as_mut().enable();
            if self.bytes.load(Ordering::Relaxed) < self.bytes_max || self.is_closed.load(Ordering::Acquire) {
                return;
            }
            room.await;
        }
    }

    /// Nobody waits any longer; the queue refuses them.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.room.notify_waiters();
    }

    /// What was reserved for a batch of `bytes` was not used.
    pub(crate) fn refused(&self, bytes: u64) {
        self.give_back(bytes + TAIL_BATCH_CHARGE_BYTES);
    }

    fn give_back(&self, bytes: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.room.notify_waiters();
    }

    /// A group of so many batches became durable: their `reserved` bytes turned into `stored` ones. Returns the durable bytes that are
    /// not in objects.
    pub(crate) fn durable(
        &self,
        seq: GroupSeq,
        batches: usize,
        reserved: u64,
        stored: u64,
        now: Duration,
    ) -> u64 {
        let index = batches as u64 * TAIL_BATCH_CHARGE_BYTES;
        let stored = self.settle(seq, stored + index, now);
        self.bytes.fetch_sub(reserved + index, Ordering::Relaxed);
        stored
    }

    fn settle(&self, seq: GroupSeq, stored: u64, now: Duration) -> u64 {
        let mut durable = self.durable.lock();
        assert_eq!(seq.0, durable.last.0 + 1, "groups become durable in order");
        durable.last = seq;
        durable.bytes += stored;
        durable.groups.push_back(GroupCharge { stored, at: now });
        let waiting = durable.bytes;
        drop(durable);
        self.bytes.fetch_add(stored, Ordering::Relaxed);
        waiting
    }

    /// Recovery found a durable group.
    pub(crate) fn replayed(&self, seq: GroupSeq, batches: usize, stored: u64, now: Duration) {
        self.settle(seq, stored + batches as u64 * TAIL_BATCH_CHARGE_BYTES, now);
    }

    /// Everything up to `through` is in objects.
    pub(crate) fn uploaded(&self, through: GroupSeq) {
        let mut freed = 0;
        let mut durable = self.durable.lock();
        while durable.last.0 - (durable.groups.len() as u64) < through.0
            && let Some(group) = durable.groups.pop_front()
        {
            freed += group.stored;
        }
        durable.bytes -= freed;
        drop(durable);
        self.give_back(freed);
    }

    /// The last durable group.
    pub(crate) fn last_durable(&self) -> GroupSeq {
        self.durable.lock().last
    }

    /// Durable bytes that are not in objects, and when the oldest became durable.
    pub(crate) fn waiting(&self) -> (u64, Option<Duration>) {
        let durable = self.durable.lock();
        (durable.bytes, durable.groups.front().map(|group| group.at))
    }
}
