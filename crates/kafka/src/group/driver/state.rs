//! Port: where a shard's records are kept. The broker's state streams, or a test's.
//!
//! Owns: the port and its adapter. Never: a write; see `crate::state`.

use crate::group::name::TopicId;
use crate::state::{self, OnRecord, Writer};
use futures_util::future::BoxFuture;
use millstream_broker::{Broker, StateError, Topic};
use std::sync::Arc;

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
        Box::pin(state::open(
            &self.broker,
            &self.offsets_topic,
            partition,
            on_record,
        ))
    }

    fn topic_id(&self, topic: &str) -> Option<TopicId> {
        self.broker.topic(topic).map(|topic| TopicId(topic.id().0))
    }
}
