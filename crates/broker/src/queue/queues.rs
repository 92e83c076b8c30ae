//! All queues of a broker: where a subscription's state lies, how it begins, and the tasks that keep it.
//!
//! Owns: the shards, one for each partition of the state topic; the wheel; the graves. Never: a decision about a record.
//!
//! **Invariant**: a subscription is used only after its first snapshot is durable: where it begins is decided once.

use super::QueueError;
use super::acquire::AcquireAsk;
use super::cell::{Cell, answered};
use super::graves::{Graves, Letters};
use super::id::{Holder, Space, SubscriptionId};
use super::kept::Stored;
use super::ledger::Ledger;
use super::policy::{Policy, PolicySource, StartAt};
use super::settle::Settlement;
use super::shard::{Keeper, Shard};
use super::subscription::Counts;
use super::timers::Timers;
use crate::offsets::OffsetQuery;
use crate::topics::{SUBSCRIPTIONS_TOPIC, Topic};
use crate::{Broker, FetchError, Isolation};
use millstream_meta::catalog::TopicId;
use std::sync::{Arc, OnceLock};
use tokio::runtime::Handle;
use tokio::sync::watch;

/// All queues; a cheap clone.
#[derive(Clone)]
pub struct Queues {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub broker: Broker,
    pub policies: Arc<dyn PolicySource>,
    runtime: Handle,
    make: Arc<Maker>,
    shards: OnceLock<Vec<Arc<Shard>>>,
    closing: watch::Sender<bool>,
    /// Looks at subscriptions on behalf of consumers; for tests that nobody is woken for nothing.
    #[cfg(feature = "testing")]
    pub looks: std::sync::atomic::AtomicU64,
    /// Batches that were weighed; for tests that none is again and again.
    #[cfg(feature = "testing")]
    pub weighed: std::sync::atomic::AtomicU64,
}

/// What every subscription is made with.
pub(super) struct Maker {
    timers: Arc<Timers>,
    graves: Arc<Graves>,
}

impl Maker {
    pub fn loaded(
        &self,
        shard: &Arc<Shard>,
        id: SubscriptionId,
        ledger: Ledger,
        stored: Stored,
    ) -> Arc<Cell> {
        self.cell(shard, id, ledger, Some(stored))
    }

    fn cell(
        &self,
        shard: &Arc<Shard>,
        id: SubscriptionId,
        ledger: Ledger,
        stored: Option<Stored>,
    ) -> Arc<Cell> {
        Arc::new(Cell::new(id, ledger, stored, shard.clone(), self.timers.clone()))
    }

    /// Has its dead letters seen to, if there are any.
    pub fn follow(&self, cell: &Arc<Cell>) {
        if cell.counts().condemned > 0 {
            self.graves.dig(cell);
        }
    }
}

/// How a subscription stands, for pages and tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub id: SubscriptionId,
    /// Its numbers.
    pub counts: Counts,
    /// Records that are not done yet; `None`: the topic is gone.
    pub lag: Option<u64>,
}

impl Queues {
    /// Queues of `broker`; tasks run on `runtime`. State that is there begins to load at once.
    #[must_use]
    pub fn new(broker: Broker, runtime: Handle, policies: Arc<dyn PolicySource>) -> Self {
        let timers = Arc::new(Timers::new(broker.clock().clone()));
        let graves = Arc::new(Graves::default());
        let queues = Self {
            inner: Arc::new(Inner {
                make: Arc::new(Maker { timers, graves }),
                broker,
                policies,
                runtime,
                shards: OnceLock::new(),
                closing: watch::Sender::new(false),
                #[cfg(feature = "testing")]
                looks: std::sync::atomic::AtomicU64::new(0),
                #[cfg(feature = "testing")]
                weighed: std::sync::atomic::AtomicU64::new(0),
            }),
        };
        queues.started();
        queues
    }

    /// The shards, if the state topic exists. Their number is fixed from then on.
    fn started(&self) -> Option<&[Arc<Shard>]> {
        let inner = &self.inner;
        if inner.shards.get().is_none() {
            let topic = inner.broker.topic(SUBSCRIPTIONS_TOPIC)?;
            inner.shards.get_or_init(|| self.spawn(&topic));
        }
        inner.shards.get().map(Vec::as_slice)
    }

    fn spawn(&self, topic: &Arc<Topic>) -> Vec<Arc<Shard>> {
        let inner = &self.inner;
        let timers = inner.make.timers.clone();
        inner.runtime.spawn(async_run(
            timers,
            inner.policies.clone(),
            inner.closing.subscribe(),
        ));
        let graves = inner.make.graves.clone();
        inner.runtime.spawn(graves.run(
            inner.broker.clone(),
            inner.policies.clone(),
            inner.closing.subscribe(),
        ));
        let shard = |partition| {
            let shard = Arc::new(Shard::new(partition));
            let keeper = Keeper {
                shard: shard.clone(),
                broker: inner.broker.clone(),
                topic: topic.clone(),
                policies: inner.policies.clone(),
                make: inner.make.clone(),
                closing: inner.closing.subscribe(),
            };
            inner.runtime.spawn(keeper.run());
            shard
        };
        (0..topic.partitions()).map(shard).collect()
    }

    /// The shard of a subscription, loaded; makes the state topic if this is the first time that anybody asks.
    async fn shard(&self, id: &SubscriptionId) -> Result<Arc<Shard>, QueueError> {
        if self.started().is_none()
            && let Err(error) = self.inner.broker.topic_or_create(SUBSCRIPTIONS_TOPIC).await
        {
            return Err(QueueError::NotKept(error.to_string()));
        }
        let shards = self.started().ok_or(QueueError::Closed)?;
        let shard = shards[place_of(id, shards.len())].clone();
        shard.serving().await?;
        Ok(shard)
    }

    pub(super) async fn find(&self, id: &SubscriptionId) -> Result<Option<Arc<Cell>>, QueueError> {
        if self.started().is_none() {
            return Ok(None);
        }
        Ok(self.shard(id).await?.get(id))
    }

    pub(super) fn policy(&self, id: &SubscriptionId) -> Arc<Policy> {
        self.inner.policies.policy(id)
    }

    /// The subscription, begun where its policy says if it is new.
    pub(super) async fn open(&self, ask: &AcquireAsk) -> Result<Arc<Cell>, super::AcquireError> {
        let shard = self.shard(&ask.subscription).await?;
        let cell = match shard.get(&ask.subscription) {
            Some(cell) => cell,
            None => {
                let policy = self.policy(&ask.subscription);
                let start = self
                    .start_of(&ask.topic, ask.subscription.partition, &policy)
                    .await?;
                self.begin(&shard, &ask.subscription, start)
            }
        };
        cell.ready().await?;
        Ok(cell)
    }

    fn begin(&self, shard: &Arc<Shard>, id: &SubscriptionId, start: u64) -> Arc<Cell> {
        let make = || self.inner.make.cell(shard, id.clone(), Ledger::new(start), None);
        shard.get_or_insert(id, make)
    }

    async fn start_of(&self, topic: &Topic, partition: u32, policy: &Policy) -> Result<u64, FetchError> {
        let query = match policy.start {
            StartAt::Earliest => OffsetQuery::Earliest,
            StartAt::Latest => OffsetQuery::Latest,
            StartAt::Ago(age) => {
                let age_ms = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
                OffsetQuery::AtOrAfter(self.inner.broker.clock().wall_ms().saturating_sub(age_ms))
            }
        };
        let ask = |query| {
            self.inner
                .broker
                .list_offset(topic, partition, None, query, Isolation::ReadUncommitted)
        };
        match ask(query).await?.offset {
            Some(offset) => Ok(offset.0),
            // Nothing is as new as that.
            None => Ok(ask(OffsetQuery::Latest).await?.offset.unwrap_or_default().0),
        }
    }

    /// Takes a consumer's answer for one subscription: all of it, or nothing. Returns when it is durable.
    pub async fn settle(
        &self,
        id: &SubscriptionId,
        holder: Holder,
        answer: &[Settlement],
    ) -> Result<(), QueueError> {
        let cell = self.find(id).await?.ok_or(QueueError::Gone)?;
        let now = self.inner.broker.clock().monotonic();
        match cell.settle(holder, answer, &self.policy(id), now)? {
            Some(kept) => answered(kept).await,
            None => Ok(()),
        }
    }

    /// A consumer has gone: what it holds of this subscription comes back.
    pub async fn release_all(&self, id: &SubscriptionId, holder: Holder) -> Result<(), QueueError> {
        let Some(cell) = self.find(id).await? else {
            return Ok(());
        };
        match cell.release_all(holder, &self.policy(id)) {
            Some(kept) => answered(kept).await,
            None => Ok(()),
        }
    }

    /// Forgets all outcomes and begins at `start`; makes the subscription if it is missing. Returns when that is durable.
    pub async fn restart(&self, id: &SubscriptionId, start: u64) -> Result<(), QueueError> {
        let shard = self.shard(id).await?;
        let cell = self.begin(&shard, id, start);
        cell.ready().await?;
        answered(cell.restart(start)?).await
    }

    /// Deletes a subscription. `false`: there was none.
    pub async fn delete(&self, id: &SubscriptionId) -> Result<bool, QueueError> {
        match self.find(id).await?.and_then(|cell| cell.delete()) {
            Some(kept) => answered(kept).await.map(|()| true),
            None => Ok(false),
        }
    }

    /// Subscriptions of one space that pass, in the order of their names. Waits until all of them are loaded.
    pub async fn standing(
        &self,
        space: Space,
        wanted: impl Fn(&SubscriptionId) -> bool,
    ) -> Result<Vec<Standing>, QueueError> {
        let mut all = Vec::new();
        for shard in self.started().unwrap_or_default() {
            shard.serving().await?;
            for cell in shard.all() {
                if cell.id.space == space && cell.is_open() && wanted(&cell.id) {
                    all.push(self.standing_of(&cell));
                }
            }
        }
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all)
    }

    fn standing_of(&self, cell: &Cell) -> Standing {
        let counts = cell.counts();
        let topic = self.inner.broker.topic_by_id(&cell.id.topic);
        let lag = topic.and_then(|topic| {
            let end = topic.stream(cell.id.partition)?.bounds().end.0;
            Some(
                end.saturating_sub(counts.start)
                    .saturating_sub(counts.done + counts.condemned),
            )
        });
        Standing {
            id: cell.id.clone(),
            counts,
            lag,
        }
    }

    /// Forgets the subscriptions of a topic that was deleted. A shard that is loading finds out by itself.
    pub fn topic_deleted(&self, topic: TopicId) {
        for shard in self.started().unwrap_or_default() {
            for cell in shard.all() {
                if cell.id.topic == topic {
                    // Nobody waits: what is left over is found at the next load.
                    drop(cell.delete());
                }
            }
        }
    }

    /// What became of dead letters.
    #[must_use]
    pub fn letters(&self) -> Letters {
        self.inner.make.graves.letters()
    }

    /// How many batches consumers have weighed so far.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn weighed(&self) -> u64 {
        self.inner.weighed.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// How often consumers have looked for records at a subscription so far.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn looks(&self) -> u64 {
        self.inner.looks.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Ends the tasks. What was confirmed is durable; everybody else is told that nobody knows.
    pub fn close(&self) {
        self.inner.closing.send_replace(true);
    }
}

async fn async_run(timers: Arc<Timers>, policies: Arc<dyn PolicySource>, closing: watch::Receiver<bool>) {
    timers.run(policies, closing).await;
}

/// FNV-1a over the name, the topic and the partition: subscriptions of one name spread over the shards.
fn place_of(id: &SubscriptionId, count: usize) -> usize {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let partition = id.partition.to_le_bytes();
    let bytes = id.name.as_bytes().iter().chain(&id.topic.0).chain(&partition);
    let hash = bytes.fold(OFFSET_BASIS ^ u64::from(id.space.0), |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(PRIME)
    });
    (hash % count.max(1) as u64) as usize
}
