//! Random numbers of the simulation: one seed, the same numbers for ever, on every machine.
//!
//! Owns: a splitmix64 generator (64 bits of state, passes BigCrush) and the few distributions that faults and workloads need.
//! Never: entropy from outside. **Invariant**: whoever draws in the same order draws the same numbers.

use std::ops::Range;

/// Faults are given as rates out of this many calls.
pub const RATE_UNIT: u64 = 10_000;

/// A generator. Each part of the world that must not disturb the others' draws has a fork of its own.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// The generator of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A generator that shares nothing with this one but the seed; `purpose` tells forks apart.
    #[must_use]
    pub fn fork(&self, purpose: &str) -> Self {
        let mixed = purpose
            .bytes()
            .fold(self.state ^ 0x6a09_e667_f3bc_c908, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        let mut fork = Self::new(mixed);
        fork.next_u64();
        fork
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not zero. The bias of the remainder is below 2^-32 for every bound used here.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "there is no number below zero");
        self.next_u64() % bound
    }

    /// A number of the range, which is not empty.
    pub fn range(&mut self, range: Range<u64>) -> u64 {
        range.start + self.below(range.end - range.start)
    }

    /// An index of something with `len` parts.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("below a usize")
    }

    /// One of the items.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    /// True with a chance of one in `n`.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// True at a rate out of `RATE_UNIT`.
    pub fn at_rate(&mut self, rate: u64) -> bool {
        self.below(RATE_UNIT) < rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_on_every_machine() {
        let mut rng = Rng::new(0);
        // The reference values of splitmix64 for seed 0.
        assert_eq!(rng.next_u64(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(rng.next_u64(), 0x6e78_9e6a_a1b9_65f4);
        assert_eq!(rng.next_u64(), 0x06c4_5d18_8009_454f);
    }

    #[test]
    fn forks_differ_by_purpose_and_leave_the_parent_alone() {
        let parent = Rng::new(7);
        let (mut a, mut b) = (parent.fork("disk"), parent.fork("clients"));
        assert_ne!(a.next_u64(), b.next_u64());
        assert_eq!(parent.clone().next_u64(), Rng::new(7).next_u64());
    }
}
