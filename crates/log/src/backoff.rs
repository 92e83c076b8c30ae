//! Waiting between attempts: doubling, bounded, without randomness (the simulator must see the same trace twice; one broker
//! retries few things at once, so there is no herd to scatter).

use std::time::Duration;

/// First wait.
const WAIT_MIN: Duration = Duration::from_millis(50);
/// Longest wait: an object store that comes back is noticed within this.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Counts the attempts of one operation.
pub(crate) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { next: WAIT_MIN }
    }

    /// Sleeps, longer every time.
    pub(crate) async fn wait(&mut self) {
        let wait = self.next;
        self.next = (wait * 2).min(WAIT_MAX);
        tokio::time::sleep(wait).await;
    }
}
