//! Ranges of offsets with a value each: the compact form of per-record state.
//!
//! Owns: splitting and joining of runs. Never: what the values mean. A run costs one entry of a tree, however many records it
//! covers; the worst case, every other record different, costs one entry a record.
//!
//! **Invariant**: runs do not overlap, and neighbours with equal values are one run.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Offsets `first..=last`.
pub type Range = RangeInclusive<u64>;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runs<T> {
    /// By first offset: last offset and value.
    map: BTreeMap<u64, (u64, T)>,
    /// Records in all runs.
    records: u64,
}

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Self {
            map: BTreeMap::new(),
            records: 0,
        }
    }
}

impl<T: Copy + PartialEq> Runs<T> {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// How many runs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// How many offsets they cover.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The first run.
    #[must_use]
    pub fn first(&self) -> Option<(Range, T)> {
        self.map
            .first_key_value()
            .map(|(first, (last, value))| (*first..=*last, *value))
    }

    /// The last offset that is covered.
    #[must_use]
    pub fn last_offset(&self) -> Option<u64> {
        self.map.last_key_value().map(|(_, (last, _))| *last)
    }

    /// All runs.
    pub fn iter(&self) -> impl Iterator<Item = (Range, T)> + '_ {
        self.map
            .iter()
            .map(|(first, (last, value))| (*first..=*last, *value))
    }

    /// The runs inside `range`, cut to it.
    pub fn within(&self, range: &Range) -> impl Iterator<Item = (Range, T)> + '_ {
        let (from, to) = (*range.start(), *range.end());
        let begin = self
            .map
            .range(..=from)
            .next_back()
            .filter(|(_, (last, _))| *last >= from)
            .map_or(from, |(first, _)| *first);
        // An empty range of a tree must not run backwards.
        let end = to.max(begin);
        let cut = move |(first, (last, value)): (&u64, &(u64, T))| (from.max(*first)..=to.min(*last), *value);
        self.map
            .range(begin..=end)
            .map(cut)
            .filter(|(range, _)| !range.is_empty())
    }

    /// Gives the offsets of `range` this value, whatever they had.
    pub fn set(&mut self, range: Range, value: T) {
        if range.is_empty() {
            return;
        }
        self.clear(&range);
        let (mut first, mut last) = range.into_inner();
        self.records += last - first + 1;
        if let Some((before, (end, held))) = self.map.range(..first).next_back()
            && *end + 1 == first
            && *held == value
        {
            first = *before;
        }
        if last < u64::MAX
            && let Some(&(after, _)) = self.map.get(&(last + 1)).filter(|(_, held)| *held == value)
        {
            self.map.remove(&(last + 1));
            last = after;
        }
        self.map.insert(first, (last, value));
    }

    /// Takes the offsets of `range` out.
    pub fn clear(&mut self, range: &Range) {
        if range.is_empty() {
            return;
        }
        let (from, to) = (*range.start(), *range.end());
        if let Some((&first, &(last, value))) = self.map.range(..from).next_back()
            && last >= from
        {
            self.map.insert(first, (from - 1, value));
            self.records -= last - from + 1;
            if last > to {
                self.map.insert(to + 1, (last, value));
                self.records += last - to;
                return;
            }
        }
        while let Some((&first, &(last, value))) = self.map.range(from..=to).next() {
            self.map.remove(&first);
            self.records -= last - first + 1;
            if last > to {
                self.map.insert(to + 1, (last, value));
                self.records += last - to;
            }
        }
    }

    /// Takes out everything below `offset`.
    pub fn clear_below(&mut self, offset: u64) {
        if offset > 0 {
            self.clear(&(0..=offset - 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(state: &mut u64) -> u64 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    }

    #[test]
    fn runs_do_what_an_array_does() {
        const OFFSETS: u64 = 60;
        for seed in 0..200_u64 {
            let mut state = seed;
            let mut runs: Runs<u8> = Runs::default();
            let mut model = [None; OFFSETS as usize];
            for _ in 0..100 {
                let first = random(&mut state) % OFFSETS;
                let last = (first + random(&mut state) % 12).min(OFFSETS - 1);
                let value = (random(&mut state) % 4) as u8;
                match value {
                    0 => runs.clear(&(first..=last)),
                    _ => runs.set(first..=last, value),
                }
                for offset in first..=last {
                    model[offset as usize] = (value > 0).then_some(value);
                }
                let mut flat = [None; OFFSETS as usize];
                let mut before: Option<(u64, u8)> = None;
                for (range, value) in runs.iter() {
                    assert!(before.is_none_or(|(end, held)| end + 1 < *range.start() || held != value));
                    before = Some((*range.end(), value));
                    for offset in range {
                        flat[offset as usize] = Some(value);
                    }
                }
                assert_eq!(flat, model);
                assert_eq!(runs.records(), model.iter().flatten().count() as u64);
                let cut: Vec<(u64, u8)> = runs
                    .within(&(first..=last))
                    .flat_map(|(range, value)| range.map(move |offset| (offset, value)))
                    .collect();
                let expected: Vec<(u64, u8)> = (first..=last)
                    .filter_map(|offset| model[offset as usize].map(|value| (offset, value)))
                    .collect();
                assert_eq!(cut, expected);
            }
        }
    }
}
