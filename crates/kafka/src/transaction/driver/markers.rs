//! The markers of one transaction: written to all of its partitions at once, each again until it is durable.
//!
//! Owns: the retries. **Invariant**: it ends only when no partition of the transaction is open any more.

use super::world::World;
use crate::group::TopicName;
use crate::transaction::answer::MarkerJob;
use crate::transaction::name::TransactionalId;
use futures_util::StreamExt;
use futures_util::stream;
use std::sync::Arc;
use std::time::Duration;

/// Markers of one transaction under way at once.
const AT_ONCE_MAX: usize = 1_024;

/// Pause before the first repetition; each later one is twice as long.
const RETRY_WAIT_MIN: Duration = Duration::from_millis(20);
const RETRY_WAIT_MAX: Duration = Duration::from_secs(2);

pub(super) async fn write_markers(
    world: Arc<dyn World>,
    coordinator: u32,
    job: MarkerJob,
) -> TransactionalId {
    let partitions: Vec<(&TopicName, i32)> = job.partitions.iter().collect();
    let (world, job) = (&*world, &job);
    let markers = partitions
        .into_iter()
        .map(|(topic, partition)| until_marked(world, job, coordinator, topic, partition));
    stream::iter(markers)
        .for_each_concurrent(AT_ONCE_MAX, |marker| marker)
        .await;
    job.id.clone()
}

async fn until_marked(
    world: &dyn World,
    job: &MarkerJob,
    coordinator: u32,
    topic: &TopicName,
    partition: i32,
) {
    let mut wait = RETRY_WAIT_MIN;
    while let Err(error) = world.mark(job, coordinator, topic, partition).await {
        tracing::warn!(id = %job.id, %topic, partition, error, "a marker was not written, trying again");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(RETRY_WAIT_MAX);
    }
}
