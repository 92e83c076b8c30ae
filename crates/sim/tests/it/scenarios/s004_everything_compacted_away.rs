//! A topic without keys became a compacted one. Compaction drops records without a key, and left nothing at all of a partition, whose
//! end stayed where it was. A reader between the two waited for ever for an offset that no batch would lead it to; a client
//! that reads "to the end" never came to the end (seed 27). The last batch of a stream stays, if need be without records.

use super::stage::{Client, act, records, stage, topic};
use millstream_broker::Dry;
use millstream_sim::model::{Place, TopicShape};
use millstream_sim::workload::read_from;

#[test]
fn a_reader_comes_to_the_end_of_a_stream_of_which_nothing_is_kept() {
    let run = stage(|plan| plan.log.tail_cache_bytes = 1 << 10);
    let compacted = TopicShape {
        compact: true,
        delete: false,
        ..TopicShape::plain()
    };
    act(&run, async |ctx| {
        let topic = topic(&ctx, "a", 1, TopicShape::plain()).await;
        let mut client = Client::default();
        for _ in 0..2 {
            let mut keyless = records(&ctx, &[("k", Some(2_000))]);
            keyless[0].key = None;
            client.send(&ctx, &topic, 0, keyless).await;
        }
        ctx.log.upload_now().await.unwrap();
        ctx.model(|model| model.reshaping(topic.id(), &compacted));
        ctx.broker
            .replace_topic_configs("a", &compacted.configs(), Dry::Run)
            .await
            .unwrap();
        ctx.log.housekeep_now().await.unwrap();
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
