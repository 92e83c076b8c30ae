//! Fetch: one budget over partitions, and a wait that is woken.

use crate::{produce, with_topic};
use futures_util::FutureExt;
use millstream_broker::testing::{World, batch_of, records_of};
use millstream_broker::{
    Broker, Epoch, FetchBudget, FetchError, FetchRead, FetchResult, Isolation, Offset, Topic,
};
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

const LONG: Duration = Duration::from_secs(3_600);

fn read(topic: &Arc<Topic>, partition: u32, from: u64) -> FetchRead {
    FetchRead {
        topic: topic.clone(),
        partition,
        from: Offset(from),
        bytes_max: 1 << 20,
        epoch: None,
        last_fetched_epoch: None,
    }
}

fn budget(bytes_min: usize, wait_max: Duration) -> FetchBudget {
    FetchBudget {
        bytes_max: 50 << 20,
        bytes_min,
        wait_max,
        isolation: Isolation::ReadUncommitted,
    }
}

async fn fetch(broker: &Broker, reads: &[FetchRead], budget: FetchBudget) -> Vec<FetchResult> {
    broker.fetch(reads, budget, pending()).await
}

fn values(result: &FetchResult) -> Vec<(u64, String)> {
    records_of(&result.as_ref().expect("no error").chunks)
}

fn bytes(result: &FetchResult) -> usize {
    result.as_ref().expect("no error").bytes
}

#[tokio::test(start_paused = true)]
async fn an_append_wakes_a_waiting_fetch_before_any_time_passes() {
    let (broker, topic) = with_topic(&World::default(), 2, &[]).await;
    let reads = [read(&topic, 0, 0), read(&topic, 1, 0)];
    let begun = Instant::now();
    let (results, _) = tokio::join!(
        fetch(&broker, &reads, budget(1, LONG)),
        produce(&broker, &topic, 1, &["a"])
    );
    assert_eq!(values(&results[1]), [(0, "a".to_owned())]);
    assert!(values(&results[0]).is_empty());
    assert!(begun.elapsed() < LONG, "woken, not timed out");
}

#[tokio::test(start_paused = true)]
async fn a_fetch_waits_for_its_minimum_and_then_returns_everything() {
    let (broker, topic) = with_topic(&World::default(), 1, &[]).await;
    let one = batch_of(&["0123456789"]).len();
    let reads = [read(&topic, 0, 0)];
    let mut waiting = Box::pin(fetch(&broker, &reads, budget(3 * one, LONG)));
    for _ in 0..2 {
        produce(&broker, &topic, 0, &["0123456789"]).await;
        assert!(waiting.as_mut().now_or_never().is_none(), "below the minimum");
    }
    let (results, _) = tokio::join!(waiting, produce(&broker, &topic, 0, &["0123456789"]));
    assert_eq!(bytes(&results[0]), 3 * one);
}

#[tokio::test(start_paused = true)]
async fn without_news_a_fetch_returns_empty_when_its_time_is_over_and_not_before() {
    let (broker, topic) = with_topic(&World::default(), 1, &[]).await;
    let begun = Instant::now();
    let reads = [read(&topic, 0, 0)];
    let results = fetch(&broker, &reads, budget(1, Duration::from_millis(500))).await;
    assert!(values(&results[0]).is_empty());
    assert_eq!(begun.elapsed().as_millis(), 500);
    // Nothing to wait for: no partition, or no wish to wait.
    assert!(fetch(&broker, &[], budget(1, LONG)).await.is_empty());
    fetch(&broker, &reads, budget(1, Duration::ZERO)).await;
    fetch(&broker, &reads, budget(0, LONG)).await;
    assert_eq!(begun.elapsed().as_millis(), 500);
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_ends_the_wait_with_what_there_is() {
    let (broker, topic) = with_topic(&World::default(), 1, &[]).await;
    produce(&broker, &topic, 0, &["a"]).await;
    let (interrupt, interrupted) = oneshot::channel::<()>();
    let reads = [read(&topic, 0, 0)];
    let waiting = broker.fetch(&reads, budget(1 << 20, LONG), interrupted.map(drop));
    let (results, _) = tokio::join!(waiting, async { interrupt.send(()) });
    assert_eq!(values(&results[0]).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_error_in_one_partition_ends_the_wait_and_spares_the_others() {
    let (broker, topic) = with_topic(&World::default(), 2, &[]).await;
    produce(&broker, &topic, 0, &["a"]).await;
    let begun = Instant::now();
    let results = fetch(
        &broker,
        &[read(&topic, 0, 0), read(&topic, 1, 9)],
        budget(1 << 20, LONG),
    )
    .await;
    assert_eq!(values(&results[0]).len(), 1);
    let out = FetchError::OffsetOutOfRange {
        start: Offset(0),
        end: Offset(0),
    };
    assert_eq!(results[1].as_ref().err(), Some(&out));
    let results = fetch(&broker, &[read(&topic, 7, 0)], budget(1, LONG)).await;
    assert_eq!(results[0].as_ref().err(), Some(&FetchError::UnknownPartition));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn deleting_the_topic_ends_the_wait() {
    let (broker, topic) = with_topic(&World::default(), 1, &[]).await;
    let reads = [read(&topic, 0, 0)];
    let (results, deleted) = tokio::join!(
        fetch(&broker, &reads, budget(1, LONG)),
        broker.delete_topic(&topic)
    );
    deleted.unwrap();
    assert_eq!(results[0].as_ref().err(), Some(&FetchError::UnknownPartition));
}

#[tokio::test(start_paused = true)]
async fn one_batch_of_the_request_is_returned_however_large_and_only_one() {
    let (broker, topic) = with_topic(&World::default(), 2, &[]).await;
    let large = "x".repeat(10_000);
    for partition in 0..2 {
        produce(&broker, &topic, partition, &[&large]).await;
        produce(&broker, &topic, partition, &[&large]).await;
    }
    let mut tight = budget(1, Duration::ZERO);
    tight.bytes_max = 100;
    let results = fetch(&broker, &[read(&topic, 1, 0), read(&topic, 0, 0)], tight).await;
    assert_eq!(values(&results[0]).len(), 1, "the first in the request's order");
    assert_eq!(bytes(&results[1]), 0);
    // A partition's own bound alone does not count either, as long as there is nothing yet.
    let mut first = read(&topic, 0, 0);
    first.bytes_max = 0;
    let results = fetch(&broker, &[first], budget(1, Duration::ZERO)).await;
    assert_eq!(values(&results[0]).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_requests_budget_is_shared_by_its_partitions_in_order() {
    let (broker, topic) = with_topic(&World::default(), 3, &[]).await;
    let one = batch_of(&["0123456789"]).len();
    for partition in 0..3 {
        for _ in 0..4 {
            produce(&broker, &topic, partition, &["0123456789"]).await;
        }
    }
    let mut reads: Vec<FetchRead> = (0..3).map(|partition| read(&topic, partition, 0)).collect();
    reads[0].bytes_max = 2 * one;
    let mut tight = budget(1, Duration::ZERO);
    tight.bytes_max = 5 * one;
    let results = fetch(&broker, &reads, tight).await;
    let sizes: Vec<usize> = results.iter().map(bytes).collect();
    assert_eq!(sizes, [2 * one, 3 * one, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_read_from_the_middle_of_a_batch_returns_the_whole_batch() {
    let (broker, topic) = with_topic(&World::default(), 1, &[]).await;
    produce(&broker, &topic, 0, &["a", "b", "c"]).await;
    let results = fetch(&broker, &[read(&topic, 0, 2)], budget(1, Duration::ZERO)).await;
    let offsets: Vec<u64> = values(&results[0]).iter().map(|(offset, _)| *offset).collect();
    assert_eq!(offsets, [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn epochs_that_do_not_hold_are_told_apart() {
    let (broker, topic) = with_topic(&World::default(), 1, &[]).await;
    produce(&broker, &topic, 0, &["a"]).await;
    let held = topic.stream(0).unwrap().epoch();
    let with = |epoch| FetchRead {
        epoch: Some(epoch),
        ..read(&topic, 0, 0)
    };
    let results = fetch(&broker, &[with(held)], budget(1, Duration::ZERO)).await;
    assert_eq!(values(&results[0]).len(), 1);
    let results = fetch(&broker, &[with(Epoch(held.0 + 1))], budget(1, Duration::ZERO)).await;
    assert_eq!(results[0].as_ref().err(), Some(&FetchError::UnknownEpoch));
    if let Some(below) = held.0.checked_sub(1) {
        let results = fetch(&broker, &[with(Epoch(below))], budget(1, Duration::ZERO)).await;
        assert_eq!(results[0].as_ref().err(), Some(&FetchError::FencedEpoch));
    }
    // A reader that has read further in that epoch than it went.
    let ahead = FetchRead {
        last_fetched_epoch: Some(held),
        ..read(&topic, 0, 5)
    };
    let results = fetch(&broker, &[ahead], budget(1, Duration::ZERO)).await;
    assert_eq!(results[0].as_ref().unwrap().diverging, Some((held, Offset(1))));
}
