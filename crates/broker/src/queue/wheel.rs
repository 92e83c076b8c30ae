//! A timing wheel: many deadlines, one clock. One wheel serves every subscription of a broker.
//!
//! Owns: which key is due when. Never: a clock; time comes in as a [`Tick`]. Pure, deterministic, no cancellation: whoever is
//! called too early looks and goes away, which costs less than a second index.
//!
//! **Invariant**: a key comes out exactly once, at the first `advance` to or past its tick, and in the order of the ticks.
//! Beside every path: locks that run out, later also delays and expiry.

use std::time::Duration;

/// Length of one tick. A deadline is met late by at most this much, and costs nothing in between.
pub const TICK: Duration = Duration::from_millis(50);

/// Slots of one level: a 64-bit word says which are taken.
const SLOTS: usize = 64;
const SLOT_BITS: u32 = 6;

/// Levels. Six of 64 slots reach 64^6 ticks: a hundred years of them.
const LEVELS: usize = 6;

/// The furthest that a deadline may lie ahead; beyond it a key comes out early, and is put back by whoever looks.
const HORIZON: u64 = 1 << (SLOT_BITS * LEVELS as u32);

/// A moment on the monotonic clock, in units of [`TICK`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(pub u64);

impl Tick {
    /// The last tick that has begun at `monotonic`.
    #[must_use]
    pub fn at(monotonic: Duration) -> Tick {
        Tick(whole_ticks(monotonic.as_millis()))
    }

    /// The first tick that is not before `after` has passed since `monotonic`.
    #[must_use]
    pub fn not_before(monotonic: Duration, after: Duration) -> Tick {
        let millis = monotonic.saturating_add(after).as_millis();
        Tick(whole_ticks(millis.saturating_add(TICK.as_millis() - 1)))
    }

    /// When it begins.
    #[must_use]
    pub fn begins(self) -> Duration {
        TICK.saturating_mul(u32::try_from(self.0).unwrap_or(u32::MAX))
    }
}

fn whole_ticks(millis: u128) -> u64 {
    u64::try_from(millis / TICK.as_millis()).unwrap_or(u64::MAX)
}

/// See the module.
#[derive(Debug)]
pub struct Wheel<K> {
    /// Everything up to this tick has come out.
    now: u64,
    levels: [Level<K>; LEVELS],
}

#[derive(Debug)]
struct Level<K> {
    taken: u64,
    slots: Vec<Vec<(u64, K)>>,
}

impl<K> Default for Wheel<K> {
    fn default() -> Self {
        Self::new(Tick(0))
    }
}

impl<K> Wheel<K> {
    /// An empty wheel that stands at `now`.
    #[must_use]
    pub fn new(now: Tick) -> Self {
        let level = |_| Level {
            taken: 0,
            slots: std::iter::repeat_with(Vec::new).take(SLOTS).collect(),
        };
        Self {
            now: now.0,
            levels: std::array::from_fn(level),
        }
    }

    /// Puts `key` on the wheel. What is due already comes out at the next tick.
    pub fn insert(&mut self, due: Tick, key: K) {
        let due = due.0.clamp(self.now + 1, self.now + HORIZON - 1);
        self.put(due, key);
    }

    /// The level is that of the highest group of bits in which `due` differs from now: there it waits until the groups above are equal.
    fn put(&mut self, due: u64, key: K) {
        let differs = due ^ self.now;
        let level = (63_u32.saturating_sub(differs.leading_zeros()) / SLOT_BITS).min(LEVELS as u32 - 1);
        let slot = slot_of(due, level);
        let level = &mut self.levels[level as usize];
        level.taken |= 1 << slot;
        level.slots[slot].push((due, key));
    }

    /// When to come back: no key is due before. `None`: nothing is on the wheel.
    #[must_use]
    pub fn next(&self) -> Option<Tick> {
        let (level, slot) = self.next_slot()?;
        Some(Tick(self.begin_of(level, slot)))
    }

    /// Takes out everything that is due at `now`, in the order of the ticks.
    pub fn advance(&mut self, now: Tick, due: &mut Vec<(Tick, K)>) {
        while let Some((level, slot)) = self.next_slot() {
            let begin = self.begin_of(level, slot);
            if begin > now.0 {
                break;
            }
            self.now = begin;
            let taken = &mut self.levels[level];
            taken.taken &= !(1 << slot);
            for (tick, key) in std::mem::take(&mut taken.slots[slot]) {
                if tick <= begin {
                    due.push((Tick(tick), key));
                } else {
                    self.put(tick, key);
                }
            }
        }
        self.now = self.now.max(now.0);
    }

    /// The slot that comes first. Lower levels hold what is due sooner; in a level, slots behind the hand belong to a later turn,
    /// which only the highest level can hold.
    fn next_slot(&self) -> Option<(usize, usize)> {
        for (level, held) in self.levels.iter().enumerate() {
            if held.taken == 0 {
                continue;
            }
            let hand = slot_of(self.now, level as u32);
            let ahead = held.taken.rotate_right(hand as u32).trailing_zeros() as usize;
            return Some((level, (hand + ahead) % SLOTS));
        }
        None
    }

    /// The first tick of a slot, not before now.
    fn begin_of(&self, level: usize, slot: usize) -> u64 {
        let shift = SLOT_BITS * level as u32;
        let turn = shift + SLOT_BITS;
        let above = if turn >= 64 { 0 } else { self.now >> turn << turn };
        let begin = above | ((slot as u64) << shift);
        if slot < slot_of(self.now, level as u32) {
            // The next turn of the highest level.
            begin + (1 << turn)
        } else {
            begin.max(self.now)
        }
    }
}

fn slot_of(tick: u64, level: u32) -> usize {
    (tick >> (SLOT_BITS * level)) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn random(state: &mut u64) -> u64 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    }

    #[test]
    fn a_wheel_does_what_a_sorted_map_does() {
        for seed in 0..40_u64 {
            let mut state = seed;
            let start = random(&mut state) % 1_000_000;
            let mut wheel = Wheel::new(Tick(start));
            let mut model: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
            let mut now = start;
            for key in 0..2_000_u64 {
                let span = 1 << (random(&mut state) % 30);
                let due = now + random(&mut state) % span;
                wheel.insert(Tick(due), key);
                model.entry(due.max(now + 1)).or_default().push(key);
                assert!(
                    wheel
                        .next()
                        .is_some_and(|next| next.0 <= *model.keys().next().expect("inserted"))
                );
                if random(&mut state).is_multiple_of(3) {
                    now += random(&mut state) % (1 << (random(&mut state) % 24));
                    let mut out = Vec::new();
                    wheel.advance(Tick(now), &mut out);
                    let later = model.split_off(&(now + 1));
                    let expected: Vec<(u64, Vec<u64>)> =
                        std::mem::replace(&mut model, later).into_iter().collect();
                    let mut got: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
                    assert!(out.is_sorted_by_key(|(tick, _)| *tick));
                    for (tick, key) in out {
                        got.entry(tick.0).or_default().push(key);
                    }
                    got.values_mut().for_each(|keys| keys.sort_unstable());
                    assert_eq!(got.into_iter().collect::<Vec<_>>(), expected);
                }
            }
        }
    }

    #[test]
    fn a_deadline_is_never_met_early_and_at_most_one_tick_late() {
        let now = Duration::from_millis(1_234);
        let due = Tick::not_before(now, Duration::from_millis(100));
        assert!(due.begins() >= Duration::from_millis(1_334));
        assert!(due.begins() < Duration::from_millis(1_334) + TICK);
        assert!(Tick::at(due.begins()) == due);
    }
}
