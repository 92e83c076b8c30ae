//! A disk holds the write-ahead log and the objects, and is full. Then a little room is made: less than a segment, and less than what
//! waits to be uploaded. An upload was made whole or not at all, so it never fitted, no segment was ever free again, and every
//! append was refused until somebody made room for all of it.

use super::stage::{Client, Sendable, records, stage, topic};
use millstream_broker::Topic;
use millstream_sim::disk::CrashKind;
use millstream_sim::life::End;
use millstream_sim::model::{Place, TopicShape};
use millstream_sim::plan::{Ending, LifePlan};
use millstream_sim::run::Run;
use millstream_sim::workload::{Ctx, read_whole};
use millstream_sim::world::CrashPlan;
use std::time::Duration;

const SEGMENT_BYTES: u64 = 64 << 10;
const DISK_BYTES: u64 = 300 << 10;
/// With it, and what four segments leave, there is still no room for a fifth.
const LITTLE_BYTES: u64 = 16 << 10;
const _: () = assert!(DISK_BYTES + LITTLE_BYTES < 5 * SEGMENT_BYTES);
/// With its head it fills a page of the write-ahead log.
const VALUE_BYTES: usize = 3_500;
/// What must go through once there is a little room.
const BATCHES_AFTERWARDS: u32 = 8;
/// Refusals in a row that make a disk full.
const REFUSALS_FULL: u32 = 10;
/// At a tenth of a second each: ten minutes.
const REFUSALS_PATIENT: u32 = 6_000;
const PAUSE: Duration = Duration::from_millis(100);

/// An idempotent producer that sends one batch after the other, each until it is acknowledged. It outlives the broker.
#[derive(Default)]
struct Patient {
    client: Client,
    sequence: i32,
    batch: Option<Sendable>,
}

impl Patient {
    /// Sends up to `batches`; answers how many were acknowledged before so many refusals of one of them.
    async fn send(&mut self, ctx: &Ctx, topic: &Topic, batches: u32, refusals_max: u32) -> u32 {
        for sent in 0..batches {
            let fresh = || {
                let records = records(ctx, &[("k", Some(VALUE_BYTES))]);
                let producer = Some((7, 0, self.sequence));
                self.client.batch(ctx, topic, 0, records, producer)
            };
            let batch = self.batch.take().unwrap_or_else(fresh);
            let mut refusals = 0;
            // Kept before it is sent: a crash takes this future away.
            let batch = self.batch.insert(batch);
            while batch.send(ctx, topic).await.is_err() {
                refusals += 1;
                if refusals == refusals_max {
                    return sent;
                }
                tokio::time::sleep(PAUSE).await;
            }
            self.batch = None;
            self.sequence += 1;
        }
        batches
    }
}

fn world() -> Run {
    stage(|plan| {
        plan.log.wal_segment_bytes = SEGMENT_BYTES;
        plan.log.wal_group_bytes_max = 8 << 10;
        plan.log.tail_cache_bytes = 16 << 10;
        plan.log.object_own_bytes = 4 << 10;
        plan.log.upload_bytes = 128 << 10;
        plan.log.upload_age = Duration::from_secs(60);
        // What a crash left of an upload is swept.
        plan.log.housekeeping_interval = Duration::from_secs(5);
    })
}

fn live(run: &Run, crash: CrashPlan, ending: Ending, script: impl AsyncFnOnce(Ctx)) -> End {
    let life = LifePlan {
        crash,
        kind: CrashKind::PowerLoss,
        ..LifePlan::calm()
    };
    let end = run.live(life, async |ctx| {
        script(ctx).await;
        ending
    });
    let trace = run.world().trace().tail().join("\n");
    assert!(end != End::Violated, "{trace}\n{:?}", run.world().violation());
    end
}

/// Filled, and the power fails.
fn full(patient: &mut Patient) -> Run {
    let run = world();
    run.world().volume().set_bytes_max(Some(DISK_BYTES));
    live(&run, CrashPlan::Never, Ending::Crash, async |ctx| {
        let topic = topic(&ctx, "a", 1, TopicShape::plain()).await;
        let sent = patient.send(&ctx, &topic, u32::MAX, REFUSALS_FULL).await;
        assert!(sent > 30, "{sent} batches make it full");
        let used = ctx.world.volume().bytes_used();
        assert!(used + SEGMENT_BYTES > DISK_BYTES, "{used} bytes are used");
    });
    run
}

/// A little room, and a crash; then whoever is patient gets through, and all that was acknowledged is there.
fn comes_to_life(room_bytes: u64, crash: CrashPlan) -> End {
    let mut patient = Patient::default();
    let run = full(&mut patient);
    let volume = run.world().volume();
    volume.set_bytes_max(Some(DISK_BYTES + room_bytes));
    let mut goes_on = async |ctx: Ctx| {
        let topic = ctx.broker.topic("a").expect("it was created");
        let sent = patient
            .send(&ctx, &topic, BATCHES_AFTERWARDS, REFUSALS_PATIENT)
            .await;
        assert_eq!(sent, BATCHES_AFTERWARDS, "producing goes on");
        let place = Place {
            topic: topic.id(),
            partition: 0,
        };
        read_whole(&ctx, &topic, place).await;
    };
    let end = live(&run, crash, Ending::Close, &mut goes_on);
    if end == End::Crashed {
        // What is left of the segment in which the crash came is lost as room until everything in it is uploaded.
        volume.set_bytes_max(Some(DISK_BYTES + room_bytes + SEGMENT_BYTES));
        live(&run, CrashPlan::Never, Ending::Close, &mut goes_on);
    }
    run.world().calm();
    let rest = live(&run, CrashPlan::Never, Ending::Close, async |ctx| {
        let topic = ctx.broker.topic("a").expect("it was created");
        let place = Place {
            topic: topic.id(),
            partition: 0,
        };
        read_whole(&ctx, &topic, place).await;
        ctx.log.upload_now().await.expect("there is room");
        read_whole(&ctx, &topic, place).await;
    });
    assert_eq!(rest, End::Closed);
    end
}

#[test]
fn room_for_less_than_a_segment_and_less_than_what_waits_brings_producing_back() {
    comes_to_life(LITTLE_BYTES, CrashPlan::Never);
}

/// It goes to an upload or to the next segment, whoever comes first.
#[test]
fn room_for_one_segment_brings_producing_back() {
    comes_to_life(SEGMENT_BYTES, CrashPlan::Never);
}

#[test]
fn a_crash_amid_uploads_of_a_part_loses_nothing_and_producing_comes_back() {
    for site in ["objects.put", "objects.delete", "disk.rename", "disk.write"] {
        let mut visit = 1;
        while comes_to_life(LITTLE_BYTES, CrashPlan::AtVisit(site, visit)) == End::Crashed {
            visit += 1;
        }
        assert!(visit > 1, "{site} is passed");
    }
}
