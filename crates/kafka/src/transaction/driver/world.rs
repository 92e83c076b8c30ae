//! Port: where a shard's records are kept, and where markers go. The broker's streams and groups, or a test's.
//!
//! Owns: the port and its adapter. Never: a write of state; see `crate::state`.

use crate::group::{Coordinator, EndOffsetsRequest, TopicName};
use crate::state::{self, OnRecord, Writer};
use crate::transaction::answer::MarkerJob;
use futures_util::future::BoxFuture;
use millstream_broker::{
    AppendError, Broker, OFFSETS_TOPIC, ProduceError, StateError, Topic, TransactionEnd, TransactionOutcome,
};
use std::sync::Arc;

/// The streams of all shards, and the partitions of all transactions.
pub(super) trait World: Send + Sync + 'static {
    /// Replays a partition of the state to its end.
    fn open<'a>(
        &'a self,
        partition: u32,
        on_record: OnRecord<'a>,
    ) -> BoxFuture<'a, Result<Arc<dyn Writer>, StateError>>;

    /// Writes the marker of one partition. `Err`: it is not known to be durable, and has to be written again. A partition that is
    /// gone, or that a newer epoch of the producer has written to, needs none.
    fn mark<'a>(
        &'a self,
        job: &'a MarkerJob,
        coordinator: u32,
        topic: &'a TopicName,
        partition: i32,
    ) -> BoxFuture<'a, Result<(), String>>;
}

/// The broker's streams, and its groups.
pub(super) struct BrokerWorld {
    pub broker: Broker,
    pub groups: Arc<Coordinator>,
    pub state_topic: Arc<Topic>,
}

impl World for BrokerWorld {
    fn open<'a>(
        &'a self,
        partition: u32,
        on_record: OnRecord<'a>,
    ) -> BoxFuture<'a, Result<Arc<dyn Writer>, StateError>> {
        Box::pin(state::open(&self.broker, &self.state_topic, partition, on_record))
    }

    fn mark<'a>(
        &'a self,
        job: &'a MarkerJob,
        coordinator: u32,
        topic: &'a TopicName,
        partition: i32,
    ) -> BoxFuture<'a, Result<(), String>> {
        Box::pin(async move {
            let Ok(partition) = u32::try_from(partition) else {
                return Ok(());
            };
            if topic.as_str() == OFFSETS_TOPIC {
                return self.end_offsets(job, partition).await;
            }
            let Some(topic) = self.broker.topic(topic.as_str()) else {
                return Ok(());
            };
            let end = TransactionEnd {
                producer_id: job.producer.id,
                producer_epoch: job.producer.epoch,
                outcome: if job.commit {
                    TransactionOutcome::Commit
                } else {
                    TransactionOutcome::Abort
                },
                coordinator_epoch: self.coordinator_epoch(coordinator),
            };
            match self.broker.end_transaction(&topic, partition, end).await {
                Ok(()) => Ok(()),
                Err(error) if is_settled(&error) => {
                    tracing::debug!(id = %job.id, topic = topic.name(), partition, %error, "a marker is not needed any more");
                    Ok(())
                }
                Err(error) => Err(error.to_string()),
            }
        })
    }
}

impl BrokerWorld {
    async fn end_offsets(&self, job: &MarkerJob, partition: u32) -> Result<(), String> {
        let end = EndOffsetsRequest {
            producer_id: job.producer.id,
            producer_epoch: job.producer.epoch,
            commit: job.commit,
        };
        let ended = self.groups.end_offsets(partition, end).await;
        ended.map_err(|error| error.to_string())
    }

    /// The epoch under which the state's stream is open: whoever takes it over writes under a higher one.
    fn coordinator_epoch(&self, coordinator: u32) -> i32 {
        let stream = self.state_topic.stream(coordinator);
        let epoch = stream.map_or(0, |stream| stream.epoch().0);
        i32::try_from(epoch).unwrap_or(i32::MAX)
    }
}

/// Whether nothing is left to be ended there.
fn is_settled(error: &ProduceError) -> bool {
    match error {
        ProduceError::UnknownPartition | ProduceError::InternalTopic | ProduceError::NoMarker => true,
        ProduceError::Log(
            AppendError::StreamGone | AppendError::StaleProducerEpoch | AppendError::StaleCoordinator,
        ) => true,
        ProduceError::Refused(_) | ProduceError::Log(_) => false,
    }
}
