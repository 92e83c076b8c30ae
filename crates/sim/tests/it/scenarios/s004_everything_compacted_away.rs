//! The newest record of a compacted partition was a tombstone, and its time was over: compaction left nothing at all of the stream,
//! whose end stayed where it was. A reader between the two waited for ever for an offset that no batch would lead it to; a client
//! that reads "to the end" never came to the end (seed 27). The last batch of a stream stays, if need be without records.

use super::stage::{Client, act, records, stage, topic};
use millstream_sim::model::{Place, TopicShape};
use millstream_sim::workload::read_from;
use std::time::Duration;

#[test]
fn a_reader_comes_to_the_end_of_a_stream_of_which_nothing_is_kept() {
    let run = stage(|plan| plan.log.tail_cache_bytes = 1 << 10);
    let shape = TopicShape {
        compact: true,
        delete: false,
        tombstone_ms: 0,
        ..TopicShape::plain()
    };
    act(&run, async |ctx| {
        let topic = topic(&ctx, "a", 1, shape).await;
        let mut client = Client::default();
        client
            .send(&ctx, &topic, 0, records(&ctx, &[("k", Some(2_000))]))
            .await;
        client.send(&ctx, &topic, 0, records(&ctx, &[("k", None)])).await;
        ctx.log.upload_now().await.unwrap();
        // The first round gives the tombstone its time, the second takes it.
        for _ in 0..3 {
            ctx.log.housekeep_now().await.unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    act(&run, async |ctx| {
        let topic = ctx.broker.topic("a").unwrap();
        let place = Place {
            topic: topic.id(),
            partition: 0,
        };
        for from in 0..2 {
            read_from(&ctx, &topic, place, from).await;
        }
    });
}
