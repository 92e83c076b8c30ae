//! One subscription as tasks share it: the state machine under a short lock, those who wait, and what the stream holds.
//!
//! Owns: the lock. Never: a decision (`subscription.rs`), an await while the lock is held.
//!
//! **Invariant**: whoever asked for an outcome is answered after the write that bears it, and each exactly once.

use super::QueueError;
use super::id::{Holder, SubscriptionId};
use super::kept::Stored;
use super::ledger::Ledger;
use super::letters::{Doomed, Life};
use super::policy::Policy;
use super::runs::Runs;
use super::settle::{Durability, Settlement};
use super::shard::Shard;
use super::stock::{Stock, Weight};
use super::subscription::{Acquired, Candidate, Counts, Offer, Subscription};
use super::timers::Timers;
use super::waiting::Line;
use super::wheel::Tick;
use crate::state_stream::StateRecord;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::oneshot;

/// Told when the write that bears an outcome is decided.
pub(super) type Outcome = Result<(), QueueError>;

pub(super) struct Cell {
    pub id: SubscriptionId,
    pub shard: Arc<Shard>,
    timers: Arc<Timers>,
    live: Mutex<Live>,
    /// Who waits for something to be handed out.
    pub line: Line,
    /// Its dead letters are being seen to (`graves`).
    pub has_grave: AtomicBool,
}

struct Live {
    machine: Subscription,
    life: Life,
    /// What may be handed out, as far as somebody has weighed it.
    stock: Option<Stock>,
    stored: Stored,
    stage: Stage,
    /// Answered with the write that is gathered now.
    waiting: Vec<oneshot::Sender<Outcome>>,
    /// What is being written.
    flight: Option<Flight>,
    /// Answered with the write under way.
    in_flight: Vec<oneshot::Sender<Outcome>>,
    /// Stands in the shard's list of those who have something to write.
    is_listed: bool,
    /// Somebody reads for this subscription.
    reading: Reading,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its first snapshot is not durable yet.
    New,
    /// In use.
    Open,
    /// Its deletion is to be written.
    Leaving,
    /// Nothing is left of it.
    Gone,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flight {
    FirstSnapshot,
    Change,
    Deletion,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Nobody,
    Somebody,
    /// And others wait for him to finish.
    Contended,
}

/// What one subscription adds to a write.
pub(super) struct Write {
    pub records: Vec<StateRecord>,
}

/// What a write that is durable means for the world.
#[derive(Default)]
pub(super) struct Told {
    pub has_condemned: bool,
    pub is_gone: bool,
}

impl Cell {
    pub fn new(
        id: SubscriptionId,
        ledger: Ledger,
        stored: Option<Stored>,
        shard: Arc<Shard>,
        timers: Arc<Timers>,
    ) -> Self {
        Self {
            id,
            shard,
            timers,
            live: Mutex::new(Live {
                machine: Subscription::new(ledger),
                life: Life::default(),
                stock: None,
                stage: if stored.is_some() { Stage::Open } else { Stage::New },
                stored: stored.unwrap_or_default(),
                waiting: Vec::new(),
                flight: None,
                in_flight: Vec::new(),
                is_listed: false,
                reading: Reading::Nobody,
            }),
            line: Line::default(),
            has_grave: AtomicBool::new(false),
        }
    }

    /// Waits until its first snapshot is durable, if it is new.
    pub async fn ready(self: &Arc<Self>) -> Outcome {
        let answer = {
            let mut live = self.live.lock();
            match live.stage {
                Stage::Open => return Ok(()),
                Stage::Leaving | Stage::Gone => return Err(QueueError::Gone),
                Stage::New => self.wait(&mut live),
            }
        };
        answered(answer).await
    }

    /// Joins those who are answered with the next write, and makes sure that there is one.
    fn wait(self: &Arc<Self>, live: &mut Live) -> oneshot::Receiver<Outcome> {
        let (sender, receiver) = oneshot::channel();
        // While the write of a new one is under way there is nothing to add to it.
        if live.flight == Some(Flight::FirstSnapshot) {
            live.in_flight.push(sender);
        } else {
            live.waiting.push(sender);
            self.list(live);
        }
        receiver
    }

    fn list(self: &Arc<Self>, live: &mut Live) {
        if !live.is_listed {
            live.is_listed = true;
            self.shard.list(self.clone());
        }
    }

    /// After every step of the machine: its ticks go on the wheel, its change to the shard.
    fn follow(self: &Arc<Self>, live: &mut Live) {
        self.timers.arm(self, live.machine.ticks_to_arm());
        if live.machine.has_pending() {
            self.list(live);
        }
    }

    /// The right to read for this subscription; one reader at a time, so that records are handed out in their order. `None`:
    /// somebody reads; the first of the line is told when he has finished.
    pub fn begin_read(self: &Arc<Self>) -> Option<ReadTurn> {
        let mut live = self.live.lock();
        match live.reading {
            Reading::Nobody => {
                live.reading = Reading::Somebody;
                Some(ReadTurn(self.clone()))
            }
            Reading::Somebody | Reading::Contended => {
                live.reading = Reading::Contended;
                None
            }
        }
    }

    pub fn candidate(
        self: &Arc<Self>,
        after: u64,
        log_start: u64,
        policy: &Policy,
    ) -> Result<Option<Candidate>, QueueError> {
        self.trimmed(log_start, |machine| machine.candidate(after, policy))
    }

    /// As `candidate`, for one who only looks.
    pub fn candidate_beyond(
        self: &Arc<Self>,
        after: u64,
        log_start: u64,
        policy: &Policy,
    ) -> Result<Option<Candidate>, QueueError> {
        self.trimmed(log_start, |machine| machine.candidate_beyond(after, policy))
    }

    /// What was weighed of it so far, if that is still so.
    pub fn stock(self: &Arc<Self>, log_start: u64, policy: &Policy) -> Result<Stock, QueueError> {
        let fresh = self.trimmed(log_start, |machine| {
            Stock::new(machine.offers, policy, machine.candidate(0, policy))
        })?;
        let held = self.live.lock().stock;
        Ok(held.filter(|held| held.is_like(&fresh)).unwrap_or(fresh))
    }

    /// Somebody has weighed further, or begun anew.
    pub fn learn_stock(&self, stock: Stock) {
        let mut live = self.live.lock();
        let knows_more = live
            .stock
            .is_some_and(|held| held.is_like(&stock) && held.weight.bytes > stock.weight.bytes);
        if stock.is_of(live.machine.offers) && !knows_more {
            live.stock = Some(stock);
        }
    }

    /// Whether somebody has weighed so much, and it still lies there.
    pub fn is_known_to_hold(&self, wanted: Weight) -> bool {
        let live = self.live.lock();
        let held = live.stock.filter(|held| held.is_of(live.machine.offers));
        held.is_some_and(|held| held.weight.reaches(wanted))
    }

    fn trimmed<T>(
        self: &Arc<Self>,
        log_start: u64,
        ask: impl FnOnce(&Subscription) -> T,
    ) -> Result<T, QueueError> {
        let mut live = self.live.lock();
        if live.stage != Stage::Open {
            return Err(QueueError::Gone);
        }
        live.machine.trim(log_start);
        let answer = ask(&live.machine);
        self.follow(&mut live);
        Ok(answer)
    }

    /// Records of these batches that may be handed out.
    pub fn on_offer(&self, batches: &[(u64, u64)], policy: &Policy) -> u64 {
        let live = self.live.lock();
        let on_offer = |(first, last): &(u64, u64)| live.machine.on_offer(&(*first..=*last), policy);
        batches.iter().map(on_offer).sum()
    }

    pub fn acquire(
        self: &Arc<Self>,
        holder: Holder,
        offer: Offer<'_>,
        policy: &Policy,
        now: Duration,
    ) -> Vec<Acquired> {
        let mut live = self.live.lock();
        if live.stage != Stage::Open {
            return Vec::new();
        }
        let acquired = live.machine.acquire(holder, offer, policy, now);
        self.follow(&mut live);
        acquired
    }

    /// Takes a consumer's answer. The receiver tells when it is durable.
    pub fn settle(
        self: &Arc<Self>,
        holder: Holder,
        settlements: &[Settlement],
        policy: &Policy,
        now: Duration,
    ) -> Result<Option<oneshot::Receiver<Outcome>>, QueueError> {
        let mut live = self.live.lock();
        if live.stage != Stage::Open {
            return Err(QueueError::Gone);
        }
        let durability = live.machine.settle(holder, settlements, policy, now)?;
        let answer = (durability == Durability::Awaited).then(|| self.wait(&mut live));
        self.follow(&mut live);
        Ok(answer)
    }

    pub fn release_all(
        self: &Arc<Self>,
        holder: Holder,
        policy: &Policy,
    ) -> Option<oneshot::Receiver<Outcome>> {
        let mut live = self.live.lock();
        let durability = live.machine.release_all(holder, policy);
        let answer = (durability == Durability::Awaited).then(|| self.wait(&mut live));
        self.follow(&mut live);
        answer
    }

    pub fn expire(self: &Arc<Self>, tick: Tick, policy: &Policy) {
        let mut live = self.live.lock();
        live.machine.expire(tick, policy);
        self.follow(&mut live);
    }

    /// Forgets everything and begins at `start`.
    pub fn restart(self: &Arc<Self>, start: u64) -> Result<oneshot::Receiver<Outcome>, QueueError> {
        let mut live = self.live.lock();
        if matches!(live.stage, Stage::Leaving | Stage::Gone) {
            return Err(QueueError::Gone);
        }
        live.machine.restart(start);
        live.life = live.life.next();
        let answer = self.wait(&mut live);
        self.follow(&mut live);
        Ok(answer)
    }

    /// Deletes it. `None`: nothing was ever there.
    pub fn delete(self: &Arc<Self>) -> Option<oneshot::Receiver<Outcome>> {
        let mut live = self.live.lock();
        if live.stage == Stage::Gone {
            return None;
        }
        live.stage = Stage::Leaving;
        let (sender, receiver) = oneshot::channel();
        live.waiting.push(sender);
        self.list(&mut live);
        Some(receiver)
    }

    pub fn counts(&self) -> Counts {
        self.live.lock().machine.counts()
    }

    pub fn is_open(&self) -> bool {
        self.live.lock().stage == Stage::Open
    }

    pub fn condemned(&self, records_max: u64) -> Doomed {
        let live = self.live.lock();
        if live.stage != Stage::Open || live.machine.ledger().condemned() == 0 {
            return Doomed::Nobody;
        }
        if live.machine.is_restarting() {
            return Doomed::Unknown;
        }
        Doomed::These(live.life, live.machine.condemned(records_max))
    }

    /// Records that were condemned in `life` need no letter any more. `None`: it is over, and they are fresh again.
    pub fn buried(self: &Arc<Self>, life: Life, ranges: &Runs<()>) -> Option<oneshot::Receiver<Outcome>> {
        let mut live = self.live.lock();
        if live.stage != Stage::Open || live.life != life {
            return None;
        }
        for (range, ()) in ranges.iter() {
            live.machine.buried(range);
        }
        Some(self.wait(&mut live))
    }

    /// What is to be written of it now. Called by its shard, which has taken it from the list.
    pub fn take_write(self: &Arc<Self>) -> Option<Write> {
        let mut live = self.live.lock();
        let live = &mut *live;
        live.is_listed = false;
        if live.flight.is_some() {
            // Listed again when that is decided.
            return None;
        }
        let (flight, records) = match live.stage {
            Stage::Gone => {
                answer_all(&mut live.waiting, Err(QueueError::Gone));
                return None;
            }
            Stage::Leaving => (Flight::Deletion, live.stored.deletion(&self.id)),
            Stage::New => {
                let snapshot = live.stored.snapshot(&self.id, live.machine.ledger());
                (Flight::FirstSnapshot, vec![snapshot])
            }
            Stage::Open => match live.machine.take_change() {
                Some((ledger, change)) => {
                    let record = live.stored.record(&self.id, ledger, change);
                    (Flight::Change, vec![record])
                }
                // Whoever waits, waits for nothing: what he asked for holds.
                None => {
                    answer_all(&mut live.waiting, Ok(()));
                    return None;
                }
            },
        };
        live.flight = Some(flight);
        live.in_flight.append(&mut live.waiting);
        Some(Write { records })
    }

    /// The write under way is durable.
    pub fn kept(self: &Arc<Self>, policy: &Policy) -> Told {
        let mut live = self.live.lock();
        let mut told = Told::default();
        match live.flight.take() {
            Some(Flight::FirstSnapshot) if live.stage == Stage::New => live.stage = Stage::Open,
            Some(Flight::Deletion) => {
                live.stage = Stage::Gone;
                told.is_gone = true;
            }
            _ => {}
        }
        let kept = live.machine.kept(policy);
        told.has_condemned = kept.has_condemned;
        answer_all(&mut live.in_flight, Ok(()));
        self.go_on(&mut live);
        drop(live);
        if kept.has_more || told.is_gone {
            self.line.wake();
        }
        told
    }

    /// The write under way is certainly not durable.
    pub fn not_kept(self: &Arc<Self>, error: &QueueError, now: Duration) {
        let mut live = self.live.lock();
        live.stored.distrust();
        live.machine.not_kept(now);
        if live.flight.take() == Some(Flight::FirstSnapshot) && live.stage == Stage::New {
            live.stage = Stage::Gone;
        }
        answer_all(&mut live.in_flight, Err(error.clone()));
        self.go_on(&mut live);
        drop(live);
        self.line.wake();
    }

    /// Nobody knows what the stream holds: what it says replaces everything. `None`: it holds nothing of this one.
    pub fn reloaded(self: &Arc<Self>, stored: Option<(Ledger, Stored)>) {
        let mut live = self.live.lock();
        let live = &mut *live;
        match stored {
            Some((ledger, stored)) => {
                let offers = live.machine.offers;
                live.machine = Subscription::new(ledger);
                live.machine.offers += offers;
                live.stored = stored;
                live.stage = Stage::Open;
            }
            None => live.stage = Stage::Gone,
        }
        live.flight = None;
        answer_all(&mut live.in_flight, Err(QueueError::Unknown));
        answer_all(&mut live.waiting, Err(QueueError::Unknown));
        self.line.wake();
    }

    fn go_on(self: &Arc<Self>, live: &mut Live) {
        self.timers.arm(self, live.machine.ticks_to_arm());
        if !live.waiting.is_empty() || live.machine.has_pending() {
            self.list(live);
        }
    }
}

fn answer_all(waiting: &mut Vec<oneshot::Sender<Outcome>>, outcome: Outcome) {
    for sender in waiting.drain(..) {
        // He may have gone; then nobody needs the answer.
        let _ = sender.send(outcome.clone());
    }
}

/// Waits for the answer; a shard that ends drops its questions.
pub(super) async fn answered(answer: oneshot::Receiver<Outcome>) -> Outcome {
    answer.await.unwrap_or(Err(QueueError::Closed))
}

/// The right to read; given back when it is dropped.
pub(super) struct ReadTurn(Arc<Cell>);

impl Drop for ReadTurn {
    fn drop(&mut self) {
        let reading = std::mem::replace(&mut self.0.live.lock().reading, Reading::Nobody);
        if reading == Reading::Contended {
            self.0.line.wake();
        }
    }
}
