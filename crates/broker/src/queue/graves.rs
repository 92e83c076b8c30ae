//! The end of records that were given up: their dead letters are written, then they are done.
//!
//! Owns: the list of subscriptions with such records, the one task that works it off, and its patience. Never: who is given up
//! (`subscription`), what a letter says (`letters`).
//!
//! **Invariant**: a record is marked done only after its dead letter is durable, or after it was tried often enough and said so. A
//! crash between the two writes the letter twice; a mark that could not be written does not. A topic that takes nothing holds up no consumer for longer than the attempts take,
//! and no other subscription at all.

use super::QueueError;
use super::cell::{Cell, answered};
use super::letters::{Condemned, Letter, Unwritten, bare, collect, write};
use super::policy::{DeadLetters, PolicySource};
use super::runs::Runs;
use crate::Broker;
use crate::topics::Topic;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Records that are read and buried at a time.
const BURIAL_RECORDS_MAX: u64 = 500;

/// Attempts at a letter before its record is done without one. As Kafka's, and so are the pauses.
const ATTEMPTS_MAX: u32 = 5;

/// The pause after the first failure. Each further one is twice the one before: 1, 2, 4 and 8 seconds between attempts at a letter.
const RETRY_WAIT_MIN: Duration = Duration::from_secs(1);

/// The longest pause. Only the note that letters are finished comes to it: that is tried until it succeeds.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(30);

/// Doublings after which the pause is the longest one: 2^5 s > 30 s.
const DOUBLINGS_MAX: u32 = 5;

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
    /// Subscriptions with dead letters, each at most once.
    open: Mutex<VecDeque<Grave>>,
    bell: Notify,
    written: AtomicU64,
    lost: AtomicU64,
}

/// One subscription with dead letters.
struct Grave {
    cell: Arc<Cell>,
    /// Attempts at letters that failed since the last one that did not, and were followed by another one.
    attempts: u32,
    /// Rounds that failed, at letters or at the note of their end, since the last end that was noted.
    failures: u32,
    /// When to try again, on the monotonic clock.
    not_before: Duration,
    /// Records whose letters are durable or given up, while that is not noted.
    finished: Runs<()>,
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

    /// Notes the end of what is finished. If that fails it stays to be noted.
    async fn note(&mut self) -> Result<(), QueueError> {
        if self.finished.is_empty() {
            return Ok(());
        }
        // A subscription that is gone has nothing to note, and will not have.
        if self.cell.is_open() {
            let finished = self.finished.iter().map(|(range, ())| range).collect();
            answered(self.cell.buried(finished)).await?;
            self.failures = 0;
        }
        self.finished = Runs::default();
        Ok(())
    }
}

/// The pause after so many failures in a row, from 1.
fn pause_after(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(DOUBLINGS_MAX);
    (RETRY_WAIT_MIN * 2_u32.pow(doublings)).min(RETRY_WAIT_MAX)
}

/// Why a burial is to be tried again.
#[derive(Debug, thiserror::Error)]
enum Unburied {
    #[error(transparent)]
    Unwritten(#[from] Unwritten),
    #[error("their end was not kept: {0}")]
    State(#[from] QueueError),
}

/// What is to be done next.
enum Next {
    Bury(Grave),
    Wait(Option<Duration>),
}

impl Graves {
    /// `cell` has condemned records.
    pub fn dig(&self, cell: &Arc<Cell>) {
        let mut open = self.open.lock();
        if !open.iter().any(|grave| Arc::ptr_eq(&grave.cell, cell)) {
            open.push_back(Grave {
                cell: cell.clone(),
                attempts: 0,
                failures: 0,
                not_before: Duration::ZERO,
                finished: Runs::default(),
            });
            self.bell.notify_one();
        }
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
        loop {
            let wait = match self.next(broker.clock().monotonic()) {
                Next::Bury(mut grave) => {
                    if let Err(error) = self.bury_all(&broker, &*policies, &mut grave).await {
                        let cell = &grave.cell;
                        tracing::warn!(subscription = &*cell.id.name, partition = cell.id.partition, %error, "dead letters wait");
                        self.again(grave, broker.clock().monotonic());
                    }
                    continue;
                }
                Next::Wait(wait) => wait,
            };
            let sleep = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = closing.wait_for(|closing| *closing) => return,
                () = self.bell.notified() => {}
                () = sleep => {}
            }
        }
    }

    fn next(&self, now: Duration) -> Next {
        let mut open = self.open.lock();
        if let Some(at) = open.iter().position(|grave| grave.not_before <= now)
            && let Some(grave) = open.remove(at)
        {
            return Next::Bury(grave);
        }
        let due = open.iter().map(|grave| grave.not_before).min();
        Next::Wait(due.map(|due| due.saturating_sub(now)))
    }

    /// Tries a burial again after a pause. What was dug meanwhile is the same grave.
    fn again(&self, mut grave: Grave, now: Duration) {
        grave.failures = grave.failures.saturating_add(1);
        grave.not_before = now + pause_after(grave.failures);
        let mut open = self.open.lock();
        open.retain(|other| !Arc::ptr_eq(&other.cell, &grave.cell));
        open.push_back(grave);
    }

    async fn bury_all(
        &self,
        broker: &Broker,
        policies: &dyn PolicySource,
        grave: &mut Grave,
    ) -> Result<(), Unburied> {
        loop {
            // What an earlier attempt could not note: its letters are there, and are not written again.
            grave.note().await?;
            let condemned = grave.cell.condemned(BURIAL_RECORDS_MAX);
            if condemned.is_empty() {
                return Ok(());
            }
            let buried = self.bury(broker, policies, grave, condemned).await;
            grave.note().await?;
            buried?;
        }
    }

    /// Sees to the letters of the first condemned records. Exactly these are finished then: what is condemned meanwhile has no letter yet.
    async fn bury(
        &self,
        broker: &Broker,
        policies: &dyn PolicySource,
        grave: &mut Grave,
        mut condemned: Vec<Condemned>,
    ) -> Result<(), Unburied> {
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
            match collect(&source, id.partition, &condemned).await {
                Ok(letters) => letters,
                Err(error) if grave.may_fail_again() => return Err(Unwritten::from(error).into()),
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
    ) -> Result<(), Unburied> {
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
                Err(error) if !error.is_final() && grave.may_fail_again() => return Err(error.into()),
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
