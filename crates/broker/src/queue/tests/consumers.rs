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
        Self::of(&broker, "t").await
    }

    /// Consumers of one more topic.
    async fn of(broker: &Broker, name: &str) -> Self {
        let topic = topic(broker, name, &[]).await;
        let queues = Queues::new(broker.clone(), tokio::runtime::Handle::current(), Arc::new(Terms));
        let subscription = SubscriptionId {
            space: Space(1),
            name: Arc::from("g"),
            topic: topic.id(),
            partition: 0,
        };
        let ask = AcquireAsk { subscription, topic };
        let broker = broker.clone();
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

#[tokio::test(start_paused = true)]
async fn who_asks_for_no_subscription_is_answered_at_once() {
    let all = Consumers::begin().await;
    let budget = AcquireBudget {
        bytes_max: 1,
        bytes_min: 1 << 20,
        records_max: 1,
        wait_max: WAIT,
        dispatch: Dispatch::Records,
    };
    let begun = Instant::now();
    let results = all
        .queues
        .acquire(Holder(1), &[], budget, std::future::pending())
        .await;
    assert!(results.is_empty() && begun.elapsed().is_zero());
}

const CROWD: u64 = 1_000;
const APPENDS: u64 = 20;

#[tokio::test(start_paused = true)]
async fn an_append_that_is_enough_for_nobody_costs_one_look_however_many_wait() {
    let all = Consumers::begin().await;
    let crowd = (0..CROWD).map(|holder| all.acquire(holder, 1 << 20, 10_000));
    let crowd = futures_util::future::join_all(crowd);
    let appends = async {
        all.append(1, 1).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let before = all.queues.looks();
        for _ in 0..APPENDS {
            all.append(0, 3).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let looks = all.queues.looks() - before;
        assert!(
            looks <= 2 * APPENDS,
            "{looks} looks for {APPENDS} appends with {CROWD} waiting"
        );
        // One who is content with that is told at once, from the end of the line.
        let modest = all.acquire(CROWD, 100, 1_000).await;
        assert_eq!((modest.0.len(), modest.1), (1, Duration::ZERO));
    };
    let (crowd, ()) = tokio::join!(crowd, appends);
    assert!(crowd.iter().all(|(acquired, _)| acquired.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn of_many_that_wait_only_those_for_whom_it_is_enough_look() {
    let all = Consumers::begin().await;
    let crowd = (0..CROWD).map(|holder| all.acquire(holder, 1 << 20, 10_000));
    let crowd = futures_util::future::join_all(crowd);
    let last = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        tokio::join!(
            all.acquire(CROWD, 500, 1_000),
            all.acquire(CROWD + 1, 5_000, 1_000)
        )
    };
    let appends = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let before = all.queues.looks();
        all.append(0, 100).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        all.append(0, 1_000).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let looks = all.queues.looks() - before;
        assert!(looks <= 10, "{looks}");
    };
    let (_, (first, second), ()) = tokio::join!(crowd, last, appends);
    let ranges =
        |got: &(Vec<Acquired>, Duration)| got.0.iter().map(|one| one.range.clone()).collect::<Vec<_>>();
    assert_eq!(ranges(&first), [0..=99]);
    assert_eq!(ranges(&second), [100..=1_099]);
}

#[tokio::test(start_paused = true)]
async fn a_long_backlog_is_weighed_once_while_somebody_waits_for_more() {
    let all = Consumers::begin().await;
    let waits = async {
        // One of them comes later, and finds it weighed.
        tokio::join!(all.acquire(1, 1 << 20, 10_000), all.later(9, 1 << 20, 10_000))
    };
    let appends = async {
        for _ in 0..100 {
            all.append(0, 2).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let weighed = all.queues.weighed();
        assert!(weighed <= 100 + 2, "{weighed} batches weighed of 100");
    };
    tokio::join!(waits, appends);
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_at_many_subscriptions_looks_at_those_with_news_and_has_enough_of_all_together() {
    const LINES: usize = 50;
    let broker = World::default().open().await;
    let mut all = Vec::new();
    for number in 0..LINES {
        all.push(Consumers::of(&broker, &format!("t{number}")).await);
    }
    let asks: Vec<_> = all.iter().map(|one| one.ask.clone()).collect();
    let queues = &all[0].queues;
    for bytes_min in [1, 40_000] {
        let budget = AcquireBudget {
            bytes_max: 10 << 20,
            bytes_min,
            records_max: 100_000,
            wait_max: WAIT,
            dispatch: Dispatch::Records,
        };
        let begun = Instant::now();
        let waits = queues.acquire(Holder(1), &asks, budget, std::future::pending());
        let appends = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let before = queues.looks();
            let mut appended = 0;
            // A batch of 100 records has some 800 bytes: less in each line than in all of them.
            for one in &all[..LINES / 2] {
                if bytes_min > 1 || appended == 0 {
                    one.append(0, 100).await;
                    appended += 1;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            let looks = queues.looks() - before;
            // Half of what it misses comes in between: then it looks at all of them, once.
            let at_all = if bytes_min > 1 { LINES as u64 } else { 0 };
            assert!(
                looks <= appended + 1 + at_all,
                "{looks} looks for {appended} appends"
            );
            if bytes_min > 1 {
                for one in &all {
                    one.append(0, 300).await;
                }
            }
        };
        let (results, ()) = tokio::join!(waits, appends);
        let got: usize = results.iter().flatten().map(|slice| slice.bytes).sum();
        assert!(got >= bytes_min && begun.elapsed() < WAIT / 2, "{got} bytes");
        for (one, result) in all.iter().zip(&results) {
            let has_some = result.as_ref().is_ok_and(|slice| !slice.acquired.is_empty());
            if has_some {
                let id = &one.ask.subscription;
                queues
                    .restart(id, one.topic().stream(0).expect("one partition").bounds().end.0)
                    .await
                    .expect("kept");
            }
        }
    }
}
