//! What the write-ahead log holds that is not in objects yet, and the bounds on it.
//!
//! Owns: that account, in bytes of the medium and batches, by group; the brake, which lets appends go no faster than uploads where both
//! are written to one disk. Never starts an upload: the uploader looks here.
//!
//! **Invariant**: reserved plus durable bytes, with the memory that the batches' entries take, exceed the bound by no more than one
//! append of each waiter; they return to zero when everything is uploaded. The brake refuses nothing, and holds nobody
//! while uploads make no headway.

use crate::clock::TimestampMs;
use crate::config::LogConfig;
use crate::error::AppendError;
use crate::ids::GroupSeq;
use crate::upload::source::{Oldest, TAIL_BATCH_CHARGE_BYTES};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// How long an append waits for an upload to make room before it fails with `StorageFull`. Kafka's clients give up on a request
/// after 30 s by default; an answer shortly before that tells them why.
const ROOM_WAIT_MAX: Duration = Duration::from_secs(25);
/// Uploads that have put nothing for so long are not merely behind: the brake lets go until they make headway again.
const STALLED_AFTER: Duration = Duration::from_millis(500);
/// From so many times its bytes on the brake lets go: what is behind by so much has left memory, and slower appends do not bring it
/// back (after a restart, or an upload that failed for long). More than those can add that are let go at once.
const BRAKE_TIMES_MAX: u64 = 5;
/// Share of the brake from which uploads are pressed: they start soon, and lower classes of IO pause.
const BRAKE_PRESSED_PERCENT: u64 = 75;
/// Share of the brake from which objects are written as fast as the disk takes them.
const BRAKE_SOON_PERCENT: u64 = 95;
/// Share of the bound from which uploads are pressed.
const PRESSED_PERCENT: u64 = 50;
/// Of the tail cache, what may wait for uploads before the brake holds appends: what is uploaded comes from memory then. Buffers that
/// are larger than their blocks, and what was let through already, take the rest.
const BRAKE_CACHE_PERCENT: u64 = 65;
/// A smaller brake would hold what one disk takes in a moment.
const BRAKE_BYTES_MIN: u64 = 16 << 20;

/// How much may wait for uploads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Where appends wait for room.
    pub(crate) bytes_max: u64,
    /// Where the brake holds them; `None` where uploads go elsewhere than the write-ahead log, which then is what takes a burst.
    pub(crate) brake_bytes: Option<u64>,
}

impl Bounds {
    /// `one_disk`: objects lie on the disk of the write-ahead log.
    pub(crate) fn new(config: &LogConfig, one_disk: bool) -> Self {
        let in_memory = config.tail_cache_bytes as u64 / 100 * BRAKE_CACHE_PERCENT;
        let bytes_max = config.wal_unuploaded_bytes_max;
        let brake_bytes = in_memory.max(BRAKE_BYTES_MIN).min(bytes_max / 2);
        Self {
            bytes_max,
            brake_bytes: one_disk.then_some(brake_bytes),
        }
    }

    /// `entries`: the memory that the entries of what is ahead take.
    fn is_pressed(&self, ahead: u64, entries: u64) -> bool {
        let brakes_soon = |brake| ahead > brake / 100 * BRAKE_PRESSED_PERCENT;
        self.brake_bytes.is_some_and(brakes_soon) || ahead + entries > self.bytes_max / 100 * PRESSED_PERCENT
    }

    fn brakes_soon(&self, ahead: u64) -> bool {
        self.brake_bytes
            .is_some_and(|brake| ahead > brake / 100 * BRAKE_SOON_PERCENT)
    }

    fn is_braked(&self, ahead: u64) -> bool {
        self.brake_bytes
            .is_some_and(|brake| (brake..BRAKE_TIMES_MAX * brake).contains(&ahead))
    }
}

/// See the module.
pub(crate) struct Backlog {
    bounds: Bounds,
    /// Queued, in flight, or durable and not in committed objects.
    bytes: AtomicU64,
    /// As many batches. The brake does not look at them: their entries are no burden of the disk's.
    batches: AtomicU64,
    /// Of the bytes, those that the upload under way has put into objects.
    put: AtomicU64,
    durable: Mutex<Durable>,
    room: Notify,
    /// An object was put, or an upload committed.
    headway: Notify,
    /// Nothing was put for long.
    is_stalled: AtomicBool,
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
            self.backlog.give_back(self.bytes, 1);
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
    batches: u64,
    time: GroupTime,
}

impl Durable {
    /// Number of the group before the oldest that waits.
    fn before(&self) -> u64 {
        self.last.0 - self.groups.len() as u64
    }
}

/// When a group became durable.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct GroupTime {
    /// Monotonic, in this process.
    pub(crate) at: Duration,
    /// As its head says.
    pub(crate) wall_ms: TimestampMs,
}

impl Backlog {
    /// Nothing waits; everything up to `through` is in objects.
    pub(crate) fn new(bounds: Bounds, through: GroupSeq) -> Self {
        Self {
            bounds,
            bytes: AtomicU64::new(0),
            batches: AtomicU64::new(0),
            put: AtomicU64::new(0),
            durable: Mutex::new(Durable {
                last: through,
                groups: VecDeque::new(),
                bytes: 0,
            }),
            room: Notify::new(),
            headway: Notify::new(),
            is_stalled: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
        }
    }

    /// Waits until the bound leaves room, then reserves it for a batch of `bytes`.
    pub(crate) async fn reserve(&self, bytes: u64) -> Result<Room<'_>, AppendError> {
        if self.is_full() {
            timeout(ROOM_WAIT_MAX, self.wait_for_room())
                .await
                .map_err(|_| AppendError::StorageFull)?;
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.batches.fetch_add(1, Ordering::Relaxed);
        Ok(Room { backlog: self, bytes })
    }

    fn is_full(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) + self.entries() >= self.bounds.bytes_max
    }

    /// Waits while appends are too far ahead of uploads to the same disk.
    pub(crate) async fn pace(&self) {
        while self.is_braked() {
            let mut headway = std::pin::pin!(self.headway.notified());
            // Registered before the look, so that what comes in between is not missed.
            headway.as_mut().enable();
            if self.is_braked() && timeout(STALLED_AFTER, headway).await.is_err() {
                self.is_stalled.store(true, Ordering::Relaxed);
            }
        }
    }

    fn is_braked(&self) -> bool {
        self.bounds.is_braked(self.ahead())
            && !self.is_stalled.load(Ordering::Relaxed)
            && !self.is_closed.load(Ordering::Acquire)
    }

    fn note_headway(&self) {
        self.is_stalled.store(false, Ordering::Relaxed);
        self.headway.notify_waiters();
    }

    /// Whether uploads fall behind.
    pub(crate) fn is_pressed(&self) -> bool {
        self.bounds.is_pressed(self.ahead(), self.entries())
    }

    /// Whether appends are about to wait for uploads.
    pub(crate) fn brakes_soon(&self) -> bool {
        self.bounds.brakes_soon(self.ahead())
    }

    fn entries(&self) -> u64 {
        self.batches.load(Ordering::Relaxed) * TAIL_BATCH_CHARGE_BYTES
    }

    /// By how much appends are ahead of uploads.
    fn ahead(&self) -> u64 {
        let bytes = self.bytes.load(Ordering::Relaxed);
        bytes.saturating_sub(self.put.load(Ordering::Relaxed))
    }

    async fn wait_for_room(&self) {
        loop {
            let mut room = std::pin::pin!(self.room.notified());
            // Registered before the look, so that room made in between is not missed.
            room.as_mut().enable();
            if !self.is_full() || self.is_closed.load(Ordering::Acquire) {
                return;
            }
            room.await;
        }
    }

    /// Nobody waits any longer; the queue refuses them.
    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.room.notify_waiters();
        self.headway.notify_waiters();
    }

    /// What was reserved for a batch of `bytes` was not used.
    pub(crate) fn refused(&self, bytes: u64) {
        self.give_back(bytes, 1);
    }

    fn give_back(&self, bytes: u64, batches: u64) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.batches.fetch_sub(batches, Ordering::Relaxed);
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
        time: GroupTime,
    ) -> u64 {
        let batches = batches as u64;
        let mut durable = self.durable.lock();
        assert_eq!(seq.0, durable.last.0 + 1, "groups become durable in order");
        durable.last = seq;
        durable.bytes += stored;
        let charge = GroupCharge {
            stored,
            batches,
            time,
        };
        durable.groups.push_back(charge);
        // Under the lock: an upload that takes the group off again comes behind it.
        self.bytes.fetch_add(stored, Ordering::Relaxed);
        self.bytes.fetch_sub(reserved, Ordering::Relaxed);
        durable.bytes
    }

    /// Recovery found a durable group.
    pub(crate) fn replayed(&self, seq: GroupSeq, batches: usize, stored: u64, time: GroupTime) {
        self.batches.fetch_add(batches as u64, Ordering::Relaxed);
        self.durable(seq, batches, 0, stored, time);
    }

    /// The upload under way has put so many bytes into an object.
    pub(crate) fn put(&self, bytes: u64) {
        self.put.fetch_add(bytes, Ordering::Relaxed);
        self.note_headway();
    }

    /// The upload under way came to nothing.
    pub(crate) fn upload_failed(&self) {
        self.put.store(0, Ordering::Relaxed);
    }

    /// Everything up to `through` is in committed objects, and no upload is under way.
    pub(crate) fn uploaded(&self, through: GroupSeq) {
        let (mut freed, mut batches) = (0, 0);
        let mut durable = self.durable.lock();
        while durable.before() < through.0
            && let Some(group) = durable.groups.pop_front()
        {
            freed += group.stored;
            batches += group.batches;
        }
        durable.bytes -= freed;
        drop(durable);
        self.put.store(0, Ordering::Relaxed);
        self.give_back(freed, batches);
        self.note_headway();
    }

    /// The last durable group.
    pub(crate) fn last_durable(&self) -> GroupSeq {
        self.durable.lock().last
    }

    /// Durable bytes that are not in objects, and when the oldest became durable.
    pub(crate) fn waiting(&self) -> (u64, Option<Duration>) {
        let durable = self.durable.lock();
        (durable.bytes, durable.groups.front().map(|group| group.time.at))
    }

    /// The oldest groups that wait and take at most so many bytes together; one at least.
    pub(crate) fn oldest(&self, bytes_max: u64) -> Oldest {
        let durable = self.durable.lock();
        if durable.bytes <= bytes_max {
            return Oldest {
                through: durable.last,
                groups: durable.groups.len() as u64,
                bytes: durable.bytes,
            };
        }
        let groups = (durable.before() + 1..).zip(&durable.groups);
        Oldest::within(
            bytes_max,
            groups.map(|(seq, group)| (GroupSeq(seq), group.stored)),
        )
    }

    /// Wall time in the head of a group that waits.
    pub(crate) fn wall_ms(&self, group: GroupSeq) -> Option<TimestampMs> {
        let durable = self.durable.lock();
        let index = group.0.checked_sub(durable.before() + 1)?;
        let charge = durable.groups.get(usize::try_from(index).ok()?)?;
        Some(charge.time.wall_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    const BRAKE: u64 = 100;

    fn backlog(ahead: u64) -> Backlog {
        let bounds = Bounds {
            bytes_max: 1000,
            brake_bytes: Some(BRAKE),
        };
        let backlog = Backlog::new(bounds, GroupSeq(0));
        backlog.replayed(GroupSeq(1), 0, ahead, GroupTime::default());
        backlog
    }

    #[tokio::test(start_paused = true)]
    async fn the_brake_holds_until_an_object_is_put_and_again_if_the_upload_fails() {
        let backlog = backlog(BRAKE);
        let mut held = Box::pin(backlog.pace());
        assert!(backlog.is_pressed() && held.as_mut().now_or_never().is_none());
        backlog.put(30);
        assert!(!backlog.is_pressed() && held.now_or_never().is_some());
        backlog.upload_failed();
        assert!(
            backlog.pace().now_or_never().is_none(),
            "what was put counts no more"
        );
        backlog.put(30);
        backlog.uploaded(GroupSeq(1));
        assert_eq!(backlog.ahead(), 0);
        assert!(backlog.pace().now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_brake_lets_go_while_nothing_is_put_and_holds_again_after_headway() {
        let backlog = backlog(2 * BRAKE);
        let start = tokio::time::Instant::now();
        backlog.pace().await;
        assert_eq!(start.elapsed(), STALLED_AFTER);
        assert!(
            backlog.pace().now_or_never().is_some(),
            "nobody waits for what stands still"
        );
        backlog.put(1);
        assert!(backlog.pace().now_or_never().is_none());
        backlog.close();
        assert!(backlog.pace().now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_brake_refuses_nothing_and_the_bound_does_once_nothing_makes_room() {
        assert!(
            backlog(BRAKE)
                .reserve(1)
                .now_or_never()
                .is_some_and(|room| room.is_ok())
        );
        let full = backlog(1000);
        assert_eq!(full.reserve(1).await.err(), Some(AppendError::StorageFull));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_far_behind_is_not_braked_and_without_a_brake_nothing_is() {
        assert!(backlog(BRAKE_TIMES_MAX * BRAKE).pace().now_or_never().is_some());
        let elsewhere = Bounds::new(&LogConfig::default(), false);
        let backlog = Backlog::new(elsewhere, GroupSeq(0));
        backlog.replayed(GroupSeq(1), 0, elsewhere.bytes_max - 1, GroupTime::default());
        assert!(backlog.is_pressed() && backlog.pace().now_or_never().is_some());
    }

    #[test]
    fn the_oldest_groups_within_so_many_bytes_are_one_at_least_and_follow_each_other() {
        let backlog = backlog(5);
        for (seq, wall_ms) in [(2, 20), (3, 30)] {
            let time = GroupTime {
                wall_ms,
                ..GroupTime::default()
            };
            backlog.replayed(GroupSeq(seq), 1, 5, time);
        }
        let within = |bytes| {
            let oldest = backlog.oldest(bytes);
            (oldest.through.0, oldest.groups, oldest.bytes)
        };
        assert_eq!([within(0), within(9)], [(1, 1, 5), (1, 1, 5)]);
        assert_eq!([within(10), within(u64::MAX)], [(2, 2, 10), (3, 3, 15)]);
        backlog.uploaded(GroupSeq(1));
        assert_eq!([within(0), within(10)], [(2, 1, 5), (3, 2, 10)]);
        let wall_ms = [1, 2, 3, 4].map(|seq| backlog.wall_ms(GroupSeq(seq)));
        assert_eq!(wall_ms, [None, Some(20), Some(30), None]);
        backlog.uploaded(GroupSeq(3));
        assert_eq!(within(u64::MAX), (3, 0, 0));
    }

    #[test]
    fn a_large_tail_cache_takes_neither_brake_nor_pressure_away() {
        let config = LogConfig {
            tail_cache_bytes: 1 << 40,
            ..LogConfig::default()
        };
        let bounds = Bounds::new(&config, true);
        assert!(bounds.is_braked(bounds.bytes_max * 6 / 10));
        assert!(bounds.is_pressed(bounds.bytes_max * 6 / 10, 0));
    }

    #[test]
    fn the_brake_is_within_the_tail_cache_and_uploads_start_before_it() {
        let config = LogConfig::default();
        let brake = Bounds::new(&config, true).brake_bytes.expect("one disk");
        assert!(brake < config.tail_cache_bytes as u64);
        assert!(config.upload_bytes < brake);
    }
}
