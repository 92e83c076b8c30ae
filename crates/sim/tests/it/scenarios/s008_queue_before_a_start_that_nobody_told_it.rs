//! Who deleted records went away before the answer, and the deletion became durable with the next change of the manifest. The stream
//! hears of its new start only from the first read below it, and that read was a queue's: its consumer was told that an offset which it
//! had never asked for is out of range. Kafka's share consumers do not know that error, and give up.

use super::stage::{Client, act, records, stage, topic};
use millstream_broker::Offset;
use millstream_sim::model::{Place, TopicShape};
use millstream_sim::rng::Rng;
use millstream_sim::workload::{Belief, Consumers};
use millstream_sim::world::Pace;
use std::time::Duration;

#[test]
fn a_queue_goes_on_at_a_start_that_nobody_told_it() {
    let run = stage(|plan| {
        plan.log.tail_cache_bytes = 1 << 10;
        plan.meta_pace = Pace {
            slow_rate: 10_000,
            slow_ms_max: 5,
            ..Pace::default()
        };
    });
    let mut consumers = Consumers::new(Rng::new(1), Belief::WhenTold);
    act(&run, async |ctx| {
        let topic = topic(&ctx, "a", 2, TopicShape::plain()).await;
        for partition in [0, 1] {
            let batch = records(&ctx, &[("k", Some(500)); 4]);
            Client::default().send(&ctx, &topic, partition, batch).await;
        }
        let place = Place {
            topic: topic.id(),
            partition: 0,
        };
        consumers.take(&ctx, &topic, place).await;
        ctx.log.upload_now().await.unwrap();
    });
    act(&run, async |ctx| {
        let topic = ctx.broker.topic("a").unwrap();
        for partition in [0, 1] {
            let place = Place {
                topic: topic.id(),
                partition,
            };
            ctx.model(|model| model.trim_asked(place, Some(1)));
        }
        let left = ctx.broker.delete_records(&topic, 0, Some(Offset(1)));
        let left = tokio::time::timeout(Duration::ZERO, left).await;
        assert!(left.is_err(), "he goes away while the store is at work");
        let trimmed = ctx.broker.delete_records(&topic, 1, Some(Offset(1))).await;
        assert_eq!(trimmed, Ok(Offset(1)));
        let told = topic.stream(0).unwrap().bounds().start;
        assert_eq!(told, Offset(0), "nobody told the stream");
        consumers.drain(&ctx).await;
    });
}
