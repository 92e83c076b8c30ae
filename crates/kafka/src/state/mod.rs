//! What the coordinators of groups and of transactions share: how a shard of either keeps its state in a stream, and how its steps are
//! named.
//!
//! Owns: the port to one partition of a state topic and its adapter, the writes on their way to it (`appends`), the parts that records
//! are made of (`codec`). Never: what a record means.
//!
//! **Invariant**: appends made one after the other are durable one after the other.

mod appends;
pub(crate) mod codec;

pub(crate) use appends::Appends;
pub use codec::RecordError;
use futures_util::future::BoxFuture;
use millstream_broker::{Broker, Clock, StateError, StateRecord, StateStream, Topic};
use std::sync::Arc;
use std::time::Duration;

/// The time of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Since an arbitrary start; decides about sessions, rebalances and timeouts.
    pub monotonic: Duration,
    /// Since the Unix epoch, milliseconds; is stored, and decides about ages and expiry.
    pub wall_ms: i64,
}

impl Now {
    /// The time of a step that begins now.
    pub(crate) fn of(clock: &dyn Clock) -> Self {
        Self {
            monotonic: clock.monotonic(),
            wall_ms: clock.wall_ms(),
        }
    }
}

/// Names one request until it is answered; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Names one write until its outcome is known. Rises by one with each write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersistToken(pub u64);

/// What is called with each record of a replay: key, and value or `None` for a deletion.
pub(crate) type OnRecord<'a> = &'a mut (dyn FnMut(&[u8], Option<&[u8]>) + Send);

/// One partition of the state, opened.
pub(crate) trait Writer: Send + Sync + 'static {
    /// Appends the records as one and waits until they are durable.
    fn append(&self, records: Vec<StateRecord>) -> BoxFuture<'static, Result<(), StateError>>;
}

impl Writer for StateStream {
    fn append(&self, records: Vec<StateRecord>) -> BoxFuture<'static, Result<(), StateError>> {
        let stream = self.clone();
        Box::pin(async move { StateStream::append(&stream, records).await?.durable().await })
    }
}

/// A partition of the broker's state, replayed to its end.
pub(crate) async fn open(
    broker: &Broker,
    topic: &Topic,
    partition: u32,
    on_record: OnRecord<'_>,
) -> Result<Arc<dyn Writer>, StateError> {
    let stream = broker.open_state(topic, partition, on_record).await?;
    Ok(Arc::new(stream))
}
