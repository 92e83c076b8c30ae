//! Compaction had taken every record between the reader's offset and the part of the stream that was still in memory. The read from
//! objects ended at the first batch in memory, found nothing below it, and answered "nothing, go on where you are". Readers stood
//! still for ever; and the replay of a state stream took it for the end, so that group offsets came back empty (seeds 10, 19).

use super::stage::{Client, act, records, stage, topic};
use millstream_sim::model::{Place, TopicShape};
use millstream_sim::workload::{read_from, read_whole};

#[test]
fn a_reader_is_led_over_what_compaction_took() {
    let run = stage(|plan| {
        // The newest groups stay in memory, the older ones do not.
        plan.log.tail_cache_bytes = 8 << 10;
        plan.log.block_target_bytes = 1 << 10;
        plan.log.object_own_bytes = 1 << 10;
    });
    let shape = TopicShape {
        compact: true,
        delete: false,
        ..TopicShape::plain()
    };
    act(&run, async |ctx| {
        let topic = topic(&ctx, "a", 1, shape).await;
        let place = Place {
            topic: topic.id(),
            partition: 0,
        };
        let mut client = Client::default();
        for _ in 0..12 {
            client
                .send(&ctx, &topic, 0, records(&ctx, &[("k", Some(1_000))]))
                .await;
        }
        ctx.log.upload_now().await.unwrap();
        ctx.log.housekeep_now().await.unwrap();
        for from in 0..12 {
            read_from(&ctx, &topic, place, from).await;
        }
        read_whole(&ctx, &topic, place).await;
    });
}
