//! Random histories of one subscription, with failing writes, crashes and compaction of its state, against a naive model that
//! knows each record by itself.

use super::super::kept::{Loader, Stored};
use super::super::*;
use super::{policy, random};
use crate::StateRecord;
use millstream_meta::catalog::TopicId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

const HOLDERS: u64 = 3;
const LOG_END: u64 = 400;

struct World {
    seed: u64,
    policy: Policy,
    id: SubscriptionId,
    machine: Subscription,
    stored: Stored,
    stream: Vec<StateRecord>,
    now: Duration,
    armed: BTreeSet<Tick>,
    /// Who has which record, as consumers see it.
    out: BTreeMap<u64, (Holder, u16)>,
    /// Answers whose write is gathered, or under way.
    asked: Vec<(u64, Disposition)>,
    under_way: Vec<(u64, Disposition)>,
    /// Confirmed.
    finished: BTreeSet<u64>,
    dead: BTreeSet<u64>,
    /// Deliveries that a restart must remember, at least.
    durable_deliveries: BTreeMap<u64, u16>,
    seen: BTreeSet<u64>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut seed = seed;
        let policy = policy(
            2 + (random(&mut seed) % 4) as u16,
            20 + random(&mut seed) % 100,
            random(&mut seed).is_multiple_of(2),
        );
        let id = SubscriptionId {
            space: Space(1),
            name: Arc::from("model"),
            topic: TopicId([1; 16]),
            partition: 0,
        };
        let mut stored = Stored::default();
        let ledger = Ledger::new(0);
        let stream = vec![stored.snapshot(&id, &ledger)];
        Self {
            seed,
            policy,
            id,
            machine: Subscription::new(ledger),
            stored,
            stream,
            now: Duration::from_secs(1),
            armed: BTreeSet::new(),
            out: BTreeMap::new(),
            asked: Vec::new(),
            under_way: Vec::new(),
            finished: BTreeSet::new(),
            dead: BTreeSet::new(),
            durable_deliveries: BTreeMap::new(),
            seen: BTreeSet::new(),
        }
    }

    fn draw(&mut self, below: u64) -> u64 {
        random(&mut self.seed) % below
    }

    fn step(&mut self) {
        match self.draw(12) {
            0..=2 => self.acquire(),
            3..=5 => self.answer(),
            6 => self.pass_time(),
            7..=9 => self.write(true),
            10 => self.write(false),
            _ => match self.draw(6) {
                0 => self.crash(),
                1 => self.leave(),
                2 => self.bury(),
                3 => self.compact(),
                _ => self.write(true),
            },
        }
        self.armed.extend(self.machine.ticks_to_arm());
        self.machine.check();
    }

    /// Reads as the broker would: whole batches of ten from the candidate on. Every seventh batch was compacted away.
    fn acquire(&mut self) {
        let Some(candidate) = self.machine.candidate(0, &self.policy) else {
            return;
        };
        let first_batch = candidate.from / 10;
        let batches: Vec<(u64, u64)> = (first_batch..LOG_END / 10)
            .filter(|batch| !is_gap(batch * 10))
            .take(1 + self.draw(4) as usize)
            .map(|batch| (batch * 10, batch * 10 + 9))
            .collect();
        let Some(&(_, last)) = batches.last() else { return };
        let holder = Holder(self.draw(HOLDERS));
        let offer = Offer {
            covered: (candidate.from, last),
            batches: &batches,
            records_max: 1 + self.draw(30),
            dispatch: if self.draw(2) == 0 {
                Dispatch::Batches
            } else {
                Dispatch::Records
            },
        };
        let records_max = offer.records_max;
        let acquired = self.machine.acquire(holder, offer, &self.policy, self.now);
        let records: u64 = acquired
            .iter()
            .map(|acquired| acquired.range.clone().count() as u64)
            .sum();
        assert!(offer.dispatch == Dispatch::Batches || records <= records_max);
        for Acquired { range, deliveries } in acquired {
            for offset in range {
                assert!(
                    !self.finished.contains(&offset),
                    "{offset} came again after it was confirmed"
                );
                assert!(
                    !self.dead.contains(&offset),
                    "{offset} came again after it was given up"
                );
                let before = self.out.insert(offset, (holder, deliveries));
                assert_eq!(before, None, "{offset} is with two at once");
                let durable = self.durable_deliveries.get(&offset).copied().unwrap_or(0);
                assert!(deliveries > durable && deliveries <= self.policy.deliveries_max);
                self.seen.insert(offset);
            }
        }
        assert!(self.out.len() as u64 <= self.policy.unsettled_max);
    }

    fn answer(&mut self) {
        let holder = Holder(self.draw(HOLDERS));
        let mut mine: Vec<u64> = self
            .out
            .iter()
            .filter(|(_, (who, _))| *who == holder)
            .map(|(offset, _)| *offset)
            .collect();
        let skip = self.draw(1 + mine.len() as u64) as usize;
        let take = 1 + self.draw(8) as usize;
        mine = mine.into_iter().skip(skip).take(take).collect();
        let dispositions = [
            Disposition::Accept,
            Disposition::Accept,
            Disposition::Release,
            Disposition::Reject,
            Disposition::Renew,
        ];
        let answers: Vec<Settlement> = mine
            .iter()
            .map(|offset| Settlement {
                range: *offset..=*offset,
                disposition: dispositions[random(&mut self.seed) as usize % dispositions.len()],
            })
            .collect();
        let taken = self.machine.settle(holder, &answers, &self.policy, self.now);
        assert!(taken.is_ok(), "what is held can be answered: {taken:?}");
        for Settlement { range, disposition } in answers {
            if disposition != Disposition::Renew {
                self.out.remove(range.start());
                self.asked.push((*range.start(), disposition));
            }
        }
    }

    fn pass_time(&mut self) {
        let passed = self.draw(40_000);
        self.now += Duration::from_millis(passed);
        let now = Tick::at(self.now);
        while let Some(tick) = self.armed.first().copied().filter(|tick| *tick <= now) {
            self.armed.remove(&tick);
            self.machine.expire(tick, &self.policy);
            self.armed.extend(self.machine.ticks_to_arm());
        }
        self.forget_lost_locks();
    }

    fn leave(&mut self) {
        let holder = Holder(self.draw(HOLDERS));
        self.machine.release_all(holder, &self.policy);
        self.forget_lost_locks();
    }

    /// Whose lock ran out finds that he may not answer any more.
    fn forget_lost_locks(&mut self) {
        let machine = &self.machine;
        let is_locked = |offset: u64| {
            let held = machine.held.within(&(offset..=offset)).next();
            held.is_some_and(|(_, hold)| hold.phase == super::super::subscription::Phase::Locked)
        };
        self.out.retain(|offset, _| is_locked(*offset));
    }

    fn write(&mut self, works: bool) {
        if let Some((ledger, change)) = self.machine.take_change() {
            let record = self.stored.record(&self.id, ledger, change);
            let marks = change.marks.clone();
            self.under_way.append(&mut self.asked);
            if works {
                self.stream.push(record);
                self.machine.kept(&self.policy);
                for (range, mark) in marks.iter() {
                    for offset in range {
                        match mark {
                            Mark::Returned(deliveries) => {
                                self.durable_deliveries.insert(offset, deliveries);
                            }
                            Mark::Condemned { .. } => {
                                self.dead.insert(offset);
                            }
                            Mark::Done => {}
                        }
                    }
                }
                for (offset, disposition) in std::mem::take(&mut self.under_way) {
                    if disposition == Disposition::Accept {
                        self.finished.insert(offset);
                    }
                }
            } else {
                self.stored.distrust();
                self.machine.not_kept(self.now);
                // Nobody was confirmed; the consumers believe that they hold nothing.
                self.under_way.clear();
            }
        }
    }

    fn bury(&mut self) {
        for (range, ..) in self.machine.condemned(20) {
            self.machine.buried(range);
        }
    }

    /// Keeps the newest record of each key in a part of the stream, as the log's compaction does.
    fn compact(&mut self) {
        let until = self.draw(1 + self.stream.len() as u64) as usize;
        let newest: BTreeMap<_, _> = self
            .stream
            .iter()
            .enumerate()
            .map(|(at, record)| (record.key.clone(), at))
            .collect();
        let mut at = 0;
        self.stream.retain(|record| {
            at += 1;
            at > until || newest[&record.key] == at - 1
        });
    }

    fn crash(&mut self) {
        let mut loader = Loader::default();
        for record in &self.stream {
            loader.replay(&record.key, record.value.as_deref());
        }
        let mut found = loader.finish().expect("what was written can be read");
        let (ledger, stored) = found.remove(&self.id).expect("it was there");
        assert_eq!(&ledger, self.machine.ledger(), "replay is live");
        self.machine = Subscription::new(ledger);
        self.stored = stored;
        self.armed.clear();
        self.out.clear();
        self.asked.clear();
        self.under_way.clear();
    }

    /// No more faults: everything must get done, and every record that is there was seen by somebody.
    fn finish(&mut self) {
        self.crash();
        for _ in 0..LOG_END * 10 {
            self.acquire();
            let all: Vec<(u64, Holder)> = self
                .out
                .iter()
                .map(|(offset, (holder, _))| (*offset, *holder))
                .collect();
            for (offset, holder) in all {
                let answer = Settlement {
                    range: offset..=offset,
                    disposition: Disposition::Accept,
                };
                self.machine
                    .settle(holder, &[answer], &self.policy, self.now)
                    .expect("held");
                self.out.remove(&offset);
            }
            self.bury();
            self.write(true);
            self.machine.check();
            if self.machine.counts().start >= LOG_END {
                break;
            }
        }
        assert_eq!(self.machine.counts().start, LOG_END, "everything gets done");
        assert!(
            self.machine.ledger().marks().is_empty(),
            "and nothing is remembered of it"
        );
        let missed = (0..LOG_END).filter(|offset| !is_gap(*offset) && !self.seen.contains(offset));
        assert_eq!(missed.count(), 0, "no record is lost");
    }
}

fn is_gap(offset: u64) -> bool {
    (offset / 10) % 7 == 3
}

#[test]
fn every_history_keeps_the_promises() {
    for seed in 0..400 {
        let mut world = World::new(seed);
        for _ in 0..300 {
            world.step();
        }
        world.finish();
    }
}
