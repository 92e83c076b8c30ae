//! Housekeeping: retention, key compaction, merging of small ranges, collection of dead objects.
//!
//! Rewriting (compaction, merging) may take hours, and pauses while uploads are pressed. Making room (retention, collection)
//! goes on beside it: a store that is full presses uploads until room is made.
//!
//! Owns: when, and what for. Never deletes by itself what a range refers to: it proposes records, the manifest decides, and
//! the collector takes what the manifest calls dead.
//! **Invariant** 4: rewriting keeps the map (offset -> record) except by policy.

pub(crate) mod collect;
pub(crate) mod compaction;
pub(crate) mod keep;
pub(crate) mod merge;
pub(crate) mod retention;
pub(crate) mod rewrite;
mod told;
pub(crate) mod transactions;

#[cfg(test)]
mod tests;

use crate::clock::{Clock, TimestampMs};
use crate::config::LogConfig;
use crate::error::{Fate, StreamError};
use crate::ids::StreamId;
use crate::manifest::ManifestHandle;
use crate::objects::fetch::Fetcher;
use crate::upload::source::TailSource;
use futures_util::future::join;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};

/// `housekeep_now` calls that may wait.
const REQUESTS_MAX: usize = 64;
/// Rounds between two listings of the store for objects that belong to nobody. The first is in the first round: a crash left
/// them if anything did.
const ROUNDS_PER_SWEEP: u64 = 1000;

/// Handle of the loop. A cheap clone.
#[derive(Clone)]
pub(crate) struct Housekeeper {
    house: Arc<House>,
    requests: mpsc::Sender<oneshot::Sender<Result<(), StreamError>>>,
}

/// What all the parts work with.
pub(crate) struct House {
    pub(crate) tail: Arc<dyn TailSource>,
    pub(crate) manifest: ManifestHandle,
    pub(crate) fetcher: Arc<Fetcher>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    pub(crate) collected: AtomicU64,
    /// The stream at which the next round of merging begins.
    merge_from: AtomicU64,
    /// The earliest delete horizon that the last compaction of a stream left behind.
    horizons: parking_lot::Mutex<BTreeMap<StreamId, TimestampMs>>,
    told: parking_lot::Mutex<told::Told>,
    closing: watch::Sender<bool>,
    task: parking_lot::Mutex<Option<tokio::task::JoinHandle<()>>>,
}

/// What housekeeping takes of the settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// From here on a range is not rewritten only to be larger.
    pub(crate) object_own_bytes: u64,
    /// Size that merging aims at.
    pub(crate) object_target_bytes: u64,
    pub(crate) block_target_bytes: usize,
    interval: Duration,
}

impl House {
    pub(crate) fn new(
        tail: Arc<dyn TailSource>,
        manifest: ManifestHandle,
        fetcher: Arc<Fetcher>,
        clock: Arc<dyn Clock>,
        config: &LogConfig,
    ) -> Self {
        let limits = Limits {
            object_own_bytes: config.object_own_bytes,
            object_target_bytes: config
                .object_target_bytes
                .min(crate::upload::build::OBJECT_BYTES_MAX),
            block_target_bytes: config.block_target_bytes,
            interval: config.housekeeping_interval,
        };
        Self {
            tail,
            manifest,
            fetcher,
            clock,
            limits,
            collected: AtomicU64::new(0),
            merge_from: AtomicU64::new(0),
            horizons: parking_lot::Mutex::default(),
            told: parking_lot::Mutex::default(),
            closing: watch::Sender::new(false),
            task: parking_lot::Mutex::new(None),
        }
    }

    fn next_horizon(&self, stream: StreamId) -> Option<TimestampMs> {
        self.horizons.lock().get(&stream).copied()
    }

    fn note_horizon(&self, stream: StreamId, horizon: Option<TimestampMs>) {
        let mut horizons = self.horizons.lock();
        match horizon {
            Some(horizon) => horizons.insert(stream, horizon),
            None => horizons.remove(&stream),
        };
    }

    /// Of streams that are gone.
    fn forget_horizons(&self, streams: &[StreamId]) {
        let mut horizons = self.horizons.lock();
        horizons.retain(|stream, _| streams.binary_search(stream).is_ok());
    }

    /// One round of everything. What fails is left for the next round; the first failure is reported.
    pub(crate) async fn round(&self, round: u64) -> Result<(), StreamError> {
        let mut before = self.make_room().await;
        // Not behind rewriting, which pauses while uploads are pressed: they may be pressed for want of the room that a crash in the
        // middle of an upload left taken.
        if round.is_multiple_of(ROUNDS_PER_SWEEP) {
            before = before.and(note("sweep", collect::sweep(self).await));
        }
        let ended = Notify::new();
        let rewriting = async {
            let compacted = note("compaction", compaction::run(self).await);
            let merged = note("merging", merge::run(self).await);
            ended.notify_one();
            compacted.and(merged)
        };
        let (rewritten, beside) = join(rewriting, self.make_room_until(&ended)).await;
        let collected = note("collection", collect::run(self).await);
        before.and(rewritten).and(beside).and(collected)
    }

    async fn make_room(&self) -> Result<(), StreamError> {
        let retained = note("retention", retention::run(self).await);
        retained.and(note("collection", collect::run(self).await))
    }

    async fn make_room_until(&self, ended: &Notify) -> Result<(), StreamError> {
        let mut result = Ok(());
        loop {
            tokio::select! {
                biased;
                () = ended.notified() => return result,
                () = tokio::time::sleep(self.limits.interval) => {}
            }
            result = result.and(self.make_room().await);
        }
    }
}

fn note(what: &str, result: Result<(), HouseError>) -> Result<(), StreamError> {
    result.map_err(|error| {
        tracing::warn!(what, %error, "housekeeping failed, the next round tries again");
        StreamError::Storage {
            fate: Fate::NotDone,
            what: error.to_string(),
        }
    })
}

/// Why a part of housekeeping stopped. Nothing is lost by it.
#[derive(Debug)]
pub(crate) enum HouseError {
    Read(crate::error::ReadError),
    Commit(crate::manifest::commit::CommitError),
    Store(crate::objects::store::ObjectError),
}

impl std::fmt::Display for HouseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Read(error) => write!(f, "{error}"),
            Self::Commit(error) => write!(f, "{error}"),
            Self::Store(error) => write!(f, "{error}"),
        }
    }
}

impl From<crate::error::ReadError> for HouseError {
    fn from(error: crate::error::ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<crate::manifest::commit::CommitError> for HouseError {
    fn from(error: crate::manifest::commit::CommitError) -> Self {
        Self::Commit(error)
    }
}

impl Housekeeper {
    /// Starts the loop on the current runtime.
    pub(crate) fn start(house: House) -> Housekeeper {
        let (requests, asked) = mpsc::channel(REQUESTS_MAX);
        let house = Arc::new(house);
        let task = tokio::spawn(run(house.clone(), asked));
        *house.task.lock() = Some(task);
        Housekeeper { house, requests }
    }

    /// One round, now.
    pub(crate) async fn housekeep_now(&self) -> Result<(), StreamError> {
        let closed = || StreamError::Storage {
            fate: Fate::NotDone,
            what: "the log is closing".to_owned(),
        };
        let (answer, answered) = oneshot::channel();
        self.requests.send(answer).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }

    /// Objects deleted since the start.
    pub(crate) fn collected(&self) -> u64 {
        self.house.collected.load(Ordering::Relaxed)
    }

    /// Tells the loop to stop, and does not wait for it.
    pub(crate) fn stop(&self) {
        self.house.closing.send_replace(true);
    }

    /// Stops the loop; what is under way is given up, the next start finds what it left.
    pub(crate) async fn close(&self) {
        self.stop();
        let task = self.house.task.lock().take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the housekeeping loop failed");
        }
    }
}

async fn run(house: Arc<House>, mut asked: mpsc::Receiver<oneshot::Sender<Result<(), StreamError>>>) {
    let mut closing = house.closing.subscribe();
    let work = async {
        for round in 0.. {
            let mut waiting = Vec::new();
            tokio::select! {
                biased;
                request = asked.recv() => match request {
                    Some(request) => waiting.push(request),
                    None => return,
                },
                () = tokio::time::sleep(house.limits.interval) => {}
            }
            while let Ok(request) = asked.try_recv() {
                waiting.push(request);
            }
            let result = house.round(round).await;
            for request in waiting {
                // The caller may have gone.
                let _ = request.send(result.clone());
            }
        }
    };
    tokio::select! {
        biased;
        _ = closing.wait_for(|closing| *closing) => {}
        () = work => {}
    }
}
