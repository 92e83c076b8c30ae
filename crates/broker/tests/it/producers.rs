//! Idempotent producers: ids that nobody had before, and batches that are kept once.

use crate::with_topic;
use futures_util::future::join_all;
use millstream_broker::testing::{World, sequenced_batch};
use millstream_broker::{AppendError, Broker, Offset, ProduceError, Produced, Topic};
use std::collections::HashSet;

#[tokio::test(start_paused = true)]
async fn no_producer_id_is_given_twice_whatever_dies_in_between() {
    let world = World::default();
    let mut seen = HashSet::new();
    for _ in 0..5 {
        let broker = world.open().await;
        for id in join_all((0..300).map(|_| broker.new_producer_id())).await {
            assert!(seen.insert(id.expect("an id")));
        }
        // Not closed: the broker is gone as if it had been killed.
    }
}

async fn send(
    broker: &Broker,
    topic: &Topic,
    sequence: i32,
    values: &[&str],
) -> Result<Produced, ProduceError> {
    let batch = sequenced_batch(7, 0, sequence, values);
    broker.append(topic, 0, batch).await?.durable().await
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_answered_with_the_first_offsets_and_a_gap_is_refused_across_a_restart() {
    let world = World::default();
    let (broker, topic) = with_topic(&world, 1, &[]).await;
    assert_eq!(
        send(&broker, &topic, 0, &["a", "b"]).await.unwrap().base,
        Offset(0)
    );
    broker.close().await;
    let again = world.open().await;
    let topic = again.topic("t").unwrap();
    assert_eq!(
        send(&again, &topic, 0, &["a", "b"]).await.unwrap().base,
        Offset(0)
    );
    assert_eq!(
        send(&again, &topic, 5, &["f"]).await.err(),
        Some(ProduceError::Log(AppendError::OutOfOrderSequence))
    );
    assert_eq!(send(&again, &topic, 2, &["c"]).await.unwrap().base, Offset(2));
    assert_eq!(topic.stream(0).unwrap().bounds().end, Offset(3));
}
