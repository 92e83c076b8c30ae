//! The end of records that were given up: their dead letters are written, then they are done.
//!
//! Owns: the list of subscriptions with such records, the one task that works it off, and its patience. Never: who is given up
//! (`subscription`), what a letter says (`letters`).
//!
//! Subscriptions go side by side; the letters of one go one after the other, in the order of their offsets. Between subscriptions
//! there is no order.
//!
//! **Invariant**: a record is marked done only after its dead letter is durable, or after it was tried often enough and said so; a
//! subscription that begins anew begins that anew too. A crash between the two writes the letter twice; a mark that could not be
//! written does not. A topic that takes nothing, or a record that cannot be read, holds up no consumer for longer than the attempts
//! take; and state that cannot be written holds up no other subscription at all.

use super::QueueError;
use super::cell::{Cell, answered};
use super::letters::{Condemned, Doomed, Letter, Life, Unwritten, bare, collect, write};
use super::policy::{DeadLetters, PolicySource};
use super::runs::Runs;
use crate::Broker;
use crate::topics::Topic;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Records that are read and buried at a time.
const BURIAL_RECORDS_MAX: u64 = 500;

/// Subscriptions whose letters are written side by side. Each has `BURIAL_BYTES_MAX` of copies in memory. Those that only wait for
/// their note are not counted: a state partition may be away for long.
pub(super) const BURIALS_MAX: usize = 8;

/// Attempts at a letter before its record is done without one. As Kafka's, and so are the pauses.
const ATTEMPTS_MAX: u32 = 5;

/// The pause after the first failure. Each further one is twice the one before: 1, 2, 4 and 8 seconds between attempts at a letter.
const RETRY_WAIT_MIN: Duration = Duration::from_secs(1);

/// The longest pause. Only the note that letters are finished comes to it: that is tried until it succeeds.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(30);

/// Doublings after which the pause is the longest one: 2^5 s > 30 s.
const DOUBLINGS_MAX: u32 = 5;

/// A read of records to be copied that takes longer is a failed attempt: what never answers must not keep a place among
/// `BURIALS_MAX` for ever.
const READ_WAIT_MAX: Duration = Duration::from_secs(30);

/// What became of dead letters since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Letters {
    /// Durable in their topics.
    pub written: u64,
    /// Given up: their records are done without one.
    pub lost: u64,
}

#[derive(Default)]
pub(super) struct Graves {
    waiting: Mutex<Waiting>,
    bell: Notify,
    written: AtomicU64,
    lost: AtomicU64,
}

/// Subscriptions with dead letters that nobody is at work on, by the moment at which to go on, on the monotonic clock.
#[derive(Default)]
struct Waiting {
    graves: BTreeMap<(Duration, u64), Grave>,
    next: u64,
}

impl Waiting {
    fn push(&mut self, grave: Grave, not_before: Duration) {
        self.graves.insert((not_before, self.next), grave);
        self.next += 1;
    }
}

/// One subscription with dead letters. There is one at most: `Cell::has_grave`.
struct Grave {
    cell: Arc<Cell>,
    /// The life of the subscription that the rest is about.
    life: Life,
    /// Attempts at letters that failed since the last one that did not, and were followed by another one.
    attempts: u32,
    /// Rounds of letters that failed since the last end that was noted.
    failures: u32,
    /// Records whose letters are durable or given up, while that is not noted.
    finished: Runs<()>,
}

/// What the next round of a grave is about.
enum Round {
    /// More letters.
    Letters,
    /// Whatever a restart leaves, which is being written.
    Restart,
    /// Nothing is left.
    Over,
}

impl Grave {
    /// Whether the attempt that has failed just now may be followed by another one; then it is counted.
    fn may_fail_again(&mut self) -> bool {
        let may = self.attempts + 1 < ATTEMPTS_MAX;
        self.attempts += u32::from(may);
        may
    }

    /// No attempt is to be made at these any more.
    fn finish(&mut self, letters: &[Letter]) {
        for letter in letters {
            self.finished.set(letter.offset..=letter.offset, ());
        }
    }

    /// Notes the end of what is finished: tried until it succeeds, or until a restart or a deletion makes it void.
    async fn note(&mut self) {
        let mut failures = 0;
        while let Err(error) = self.try_to_note().await {
            failures += 1;
            let id = &self.cell.id;
            tracing::warn!(subscription = &*id.name, partition = id.partition, %error, "that dead letters are finished was not kept");
            tokio::time::sleep(pause_after(failures)).await;
        }
        self.finished = Runs::default();
        self.failures = 0;
    }

    async fn try_to_note(&self) -> Result<(), QueueError> {
        match self.cell.buried(self.life, &self.finished) {
            Some(outcome) => answered(outcome).await,
            None => Ok(()),
        }
    }
}

/// The pause after so many failures in a row, from 1.
fn pause_after(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(DOUBLINGS_MAX);
    (RETRY_WAIT_MIN * 2_u32.pow(doublings)).min(RETRY_WAIT_MAX)
}

/// What happened next.
enum Event {
    Closed,
    /// A round of letters is over; some may be finished even if it failed.
    Written(Grave, Result<Round, Unwritten>),
    /// And that is noted.
    Noted(Grave, Result<Round, Unwritten>),
    /// A grave was dug, or one is due.
    Due,
}

impl Graves {
    /// `cell` has condemned records.
    pub fn dig(&self, cell: &Arc<Cell>) {
        if cell.has_grave.swap(true, SeqCst) {
            // Whoever closes it looks once more.
            return;
        }
        let grave = Grave {
            cell: cell.clone(),
            life: Life::default(),
            attempts: 0,
            failures: 0,
            finished: Runs::default(),
        };
        self.waiting.lock().push(grave, Duration::ZERO);
        self.bell.notify_one();
    }

    /// Counts since the start.
    pub fn letters(&self) -> Letters {
        Letters {
            written: self.written.load(Relaxed),
            lost: self.lost.load(Relaxed),
        }
    }

    /// Until `closing` turns true.
    pub async fn run(
        self: Arc<Self>,
        broker: Broker,
        policies: Arc<dyn PolicySource>,
        mut closing: watch::Receiver<bool>,
    ) {
        let mut writing = FuturesUnordered::new();
        let mut noting = FuturesUnordered::new();
        loop {
            let now = broker.clock().monotonic();
            while writing.len() < BURIALS_MAX
                && let Some(grave) = self.take_due(now)
            {
                writing.push(self.write_letters(&broker, &*policies, grave));
            }
            // With all places taken there is nothing to begin.
            let wait = self.next_due().filter(|_| writing.len() < BURIALS_MAX);
            let due = async {
                match wait {
                    Some(due) => tokio::time::sleep(due.saturating_sub(now)).await,
                    None => std::future::pending().await,
                }
            };
            let event = tokio::select! {
                biased;
                _ = closing.wait_for(|closing| *closing) => Event::Closed,
                Some((grave, outcome)) = noting.next() => Event::Noted(grave, outcome),
                Some((grave, outcome)) = writing.next() => Event::Written(grave, outcome),
                () = self.bell.notified() => Event::Due,
                () = due => Event::Due,
            };
            match event {
                Event::Closed => return,
                Event::Written(mut grave, outcome) if !grave.finished.is_empty() => noting.push(async move {
                    grave.note().await;
                    (grave, outcome)
                }),
                Event::Written(grave, outcome) | Event::Noted(grave, outcome) => {
                    self.go_on(grave, outcome, broker.clock().monotonic());
                }
                Event::Due => {}
            }
        }
    }

    fn take_due(&self, now: Duration) -> Option<Grave> {
        let mut waiting = self.waiting.lock();
        let (key, _) = waiting.graves.first_key_value()?;
        if key.0 > now {
            return None;
        }
        waiting.graves.pop_first().map(|(_, grave)| grave)
    }

    fn next_due(&self) -> Option<Duration> {
        let waiting = self.waiting.lock();
        waiting.graves.first_key_value().map(|((due, _), _)| *due)
    }

    /// After a round whose end is noted.
    fn go_on(&self, mut grave: Grave, outcome: Result<Round, Unwritten>, now: Duration) {
        let not_before = match outcome {
            Ok(Round::Letters) => now,
            Ok(Round::Restart) => now + RETRY_WAIT_MIN,
            Ok(Round::Over) => return self.close(&grave.cell),
            Err(error) => {
                let id = &grave.cell.id;
                tracing::warn!(subscription = &*id.name, partition = id.partition, %error, "dead letters wait");
                grave.failures = grave.failures.saturating_add(1);
                now + pause_after(grave.failures)
            }
        };
        self.waiting.lock().push(grave, not_before);
    }

    fn close(&self, cell: &Arc<Cell>) {
        cell.has_grave.store(false, SeqCst);
        // What was condemned since the last look, and dug in vain.
        if !matches!(cell.condemned(1), Doomed::Nobody) {
            self.dig(cell);
        }
    }

    /// One round: what has to be noted afterwards is `finished`.
    async fn write_letters(
        &self,
        broker: &Broker,
        policies: &dyn PolicySource,
        mut grave: Grave,
    ) -> (Grave, Result<Round, Unwritten>) {
        let condemned = match grave.cell.condemned(BURIAL_RECORDS_MAX) {
            Doomed::Nobody => return (grave, Ok(Round::Over)),
            Doomed::Unknown => return (grave, Ok(Round::Restart)),
            Doomed::These(life, condemned) => {
                if life != grave.life {
                    grave.life = life;
                    grave.attempts = 0;
                }
                condemned
            }
        };
        let buried = self.bury(broker, policies, &mut grave, condemned).await;
        (grave, buried.map(|()| Round::Letters))
    }

    /// Sees to the letters of the first condemned records. Exactly these are finished then: what is condemned meanwhile has no letter yet.
    async fn bury(
        &self,
        broker: &Broker,
        policies: &dyn PolicySource,
        grave: &mut Grave,
        mut condemned: Vec<Condemned>,
    ) -> Result<(), Unwritten> {
        let cell = grave.cell.clone();
        let id = &cell.id;
        let policy = policies.policy(id);
        let (Some(target), Some(source)) = (&policy.dead_letters, broker.topic_by_id(&id.topic)) else {
            // Nobody wants them any more.
            for (range, ..) in condemned {
                grave.finished.set(range, ());
            }
            return Ok(());
        };
        if let Some(refused) = target.refused {
            let letters = bare(&condemned);
            self.give_up(grave, &source, target, &letters, &refused);
            return Ok(());
        }
        let letters = if target.copies_record {
            let read = tokio::time::timeout(READ_WAIT_MAX, collect(&source, id.partition, &condemned));
            let read = match read.await {
                Ok(read) => read.map_err(Unwritten::from),
                Err(_) => Err(Unwritten::Slow),
            };
            match read {
                Ok(letters) => letters,
                Err(error) if grave.may_fail_again() => return Err(error),
                Err(error) => {
                    condemned.truncate(1);
                    tracing::warn!(subscription = &*id.name, topic = source.name(), partition = id.partition, range = ?condemned[0].0, %error, "dead letters go without their records");
                    return self
                        .write_or_give_up(broker, grave, &source, target, &bare(&condemned))
                        .await;
                }
            }
        } else {
            bare(&condemned)
        };
        self.write_or_give_up(broker, grave, &source, target, &letters)
            .await
    }

    /// Writes the letters, one batch after the other. An error if it is to be tried again with those that are not finished then; the
    /// records of letters that cannot be written, or were tried often enough, are done without.
    async fn write_or_give_up(
        &self,
        broker: &Broker,
        grave: &mut Grave,
        source: &Topic,
        target: &DeadLetters,
        mut letters: &[Letter],
    ) -> Result<(), Unwritten> {
        // Letters of a batch that was refused: each goes alone, so that the one that is to blame takes no other along.
        let mut alone = 0_usize;
        while !letters.is_empty() {
            let count_max = if alone > 0 { 1 } else { usize::MAX };
            let (count, outcome) = write(broker, &grave.cell.id, source, target, letters, count_max).await;
            let (tried, rest) = letters.split_at(count);
            match outcome {
                Ok(()) => {
                    self.written.fetch_add(count as u64, Relaxed);
                    grave.attempts = 0;
                    grave.finish(tried);
                }
                Err(error) if error.is_final() && count > 1 => {
                    alone = count;
                    continue;
                }
                Err(error) if !error.is_final() && grave.may_fail_again() => return Err(error),
                // While the topic goes on to take nothing, each further batch gets one attempt.
                Err(error) => self.give_up(grave, source, target, tried, &error),
            }
            alone = alone.saturating_sub(count);
            letters = rest;
        }
        Ok(())
    }

    fn give_up(
        &self,
        grave: &mut Grave,
        source: &Topic,
        target: &DeadLetters,
        letters: &[Letter],
        error: &dyn std::fmt::Display,
    ) {
        self.lost.fetch_add(letters.len() as u64, Relaxed);
        grave.finish(letters);
        let id = &grave.cell.id;
        let (first, last) = (letters.first(), letters.last());
        tracing::error!(
            subscription = &*id.name,
            topic = source.name(),
            partition = id.partition,
            first = first.map(|letter| letter.offset),
            last = last.map(|letter| letter.offset),
            records = letters.len(),
            target = target.topic,
            %error,
            "records are given up without a dead letter; they stay in their topic as long as its retention keeps them"
        );
    }
}
