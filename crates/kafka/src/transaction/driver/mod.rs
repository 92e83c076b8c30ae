//! The coordinator of transactions: one task a partition of `__transaction_state`, on the runtime of the coordinators, so that data at
//! full rate never delays the end of a transaction.
//!
//! Owns: which partition a transactional id belongs to, and the mailboxes. Never: a decision (`machine`) or a wire version (`api/`).
//! **Invariant**: every question is answered, if need be with "ask again", also across a reload and a shutdown.

mod markers;
mod shard;
mod world;

use super::answer::{Answer, DescribedTransaction, ListedTransaction};
use super::config::TransactionConfig;
use super::error::TransactionError;
use super::name::{Partitions, TransactionalId};
use super::request::{AddRequest, EndRequest, InitRequest, ListFilter, Request, VerifyRequest};
use super::state::ProducerEpoch;
use crate::group::{Coordinator, partition_of};
use millstream_broker::{Broker, Clock, TRANSACTIONS_TOPIC};
use shard::{Ask, Task};
use std::sync::{Arc, OnceLock};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use world::{BrokerWorld, World};

/// Questions that wait in one shard's mailbox; beyond it the asking connection waits.
const MAILBOX_MAX: usize = 1_024;

/// The coordinator of all transactions of this broker.
pub struct TransactionCoordinator {
    broker: Broker,
    groups: Arc<Coordinator>,
    runtime: Handle,
    /// Mailboxes by partition; empty until the topic of the state exists.
    shards: OnceLock<Vec<mpsc::Sender<Ask>>>,
}

impl TransactionCoordinator {
    /// A coordinator that begins to load at once if there is anything to load: transactions that were being ended go on.
    #[must_use]
    pub fn new(broker: Broker, groups: Arc<Coordinator>, runtime: Handle) -> Self {
        let coordinator = Self {
            broker,
            groups,
            runtime,
            shards: OnceLock::new(),
        };
        coordinator.started();
        coordinator
    }

    /// The mailboxes, if the topic of the state exists. The number of its partitions is fixed from then on: an id's partition follows
    /// from it.
    fn started(&self) -> Option<&[mpsc::Sender<Ask>]> {
        if self.shards.get().is_none() {
            let topic = self.broker.topic(TRANSACTIONS_TOPIC)?;
            let partitions = topic.partitions();
            let world: Arc<dyn World> = Arc::new(BrokerWorld {
                broker: self.broker.clone(),
                groups: self.groups.clone(),
                state_topic: topic,
            });
            self.shards.get_or_init(|| {
                let config = TransactionConfig::from(&self.broker.settings().transactions);
                let clock = self.broker.clock();
                let shard = |partition| spawn_shard(&self.runtime, &config, &world, clock, partition);
                (0..partitions).map(shard).collect()
            });
        }
        self.shards.get().map(Vec::as_slice)
    }

    /// Makes sure that transactions can be served: creates the topic of their state if this is the first time that anybody asks.
    pub async fn ensure_started(&self) -> Result<(), TransactionError> {
        if self.started().is_some() {
            return Ok(());
        }
        if let Err(error) = self.broker.topic_or_create(TRANSACTIONS_TOPIC).await {
            tracing::warn!(%error, "the topic of transaction state could not be created");
            return Err(TransactionError::CoordinatorNotAvailable);
        }
        self.started()
            .map(|_| ())
            .ok_or(TransactionError::CoordinatorNotAvailable)
    }

    /// InitProducerId.
    pub async fn init(&self, init: InitRequest) -> Result<ProducerEpoch, TransactionError> {
        match self.ask(&init.id.clone(), Request::Init(init)).await? {
            Answer::Init(outcome) => outcome,
            _ => Err(TransactionError::UnknownServerError),
        }
    }

    /// Adds partitions to a transaction, and begins it with the first ones.
    pub async fn add(&self, add: AddRequest) -> Result<(), TransactionError> {
        match self.ask(&add.id.clone(), Request::Add(add)).await? {
            Answer::Add(outcome) => outcome,
            _ => Err(TransactionError::UnknownServerError),
        }
    }

    /// Those of the partitions asked about that are part of the transaction.
    pub async fn verify(&self, verify: VerifyRequest) -> Result<Partitions, TransactionError> {
        match self.ask(&verify.id.clone(), Request::Verify(verify)).await? {
            Answer::Verify(outcome) => outcome,
            _ => Err(TransactionError::UnknownServerError),
        }
    }

    /// EndTxn; answers who the producer is from now on.
    pub async fn end(&self, end: EndRequest) -> Result<ProducerEpoch, TransactionError> {
        match self.ask(&end.id.clone(), Request::End(end)).await? {
            Answer::End(outcome) => outcome,
            _ => Err(TransactionError::UnknownServerError),
        }
    }

    /// DescribeTransactions, one id.
    pub async fn describe(&self, id: TransactionalId) -> Result<DescribedTransaction, TransactionError> {
        if self.started().is_none() {
            return Err(TransactionError::TransactionalIdNotFound);
        }
        match self.ask(&id.clone(), Request::Describe(id)).await? {
            Answer::Describe(outcome) => outcome,
            _ => Err(TransactionError::UnknownServerError),
        }
    }

    /// All transactions that match; an error while any shard is not loaded, so that no list is silently short.
    pub async fn list(&self, filter: ListFilter) -> Result<Vec<ListedTransaction>, TransactionError> {
        let mut all = Vec::new();
        for shard in self.started().unwrap_or_default() {
            match ask_shard(shard, Request::List(filter.clone())).await? {
                Answer::List(listed) => all.extend(listed),
                _ => return Err(TransactionError::UnknownServerError),
            }
        }
        Ok(all)
    }

    /// Finishes the writes under way, tells everybody else to look for another coordinator, and ends.
    pub async fn close(&self) {
        for shard in self.shards.get().map_or(&[][..], Vec::as_slice) {
            let (done, ended) = oneshot::channel();
            if shard.send(Ask::Close(done)).await.is_ok() {
                let _ = ended.await;
            }
        }
    }

    async fn ask(&self, id: &TransactionalId, request: Request) -> Result<Answer, TransactionError> {
        let shards = self.started().ok_or(TransactionError::NotCoordinator)?;
        let count = u32::try_from(shards.len()).expect("partitions are counted in 32 bits");
        ask_shard(&shards[partition_of(id.as_str(), count) as usize], request).await
    }
}

fn spawn_shard(
    runtime: &Handle,
    config: &TransactionConfig,
    world: &Arc<dyn World>,
    clock: &Arc<dyn Clock>,
    partition: u32,
) -> mpsc::Sender<Ask> {
    let (mailbox, inbox) = mpsc::channel(MAILBOX_MAX);
    let task = Task {
        partition,
        config: config.clone(),
        world: world.clone(),
        clock: clock.clone(),
        inbox,
    };
    runtime.spawn(task.run());
    mailbox
}

/// A shard that ends, or reloads, drops the questions it has not answered: their ids are to be looked for again.
async fn ask_shard(shard: &mpsc::Sender<Ask>, request: Request) -> Result<Answer, TransactionError> {
    let (reply, answer) = oneshot::channel();
    if shard.send(Ask::Request(Box::new(request), reply)).await.is_err() {
        return Err(TransactionError::NotCoordinator);
    }
    answer.await.unwrap_or(Err(TransactionError::NotCoordinator))
}
