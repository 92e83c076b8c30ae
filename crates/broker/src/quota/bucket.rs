//! Token buckets: how much was used, how much may be, and how long to wait.
//!
//! Owns: the arithmetic of one bucket, and a bounded set of them. Pure: time comes in. Never: whom a bucket belongs to.
//!
//! **Invariant**: over any time, what a bucket lets pass is at most its burst and the rate times that time, beside the one use that
//! overdrew it; the set never holds more than `BUCKETS_MAX`.

use std::collections::HashMap;
use std::time::Duration;

/// The longest wait that is asked for. A debt beyond it is forgotten: a connection must not stay muted for days because of one
/// large request under a tiny quota.
pub const THROTTLE_MAX: Duration = Duration::from_secs(3600);

/// Buckets kept at once, about 100 bytes each. Clients beyond it share one for each rate: names are the clients' own, and
/// whoever makes them up must not take our memory.
pub const BUCKETS_MAX: usize = 100_000;

/// Below so many nobody looks for idle ones.
const SWEEP_MIN: usize = 1024;

/// Between two looks for idle ones when there is no room: strangers must not make everybody wait for a walk each.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

/// What may be used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Units a second; above 0.
    pub per_second: f64,
    /// Units that may be used at once after a rest.
    pub burst: f64,
    /// A debt of more than so many seconds is forgotten.
    pub debt_seconds: f64,
}

impl Rate {
    /// A rate whose burst is what it gives in so many seconds.
    #[must_use]
    pub fn over(per_second: f64, seconds: f64) -> Self {
        Self {
            per_second,
            burst: per_second * seconds,
            debt_seconds: THROTTLE_MAX.as_secs_f64(),
        }
    }

    /// The same, with debts that are no longer than its burst.
    #[must_use]
    pub fn forgiving(self) -> Self {
        Self {
            debt_seconds: self.burst / self.per_second,
            ..self
        }
    }

    fn floor(&self) -> f64 {
        -self.per_second * self.debt_seconds
    }
}

/// One bucket: tokens as of a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenBucket {
    tokens: f64,
    at: Duration,
}

impl TokenBucket {
    /// A full one.
    #[must_use]
    pub fn full(rate: &Rate, now: Duration) -> Self {
        Self {
            tokens: rate.burst,
            at: now,
        }
    }

    fn refill(&mut self, rate: &Rate, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        // Under a rate that was lowered meanwhile what is above its burst is lost, and a debt is no longer than it may be.
        self.tokens = (self.tokens + passed * rate.per_second).clamp(rate.floor(), rate.burst);
        self.at = self.at.max(now);
    }

    /// How long until nothing is owed any more.
    #[must_use]
    pub fn wait(&mut self, rate: &Rate, now: Duration) -> Duration {
        self.refill(rate, now);
        if self.tokens >= 0.0 {
            return Duration::ZERO;
        }
        let seconds = (-self.tokens / rate.per_second).min(THROTTLE_MAX.as_secs_f64());
        Duration::from_secs_f64(seconds)
    }

    /// Uses `amount`, which may overdraw; answers how long the user is to wait then.
    pub fn charge(&mut self, rate: &Rate, amount: f64, now: Duration) -> Duration {
        self.refill(rate, now);
        self.tokens = (self.tokens - amount).max(rate.floor());
        self.wait(rate, now)
    }

    /// Whether a new one would be the same.
    fn is_full(&self, rate: &Rate, now: Duration) -> bool {
        let mut copy = *self;
        copy.refill(rate, now);
        copy.tokens >= rate.burst
    }
}

/// Buckets by the name of their user.
#[derive(Debug)]
pub struct Buckets {
    // Walked only to forget full ones, each judged by itself: the order shows nowhere.
    all: HashMap<String, (TokenBucket, Rate)>,
    sweep_at: usize,
    sweep_not_before: Duration,
    max: usize,
}

impl Default for Buckets {
    fn default() -> Self {
        Self::bounded(BUCKETS_MAX)
    }
}

impl Buckets {
    /// At most so many.
    #[must_use]
    pub fn bounded(max: usize) -> Self {
        Self {
            all: HashMap::new(),
            sweep_at: SWEEP_MIN.min(max),
            sweep_not_before: Duration::ZERO,
            max,
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The bucket of that name, a full one if there is none. When there is no room for it: the one of `shared`.
    pub fn bucket(&mut self, name: &str, shared: &str, rate: &Rate, now: Duration) -> &mut TokenBucket {
        let known = self.all.contains_key(name);
        let is_time = self.all.len() < self.max || now >= self.sweep_not_before;
        if !known && self.all.len() >= self.sweep_at && is_time {
            self.sweep(now);
        }
        let name = if known || self.all.len() < self.max {
            name
        } else {
            shared
        };
        if !self.all.contains_key(name) {
            let full = TokenBucket::full(rate, now);
            self.all.insert(name.to_owned(), (full, *rate));
        }
        let (bucket, last) = self.all.get_mut(name).expect("it was there, or was just made");
        // A sweep judges by the rate that it was last used under.
        *last = *rate;
        bucket
    }

    /// Forgets the buckets that are full: a new one says the same. What a sweep costs is paid for by the insertions before it.
    fn sweep(&mut self, now: Duration) {
        self.all.retain(|_, (bucket, rate)| !bucket.is_full(rate, now));
        self.sweep_not_before = now + SWEEP_PAUSE;
        self.sweep_at = (2 * self.all.len()).clamp(SWEEP_MIN.min(self.max), self.max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        per_second: 100.0,
        burst: 1000.0,
        debt_seconds: 3600.0,
    };

    fn at(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_burst_passes_and_what_is_beyond_it_waits_for_its_time() {
        let mut bucket = TokenBucket::full(&RATE, at(0.0));
        assert_eq!(bucket.charge(&RATE, 1000.0, at(0.0)), Duration::ZERO);
        assert_eq!(bucket.charge(&RATE, 50.0, at(0.0)), at(0.5));
        assert_eq!(bucket.wait(&RATE, at(0.25)), at(0.25));
        assert_eq!(bucket.wait(&RATE, at(0.5)), Duration::ZERO);
        assert_eq!(
            bucket.charge(&RATE, 100.0, at(1.5)),
            Duration::ZERO,
            "it has earned 100"
        );
    }

    #[test]
    fn a_user_who_waits_as_told_gets_the_rate() {
        let mut bucket = TokenBucket::full(&RATE, at(0.0));
        let (mut now, mut used) = (Duration::ZERO, 0.0);
        while now < at(1000.0) {
            used += 730.0;
            now += bucket.charge(&RATE, 730.0, now) + at(0.001);
        }
        let allowed = RATE.burst + RATE.per_second * now.as_secs_f64() + 730.0;
        assert!(used <= allowed && used > allowed * 0.98, "{used} of {allowed}");
    }

    #[test]
    fn a_rate_that_forgives_forgets_what_is_beyond_its_burst() {
        let rate = RATE.forgiving();
        let mut bucket = TokenBucket::full(&rate, at(0.0));
        assert_eq!(bucket.charge(&rate, 1e9, at(0.0)), at(10.0));
        assert_eq!(bucket.wait(&rate, at(10.0)), Duration::ZERO);
    }

    #[test]
    fn a_debt_is_never_longer_than_the_longest_wait() {
        let mut bucket = TokenBucket::full(&RATE, at(0.0));
        assert_eq!(bucket.charge(&RATE, 1e18, at(0.0)), THROTTLE_MAX);
        assert_eq!(bucket.charge(&RATE, 1e18, at(0.0)), THROTTLE_MAX);
        assert_eq!(bucket.wait(&RATE, THROTTLE_MAX), Duration::ZERO);
    }

    #[test]
    fn time_that_goes_backwards_gives_nothing() {
        let mut bucket = TokenBucket::full(&RATE, at(10.0));
        bucket.charge(&RATE, 1100.0, at(10.0));
        assert_eq!(bucket.wait(&RATE, at(9.0)), at(1.0));
        assert_eq!(bucket.wait(&RATE, at(11.0)), Duration::ZERO);
    }

    #[test]
    fn idle_buckets_are_forgotten_and_strangers_share_one_when_there_is_no_room() {
        let mut buckets = Buckets::bounded(4);
        for name in ["a", "b", "c", "d"] {
            buckets
                .bucket(name, "*", &RATE, at(0.0))
                .charge(&RATE, 1500.0, at(0.0));
        }
        // No room: both draw from the shared one, beyond the bound by that one.
        buckets
            .bucket("e", "*", &RATE, at(1.0))
            .charge(&RATE, 1000.0, at(1.0));
        let wait = buckets
            .bucket("f", "*", &RATE, at(1.0))
            .charge(&RATE, 100.0, at(1.0));
        assert_eq!((wait, buckets.len()), (at(1.0), 5));
        // The known keep their own.
        assert_eq!(
            buckets.bucket("a", "*", &RATE, at(1.0)).wait(&RATE, at(1.0)),
            at(4.0)
        );
        // After a rest all are full, and make room.
        buckets
            .bucket("g", "*", &RATE, at(100.0))
            .charge(&RATE, 1.0, at(100.0));
        assert_eq!(buckets.len(), 1);
    }
}
