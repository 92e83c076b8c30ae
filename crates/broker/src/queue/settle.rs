//! The way back: outcomes of records that are out, locks that run out, and what the stream says of each write.
//!
//! Owns: the second half of the state machine of a subscription; the first is `subscription.rs`, with the invariants. Never: IO.

use super::id::Holder;
use super::ledger::{Cause, Change, Ledger, Mark};
use super::policy::Policy;
use super::runs::Range;
use super::subscription::{Hold, NOBODY, Phase, Subscription, count, given_up};
use super::wheel::Tick;
use std::time::Duration;
use thiserror::Error;

/// What a consumer says of records that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Processed: never again.
    Accept,
    /// Back, for anybody, if it was not delivered too often.
    Release,
    /// Nobody can process it.
    Reject,
    /// There is no such record: compacted away, or a marker of a transaction.
    Gap,
    /// Still at work: the lock begins anew.
    Renew,
}

/// One range of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Which records.
    pub range: Range,
    /// What of them.
    pub disposition: Disposition,
}

/// Why nothing of an answer was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SettleRefused {
    /// Ranges that overlap, run backwards, or reach what was never handed out.
    #[error("the ranges are not those of records that were handed out")]
    BadRange,
    /// Records that this consumer does not hold: its lock ran out, or it answered before.
    #[error("the records are not locked by this consumer")]
    NotHeld,
}

/// Whether an outcome has to reach the stream before it is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It holds already, or needs not outlive a restart.
    Nothing,
    /// It holds once the pending change is kept.
    Awaited,
}

/// What a write's outcome means for others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// There is more to hand out than before, or room for it.
    pub has_more: bool,
    /// Records wait for the dead-letter target.
    pub has_condemned: bool,
}

impl Subscription {
    /// Takes a consumer's answer: all of it, or nothing. Ranges rise and do not overlap. What lies below the floor is nobody's
    /// business any more, and is taken for done.
    pub fn settle(
        &mut self,
        holder: Holder,
        settlements: &[Settlement],
        policy: &Policy,
        now: Duration,
    ) -> Result<Durability, SettleRefused> {
        self.check_settlements(holder, settlements)?;
        let mut durability = Durability::Nothing;
        let until = Tick::not_before(now, policy.lock);
        for settlement in settlements {
            let range = self.above_floor(&settlement.range);
            let held: Vec<(Range, Hold)> = self.held.within(&range).collect();
            for (run, hold) in held {
                self.uncount_lock(&hold, count(&run));
                if settlement.disposition == Disposition::Renew {
                    self.count_lock(until, count(&run));
                    self.held.set(run, Hold { until, ..hold });
                    continue;
                }
                durability = Durability::Awaited;
                let mark = self.mark_of(settlement.disposition, hold.deliveries, policy);
                self.settle_run(run, holder, hold.deliveries, mark);
            }
        }
        Ok(durability)
    }

    fn check_settlements(&self, holder: Holder, settlements: &[Settlement]) -> Result<(), SettleRefused> {
        let mut next = 0;
        for Settlement { range, .. } in settlements {
            if range.is_empty() || *range.start() < next || *range.end() == u64::MAX {
                return Err(SettleRefused::BadRange);
            }
            next = *range.end() + 1;
            let range = self.above_floor(range);
            if range.is_empty() {
                continue;
            }
            if *range.end() >= self.end {
                return Err(SettleRefused::BadRange);
            }
            let mine = |hold: &Hold| hold.holder == holder && hold.phase == Phase::Locked;
            let held = self.held.within(&range).filter(|(_, hold)| mine(hold));
            if held.map(|(run, _)| count(&run)).sum::<u64>() != count(&range) {
                return Err(SettleRefused::NotHeld);
            }
        }
        Ok(())
    }

    fn above_floor(&self, range: &Range) -> Range {
        self.floor.max(*range.start())..=*range.end()
    }

    fn mark_of(&self, disposition: Disposition, deliveries: u16, policy: &Policy) -> Mark {
        match disposition {
            Disposition::Accept | Disposition::Gap | Disposition::Renew => Mark::Done,
            Disposition::Release => self.mark_back(deliveries, policy),
            Disposition::Reject => given_up(deliveries, Cause::Rejected, policy),
        }
    }

    /// A consumer has gone: whatever it holds comes back.
    pub fn release_all(&mut self, holder: Holder, policy: &Policy) -> Durability {
        self.take_back(policy, |hold| hold.holder == holder)
    }

    /// Locks whose deadline is `tick` or earlier have run out.
    pub fn expire(&mut self, tick: Tick, policy: &Policy) -> Durability {
        let later = self.locks.split_off(&Tick(tick.0 + 1));
        let due = std::mem::replace(&mut self.locks, later);
        if due.values().all(|records| *records == 0) {
            // The usual case: everything was answered in time.
            return Durability::Nothing;
        }
        self.take_back(policy, |hold| hold.until <= tick)
    }

    fn take_back(&mut self, policy: &Policy, which: impl Fn(&Hold) -> bool) -> Durability {
        let is_due = |(_, hold): &(Range, Hold)| hold.phase == Phase::Locked && which(hold);
        let due: Vec<(Range, Hold)> = self.held.iter().filter(is_due).collect();
        if due.is_empty() {
            return Durability::Nothing;
        }
        for (run, hold) in due {
            self.uncount_lock(&hold, count(&run));
            let mark = self.mark_back(hold.deliveries, policy);
            self.settle_run(run, hold.holder, hold.deliveries, mark);
        }
        Durability::Awaited
    }

    /// The log holds nothing below `start` any more.
    pub fn trim(&mut self, start: u64) {
        if start <= self.floor {
            return;
        }
        self.forget_below(start);
        self.pending.trim = Some(start);
    }

    fn forget_below(&mut self, start: u64) {
        self.offers += 1;
        self.floor = start;
        self.end = self.end.max(start);
        self.available.clear_below(start);
        if let Some(last) = start.checked_sub(1) {
            let gone: Vec<(Range, Hold)> = self.held.within(&(0..=last)).collect();
            for (run, hold) in gone {
                self.uncount_lock(&hold, count(&run));
            }
            self.held.clear_below(start);
        }
    }

    /// Forgets everything and begins at `start`, once that is kept. Locks end at once.
    pub fn restart(&mut self, start: u64) {
        self.pending = Change {
            restart: Some(start),
            ..Change::default()
        };
        self.offers += 1;
        self.held = super::runs::Runs::default();
        self.available = super::runs::Runs::default();
        self.locks.clear();
    }

    /// Dead letters that the target has: they are done. Not while a restart is on its way, which hands these records out anew: the
    /// mark would come behind it, and nobody would ever be given them.
    pub fn buried(&mut self, range: Range) {
        if self.is_restarting() {
            return;
        }
        let condemned = |(_, mark): &(Range, Mark)| matches!(mark, Mark::Condemned { .. });
        let runs: Vec<_> = self.ledger.marks().within(&range).filter(condemned).collect();
        for (run, _) in runs {
            self.pending.marks.set(run, Mark::Done);
        }
    }

    /// The first records that wait for the dead-letter target; none while a restart is on its way, after which none may be left.
    #[must_use]
    pub fn condemned(&self, records_max: u64) -> Vec<(Range, u16, Cause)> {
        let mut left = records_max;
        let mut out = Vec::new();
        if self.ledger.condemned() == 0 || self.is_restarting() {
            return out;
        }
        for (range, mark) in self.ledger.marks().iter() {
            if let Mark::Condemned { deliveries, cause } = mark
                && left > 0
            {
                let last = (*range.end()).min(range.start().saturating_add(left - 1));
                left -= last - range.start() + 1;
                out.push((*range.start()..=last, deliveries, cause));
            }
        }
        out
    }

    /// What is to be written next, and on top of what. One change is under way at a time; what gathers meanwhile is the next one.
    pub fn take_change(&mut self) -> Option<(&Ledger, &Change)> {
        if self.in_flight.is_some() || self.pending.is_empty() {
            return None;
        }
        let change = self.in_flight.insert(std::mem::take(&mut self.pending));
        Some((&self.ledger, change))
    }

    /// Whether there is something to be written.
    #[must_use]
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The change under way is durable.
    pub fn kept(&mut self, policy: &Policy) -> Kept {
        let Some(change) = self.in_flight.take() else {
            return Kept::default();
        };
        let was_full = self.unsettled() >= policy.unsettled_max;
        self.ledger.apply(&change);
        if change.restart.is_some() {
            self.rebuild();
        }
        for (range, mark) in change.marks.iter() {
            for run in self.take_settling(&range) {
                if let Mark::Returned(deliveries) = mark {
                    self.offers += 1;
                    self.available.set(run, deliveries);
                }
            }
        }
        if self.ledger.start() > self.floor {
            self.forget_below(self.ledger.start());
        }
        let is_full = self.unsettled() >= policy.unsettled_max;
        self.offers += u64::from(was_full && !is_full);
        Kept {
            has_more: !self.available.is_empty() || was_full && !is_full || change.restart.is_some(),
            has_condemned: self.ledger.condemned() > 0,
        }
    }

    /// The change under way is certainly not durable: records are where they were, their locks run out at the next tick.
    pub fn not_kept(&mut self, now: Duration) {
        let Some(change) = self.in_flight.take() else {
            return;
        };
        if change.restart.is_some() {
            return self.rebuild();
        }
        let until = Tick(Tick::at(now).0 + 1);
        for (range, _) in change.marks.iter() {
            let settling: Vec<(Range, Hold)> = self.held.within(&range).collect();
            for (run, hold) in settling
                .into_iter()
                .filter(|(_, hold)| hold.phase == Phase::Settling)
            {
                if hold.holder == NOBODY {
                    self.offers += 1;
                    self.held.clear(&run);
                    self.available.set(run, hold.deliveries);
                } else {
                    self.count_lock(until, count(&run));
                    let phase = Phase::Locked;
                    self.held.set(run, Hold { until, phase, ..hold });
                }
            }
        }
        // Records below a start that the log has moved stay gone, and the next write says so again.
        if change.trim.is_some() {
            self.pending.trim = Some(self.floor);
        }
    }

    /// The runs of `range` whose outcome has arrived; they are held no more.
    fn take_settling(&mut self, range: &Range) -> Vec<Range> {
        let settling = |(run, hold): (Range, Hold)| (hold.phase == Phase::Settling).then_some(run);
        let runs: Vec<Range> = self.held.within(range).filter_map(settling).collect();
        for run in &runs {
            self.held.clear(run);
        }
        runs
    }
}
