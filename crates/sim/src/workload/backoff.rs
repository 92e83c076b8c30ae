//! How long a client waits before it asks again for what was answered with an error.
//!
//! Owns: the one back-off of all clients, with the numbers of Kafka's own. Never: what is worth asking again (each client's), and who
//! waits for an answer (a client whose patience ended asks again at once).
//!
//! **Invariant**: a volume that stays full costs simulated time. Without this, errors that are answered at once were asked for tens of
//! thousands of times in a simulated second, and a run took minutes to say the same.

use crate::model::Place;
use crate::rng::Rng;
use crate::world::World;
use std::collections::BTreeMap;
use std::time::Duration;

/// Kafka's `retry.backoff.ms`: the first wait.
const WAIT_MS_FIRST: u64 = 100;

/// Kafka's `retry.backoff.max.ms`: where doubling ends.
const WAIT_MS_MAX: u64 = 1_000;

/// Errors in a row after which doubling has reached the longest wait.
const DOUBLINGS_MAX: u32 = 4;
const _: () = assert!(WAIT_MS_FIRST << DOUBLINGS_MAX >= WAIT_MS_MAX);

/// What came back of several things that were asked for at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answers {
    /// Some of it was done.
    pub done: bool,
    /// Some of it was answered with an error and is asked for again.
    pub refused: bool,
}

/// The back-off of one thing that is asked for again and again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    /// Errors in a row.
    errors: u32,
}

impl Backoff {
    /// It was done: the next error is the first.
    pub fn done(&mut self) {
        self.errors = 0;
    }

    /// It was answered with an error: how long to wait now.
    ///
    /// Anywhere up to the wait that Kafka's clients aim at, not only a fifth around it: what comes back while the log is still busy with
    /// the fault finds more than what comes a tenth of a second later, when all is quiet.
    pub fn refused(&mut self, rng: &mut Rng) -> Duration {
        let aim = WAIT_MS_MAX.min(WAIT_MS_FIRST << self.errors.min(DOUBLINGS_MAX));
        self.errors += 1;
        Duration::from_millis(1 + rng.below(aim))
    }

    /// How long to wait after these answers, if at all.
    pub fn answered(&mut self, answers: Answers, rng: &mut Rng) -> Duration {
        if answers.done {
            self.done();
        }
        if answers.refused {
            self.refused(rng)
        } else {
            Duration::ZERO
        }
    }
}

/// A back-off for each partition: a client goes on with the others, as real ones do.
#[derive(Debug, Default)]
pub struct Backoffs {
    /// Until when each is left alone.
    places: BTreeMap<Place, (Backoff, Duration)>,
}

impl Backoffs {
    /// Whether the partition may be asked now.
    #[must_use]
    pub fn are_over(&self, world: &World, place: Place) -> bool {
        self.rest(world, place).is_zero()
    }

    /// How long it is still to be left alone.
    #[must_use]
    pub fn rest(&self, world: &World, place: Place) -> Duration {
        let until = self
            .places
            .get(&place)
            .map_or(Duration::ZERO, |(_, until)| *until);
        until.saturating_sub(world.now())
    }

    /// It was asked for several things at once, and answered.
    pub fn answered(&mut self, world: &World, place: Place, answers: Answers, rng: &mut Rng) {
        let (backoff, until) = self.places.entry(place).or_default();
        *until = world.now() + backoff.answered(answers, rng);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longest(backoff: Backoff) -> Duration {
        let waits = (0..1_000).map(|seed| Backoff::refused(&mut backoff.clone(), &mut Rng::new(seed)));
        waits.max().expect("there are some")
    }

    #[test]
    fn waits_double_up_to_the_longest_and_begin_anew_once_it_was_done() {
        let mut backoff = Backoff::default();
        let mut aims = Vec::new();
        for _ in 0..6 {
            aims.push(longest(backoff).as_millis().div_ceil(100) * 100);
            backoff.refused(&mut Rng::new(0));
        }
        assert_eq!(aims, [100, 200, 400, 800, 1_000, 1_000]);
        backoff.done();
        assert!(longest(backoff) <= Duration::from_millis(WAIT_MS_FIRST));
    }
}
