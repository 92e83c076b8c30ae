//! A new idempotent producer has two batches in flight. The write of the first fails, its offsets and its sequence are taken back;
//! then the stream knew nothing of the producer, so it took the second batch (a producer without history may begin anywhere) and
//! answered the retry of the first with "duplicate": success for a batch that was never written (trap T2; seed 36).

use super::stage::{Client, act, assert_failed, records, stage, topic};
use millstream_broker::Fate;
use millstream_sim::model::TopicShape;

#[test]
fn the_second_batch_of_a_new_producer_waits_for_the_first() {
    let run = stage(|_| {});
    act(&run, async |ctx| {
        let topic = topic(&ctx, "a", 1, TopicShape::plain()).await;
        let mut client = Client::default();
        let first = client.batch(&ctx, &topic, 0, records(&ctx, &[("k", Some(1))]), Some((7, 0, 0)));
        let second = client.batch(&ctx, &topic, 0, records(&ctx, &[("k", Some(2))]), Some((7, 0, 1)));
        ctx.disk.fail_writes(1);
        first.send(&ctx, &topic).await.expect_err("its write failed");
        let early = second.send(&ctx, &topic).await;
        assert_failed(&early, Fate::NotDone);
        assert_eq!(first.send(&ctx, &topic).await, Ok(0));
        assert_eq!(second.send(&ctx, &topic).await, Ok(1));
    });
}
