//! The state machine of one subscription over one partition: which records are out, with whom, until when; which are back.
//!
//! Owns: every decision about a record's way from fresh to done. Never: IO, a clock, a protocol's words. Time comes in as ticks; what
//! must become durable goes out as a [`Change`], and comes back as `kept`.
//!
//! **Invariant**: each record of `[floor, end)` is in exactly one place: held (locked, or its outcome is on the way to the stream),
//! available, or marked done or condemned in the ledger. Records from `end` on were never handed out. See `check`.
//!
//! **Invariant**: locks are forgotten by a restart, outcomes are not: a record whose outcome was confirmed never comes again.

use super::id::Holder;
use super::ledger::{Cause, Change, Ledger, Mark};
use super::policy::{Dispatch, Policy};
use super::runs::{Range, Runs};
use super::wheel::Tick;
use std::collections::BTreeMap;
use std::time::Duration;

/// Records that are out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    pub holder: Holder,
    pub until: Tick,
    /// This delivery included.
    pub deliveries: u16,
    pub phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// With its holder.
    Locked,
    /// Its outcome is on the way to the stream.
    Settling,
}

/// Holds what nobody holds while its outcome is on the way: gaps, and records that are given up.
pub(super) const NOBODY: Holder = Holder(u64::MAX);

/// Records that were handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acquired {
    /// Which.
    pub range: Range,
    /// The how manieth delivery this is, from 1.
    pub deliveries: u16,
}

/// Where to read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The first record that may be handed out.
    pub from: u64,
    /// The last record behind it without one between them that may not be; the largest number where all is fresh.
    pub last: u64,
}

/// What was read, and how much of it may be handed out.
#[derive(Clone, Copy, Debug)]
pub struct Offer<'a> {
    /// Offsets that the read covers; those in no batch are gone from the log.
    pub covered: (u64, u64),
    /// First and last offset of each batch, in order.
    pub batches: &'a [(u64, u64)],
    /// The most records.
    pub records_max: u64,
    /// How.
    pub dispatch: Dispatch,
}

/// The numbers of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// The first offset that is not done.
    pub start: u64,
    /// One past the last offset that was handed out.
    pub end: u64,
    /// Records with consumers.
    pub held: u64,
    /// Records that are back, or were skipped, below `end`.
    pub available: u64,
    /// Records that are done between start and end.
    pub done: u64,
    /// Records that wait for the dead-letter target.
    pub condemned: u64,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Subscription {
    pub(super) ledger: Ledger,
    /// Nothing below is handed out or may be settled: the ledger's start, or what is about to become it.
    pub(super) floor: u64,
    pub(super) end: u64,
    pub(super) held: Runs<Hold>,
    /// With the deliveries so far.
    pub(super) available: Runs<u16>,
    /// Locked records by the tick at which they fall back. One entry a tick that is on the wheel.
    pub(super) locks: BTreeMap<Tick, u64>,
    /// Ticks to be put on the wheel.
    pub(super) to_arm: Vec<Tick>,
    /// What the next write takes along.
    pub(super) pending: Change,
    /// What is being written.
    pub(super) in_flight: Option<Change>,
    /// Rises with every step after which something else may be handed out than before.
    pub(super) offers: u64,
}

impl Subscription {
    /// Takes up where a ledger stands. Whatever was out is available again.
    #[must_use]
    pub fn new(ledger: Ledger) -> Self {
        let mut subscription = Self {
            floor: 0,
            end: 0,
            held: Runs::default(),
            available: Runs::default(),
            locks: BTreeMap::new(),
            to_arm: Vec::new(),
            pending: Change::default(),
            in_flight: None,
            offers: 0,
            ledger,
        };
        subscription.rebuild();
        subscription
    }

    /// The volatile half from the durable one.
    pub(super) fn rebuild(&mut self) {
        self.offers += 1;
        let ledger = &self.ledger;
        self.floor = ledger.start();
        self.end = ledger.marks().last_offset().map_or(self.floor, |last| last + 1);
        self.held = Runs::default();
        self.available = Runs::default();
        self.locks.clear();
        if self.floor < self.end {
            self.available.set(self.floor..=self.end - 1, 0);
        }
        for (range, mark) in self.ledger.marks().iter() {
            match mark {
                Mark::Returned(deliveries) => self.available.set(range, deliveries),
                Mark::Done | Mark::Condemned { .. } => self.available.clear(&range),
            }
        }
    }

    /// Its durable half.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Records that are not done and were handed out before, or were skipped.
    #[must_use]
    pub fn unsettled(&self) -> u64 {
        self.held.records() + self.available.records() + self.ledger.condemned()
    }

    /// Its numbers.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let (held, available) = (self.held.records(), self.available.records());
        let condemned = self.ledger.condemned();
        Counts {
            start: self.floor,
            end: self.end,
            held,
            available,
            done: (self.end - self.floor).saturating_sub(held + available + condemned),
            condemned,
        }
    }

    /// Whether a restart of the whole is on its way: nothing is handed out meanwhile.
    pub(super) fn is_restarting(&self) -> bool {
        let restarts = |change: &Change| change.restart.is_some();
        restarts(&self.pending) || self.in_flight.as_ref().is_some_and(restarts)
    }

    /// The first record at or above `after` that may be handed out.
    #[must_use]
    pub fn candidate(&self, after: u64, policy: &Policy) -> Option<Candidate> {
        let found = self.candidate_beyond(after, policy);
        // A batch that is read reaches further than what was handed out of it only if there was no room for the rest.
        found.filter(|found| found.last != u64::MAX || found.from == self.end)
    }

    /// As `candidate`, for one who only looks: what is fresh may lie behind records that are on offer, too, but were not handed out.
    #[must_use]
    pub fn candidate_beyond(&self, after: u64, policy: &Policy) -> Option<Candidate> {
        if self.is_restarting() {
            return None;
        }
        let after = after.max(self.floor);
        if let Some((range, _)) = self.available.within(&(after..=u64::MAX)).next() {
            return Some(Candidate {
                from: *range.start(),
                last: *range.end(),
            });
        }
        self.has_room(policy).then_some(Candidate {
            from: self.end.max(after),
            last: u64::MAX,
        })
    }

    fn has_room(&self, policy: &Policy) -> bool {
        self.unsettled() < policy.unsettled_max
    }

    /// Records of one batch that may be handed out.
    #[must_use]
    pub fn on_offer(&self, batch: &Range, policy: &Policy) -> u64 {
        let back: u64 = self.available.within(batch).map(|(run, _)| count(&run)).sum();
        let fresh = self.end.max(*batch.start())..=*batch.end();
        back + if self.has_room(policy) { count(&fresh) } else { 0 }
    }

    /// Hands out records of what was read.
    pub fn acquire(
        &mut self,
        holder: Holder,
        offer: Offer<'_>,
        policy: &Policy,
        now: Duration,
    ) -> Vec<Acquired> {
        let mut out = Vec::new();
        if self.is_restarting() {
            return out;
        }
        self.offers += 1;
        let until = Tick::not_before(now, policy.lock);
        let (mut next, covered_last) = offer.covered;
        let mut taken = 0;
        for &(first, last) in offer.batches {
            if taken >= offer.records_max {
                return out;
            }
            if first > next {
                self.skip(next..=first - 1);
            }
            let room = match offer.dispatch {
                Dispatch::Batches => u64::MAX,
                Dispatch::Records => offer.records_max - taken,
            };
            let batch = Batch {
                range: self.floor.max(first)..=last,
                room,
            };
            let got = self.take(holder, until, batch, policy, &mut out);
            taken += got;
            if self.end <= last {
                // No room: what follows was not looked at.
                return out;
            }
            next = last + 1;
        }
        if next <= covered_last {
            self.skip(next..=covered_last);
        }
        out
    }

    /// Locks what is available in one batch, up to its room; answers how many records that were.
    fn take(
        &mut self,
        holder: Holder,
        until: Tick,
        batch: Batch,
        policy: &Policy,
        out: &mut Vec<Acquired>,
    ) -> u64 {
        let Batch { range, room } = batch;
        let mut taken = 0;
        let back: Vec<(Range, u16)> = self.available.within(&range).collect();
        for (run, deliveries) in back {
            if deliveries >= policy.deliveries_max {
                self.available.clear(&run);
                self.settle_run(run, NOBODY, deliveries, self.mark_back(deliveries, policy));
                continue;
            }
            let run = first_of(run, room - taken);
            if run.is_empty() {
                return taken;
            }
            taken += count(&run);
            self.available.clear(&run);
            self.lock(run, holder, until, deliveries + 1, out);
        }
        let fresh = self.end.max(*range.start())..=*range.end();
        let allowed = policy.unsettled_max.saturating_sub(self.unsettled());
        let fresh = first_of(fresh, allowed.min(room - taken));
        if !fresh.is_empty() {
            taken += count(&fresh);
            self.end = *fresh.end() + 1;
            self.lock(fresh, holder, until, 1, out);
        }
        taken
    }

    fn lock(&mut self, run: Range, holder: Holder, until: Tick, deliveries: u16, out: &mut Vec<Acquired>) {
        self.count_lock(until, count(&run));
        let phase = Phase::Locked;
        self.held.set(
            run.clone(),
            Hold {
                holder,
                until,
                deliveries,
                phase,
            },
        );
        match out.last_mut() {
            Some(last) if last.deliveries == deliveries && last.range.end() + 1 == *run.start() => {
                last.range = *last.range.start()..=*run.end();
            }
            _ => out.push(Acquired {
                range: run,
                deliveries,
            }),
        }
    }

    /// Offsets that the log no longer holds records for are done.
    fn skip(&mut self, gap: Range) {
        let gap = self.floor.max(*gap.start())..=*gap.end();
        let back: Vec<(Range, u16)> = self.available.within(&gap).collect();
        for (run, _) in back {
            self.available.clear(&run);
            self.settle_run(run, NOBODY, 0, Mark::Done);
        }
        let fresh = self.end.max(*gap.start())..=*gap.end();
        if !fresh.is_empty() && *fresh.start() == self.end {
            self.end = *fresh.end() + 1;
            self.settle_run(fresh, NOBODY, 0, Mark::Done);
        }
    }

    /// Puts an outcome on its way. The run must be in no other place.
    pub(super) fn settle_run(&mut self, run: Range, holder: Holder, deliveries: u16, mark: Mark) {
        self.held.set(
            run.clone(),
            Hold {
                holder,
                until: Tick(0),
                deliveries,
                phase: Phase::Settling,
            },
        );
        self.pending.marks.set(run, mark);
    }

    /// What becomes of a record that comes back after so many deliveries.
    pub(super) fn mark_back(&self, deliveries: u16, policy: &Policy) -> Mark {
        if deliveries < policy.deliveries_max {
            Mark::Returned(deliveries)
        } else {
            given_up(deliveries, Cause::Undelivered, policy)
        }
    }

    pub(super) fn count_lock(&mut self, until: Tick, records: u64) {
        let to_arm = &mut self.to_arm;
        *self.locks.entry(until).or_insert_with(|| {
            to_arm.push(until);
            0
        }) += records;
    }

    pub(super) fn uncount_lock(&mut self, hold: &Hold, records: u64) {
        if hold.phase == Phase::Locked
            && let Some(locked) = self.locks.get_mut(&hold.until)
        {
            *locked -= records;
        }
    }

    /// Ticks at which `expire` wants to be called, since the last time that this was asked.
    pub fn ticks_to_arm(&mut self) -> std::vec::Drain<'_, Tick> {
        self.to_arm.drain(..)
    }

    /// The invariant of the module, as a function.
    ///
    /// # Panics
    /// When it does not hold.
    pub fn check(&self) {
        let window = self.end - self.floor;
        let marked: Vec<_> = self.ledger.marks().within(&(self.floor..=u64::MAX)).collect();
        let mut finished = 0;
        for (range, mark) in marked {
            let held = self.held.within(&range).map(|(run, _)| count(&run)).sum::<u64>();
            let available = self
                .available
                .within(&range)
                .map(|(run, _)| count(&run))
                .sum::<u64>();
            match mark {
                Mark::Returned(_) => assert_eq!(
                    held + available,
                    count(&range),
                    "what came back is held or available"
                ),
                Mark::Done | Mark::Condemned { .. } => {
                    assert_eq!(held + available, 0, "what is done is nowhere else");
                    finished += count(&range);
                }
            }
        }
        assert_eq!(
            self.held.records() + self.available.records() + finished,
            window,
            "every record has one place"
        );
        for (range, _) in self.held.iter() {
            assert!(
                self.available.within(&range).next().is_none(),
                "held and available at once"
            );
        }
        let locked = self.held.iter().filter(|(_, hold)| hold.phase == Phase::Locked);
        let locked: u64 = locked.map(|(range, _)| count(&range)).sum();
        assert_eq!(
            locked,
            self.locks.values().sum::<u64>(),
            "every lock has a deadline"
        );
    }
}

struct Batch {
    range: Range,
    room: u64,
}

/// The mark of a record that nobody will be given again.
pub(super) fn given_up(deliveries: u16, cause: Cause, policy: &Policy) -> Mark {
    if policy.dead_letters.is_some() {
        Mark::Condemned { deliveries, cause }
    } else {
        Mark::Done
    }
}

pub(super) fn count(range: &Range) -> u64 {
    if range.is_empty() {
        0
    } else {
        range.end() - range.start() + 1
    }
}

/// The first `records_max` offsets of a range.
fn first_of(range: Range, records_max: u64) -> Range {
    let (first, last) = range.into_inner();
    match records_max.checked_sub(1) {
        Some(more) => first..=last.min(first.saturating_add(more)),
        #[expect(clippy::reversed_empty_ranges, reason = "nothing of it")]
        None => 1..=0,
    }
}
