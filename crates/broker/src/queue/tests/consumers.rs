//! Consumers that wait for records at one subscription, each for as much as it wants, with a whole broker under them.

use super::super::*;
use super::burials::{produce, topic};
use super::policy;
use crate::Broker;
use crate::testing::World;
use crate::topics::Topic;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

struct Terms;

impl PolicySource for Terms {
    fn policy(&self, _: &SubscriptionId) -> Arc<Policy> {
        Arc::new(policy(5, 10_000, false))
    }
}

/// Over before a lock is.
const WAIT: Duration = Duration::from_secs(20);

struct Consumers {
    broker: Broker,
    queues: Queues,
    ask: AcquireAsk,
}

impl Consumers {
    async fn begin() -> Self {
        let broker = World::default().open().await;
        let topic = topic(&broker, "t", &[]).await;
        let queues = Queues::new(broker.clone(), tokio::runtime::Handle::current(), Arc::new(Terms));
        let subscription = SubscriptionId {
            space: Space(1),
            name: Arc::from("g"),
            topic: topic.id(),
            partition: 0,
        };
        let ask = AcquireAsk { subscription, topic };
        Self { broker, queues, ask }
    }

    fn topic(&self) -> &Topic {
        &self.ask.topic
    }

    /// What a consumer gets, and how long it waited.
    async fn acquire(&self, holder: u64, bytes_min: usize, records_max: u64) -> (Vec<Acquired>, Duration) {
        let begun = Instant::now();
        let budget = AcquireBudget {
            bytes_max: 10 << 20,
            bytes_min,
            records_max,
            wait_max: WAIT,
            dispatch: Dispatch::Records,
        };
        let asks = std::slice::from_ref(&self.ask);
        let never = std::future::pending();
        let mut results = self.queues.acquire(Holder(holder), asks, budget, never).await;
        let slice = results.remove(0).expect("it can be read");
        (slice.acquired, begun.elapsed())
    }

    /// The same for one that comes so many seconds later.
    async fn later(&self, seconds: u64, bytes_min: usize, records_max: u64) -> (Vec<Acquired>, Duration) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        self.acquire(seconds, bytes_min, records_max).await
    }

    /// One batch of small records, after so many seconds.
    async fn append(&self, seconds: u64, count: usize) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        produce(&self.broker, self.topic(), &vec![(None, "x"); count]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn news_that_is_too_little_for_the_first_reaches_all_behind_it_that_want_less() {
    let all = Consumers::begin().await;
    let (first, second, third, ()) = tokio::join!(
        all.later(0, 1 << 20, 1_000),
        all.later(1, 1, 10),
        all.later(2, 1, 1_000),
        all.append(5, 500),
    );
    assert_eq!(first, (vec![], WAIT));
    let got = |range, (acquired, waited): (Vec<Acquired>, Duration)| {
        let deliveries = 1;
        assert_eq!(acquired, [Acquired { range, deliveries }]);
        assert!(waited < WAIT / 2, "{waited:?}");
    };
    got(0..=9, second);
    got(10..=499, third);
}

#[tokio::test(start_paused = true)]
async fn one_that_takes_few_records_has_enough_where_another_has_too_little() {
    let all = Consumers::begin().await;
    let (first, second, ()) = tokio::join!(
        all.later(0, 1 << 20, 1_000),
        all.later(1, 1 << 20, 10),
        all.append(5, 500),
    );
    let deliveries = 1;
    assert_eq!(
        second.0,
        [Acquired {
            range: 0..=9,
            deliveries
        }]
    );
    assert!(second.1 < WAIT / 2, "{:?}", second.1);
    let rest = Acquired {
        range: 10..=499,
        deliveries,
    };
    assert_eq!(first, (vec![rest], WAIT), "what there is when its wait is over");
}

#[tokio::test(start_paused = true)]
async fn what_is_fresh_behind_a_batch_that_was_handed_out_in_part_counts_as_enough() {
    let all = Consumers::begin().await;
    all.append(0, 10).await;
    let (acquired, _) = all.acquire(7, 1, 5).await;
    assert_eq!(acquired[0].range, 0..=4);
    let id = &all.ask.subscription;
    all.queues.release_all(id, Holder(7)).await.expect("it is there");
    all.append(0, 500).await;
    // More than the first batch has.
    let (acquired, waited) = all.acquire(8, 1_000, 10_000).await;
    assert_eq!(acquired.last().map(|acquired| *acquired.range.end()), Some(509));
    assert_eq!(waited, Duration::ZERO);
    all.queues.release_all(id, Holder(8)).await.expect("it is there");
    assert_eq!(
        all.acquire(9, 1 << 20, 510).await.1,
        Duration::ZERO,
        "as many as may be"
    );
}
