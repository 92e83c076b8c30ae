//! What consumers of queues know of the end of each record: their memory over all lives of the broker.
//!
//! Owns: what was handed out, what was confirmed, what is in doubt. Never: a call of the broker.
//!
//! **Invariant**: a record whose end was confirmed is never handed out again; one that was handed out, and of whose end nobody was told,
//! is not forgotten.

use crate::model::{Judgement, Place};
use millstream_broker::queue::QueueError;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// What is known of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// Handed out; nobody was told of its end.
    Seen,
    /// Its end was asked for, and nobody knows.
    Perhaps,
    /// Its end was confirmed.
    Finished,
}

/// Whether a record whose end is in doubt was handed out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    NotYet,
    HandedOut,
}

/// See the module.
#[derive(Default)]
pub(super) struct Ends {
    records: BTreeMap<Place, BTreeMap<u64, Known>>,
    /// Ends that this life's broker may have kept: it goes on without them, and the next recovery may find them, as long as nothing that
    /// was kept later took their place.
    doubts: BTreeMap<(Place, u64), Again>,
}

impl Ends {
    /// A broker has recovered: what it shows is certain.
    pub(super) fn begin_life(&mut self) {
        self.doubts.clear();
    }

    /// A record was handed out, for the first time or again.
    pub(super) fn handed_out(&mut self, place: Place, offset: u64) -> Judgement {
        let known = match self.doubts.get_mut(&(place, offset)) {
            // What was asked for did not happen in this life.
            Some(again) => {
                *again = Again::HandedOut;
                Known::Perhaps
            }
            None => Known::Seen,
        };
        match self.records.entry(place).or_default().insert(offset, known) {
            Some(Known::Finished) => Err(format!(
                "{place}: {offset} was handed out after its end was confirmed"
            )),
            _ => Ok(()),
        }
    }

    /// An end, or to be handed out again, is asked for. A crash may come before the answer.
    pub(super) fn asked(&mut self, place: Place, range: &RangeInclusive<u64>) {
        self.set(place, range, Known::Perhaps);
    }

    /// Records were given back.
    pub(super) fn released(
        &mut self,
        place: Place,
        range: &RangeInclusive<u64>,
        answer: &Result<(), QueueError>,
    ) {
        match answer {
            Err(QueueError::Unknown | QueueError::Closed) => {}
            _ => self.not_ended(place, range),
        }
    }

    /// The end of records was asked for and answered.
    pub(super) fn ended(
        &mut self,
        place: Place,
        range: &RangeInclusive<u64>,
        answer: &Result<(), QueueError>,
    ) {
        match answer {
            Ok(()) => {
                self.set(place, range, Known::Finished);
                self.settle_doubts(place);
            }
            Err(QueueError::Unknown | QueueError::Closed) => {
                let doubts = range.clone().map(|offset| ((place, offset), Again::NotYet));
                self.doubts.extend(doubts);
            }
            Err(_) => self.not_ended(place, range),
        }
    }

    /// Records that were handed out and whose end nobody was told of.
    pub(super) fn without_end(&self, place: Place) -> impl Iterator<Item = u64> {
        let records = self.records.get(&place).into_iter().flatten();
        records.filter_map(|(offset, known)| (*known == Known::Seen).then_some(*offset))
    }

    /// This answer ended nothing; an earlier one that is in doubt may have.
    fn not_ended(&mut self, place: Place, range: &RangeInclusive<u64>) {
        let records = self.records.entry(place).or_default();
        for offset in range.clone() {
            let known = match self.doubts.get(&(place, offset)) {
                Some(_) => Known::Perhaps,
                None => Known::Seen,
            };
            records.insert(offset, known);
        }
    }

    /// An end was kept. In the queue's state it took the place of all that were in doubt before it.
    fn settle_doubts(&mut self, place: Place) {
        let records = self.records.entry(place).or_default();
        self.doubts.retain(|(of, offset), again| {
            let settled = *of == place;
            if settled && *again == Again::HandedOut && records.get(offset) == Some(&Known::Perhaps) {
                records.insert(*offset, Known::Seen);
            }
            !settled
        });
    }

    fn set(&mut self, place: Place, range: &RangeInclusive<u64>, known: Known) {
        let records = self.records.entry(place).or_default();
        records.extend(range.clone().map(|offset| (offset, known)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millstream_broker::TopicId;

    const PLACE: Place = Place {
        topic: TopicId([7; 16]),
        partition: 0,
    };

    fn refused() -> Result<(), QueueError> {
        Err(QueueError::NotKept("full".to_owned()))
    }

    /// 5 was handed out, and the answer to its end was lost; then it was handed out once more, and its end was refused.
    fn in_doubt() -> Ends {
        let mut ends = Ends::default();
        ends.handed_out(PLACE, 5).expect("the first time");
        ends.asked(PLACE, &(5..=5));
        ends.ended(PLACE, &(5..=5), &Err(QueueError::Unknown));
        ends.handed_out(PLACE, 5).expect("it has no end in this life");
        ends.asked(PLACE, &(5..=5));
        ends.ended(PLACE, &(5..=5), &refused());
        ends
    }

    /// The write of the first end failed after its bytes had reached the page cache, and no room was left to void it. The process was
    /// killed, and the next one found the end: the record did not come again, and the queue was accused of having lost it.
    #[test]
    fn recovery_may_find_an_end_that_was_in_doubt() {
        let mut ends = in_doubt();
        ends.begin_life();
        assert_eq!(ends.without_end(PLACE).next(), None);
    }

    #[test]
    fn a_record_that_recovery_hands_out_has_no_end() {
        let mut ends = in_doubt();
        ends.begin_life();
        ends.handed_out(PLACE, 5).expect("the end was not found");
        ends.asked(PLACE, &(5..=5));
        ends.ended(PLACE, &(5..=5), &refused());
        assert!(ends.without_end(PLACE).eq([5]));
    }

    #[test]
    fn an_end_that_was_kept_settles_the_doubts_before_it() {
        let mut ends = in_doubt();
        ends.handed_out(PLACE, 6).expect("the first time");
        ends.ended(PLACE, &(6..=6), &Ok(()));
        assert!(ends.without_end(PLACE).eq([5]));
    }

    #[test]
    fn a_record_whose_end_was_confirmed_may_not_come_again() {
        let mut ends = Ends::default();
        ends.handed_out(PLACE, 5).expect("the first time");
        ends.ended(PLACE, &(5..=5), &Ok(()));
        ends.begin_life();
        ends.handed_out(PLACE, 5).expect_err("its end was confirmed");
    }
}
