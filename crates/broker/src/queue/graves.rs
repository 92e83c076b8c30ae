//! The end of records that were given up: their dead letters are written, then they are done.
//!
//! Owns: the list of subscriptions with such records, the one task that works it off, and its patience. Never: who is given up
//! (`subscription`), what a letter says (`letters`).
//!
//! **Invariant**: a record is marked done only after its dead letter is durable, or after it was tried often enough and said so. A
//! crash between the two writes the letter twice. A topic that takes nothing holds up no consumer for longer than the attempts take,
//! and no other subscription at all.

use super::QueueError;
use super::cell::{Cell, answered};
use super::letters::{Letter, Unwritten, collect, write};
use super::policy::{DeadLetters, PolicySource};
use super::runs::Range;
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

/// Attempts at a letter before its record is done without one; and the pauses between them, each twice the one before. All as Kafka's.
const ATTEMPTS_MAX: u32 = 5;
const RETRY_WAIT_MIN: Duration = Duration::from_secs(1);
const RETRY_WAIT_MAX: Duration = Duration::from_secs(30);

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
    /// Attempts that failed since the last one that did not.
    failures: u32,
    /// When to try again, on the monotonic clock.
    not_before: Duration,
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
                failures: 0,
                not_before: Duration::ZERO,
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
    fn again(&self, grave: Grave, now: Duration) {
        let doublings = grave.failures.saturating_sub(1).min(ATTEMPTS_MAX);
        let wait = (RETRY_WAIT_MIN * 2_u32.pow(doublings)).min(RETRY_WAIT_MAX);
        let mut open = self.open.lock();
        open.retain(|other| !Arc::ptr_eq(&other.cell, &grave.cell));
        open.push_back(Grave {
            not_before: now + wait,
            ..grave
        });
    }

    async fn bury_all(
        &self,
        broker: &Broker,
        policies: &dyn PolicySource,
        grave: &mut Grave,
    ) -> Result<(), Unburied> {
        loop {
            let cell = grave.cell.clone();
            let condemned = cell.condemned(BURIAL_RECORDS_MAX);
            if condemned.is_empty() {
                return Ok(());
            }
            let policy = policies.policy(&cell.id);
            // Exactly these: what is condemned meanwhile has no letter yet.
            let buried = match (&policy.dead_letters, broker.topic_by_id(&cell.id.topic)) {
                (Some(target), Some(source)) => {
                    let letters = collect(&source, cell.id.partition, condemned, target.copies_record).await;
                    self.write_or_give_up(broker, grave, &source, target, &letters)
                        .await?;
                    let one = |letter: &Letter| letter.offset..=letter.offset;
                    letters.iter().map(one).collect()
                }
                // Nobody wants them any more.
                _ => condemned
                    .into_iter()
                    .map(|(range, ..)| range)
                    .collect::<Vec<Range>>(),
            };
            answered(cell.buried(buried)).await?;
        }
    }

    /// Writes the letters. An error if it is to be tried again; the records of letters that cannot be written, or were tried often
    /// enough, are done without.
    async fn write_or_give_up(
        &self,
        broker: &Broker,
        grave: &mut Grave,
        source: &Topic,
        target: &DeadLetters,
        letters: &[Letter],
    ) -> Result<(), Unburied> {
        let id = &grave.cell.id;
        if let Some(refused) = target.refused {
            self.give_up(grave, source, target, letters, &refused);
            return Ok(());
        }
        let error = match write(broker, id, source, target, letters).await {
            Ok(()) => {
                self.written.fetch_add(letters.len() as u64, Relaxed);
                grave.failures = 0;
                return Ok(());
            }
            Err(error) => error,
        };
        if error.is_final() {
            // One that is refused must not take the others along.
            for letter in letters.chunks(1) {
                match write(broker, id, source, target, letter).await {
                    Ok(()) => drop(self.written.fetch_add(1, Relaxed)),
                    Err(error) if error.is_final() => self.give_up(grave, source, target, letter, &error),
                    Err(error) => return self.fail(grave, source, target, letters, error),
                }
            }
            return Ok(());
        }
        self.fail(grave, source, target, letters, error)
    }

    /// An attempt has failed. While the topic goes on to take nothing, each further letter gets one attempt.
    fn fail(
        &self,
        grave: &mut Grave,
        source: &Topic,
        target: &DeadLetters,
        letters: &[Letter],
        error: Unwritten,
    ) -> Result<(), Unburied> {
        if grave.failures + 1 < ATTEMPTS_MAX {
            grave.failures += 1;
            return Err(error.into());
        }
        self.give_up(grave, source, target, letters, &error);
        Ok(())
    }

    fn give_up(
        &self,
        grave: &Grave,
        source: &Topic,
        target: &DeadLetters,
        letters: &[Letter],
        error: &dyn std::fmt::Display,
    ) {
        self.lost.fetch_add(letters.len() as u64, Relaxed);
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
