//! The flush of a group failed, and the volume had no room for the segment in which the group would have been voided: nobody knew. The
//! process was killed. The next one read the group from the page cache, which took it for clean; flushed the file, which did nothing; and
//! told the producer's retry that its batch was there. Then the power failed, and the batch was gone (seed 358).

use super::stage::{Client, act, act_and_crash, assert_failed, records, stage, topic};
use millstream_broker::Fate;
use millstream_sim::disk::CrashKind;
use millstream_sim::model::{Place, TopicShape};
use millstream_sim::workload::read_whole;

const SEGMENT_BYTES: u64 = 32 << 10;
/// Most sectors of a page: whole they do not survive by chance.
const VALUE_BYTES: usize = 3_500;

#[test]
fn a_batch_that_a_recovery_acknowledged_outlives_the_next_power_loss() {
    let run = stage(|plan| plan.log.wal_segment_bytes = SEGMENT_BYTES);
    // There is room for one segment only.
    run.world().volume().set_bytes_max(Some(SEGMENT_BYTES));
    let mut client = Client::default();
    let mut batch = None;
    act_and_crash(&run, CrashKind::Kill, async |ctx| {
        let topic = topic(&ctx, "a", 1, TopicShape::plain()).await;
        let value = |key| records(&ctx, &[(key, Some(VALUE_BYTES))]);
        let first = client.batch(&ctx, &topic, 0, value("k"), Some((7, 0, 0)));
        assert_eq!(first.send(&ctx, &topic).await, Ok(0));
        let second = batch.insert(client.batch(&ctx, &topic, 0, value("l"), Some((7, 0, 1))));
        ctx.disk.fail_syncs(1);
        let lost = second.send(&ctx, &topic).await;
        assert_failed(&lost, Fate::Unknown);
    });
    let batch = batch.expect("it was sent");
    act_and_crash(&run, CrashKind::PowerLoss, async |ctx| {
        let topic = ctx.broker.topic("a").unwrap();
        assert_eq!(batch.send(&ctx, &topic).await, Ok(1), "the log has it");
    });
    act(&run, async |ctx| {
        let topic = ctx.broker.topic("a").unwrap();
        let place = Place {
            topic: topic.id(),
            partition: 0,
        };
        read_whole(&ctx, &topic, place).await;
    });
}
