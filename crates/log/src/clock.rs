//! The one door to time. Wall time goes into records and retention; monotonic time into leases and measurements.

use std::time::Duration;

/// Milliseconds since the Unix epoch; negative means "none", as in Kafka's record batches.
pub type TimestampMs = i64;

/// Where the log and the broker read the time. Sleeping goes through `tokio::time`, which the simulator pauses.
pub trait Clock: Send + Sync + 'static {
    /// Wall-clock time. May jump; never decides about ownership.
    fn wall_ms(&self) -> TimestampMs;
    /// Time since an arbitrary start. Never goes backwards.
    fn monotonic(&self) -> Duration;
}

/// The machine's clocks.
pub struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    pub fn new() -> Self {
        Self {
            start: std::time::Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    fn wall_ms(&self) -> TimestampMs {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}
