//! A transactional producer. It does what a client of transaction.version 2 does: an epoch for each transaction, partitions added by the
//! first batch, a new beginning after anything that it does not understand.

use super::{Desk, Fate, Fault, GROUP, PARTITIONS, TOPIC};
use crate::rng::Rng;
use crate::workload::Backoff;
use bytes::Bytes;
use millstream_broker::{OFFSETS_TOPIC, TransactionalBatch};
use millstream_kafka::group::{
    CommitPartition, CommitRequest, CommitTopic, GroupId, OffsetProducer, TopicId, TopicName, partition_of,
};
use millstream_kafka::transaction::{
    AddRequest, EndRequest, EpochPolicy, InitRequest, Partitions, ProducerEpoch, TransactionError,
    TransactionalId,
};
use millstream_log::TimestampMs;
use millstream_log::batch::{BatchBuilder, Codec, NewRecord};
use std::sync::Arc;
use std::time::Duration;

/// Batches of one attempt in each partition.
const BATCHES_MAX: u64 = 3;
/// Records of one batch.
const RECORDS_MAX: u64 = 2;
/// Pause while the transaction before this one is still being ended, and before another process takes over. Kafka's clients wait
/// so long for the first.
const AGAIN: Duration = Duration::from_millis(20);
/// Patience of the broker with one transaction.
const TIMEOUT_MS: i32 = 60_000;

/// Nothing more can be done with this epoch.
struct Anew;

/// See the module.
pub struct Actor {
    at: u64,
    id: TransactionalId,
    rng: Rng,
    backoff: Backoff,
}

impl Actor {
    pub fn new(at: u64, rng: Rng) -> Self {
        Self {
            at,
            id: TransactionalId::from(format!("actor-{at}").as_str()),
            rng,
            backoff: Backoff::default(),
        }
    }

    /// Works until the broker's life ends.
    pub async fn work(&mut self, desk: &Desk) {
        loop {
            let producer = self.init(desk).await;
            match self.transactions(desk, producer).await {
                Ok(()) => tokio::time::sleep(AGAIN).await,
                Err(Anew) => tokio::time::sleep(self.backoff.refused(&mut self.rng)).await,
            }
        }
    }

    /// Ends whatever is left open, as a producer does that comes back.
    pub async fn settle(&mut self, desk: &Desk) {
        self.init(desk).await;
    }

    /// One transaction after the other, until another process takes over.
    async fn transactions(&mut self, desk: &Desk, mut producer: ProducerEpoch) -> Result<(), Anew> {
        loop {
            producer = self.attempt(desk, producer).await?;
            self.backoff.done();
            tokio::time::sleep(Duration::from_millis(self.rng.below(20))).await;
            if self.rng.one_in(10) {
                return Ok(());
            }
        }
    }

    /// Waits as long as a client does after this error.
    async fn wait(&mut self, error: Option<TransactionError>) {
        let wait = match error {
            Some(TransactionError::ConcurrentTransactions) => AGAIN,
            _ => self.backoff.refused(&mut self.rng),
        };
        tokio::time::sleep(wait).await;
    }

    async fn init(&mut self, desk: &Desk) -> ProducerEpoch {
        loop {
            let mut refused = None;
            if let Ok(fresh_id) = desk.ctx.broker.new_producer_id().await {
                let init = InitRequest {
                    id: self.id.clone(),
                    timeout_ms: TIMEOUT_MS,
                    expected: None,
                    fresh_id,
                };
                match desk.transactions.init(init).await {
                    Ok(producer) => return producer,
                    Err(error) => refused = Some(error),
                }
            }
            self.wait(refused).await;
        }
    }

    /// One transaction; answers who the producer is afterwards.
    async fn attempt(&mut self, desk: &Desk, producer: ProducerEpoch) -> Result<ProducerEpoch, Anew> {
        let batches = 1 + self.rng.below(BATCHES_MAX);
        let records = 1 + self.rng.below(RECORDS_MAX);
        let written = u32::try_from(batches * records).expect("a few");
        let attempt = desk.history.lock().begin(written);
        desk.ctx
            .world
            .event(&format!("client: {} begins {attempt} as {producer:?}", self.id));
        for batch in 0..batches {
            for partition in 0..PARTITIONS {
                let sequence = i32::try_from(batch * records).expect("a few");
                self.send(desk, producer, partition, sequence, attempt, records)
                    .await?;
            }
        }
        self.send_offsets(desk, producer, attempt).await?;
        if self.rng.one_in(8) {
            // The process dies: whoever comes next aborts what it left.
            return Err(Anew);
        }
        let commit = !self.rng.one_in(3);
        self.end(desk, producer, attempt, commit).await
    }

    async fn send(
        &mut self,
        desk: &Desk,
        producer: ProducerEpoch,
        partition: u32,
        sequence: i32,
        attempt: u64,
        records: u64,
    ) -> Result<(), Anew> {
        let broker = &desk.ctx.broker;
        let batch = TransactionalBatch {
            producer_id: producer.id,
            producer_epoch: producer.epoch,
        };
        let guard = broker.transaction_guard(&desk.topic, partition, batch);
        let guard = guard.map_err(|_| Anew)?;
        if !guard.is_open() && desk.fault != Fault::AppendsUnasked {
            self.add(desk, producer, TOPIC, partition).await?;
        }
        let bytes = encode(producer, sequence, attempt, records, desk.ctx.world.wall_ms());
        let pending = broker
            .append_in_transaction(&desk.topic, partition, bytes, guard)
            .await
            .map_err(|_| Anew)?;
        pending.durable().await.map(drop).map_err(|_| Anew)
    }

    async fn add(
        &mut self,
        desk: &Desk,
        producer: ProducerEpoch,
        topic: &str,
        partition: u32,
    ) -> Result<(), Anew> {
        loop {
            let partition = i32::try_from(partition).expect("a few");
            let add = AddRequest {
                id: self.id.clone(),
                producer,
                partitions: std::iter::once((TopicName::from(topic), partition)).collect::<Partitions>(),
                policy: EpochPolicy::PerTransaction,
            };
            match desk.transactions.add(add).await {
                Ok(()) => return Ok(()),
                Err(error) if passes(error) => self.wait(Some(error)).await,
                Err(_) => return Err(Anew),
            }
        }
    }

    /// The attempt's number is the offset: what is committed in the end must be that of an attempt that is shown.
    async fn send_offsets(&mut self, desk: &Desk, producer: ProducerEpoch, attempt: u64) -> Result<(), Anew> {
        let count = desk.groups.offsets_partitions().ok_or(Anew)?;
        self.add(desk, producer, OFFSETS_TOPIC, partition_of(GROUP, count))
            .await?;
        let partition = CommitPartition {
            partition: i32::try_from(self.at).expect("a few"),
            offset: i64::try_from(attempt).expect("a few"),
            leader_epoch: -1,
            metadata: Arc::from(""),
        };
        let commit = CommitRequest {
            group: GroupId::from(GROUP),
            generation: -1,
            member: None,
            instance: None,
            retention_ms: None,
            transaction: Some(OffsetProducer {
                id: producer.id,
                epoch: producer.epoch,
            }),
            group_not_found_supported: false,
            topics: vec![CommitTopic {
                topic: TopicName::from(TOPIC),
                topic_id: TopicId::UNKNOWN,
                partitions: vec![partition],
            }],
        };
        desk.groups.commit(commit).await.await.map(drop).map_err(|_| Anew)
    }

    async fn end(
        &mut self,
        desk: &Desk,
        producer: ProducerEpoch,
        attempt: u64,
        commit: bool,
    ) -> Result<ProducerEpoch, Anew> {
        if commit {
            desk.history.lock().may_commit(attempt);
        }
        loop {
            let end = EndRequest {
                id: self.id.clone(),
                producer,
                commit,
                policy: EpochPolicy::PerTransaction,
                fresh_id: None,
            };
            match desk.transactions.end(end).await {
                Ok(next) => {
                    let told = commit && desk.fault != Fault::CommitsAborts;
                    let fate = if told { Fate::Committed } else { Fate::Never };
                    desk.ctx.world.event(&format!("client: {attempt} is {fate:?}"));
                    desk.history.lock().set(attempt, fate);
                    return Ok(next);
                }
                Err(error) if passes(error) => self.wait(Some(error)).await,
                Err(_) => return Err(Anew),
            }
        }
    }
}

/// Whether to ask again.
fn passes(error: TransactionError) -> bool {
    matches!(
        error,
        TransactionError::ConcurrentTransactions
            | TransactionError::CoordinatorLoadInProgress
            | TransactionError::CoordinatorNotAvailable
            | TransactionError::NotCoordinator
    )
}

/// Records of this time: older ones would fall under retention.
fn encode(producer: ProducerEpoch, sequence: i32, attempt: u64, records: u64, wall_ms: TimestampMs) -> Bytes {
    let mut builder = BatchBuilder::new(Codec::None)
        .producer(producer.id, producer.epoch, sequence)
        .transactional();
    for _ in 0..records {
        let record = NewRecord {
            timestamp: wall_ms,
            key: None,
            value: Some(&attempt.to_be_bytes()),
            headers: &[],
        };
        builder.push(&record).expect("a small record fits");
    }
    builder.finish().expect("it has records").into_bytes()
}
