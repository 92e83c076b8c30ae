//! How much lies at subscriptions for consumers that want more than anything, and how much one of them still misses.
//!
//! Owns: the arithmetic of waiting for so many bytes. Never: records, locks, who is told (`waiting`), the reads (`weigh`).
//!
//! **Invariant**: a consumer that waits at several lines expects of each a weight that it has not reached; as long as none is reached,
//! there is less than it wants in all of them together. So only who may have enough is told, and nobody adds up all lines for each
//! append to one of them.

use super::policy::Policy;
use super::subscription::Candidate;
use crate::Isolation;

/// So much of something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    pub bytes: usize,
    pub records: u64,
}

impl Weight {
    /// What anybody takes who wants anything.
    pub const ANYTHING: Self = Self { bytes: 1, records: 1 };

    /// An answer that can hold no more records is as good as a full one.
    pub fn reaches(self, wanted: Self) -> bool {
        self.bytes >= wanted.bytes || self.records >= wanted.records
    }

    pub fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            records: self.records.saturating_add(other.records),
        }
    }

    /// Without `other`; nothing at the least.
    pub fn less(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(other.bytes),
            records: self.records.saturating_sub(other.records),
        }
    }
}

/// What somebody has weighed of one subscription, for all who come after: they go on where he stopped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stock {
    of: StockOf,
    pub weight: Weight,
    /// Where to weigh on; `None`: nothing behind may be handed out.
    pub next: Option<Candidate>,
}

/// What a stock is true of. Appends only add to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StockOf {
    offers: u64,
    unsettled_max: u64,
    isolation: Isolation,
}

impl Stock {
    /// Nothing weighed yet.
    pub fn new(offers: u64, policy: &Policy, next: Option<Candidate>) -> Self {
        Self {
            of: StockOf {
                offers,
                unsettled_max: policy.unsettled_max,
                isolation: policy.isolation,
            },
            weight: Weight::default(),
            next,
        }
    }

    /// Whether the subscription still offers what was weighed.
    pub fn is_of(&self, offers: u64) -> bool {
        self.of.offers == offers
    }

    /// Whether both are about the same offers.
    pub fn is_like(&self, other: &Self) -> bool {
        self.of == other.of
    }
}

/// What a consumer waits for, and what it knows of its lines.
#[derive(Debug)]
pub(super) struct Wish {
    goal: Weight,
    /// By subscription, in the order in which they were asked for.
    known: Vec<Weight>,
    /// Of all that is known.
    sum: Weight,
    /// What was missing when the expectations were last set.
    missed: Option<Weight>,
    is_outrun: bool,
}

impl Wish {
    pub fn new(goal: Weight, lines: usize) -> Self {
        Self {
            goal,
            known: vec![Weight::default(); lines],
            sum: Weight::default(),
            missed: None,
            is_outrun: false,
        }
    }

    /// Whether it takes whatever there is.
    pub fn is_modest(&self) -> bool {
        self.goal.bytes <= 1
    }

    pub fn learn(&mut self, at: usize, weight: Weight) {
        let before = std::mem::replace(&mut self.known[at], weight);
        self.sum = self.sum.less(before).plus(weight);
    }

    pub fn known_of(&self, at: usize) -> Weight {
        self.known[at]
    }

    /// What it knows may be old; it looks at all lines once more.
    pub fn forget(&mut self) {
        self.known.fill(Weight::default());
        self.sum = Weight::default();
        self.missed = None;
    }

    /// There was enough, and nothing was left to take: somebody takes it just now, or leaves it. Until its next look, which is at all
    /// lines, it expects anything.
    pub fn was_outrun(&mut self) {
        self.forget();
        self.is_outrun = true;
    }

    pub fn is_outrun(&self) -> bool {
        self.is_outrun
    }

    /// Whether the next look must be at all lines.
    pub fn looks_at_all(&mut self) -> bool {
        std::mem::take(&mut self.is_outrun)
    }

    /// What one line must hold, with what is known of the others, so that there is enough.
    pub fn wanted_of(&self, at: usize, goal: Weight) -> Weight {
        goal.less(self.sum.less(self.known[at]))
    }

    /// The goal, if answers may hold no more than so many bytes.
    pub fn goal_within(&self, bytes_max: usize) -> Weight {
        Weight {
            bytes: self.goal.bytes.min(bytes_max),
            ..self.goal
        }
    }

    pub fn is_fulfilled(&self, goal: Weight) -> bool {
        self.sum.reaches(goal)
    }

    fn missing(&self) -> Weight {
        let missing = self.goal.less(self.sum);
        Weight {
            bytes: missing.bytes.max(1),
            records: missing.records.max(1),
        }
    }

    /// Whether half of what was missed has come, as far as it knows. Until then the lines together cannot bring what is missing without
    /// one of them bringing what is expected of it; from then on they might, so that it looks at all of them and expects less of each.
    pub fn has_come_closer(&self) -> bool {
        let missing = self.missing();
        self.missed
            .is_none_or(|missed| missing.bytes <= missed.bytes / 2 || missing.records <= missed.records / 2)
    }

    /// Whether what is expected of every line must be set anew: after a look at all of them.
    pub fn renews(&mut self) -> bool {
        let is_old = self.missed.is_none();
        if is_old {
            self.missed = Some(self.missing());
        }
        is_old
    }

    /// The weight of one line from which a look is worth its while.
    pub fn expected_of(&self, at: usize) -> Weight {
        if self.is_outrun {
            return Weight::ANYTHING;
        }
        let lines = self.known.len();
        let more = match self.missed {
            Some(missed) if lines > 1 => Weight {
                bytes: (missed.bytes / (2 * lines)).max(1),
                records: (missed.records / (2 * lines as u64)).max(1),
            },
            _ => self.missing(),
        };
        self.known[at].plus(more)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::random;
    use super::*;

    /// Lines grow at random; the consumer looks only at a line that has reached what it expects.
    #[test]
    fn a_consumer_that_is_told_of_what_it_expects_never_misses_enough_and_seldom_looks() {
        for seed in 0..300_u64 {
            let mut state = seed;
            let lines = 1 + (random(&mut state) % 8) as usize;
            let goal = Weight {
                bytes: 1 + (random(&mut state) % 100_000) as usize,
                records: 1 + random(&mut state) % 100_000,
            };
            let mut wish = Wish::new(goal, lines);
            let mut real = vec![Weight::default(); lines];
            wish.renews();
            let mut expected: Vec<_> = (0..lines).map(|at| wish.expected_of(at)).collect();
            let mut looks = 0;
            loop {
                let at = random(&mut state) as usize % lines;
                real[at] = real[at].plus(Weight {
                    bytes: (random(&mut state) % 50) as usize,
                    records: random(&mut state) % 50,
                });
                if real[at].reaches(expected[at]) {
                    looks += 1;
                    wish.learn(at, real[at]);
                    let mut these = at..at + 1;
                    if lines > 1 && (wish.is_fulfilled(goal) || wish.has_come_closer()) {
                        looks += lines;
                        wish.forget();
                        these = 0..lines;
                        (0..lines).for_each(|at| wish.learn(at, real[at]));
                    }
                    if wish.is_fulfilled(goal) {
                        break;
                    }
                    wish.renews();
                    these.for_each(|at| expected[at] = wish.expected_of(at));
                }
                let sum = real.iter().fold(Weight::default(), |sum, one| sum.plus(*one));
                assert!(!sum.reaches(goal), "there was enough, and nobody told it");
            }
            assert!(
                looks <= 4 * lines * 20,
                "{looks} looks at {lines} lines for {goal:?}"
            );
        }
    }
}
