//! The task of one partition of the state topic: loads its subscriptions, then writes what they have to say, in groups.
//!
//! Owns: the table of the partition's subscriptions, the list of those with something to write, the one append under way.
//! Never: a decision.
//!
//! **Invariant**: one append is under way at a time, and a subscription has at most one change in it; so whatever gathers meanwhile
//! becomes the next append, a thousand acknowledgements cost as little as one, and outcomes come in order.

use super::QueueError;
use super::cell::Cell;
use super::id::SubscriptionId;
use super::kept::Loader;
use super::policy::PolicySource;
use crate::Broker;
use crate::state_stream::{StateError, StateRecord, StateStream};
use crate::topics::Topic;
use millstream_log::{AppendError, Fate};
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Bytes of records at which an append is full. One subscription's write that is larger goes alone.
const APPEND_BYTES_MAX: usize = 1 << 20;

/// Pause before a load that failed is tried again.
const LOAD_RETRY_WAIT: Duration = Duration::from_secs(1);

/// Pause after a write that failed, so that a full disk is not asked a thousand times a second.
const WRITE_RETRY_WAIT: Duration = Duration::from_millis(100);

pub(super) struct Shard {
    pub partition: u32,
    cells: Mutex<BTreeMap<SubscriptionId, Arc<Cell>>>,
    /// Each subscription at most once.
    listed: Mutex<VecDeque<Arc<Cell>>>,
    bell: Notify,
    state: watch::Sender<ShardState>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShardState {
    Loading,
    Serving,
    Closed,
}

/// What the task needs beside the shard.
pub(super) struct Keeper {
    pub shard: Arc<Shard>,
    pub broker: Broker,
    pub topic: Arc<Topic>,
    pub policies: Arc<dyn PolicySource>,
    pub make: Arc<super::queues::Maker>,
    pub closing: watch::Receiver<bool>,
}

impl Shard {
    pub fn new(partition: u32) -> Self {
        Self {
            partition,
            cells: Mutex::default(),
            listed: Mutex::default(),
            bell: Notify::new(),
            state: watch::Sender::new(ShardState::Loading),
        }
    }

    /// Something is to be written of `cell`.
    pub fn list(&self, cell: Arc<Cell>) {
        self.listed.lock().push_back(cell);
        self.bell.notify_one();
    }

    /// Waits until its subscriptions are loaded.
    pub async fn serving(&self) -> Result<(), QueueError> {
        let mut state = self.state.subscribe();
        let reached = state.wait_for(|state| *state != ShardState::Loading).await;
        match reached.map(|state| *state) {
            Ok(ShardState::Serving) => Ok(()),
            _ => Err(QueueError::Closed),
        }
    }

    pub fn get(&self, id: &SubscriptionId) -> Option<Arc<Cell>> {
        self.cells.lock().get(id).cloned()
    }

    /// The subscription of that name, or `made` if there is none.
    pub fn get_or_insert(&self, id: &SubscriptionId, made: impl FnOnce() -> Arc<Cell>) -> Arc<Cell> {
        self.cells.lock().entry(id.clone()).or_insert_with(made).clone()
    }

    /// All of them, in the order of their names.
    pub fn all(&self) -> Vec<Arc<Cell>> {
        self.cells.lock().values().cloned().collect()
    }

    fn forget(&self, cell: &Arc<Cell>) {
        let mut cells = self.cells.lock();
        if cells.get(&cell.id).is_some_and(|held| Arc::ptr_eq(held, cell)) {
            cells.remove(&cell.id);
        }
    }
}

/// Why a shard stopped writing.
enum End {
    Closed,
    /// A write may or may not have happened: only the stream knows what holds.
    Reload,
}

impl Keeper {
    pub async fn run(mut self) {
        loop {
            let stream = match self.load().await {
                Ok(stream) => stream,
                Err(error) => {
                    tracing::error!(partition = self.shard.partition, %error, "the state of subscriptions could not be loaded; they are not served");
                    if self.closes_within(LOAD_RETRY_WAIT).await {
                        break;
                    }
                    continue;
                }
            };
            self.shard.state.send_replace(ShardState::Serving);
            match self.serve(&stream).await {
                End::Closed => break,
                End::Reload => {
                    tracing::warn!(
                        partition = self.shard.partition,
                        "a write of subscription state has an unknown outcome; the state is loaded again"
                    );
                    self.shard.state.send_replace(ShardState::Loading);
                }
            }
        }
        self.shard.state.send_replace(ShardState::Closed);
    }

    async fn closes_within(&mut self, wait: Duration) -> bool {
        let closed = self.closing.wait_for(|closing| *closing);
        tokio::time::timeout(wait, closed).await.is_ok()
    }

    async fn load(&self) -> Result<StateStream, Box<dyn std::error::Error + Send + Sync>> {
        let mut loader = Loader::default();
        let replay = |key: &[u8], value: Option<&[u8]>| loader.replay(key, value);
        let stream = self
            .broker
            .open_state(&self.topic, self.shard.partition, replay)
            .await?;
        let mut found = loader.finish()?;
        // Those that live on take what the stream says; the others are made.
        for cell in self.shard.all() {
            let stored = found.remove(&cell.id);
            if stored.is_none() {
                self.shard.forget(&cell);
            }
            cell.reloaded(stored);
            self.make.follow(&cell);
        }
        for (id, (ledger, stored)) in found {
            let is_gone = self.broker.topic_by_id(&id.topic).is_none();
            let cell = self.make.loaded(&self.shard, id.clone(), ledger, stored);
            self.shard.get_or_insert(&id, || cell.clone());
            if is_gone {
                // Its topic was deleted while nobody watched.
                drop(cell.delete());
            } else {
                self.make.follow(&cell);
            }
        }
        Ok(stream)
    }

    async fn serve(&mut self, stream: &StateStream) -> End {
        loop {
            let (cells, records) = self.gather();
            if records.is_empty() {
                tokio::select! {
                    biased;
                    () = self.shard.bell.notified() => {}
                    _ = self.closing.wait_for(|closing| *closing) => return End::Closed,
                }
                continue;
            }
            match append(stream, records).await {
                Ok(()) => self.kept(&cells),
                Err(error) => {
                    tracing::warn!(partition = self.shard.partition, %error, "the state of subscriptions was not kept");
                    let error = refused(&error);
                    if error == QueueError::Unknown {
                        return End::Reload;
                    }
                    let now = self.broker.clock().monotonic();
                    for cell in &cells {
                        cell.not_kept(&error, now);
                        if !cell.is_open() {
                            self.shard.forget(cell);
                        }
                    }
                    if self.closes_within(WRITE_RETRY_WAIT).await {
                        return End::Closed;
                    }
                }
            }
        }
    }

    /// Takes what is listed, up to one append's worth.
    fn gather(&self) -> (Vec<Arc<Cell>>, Vec<StateRecord>) {
        let mut cells = Vec::new();
        let mut records = Vec::new();
        let mut bytes = 0;
        while bytes < APPEND_BYTES_MAX {
            let Some(cell) = self.shard.listed.lock().pop_front() else {
                break;
            };
            if let Some(write) = cell.take_write() {
                bytes += bytes_of(&write.records);
                records.extend(write.records);
                cells.push(cell);
            }
        }
        (cells, records)
    }

    fn kept(&self, cells: &[Arc<Cell>]) {
        for cell in cells {
            let policy = self.policies.policy(&cell.id);
            let told = cell.kept(&policy);
            if told.is_gone {
                self.shard.forget(cell);
            }
            if told.has_condemned {
                self.make.follow(cell);
            }
        }
    }
}

async fn append(stream: &StateStream, records: Vec<StateRecord>) -> Result<(), StateError> {
    stream.append(records).await?.durable().await
}

fn bytes_of(records: &[StateRecord]) -> usize {
    records.iter().map(StateRecord::size_bytes).sum()
}

fn refused(error: &StateError) -> QueueError {
    match error {
        StateError::Append(AppendError::Storage {
            fate: Fate::Unknown, ..
        }) => QueueError::Unknown,
        StateError::Append(AppendError::StreamGone | AppendError::Fenced { .. } | AppendError::Closed) => {
            QueueError::Closed
        }
        StateError::Append(_) | StateError::Refused(_) | StateError::Read(_) | StateError::Damaged(_) => {
            QueueError::NotKept(error.to_string())
        }
    }
}
