//! Port: where a shard's records are kept. The broker's state streams, or a test's.
//!
//! Owns: the port and its adapter. **Invariant**: appends made one after the other are durable one after the other.

use crate::group::name::TopicId;
use futures_util::future::BoxFuture;
use millstream_broker::{Broker, StateError, StateRecord, StateStream, Topic};
use std::sync::Arc;

/// What is called with each record of a replay: key, and value or `None` for a deletion.
pub(super) type OnRecord<'a> = &'a mut (dyn FnMut(&[u8], Option<&[u8]>) + Send);

/// The streams of all shards.
pub(super) trait State: Send + Sync + 'static {
    /// Replays a partition to its end.
    fn open<'a>(
        &'a self,
        partition: u32,
        on_record: OnRecord<'a>,
    ) -> BoxFuture<'a, Result<Arc<dyn Writer>, StateError>>;

    /// The present id of a topic; `None`: there is none of that name.
    fn topic_id(&self, topic: &str) -> Option<TopicId>;
}

/// One partition, opened.
pub(super) trait Writer: Send + Sync + 'static {
    /// Appends the records as one and waits until they are durable.
    fn append(&self, records: Vec<StateRecord>) -> BoxFuture<'static, Result<(), StateError>>;
}

/// The broker's state streams.
pub(super) struct BrokerState {
    broker: Broker,
    offsets_topic: Arc<Topic>,
}

impl BrokerState {
    pub fn new(broker: Broker, offsets_topic: Arc<Topic>) -> Self {
        Self {
            broker,
            offsets_topic,
        }
    }
}

impl State for BrokerState {
    fn open<'a>(
        &'a self,
        partition: u32,
        on_record: OnRecord<'a>,
    ) -> BoxFuture<'a, Result<Arc<dyn Writer>, StateError>> {
        Box::pin(async move {
            let opened = self.broker.open_state(&self.offsets_topic, partition, on_record);
            let stream: Arc<dyn Writer> = Arc::new(opened.await?);
            Ok(stream)
        })
    }

    fn topic_id(&self, topic: &str) -> Option<TopicId> {
        self.broker.topic(topic).map(|topic| TopicId(topic.id().0))
    }
}

impl Writer for StateStream {
    fn append(&self, records: Vec<StateRecord>) -> BoxFuture<'static, Result<(), StateError>> {
        let stream = self.clone();
        Box::pin(async move { StateStream::append(&stream, records).await?.durable().await })
    }
}
