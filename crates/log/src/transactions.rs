//! The aborted transactions of one stream: what a reader of committed records has to leave out.
//!
//! Owns: the list and its search. Never: when a transaction ends (the producers' state), nor where the list is kept (the partition
//! in memory, the manifest for what is in objects).
//!
//! **Invariant**: sorted by marker; a function of the stream's batches, so replay gives the same list (docs/ARCHITECTURE.md,
//! invariant 6).
//!
//! On the fetch path of readers with read_committed.

use crate::ids::{AbortedTransaction, Offset};

/// Aborted transactions that one stream remembers, 32 bytes each, until retention takes their markers. At the limit no further
/// transaction begins on the stream: without the list aborted records would be shown.
pub(crate) const ABORTED_MAX: usize = 1 << 19;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct AbortedList {
    sorted: Vec<AbortedTransaction>,
}

impl AbortedList {
    pub(crate) fn new(sorted: Vec<AbortedTransaction>) -> Self {
        Self { sorted }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.sorted.len() >= ABORTED_MAX
    }

    pub(crate) fn all(&self) -> &[AbortedTransaction] {
        &self.sorted
    }

    /// Adds the transaction that was aborted last.
    pub(crate) fn push(&mut self, aborted: AbortedTransaction) {
        debug_assert!(
            self.sorted.last().is_none_or(|last| last.marker < aborted.marker),
            "markers come in the order of their offsets"
        );
        self.sorted.push(aborted);
    }

    /// Those whose markers lie at `from` or above.
    pub(crate) fn since_marker(&self, from: Offset) -> &[AbortedTransaction] {
        &self.sorted[self.at(from)..]
    }

    /// Those that may have records in `[from, below)`, in the order of their markers.
    pub(crate) fn overlapping(&self, from: Offset, below: Offset) -> Vec<AbortedTransaction> {
        let mut found = Vec::new();
        for aborted in self.since_marker(from) {
            if aborted.first < below {
                found.push(*aborted);
            }
            if aborted.stable_after >= below {
                // What was ended later began later.
                break;
            }
        }
        found
    }

    /// Nothing below `start` is read any more.
    pub(crate) fn trim(&mut self, start: Offset) {
        let gone = self.at(start);
        if gone > 0 {
            self.sorted.drain(..gone);
            if self.sorted.is_empty() {
                self.sorted = Vec::new();
            }
        }
    }

    /// The invariant of the module.
    pub(crate) fn check(&self) -> Result<(), String> {
        let sorted = self.sorted.is_sorted_by(|a, b| a.marker < b.marker);
        let sane = |one: &AbortedTransaction| one.first < one.marker;
        if sorted && self.sorted.iter().all(sane) {
            Ok(())
        } else {
            Err("aborted transactions are out of order".to_owned())
        }
    }

    fn at(&self, offset: Offset) -> usize {
        self.sorted.partition_point(|aborted| aborted.marker < offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn aborted(producer_id: i64, first: u64, marker: u64, stable_after: u64) -> AbortedTransaction {
        AbortedTransaction {
            producer_id,
            first: Offset(first),
            marker: Offset(marker),
            stable_after: Offset(stable_after),
        }
    }

    #[test]
    fn a_trim_forgets_what_ended_below_the_start_and_keeps_what_reaches_across() {
        let mut list = AbortedList::new(vec![aborted(1, 0, 5, 2), aborted(2, 2, 9, 10)]);
        list.trim(Offset(6));
        assert_eq!(list.all(), &[aborted(2, 2, 9, 10)]);
        list.trim(Offset(10));
        assert!(list.is_empty());
    }

    proptest! {
        /// Transactions that begin and end in any order: the search gives exactly what a look at all of them gives.
        #[test]
        fn the_search_finds_exactly_what_overlaps(
            steps in proptest::collection::vec((0i64..6, any::<bool>()), 1..120),
            from in 0u64..140,
            len in 1u64..60,
        ) {
            let mut open: std::collections::BTreeMap<i64, u64> = std::collections::BTreeMap::new();
            let mut list = AbortedList::default();
            for (offset, (producer, ends)) in steps.into_iter().enumerate() {
                let offset = offset as u64;
                match open.get(&producer).copied() {
                    Some(first) if ends => {
                        open.remove(&producer);
                        let stable = open.values().min().copied().unwrap_or(offset + 1);
                        list.push(aborted(producer, first, offset, stable));
                    }
                    Some(_) => {}
                    None => {
                        open.insert(producer, offset);
                    }
                }
            }
            prop_assert_eq!(list.check(), Ok(()));
            let (from, below) = (Offset(from), Offset(from + len));
            let overlaps = |one: &&AbortedTransaction| one.first < below && one.marker >= from;
            let expected: Vec<_> = list.all().iter().filter(overlaps).copied().collect();
            prop_assert_eq!(list.overlapping(from, below), expected);
        }
    }
}
