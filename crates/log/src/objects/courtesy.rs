//! Whoever reads objects gives way to the flushes of the write-ahead log on the same disk.
//!
//! A reader that catches up takes all that a disk gives, and every flush then waits behind reads that were there before it. Nobody has to say
//! how fast the disk is: flushes that take long beside reads make reads *polite*, one at a time, each followed by a pause of so many times
//! what it took; flushes that are in time let the pauses shrink, and vanish.
//!
//! Owns: what a flush usually takes, the pauses, and whose turn it is. Never looks at the store; `fetch` asks before each read of it.
//!
//! **Invariant**: a reader waits for its turn no longer than those before it read and pause, and a pause has an upper bound: reads go on,
//! however late flushes are.

use crate::clock::Clock;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Flushes are compared with those of about their size: up to 64 KiB, twice that, and so on.
const SIZES: usize = 10;
const SMALL_BYTES: usize = 64 << 10;
/// A flush is late that takes more than so many times the usual for its size, ...
const LATE_TIMES: f64 = 4.0;
/// ... and so much besides: a disk's own jitter is nobody's fault.
const LATE_MORE: f64 = 0.000_5;
/// What is usual follows flushes: down by a larger step than up, so that it comes to rest where one flush in seventeen is quicker. Up only by
/// flushes that had the disk for themselves: what is slow beside reads is not to become usual.
const USUAL_DOWN: f64 = 1.0 / 16.0;
const USUAL_UP: f64 = 1.0 / 256.0;
/// A late flush beside reads doubles their pauses, one in time shortens them: they come to rest where one flush in seventy is late, so that
/// the hundredth, by which a broker is judged, is not far from what it is without readers.
const TIMES_GROWTH: f64 = 2.0;
const TIMES_DECAY: f64 = 0.99;
/// After so much time without a flush nobody is in the way of one.
const IDLE: Duration = Duration::from_secs(1);
/// Timers go by milliseconds: what a turn came too late by, up to this, is taken off its own pause.
const OVERSLEPT_MAX: Duration = Duration::from_millis(2);
/// The shortest pause that is made, in times of the read before it, and the longest: then reads have a quarter of the time. A reader that
/// fell out of the tail cache has to get on, too.
const TIMES_MIN: f64 = 1.0;
const TIMES_MAX: f64 = 3.0;
const PAUSE_MAX: Duration = Duration::from_millis(250);

/// See the module.
pub(crate) struct Courtesy {
    clock: Arc<dyn Clock>,
    /// Objects lie on the disk of the write-ahead log.
    one_disk: bool,
    state: Mutex<State>,
    /// Whether reads take turns. Beside the state, for those who find that they do not.
    is_polite: AtomicBool,
    turn: Semaphore,
    held_micros: AtomicU64,
}

struct State {
    /// Seconds that a quick flush takes, by size; 0 before the first one.
    usual: [f64; SIZES],
    /// Length of the pause after a read, in times of what the read took; 0: reads are not polite.
    times: f64,
    /// The write-ahead log writes and flushes a group.
    flushing: bool,
    /// When it last ended that.
    flushed: Duration,
    pressed: bool,
    reads_begun: u64,
    reads_running: u64,
    /// When the next polite read may begin.
    next: Duration,
}

/// One read of the store; it ends when dropped.
#[must_use]
pub(crate) struct Turn<'a> {
    courtesy: &'a Courtesy,
    begun: Duration,
    /// By how much it began later than it was to.
    overslept: Duration,
    _place: Option<SemaphorePermit<'a>>,
}

/// One flush under way.
#[must_use]
pub(crate) struct Flush {
    bytes: usize,
    begun: Duration,
    reads_begun: u64,
    beside_reads: bool,
}

impl Courtesy {
    /// `one_disk`: objects lie on the disk of the write-ahead log; otherwise nobody waits.
    pub(crate) fn new(one_disk: bool, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            one_disk,
            state: Mutex::new(State {
                usual: [0.0; SIZES],
                times: 0.0,
                flushing: false,
                flushed: Duration::ZERO,
                pressed: false,
                reads_begun: 0,
                reads_running: 0,
                next: Duration::ZERO,
            }),
            is_polite: AtomicBool::new(false),
            turn: Semaphore::new(1),
            held_micros: AtomicU64::new(0),
        }
    }

    /// Waits for the caller's turn to read objects.
    pub(crate) async fn turn(&self) -> Turn<'_> {
        let mut overslept = Duration::ZERO;
        let place = if self.is_polite.load(Ordering::Relaxed) {
            let asked = self.clock.monotonic();
            let place = self.turn.acquire().await.expect("never closed");
            let free = self.clock.monotonic();
            let pause = self.pause(free);
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            let begins = self.clock.monotonic();
            overslept = begins.saturating_sub(free + pause).min(OVERSLEPT_MAX);
            let held = begins.saturating_sub(asked);
            let micros = u64::try_from(held.as_micros()).expect("a wait is shorter than an age");
            self.held_micros.fetch_add(micros, Ordering::Relaxed);
            Some(place)
        } else {
            None
        };
        let mut state = self.state.lock();
        state.reads_begun += 1;
        state.reads_running += 1;
        Turn {
            courtesy: self,
            begun: self.clock.monotonic(),
            overslept,
            _place: place,
        }
    }

    /// Until the next polite read may begin.
    fn pause(&self, now: Duration) -> Duration {
        let mut state = self.state.lock();
        state.look(now);
        self.show(&state);
        state.next.saturating_sub(now)
    }

    /// How long all reads together waited for their turns, in microseconds.
    pub(crate) fn held_micros(&self) -> u64 {
        self.held_micros.load(Ordering::Relaxed)
    }

    /// A group of `bytes` is about to be written and flushed.
    pub(crate) fn flush(&self, bytes: usize) -> Flush {
        let mut state = self.state.lock();
        state.flushing = true;
        Flush {
            bytes,
            begun: self.clock.monotonic(),
            reads_begun: state.reads_begun,
            beside_reads: state.reads_running > 0,
        }
    }

    /// That has ended. What is not durable says nothing about the time that flushes take.
    pub(crate) fn flushed(&self, flush: &Flush, is_durable: bool) {
        let now = self.clock.monotonic();
        let took = now.saturating_sub(flush.begun).as_secs_f64();
        let mut state = self.state.lock();
        state.flushing = false;
        state.flushed = now;
        if self.one_disk && is_durable {
            let beside_reads = flush.beside_reads || state.reads_begun > flush.reads_begun;
            state.judge(flush.bytes, took, beside_reads);
            self.show(&state);
        }
    }

    /// Whether uploads fall behind.
    pub(crate) fn set_pressed(&self, pressed: bool) {
        let mut state = self.state.lock();
        state.pressed = pressed && self.one_disk;
        self.show(&state);
    }

    fn show(&self, state: &State) {
        self.is_polite.store(state.pause_times() > 0.0, Ordering::Relaxed);
    }
}

impl State {
    fn judge(&mut self, bytes: usize, took: f64, beside_reads: bool) {
        let size = bytes.div_ceil(SMALL_BYTES).next_power_of_two().ilog2() as usize;
        let size = size.min(SIZES - 1);
        let usual = &mut self.usual[size];
        if *usual == 0.0 {
            *usual = took;
        } else if took < *usual {
            *usual *= 1.0 - USUAL_DOWN;
        } else if !beside_reads {
            *usual *= 1.0 + USUAL_UP;
        }
        if took > LATE_TIMES * self.usual_of(size) + LATE_MORE {
            if beside_reads {
                self.times = (self.times * TIMES_GROWTH).clamp(TIMES_MIN, TIMES_MAX);
            }
        } else {
            self.times *= TIMES_DECAY;
            if self.times < TIMES_MIN / 2.0 {
                self.times = 0.0;
            }
        }
    }

    /// Twice the bytes take twice as long at most: where groups of a size are only seen beside reads, smaller ones tell.
    fn usual_of(&self, size: usize) -> f64 {
        let mut least = f64::INFINITY;
        for usual in &self.usual[..=size] {
            least *= 2.0;
            if *usual > 0.0 {
                least = least.min(*usual);
            }
        }
        least
    }

    fn look(&mut self, now: Duration) {
        if !self.flushing && now.saturating_sub(self.flushed) >= IDLE {
            self.times = 0.0;
        }
    }

    fn pause_times(&self) -> f64 {
        match self.pressed {
            true => TIMES_MAX,
            false => self.times,
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let now = self.courtesy.clock.monotonic();
        let mut state = self.courtesy.state.lock();
        state.reads_running -= 1;
        let pause = now.saturating_sub(self.begun).mul_f64(state.pause_times());
        let pause = pause.min(PAUSE_MAX).saturating_sub(self.overslept);
        state.next = state.next.max(now + pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_world::FakeClock;
    use futures_util::FutureExt;
    use tokio::time::{advance, timeout};

    const QUICK: Duration = Duration::from_micros(200);
    const SLOW: Duration = Duration::from_millis(5);
    const READ: Duration = Duration::from_millis(10);

    fn courtesy() -> Courtesy {
        Courtesy::new(true, Arc::new(FakeClock::default()))
    }

    async fn flush(courtesy: &Courtesy, took: Duration) {
        let flush = courtesy.flush(4096);
        advance(took).await;
        courtesy.flushed(&flush, true);
    }

    async fn flushes(courtesy: &Courtesy, count: u32, took: Duration) {
        for _ in 0..count {
            flush(courtesy, took).await;
        }
    }

    /// A read of ten milliseconds, with a late flush in its time.
    async fn read_beside_a_late_flush(courtesy: &Courtesy) {
        let turn = courtesy.turn().await;
        flush(courtesy, SLOW).await;
        advance(READ - SLOW).await;
        drop(turn);
    }

    async fn as_polite_as_can_be() -> Courtesy {
        let courtesy = courtesy();
        flushes(&courtesy, 100, QUICK).await;
        for _ in 0..10 {
            read_beside_a_late_flush(&courtesy).await;
        }
        courtesy
    }

    fn assert_nobody_waits(courtesy: &Courtesy) {
        let both = (courtesy.turn().now_or_never(), courtesy.turn().now_or_never());
        assert!(both.0.is_some() && both.1.is_some(), "somebody waits");
    }

    /// How long a read has to wait now.
    async fn wait_for_turn(courtesy: &Courtesy) -> Duration {
        let before = courtesy.held_micros();
        let asked = courtesy.clock.monotonic();
        drop(courtesy.turn().await);
        let waited = courtesy.clock.monotonic() - asked;
        assert_eq!(waited, Duration::from_micros(courtesy.held_micros() - before));
        waited
    }

    #[tokio::test(start_paused = true)]
    async fn late_flushes_beside_reads_make_reads_pause_and_those_in_time_end_it() {
        let courtesy = courtesy();
        flushes(&courtesy, 100, QUICK).await;
        drop(courtesy.turn().await);
        assert!(wait_for_turn(&courtesy).await.is_zero(), "no flush was late");
        read_beside_a_late_flush(&courtesy).await;
        assert_eq!(wait_for_turn(&courtesy).await, READ, "as long as the read took");
        read_beside_a_late_flush(&courtesy).await;
        assert_eq!(wait_for_turn(&courtesy).await, 2 * READ);
        flushes(&courtesy, 200, QUICK).await;
        assert_nobody_waits(&courtesy);
    }

    #[tokio::test(start_paused = true)]
    async fn without_flushes_reads_are_free_again_after_a_while() {
        let courtesy = as_polite_as_can_be().await;
        advance(Duration::from_secs(5)).await;
        assert!(wait_for_turn(&courtesy).await.is_zero());
        assert_nobody_waits(&courtesy);
    }

    #[tokio::test(start_paused = true)]
    async fn polite_reads_go_one_at_a_time_and_have_a_share_however_late_flushes_are() {
        let courtesy = as_polite_as_can_be().await;
        let reading = courtesy.turn().await;
        assert!(courtesy.turn().now_or_never().is_none(), "one reads already");
        advance(50 * READ).await;
        drop(reading);
        assert_eq!(wait_for_turn(&courtesy).await, PAUSE_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flush_that_hangs_does_not_set_reads_free() {
        let courtesy = as_polite_as_can_be().await;
        let hangs = courtesy.flush(4096);
        advance(Duration::from_secs(60)).await;
        let reading = courtesy.turn().await;
        assert!(courtesy.turn().now_or_never().is_none(), "still one at a time");
        drop(reading);
        courtesy.flushed(&hangs, false);
        let reading = courtesy.turn().now_or_never();
        assert!(reading.is_some());
        assert!(
            courtesy.turn().now_or_never().is_none(),
            "a failure is no flush in time"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_slow_beside_reads_does_not_become_usual() {
        let courtesy = courtesy();
        flushes(&courtesy, 100, QUICK).await;
        let reading = courtesy.turn().await;
        for _ in 0..1000 {
            // Groups that grow while flushes are slow, of a size that was never seen before.
            let flush = courtesy.flush(3 * SMALL_BYTES);
            advance(SLOW).await;
            courtesy.flushed(&flush, true);
        }
        drop(reading);
        assert_eq!(courtesy.state.lock().times, TIMES_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flush_that_is_late_without_readers_is_not_their_fault() {
        let courtesy = courtesy();
        flushes(&courtesy, 100, QUICK).await;
        drop(courtesy.turn().await);
        flushes(&courtesy, 100, SLOW).await;
        assert!(wait_for_turn(&courtesy).await.is_zero());
    }

    #[tokio::test(start_paused = true)]
    async fn while_uploads_fall_behind_reads_take_turns_and_are_free_again_after_it() {
        let courtesy = courtesy();
        courtesy.set_pressed(true);
        let reading = courtesy.turn().await;
        assert!(courtesy.turn().now_or_never().is_none());
        advance(READ).await;
        drop(reading);
        assert_eq!(wait_for_turn(&courtesy).await, READ.mul_f64(TIMES_MAX));
        courtesy.set_pressed(false);
        assert_nobody_waits(&courtesy);
    }

    #[tokio::test(start_paused = true)]
    async fn where_objects_lie_elsewhere_nobody_waits() {
        let courtesy = Courtesy::new(false, Arc::new(FakeClock::default()));
        courtesy.set_pressed(true);
        flushes(&courtesy, 100, QUICK).await;
        read_beside_a_late_flush(&courtesy).await;
        let waited = timeout(Duration::from_secs(1), wait_for_turn(&courtesy)).await;
        assert_eq!(waited, Ok(Duration::ZERO));
    }
}
