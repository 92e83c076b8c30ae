//! The broker over media in memory: each promise of its operations, in one binary.

mod configs;
mod fetch;
mod offsets;
mod producers;
mod state;
mod topics;

use millstream_broker::testing::{World, batch_of};
use millstream_broker::{Broker, Dry, Offset, Produced, Topic, TopicSpec};
use std::sync::Arc;

/// A topic to be made.
pub fn spec(name: &str, partitions: u32, configs: &[(&str, &str)]) -> TopicSpec {
    let configs = configs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned())));
    TopicSpec {
        name: name.to_owned(),
        partitions: Some(partitions),
        configs: configs.collect(),
    }
}

/// A broker with one topic.
pub async fn with_topic(world: &World, partitions: u32, configs: &[(&str, &str)]) -> (Broker, Arc<Topic>) {
    let broker = world.open().await;
    let created = broker
        .create_topic(&spec("t", partitions, configs), Dry::Run)
        .await;
    created.expect("a new topic");
    let topic = broker.topic("t").expect("just created");
    (broker, topic)
}

/// One batch of these values, durable.
pub async fn produce(broker: &Broker, topic: &Topic, partition: u32, values: &[&str]) -> Produced {
    let pending = broker.append(topic, partition, batch_of(values)).await;
    pending.expect("queued").durable().await.expect("durable")
}

/// One past the last durable offset.
pub async fn end_of(topic: &Topic, partition: u32) -> Offset {
    topic
        .stream(partition)
        .expect("it has the partition")
        .bounds()
        .end
}
