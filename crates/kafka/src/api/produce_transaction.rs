//! The part of Produce that transactions need: each batch's transaction is known to cover its partition before it is appended (KIP-890).
//!
//! Owns: what is asked of the coordinator, and what its refusals become. Never: a decision; the coordinator and the log decide.
//!
//! **Invariant**: a guard is taken before the coordinator is asked, so a marker that comes in between makes the log refuse the batch.
//! A request without a transactional id does not come here.

use crate::dispatch::Call;
use crate::errors::{Coded, ErrorCode};
use crate::group::TopicName;
use crate::node::Kafka;
use crate::transaction::{
    AddRequest, EpochPolicy, Partitions, ProducerEpoch, TransactionError, TransactionalId, VerifyRequest,
};
use millstream_broker::{Topic, TransactionGuard, TransactionalBatch};
use millstream_kafka_wire::produce::{PartitionProduceData, ProduceRequest};
use std::collections::VecDeque;
use std::sync::Arc;

/// The first version that makes partitions part of the transaction.
const VERSION_ADDS: i16 = 12;

/// The first version that understands TRANSACTION_ABORTABLE.
const VERSION_ABORTABLE: i16 = 11;

/// Times that the coordinator is asked about one request. The marker of the transaction before may come while it is asked; once that one
/// has ended there is no other to come, so that a second answer holds.
const ASKS_MAX: usize = 3;

/// What is known of the transaction of one partition's batch.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Standing {
    /// The batch is part of none, or no batch at all.
    Plain,
    /// The batch may be appended under this guard.
    Guarded(TransactionGuard),
    /// The transaction does not cover the partition.
    Refused(ErrorCode),
}

/// A batch whose transaction has yet to be asked about.
struct Asking {
    /// Where its standing is kept.
    at: usize,
    of: Arc<Topic>,
    topic: TopicName,
    partition: i32,
    guard: TransactionGuard,
}

/// The standing of each partition of a request with a transactional id, in the order of the request.
pub(crate) async fn standings(
    kafka: &Kafka,
    call: &Call,
    request: &ProduceRequest,
    topics: &[Result<Arc<Topic>, ErrorCode>],
) -> VecDeque<Standing> {
    let mut standings = VecDeque::new();
    let mut asking = Vec::new();
    let mut asker = None;
    for (data, topic) in request.topic_data.iter().zip(topics) {
        for partition in &data.partition_data {
            let batch = batch_of(partition);
            let (Ok(topic), Some(batch)) = (topic, batch) else {
                standings.push_back(Standing::Plain);
                continue;
            };
            standings.push_back(standing(kafka, topic, partition.index, batch, &mut asker));
            if let Some(Standing::Guarded(guard)) = standings.back()
                && !guard.is_open()
            {
                asking.push(Asking {
                    at: standings.len() - 1,
                    of: Arc::clone(topic),
                    topic: TopicName::from(topic.name()),
                    partition: partition.index,
                    guard: *guard,
                });
            }
        }
    }
    if let (Some(asker), false) = (asker, asking.is_empty()) {
        ask(kafka, call, request, asker, asking, &mut standings).await;
    }
    standings
}

fn batch_of(partition: &PartitionProduceData) -> Option<TransactionalBatch> {
    let records = partition.records.as_ref()?;
    TransactionalBatch::of(records.chunks().next()?)
}

fn standing(
    kafka: &Kafka,
    topic: &Topic,
    index: i32,
    batch: TransactionalBatch,
    asker: &mut Option<TransactionalBatch>,
) -> Standing {
    // One request, one transaction.
    if *asker.get_or_insert(batch) != batch {
        return Standing::Refused(ErrorCode::INVALID_PRODUCER_ID_MAPPING);
    }
    look(kafka, topic, index, batch)
}

fn look(kafka: &Kafka, topic: &Topic, index: i32, batch: TransactionalBatch) -> Standing {
    let partition = u32::try_from(index).unwrap_or(u32::MAX);
    match kafka.broker.transaction_guard(topic, partition, batch) {
        Ok(guard) => Standing::Guarded(guard),
        Err(error) => Standing::Refused(error.code()),
    }
}

/// Asks the coordinator about all of them at once, and again about those whose guard a marker has made worthless meanwhile: a coordinator
/// answers the first batch of a transaction after it has ended the one before, and its marker was no refusal of this batch.
async fn ask(
    kafka: &Kafka,
    call: &Call,
    request: &ProduceRequest,
    asker: TransactionalBatch,
    mut asking: Vec<Asking>,
    standings: &mut VecDeque<Standing>,
) {
    let Some(id) = request.transactional_id.as_ref() else {
        return;
    };
    let id = TransactionalId::from(id.as_str());
    for _ in 0..ASKS_MAX {
        let covered = covered(kafka, call, id.clone(), asker, &asking).await;
        let mut again = Vec::new();
        for mut one in asking {
            standings[one.at] = match &covered {
                Ok(covered) if covered.contains(&one.topic, one.partition) => {
                    match look(kafka, &one.of, one.partition, asker) {
                        Standing::Guarded(now) if now != one.guard && !now.is_open() => {
                            one.guard = now;
                            again.push(one);
                            continue;
                        }
                        looked => looked,
                    }
                }
                Ok(_) if call.version >= VERSION_ABORTABLE => {
                    Standing::Refused(ErrorCode::TRANSACTION_ABORTABLE)
                }
                Ok(_) => Standing::Refused(ErrorCode::INVALID_TXN_STATE),
                Err(error) => Standing::Refused(told_to_producer(*error)),
            };
        }
        asking = again;
        if asking.is_empty() {
            return;
        }
    }
    for one in asking {
        standings[one.at] = Standing::Refused(ErrorCode::NOT_ENOUGH_REPLICAS);
    }
}

/// What of the partitions the coordinator says is part of the transaction.
async fn covered(
    kafka: &Kafka,
    call: &Call,
    id: TransactionalId,
    asker: TransactionalBatch,
    asking: &[Asking],
) -> Result<Partitions, TransactionError> {
    let producer = ProducerEpoch {
        id: asker.producer_id,
        epoch: asker.producer_epoch,
    };
    let partitions: Partitions = asking
        .iter()
        .map(|one| (one.topic.clone(), one.partition))
        .collect();
    if call.version >= VERSION_ADDS {
        let add = AddRequest {
            id,
            producer,
            partitions: partitions.clone(),
            policy: EpochPolicy::PerTransaction,
        };
        kafka.transactions.add(add).await.map(|()| partitions)
    } else {
        let verify = VerifyRequest {
            id,
            producer,
            partitions,
        };
        kafka.transactions.verify(verify).await
    }
}

/// What a producer is told when its transaction's coordinator refuses. Not every client retries what a coordinator says; all of them retry
/// NOT_ENOUGH_REPLICAS, and none looks the leader up again for it.
pub(crate) fn told_to_producer(error: TransactionError) -> ErrorCode {
    match error {
        TransactionError::ConcurrentTransactions
        | TransactionError::CoordinatorLoadInProgress
        | TransactionError::CoordinatorNotAvailable
        | TransactionError::NotCoordinator => ErrorCode::NOT_ENOUGH_REPLICAS,
        TransactionError::ProducerFenced => ErrorCode::INVALID_PRODUCER_EPOCH,
        other => other.code(),
    }
}
