//! Two partitions share the object of an upload. While the object is being put, the records of the first are deleted. The upload's
//! record was then applied part by part: the first part referred to the object and, all of it being trimmed, let go of it again;
//! the object counted as unused, and the second part found it gone. The broker panicked, and at every start again (seed 9).

use super::stage::{Client, act, records, stage, topic};
use millstream_broker::Offset;
use millstream_sim::model::{Place, TopicShape};
use millstream_sim::workload::read_whole;
use millstream_sim::world::Pace;
use std::time::Duration;

#[test]
fn an_upload_keeps_the_object_that_a_trimmed_stream_shares() {
    let run = stage(|plan| {
        plan.log.object_own_bytes = 1 << 20;
        plan.log.tail_cache_bytes = 1 << 10;
        plan.object_pace = Pace {
            slow_rate: 10_000,
            slow_ms_max: 500,
            ..Pace::default()
        };
    });
    act(&run, async |ctx| {
        let topic = topic(&ctx, "a", 2, TopicShape::plain()).await;
        let mut client = Client::default();
        for partition in [0, 1] {
            client
                .send(&ctx, &topic, partition, records(&ctx, &[("k", Some(2_000))]))
                .await;
        }
        let trimmed = async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let place = Place {
                topic: topic.id(),
                partition: 0,
            };
            ctx.model(|model| model.trim_asked(place, Some(1)));
            ctx.broker.delete_records(&topic, 0, Some(Offset(1))).await
        };
        let (uploaded, trimmed) = tokio::join!(ctx.log.upload_now(), trimmed);
        assert_eq!(uploaded, Ok(()));
        assert_eq!(trimmed, Ok(Offset(1)));
    });
    act(&run, async |ctx| {
        let topic = ctx.broker.topic("a").unwrap();
        for partition in [0, 1] {
            let place = Place {
                topic: topic.id(),
                partition,
            };
            read_whole(&ctx, &topic, place).await;
        }
    });
}
