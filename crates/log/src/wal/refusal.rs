//! Why there was no room for a segment, and when it is worth asking again: trying means to fill a file with zeros, and a full disk
//! would be filled and emptied again for every group that fails.
//!
//! Pure: time and room come in, a verdict comes out.

use std::io;
use std::time::Duration;

/// First wait after a failure.
const WAIT_MIN: Duration = Duration::from_millis(100);
/// Longest wait: room that nobody tells of is noticed within this.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub(super) struct Refusal {
    kind: io::ErrorKind,
    what: String,
    wait: Duration,
    /// Monotonic.
    again_at: Duration,
    /// Room on the volume when it failed, where the system tells.
    usable_bytes: Option<u64>,
}

impl Refusal {
    /// After `before`, if that is not made up for yet, the wait is twice as long.
    pub(super) fn new(
        error: &io::Error,
        before: Option<&Refusal>,
        now: Duration,
        usable_bytes: Option<u64>,
    ) -> Self {
        let wait = before.map_or(WAIT_MIN, |before| (before.wait * 2).min(WAIT_MAX));
        Self {
            kind: error.kind(),
            what: error.to_string(),
            wait,
            again_at: now + wait,
            usable_bytes,
        }
    }

    /// Whether a file of `needed` bytes would be refused for the same reason. Room that was made since counts at once.
    pub(super) fn holds(&self, now: Duration, usable_bytes: Option<u64>, needed: u64) -> bool {
        let has_grown = usable_bytes > self.usable_bytes && usable_bytes >= Some(needed);
        now < self.again_at && !has_grown
    }

    /// What was said then.
    pub(super) fn error(&self) -> io::Error {
        io::Error::new(self.kind, self.what.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_longer_each_time_and_never_longer_than_its_bound() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        let mut now = Duration::ZERO;
        let mut refusal = Refusal::new(&full, None, now, None);
        let mut waits = Vec::new();
        for _ in 0..10 {
            assert!(refusal.holds(now, None, 1));
            now = refusal.again_at;
            assert!(!refusal.holds(now, None, 1));
            waits.push(refusal.wait);
            refusal = Refusal::new(&full, Some(&refusal), now, None);
        }
        assert!(
            waits.is_sorted() && waits[0] == WAIT_MIN && waits[9] == WAIT_MAX,
            "{waits:?}"
        );
    }

    #[test]
    fn room_that_was_made_counts_at_once_and_room_that_was_there_before_does_not() {
        let quota = io::Error::from(io::ErrorKind::QuotaExceeded);
        let refusal = Refusal::new(&quota, None, Duration::ZERO, Some(100));
        assert!(refusal.holds(Duration::ZERO, Some(100), 50));
        assert!(refusal.holds(Duration::ZERO, Some(120), 500));
        assert!(!refusal.holds(Duration::ZERO, Some(500), 500));
        assert_eq!(refusal.error().kind(), io::ErrorKind::QuotaExceeded);
    }
}
