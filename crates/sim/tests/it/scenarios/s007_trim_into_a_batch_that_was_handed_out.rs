//! Records of a batch were handed out and had no end yet when records were deleted up to an offset in the middle of the batch. The log
//! keeps the whole batch, as it must, and the queue begins at the new start, as it must; but the judge took each record of a batch that
//! is kept for kept, and accused the queue of losing those below the start.

use super::stage::{Client, act, records, stage, topic};
use millstream_broker::Offset;
use millstream_sim::model::{Place, TopicShape};
use millstream_sim::rng::Rng;
use millstream_sim::workload::{Belief, Consumers};

#[test]
fn records_below_the_start_that_had_no_end_are_not_missed() {
    let run = stage(|_| {});
    let mut consumers = Consumers::new(Rng::new(1), Belief::WhenTold);
    act(&run, async |ctx| {
        let topic = topic(&ctx, "a", 1, TopicShape::plain()).await;
        let batch = records(&ctx, &[("k", Some(10)); 4]);
        Client::default().send(&ctx, &topic, 0, batch).await;
        let place = Place {
            topic: topic.id(),
            partition: 0,
        };
        consumers.take(&ctx, &topic, place).await;
        ctx.model(|model| model.trim_asked(place, Some(2)));
        let trimmed = ctx.broker.delete_records(&topic, 0, Some(Offset(2))).await;
        assert_eq!(trimmed, Ok(Offset(2)));
    });
    act(&run, async |ctx| consumers.drain(&ctx).await);
}
