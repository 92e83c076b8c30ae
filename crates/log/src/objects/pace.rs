//! Whoever writes objects to the disk of the write-ahead log goes no faster than need be.
//!
//! An upload at the speed of the disk is over in a twentieth of a second, and every flush of that time waits behind it. But the next one
//! is due only when producers have filled the tail again: so objects are written in short stretches, at a few times the rate of appends.
//!
//! Owns: that rate. Never writes; the store's directory asks before each stretch.
//!
//! **Invariant**: what is due for an upload never waits here: appends that come near the brake, and a log without appends, end all pauses.

use super::store::WritePace;
use crate::clock::Clock;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// Objects are written so many times as fast as batches are appended: an upload takes a sixth of the time until the next, and a sixth
/// of its bytes are appended meanwhile.
const TIMES: f64 = 6.0;
/// Not slower, in bytes a second: what is rewritten is to be done with.
const RATE_MIN: f64 = (64 << 20) as f64;
/// From this rate on pauses are not worth their while: a stretch takes longer.
const RATE_MAX: f64 = (512 << 20) as f64;
/// The rate of appends is that of about so long, in seconds.
const SPAN: f64 = 1.0;
/// After so much time without an append nobody waits for a flush.
const IDLE: Duration = Duration::from_secs(1);
/// What a writer that came late has not used it may catch up on, up to this.
const CREDIT_MAX: Duration = Duration::from_millis(10);

/// See the module.
pub(crate) struct Pace {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Of the last appends, bytes a second.
    rate: f64,
    /// When the last one came; `None` before the first.
    appended: Option<Duration>,
    /// Appends are near the point where they would wait for uploads.
    hurries: bool,
    /// When the next stretch may begin.
    next: Duration,
}

impl Pace {
    /// Nothing was appended yet.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    /// A group of so many bytes is appended.
    pub(crate) fn appends(&self, bytes: usize) {
        let now = self.clock.monotonic();
        let mut state = self.state.lock();
        let passed = state
            .appended
            .map_or(Duration::MAX, |last| now.saturating_sub(last));
        state.rate = state.rate * (-passed.as_secs_f64() / SPAN).exp() + bytes as f64 / SPAN;
        state.appended = Some(now);
    }

    /// Whether uploads have to be as quick as can be.
    pub(crate) fn set_hurries(&self, hurries: bool) {
        self.state.lock().hurries = hurries;
    }
}

impl WritePace for Pace {
    fn wait(&self, bytes: usize) -> Option<Duration> {
        let now = self.clock.monotonic();
        let mut state = self.state.lock();
        let is_idle = state.appended.is_none_or(|last| now.saturating_sub(last) >= IDLE);
        if state.hurries || is_idle {
            return None;
        }
        let rate = (TIMES * state.rate).max(RATE_MIN);
        if rate >= RATE_MAX {
            return None;
        }
        let begins = state.next.max(now.saturating_sub(CREDIT_MAX));
        state.next = begins + Duration::from_secs_f64(bytes as f64 / rate);
        Some(begins.saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_world::FakeClock;
    use tokio::time::advance;

    const STRETCH: usize = 256 << 10;
    const MIB: usize = 1 << 20;

    fn pace() -> Pace {
        Pace::new(Arc::new(FakeClock::default()))
    }

    /// Appends of `bytes` each hundredth of a second, for two seconds.
    async fn append(pace: &Pace, bytes: usize) {
        for _ in 0..200 {
            pace.appends(bytes);
            advance(Duration::from_millis(10)).await;
        }
    }

    /// Writes so many bytes in stretches, on a disk that takes no time. Answers bytes a second, or `None` where there is no pause.
    async fn write(pace: &Pace, bytes: usize) -> Option<f64> {
        let began = pace.clock.monotonic();
        for _ in 0..bytes / STRETCH {
            advance(pace.wait(STRETCH)?).await;
        }
        Some(bytes as f64 / (pace.clock.monotonic() - began).as_secs_f64())
    }

    #[tokio::test(start_paused = true)]
    async fn objects_are_written_a_few_times_as_fast_as_batches_are_appended() {
        let pace = pace();
        append(&pace, MIB / 2).await;
        let rate = write(&pace, 48 * MIB).await.expect("there are pauses");
        let appended = (50 * MIB) as f64;
        assert!(
            rate > (TIMES - 1.5) * appended && rate < (TIMES + 1.0) * appended,
            "{rate}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn beside_few_appends_there_is_a_least_rate_and_beside_none_no_pause() {
        let pace = pace();
        assert_eq!(write(&pace, MIB).await, None);
        append(&pace, 1000).await;
        let rate = write(&pace, 32 * MIB).await.expect("there are pauses");
        assert!((rate / RATE_MIN - 1.0).abs() < 0.05, "{rate}");
        advance(IDLE).await;
        assert_eq!(write(&pace, MIB).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn beside_appends_that_fill_a_disk_there_is_no_pause() {
        let pace = pace();
        append(&pace, MIB).await;
        assert_eq!(write(&pace, MIB).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn several_writers_share_the_rate() {
        let pace = pace();
        append(&pace, 1000).await;
        let waits: Vec<_> = (0..8).map(|_| pace.wait(STRETCH).expect("a pause")).collect();
        assert!(waits.is_sorted() && waits[7] > waits[3]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_hurries_does_not_pause() {
        let pace = pace();
        append(&pace, MIB / 4).await;
        pace.set_hurries(true);
        assert_eq!(write(&pace, MIB).await, None);
        pace.set_hurries(false);
        assert!(write(&pace, MIB).await.is_some());
    }
}
