//! A stage for scenarios: the simulated world without chance, and a client that does what the script says.

use millstream_broker::{AppendError, Dry, Fate, ProduceError, Topic, TopicSpec};
use millstream_log::batch::Codec;
use millstream_sim::disk::CrashKind;
use millstream_sim::life::End;
use millstream_sim::model::{Outcome, Place, SentRecord, TopicShape};
use millstream_sim::plan::{Ending, LifePlan, Plan};
use millstream_sim::run::Run;
use millstream_sim::trace::Lines;
use millstream_sim::workload::{Ctx, encode};
use millstream_sim::world::Pace;
use std::fmt::Debug;
use std::sync::Arc;

/// Lines of the trace that a failure shows.
const LINES: Lines = Lines::Tail(300);

/// A world without faults and with `change`d sizes.
pub fn stage(change: impl FnOnce(&mut Plan)) -> Run {
    let mut plan = Plan::of_seed(0).without_faults();
    plan.disk_pace = Pace::default();
    plan.object_pace = Pace::default();
    plan.meta_pace = Pace::default();
    // Background work only when the script asks for it.
    plan.log.upload_age = std::time::Duration::from_secs(3_600);
    plan.log.upload_bytes = 1 << 30;
    plan.log.wal_unuploaded_bytes_max = 1 << 30;
    plan.log.housekeeping_interval = std::time::Duration::from_secs(3_600);
    change(&mut plan);
    Run::new(plan, LINES)
}

/// One life that follows the script and ends with an orderly close.
pub fn act(run: &Run, script: impl AsyncFnOnce(Ctx)) {
    act_until(run, LifePlan::calm(), Ending::Close, End::Closed, script);
}

/// One life that follows the script and ends with a crash.
pub fn act_and_crash(run: &Run, kind: CrashKind, script: impl AsyncFnOnce(Ctx)) {
    let life = LifePlan {
        kind,
        ..LifePlan::calm()
    };
    act_until(run, life, Ending::Crash, End::Crashed, script);
}

fn act_until(run: &Run, life: LifePlan, ending: Ending, expected: End, script: impl AsyncFnOnce(Ctx)) {
    let end = run.live(life, async |ctx| {
        script(ctx).await;
        ending
    });
    let trace = run.world().trace().tail().join("\n");
    assert_eq!(end, expected, "{trace}\n{:?}", run.world().violation());
}

/// The append failed in the log, and that is what is known of it.
pub fn assert_failed<T: Debug>(answer: &Result<T, ProduceError>, expected: Fate) {
    let is_expected =
        matches!(answer, Err(ProduceError::Log(AppendError::Storage { fate, .. })) if *fate == expected);
    assert!(is_expected, "{answer:?}");
}

/// Creates a topic with one partition, known to the model.
pub async fn topic(ctx: &Ctx, name: &str, partitions: u32, shape: TopicShape) -> Arc<Topic> {
    let spec = TopicSpec {
        name: name.to_owned(),
        partitions: Some(partitions),
        configs: shape.configs(),
    };
    ctx.broker
        .create_topic(&spec, Dry::Run)
        .await
        .expect("nothing fails on this stage");
    let topic = ctx.broker.topic(name).expect("just created");
    ctx.judge(|model| model.topic_is_live(topic.id(), name, partitions, shape));
    topic
}

/// Records of these keys; a value of `None` is a tombstone.
pub fn records(ctx: &Ctx, pairs: &[(&str, Option<usize>)]) -> Vec<SentRecord> {
    let record = |(key, bytes): &(&str, Option<usize>)| SentRecord {
        key: Some(key.as_bytes().to_vec()),
        value: bytes.map(|bytes| vec![b'x'; bytes]),
        timestamp: ctx.world.wall_ms(),
    };
    pairs.iter().map(record).collect()
}

/// A client.
#[derive(Default)]
pub struct Client {
    order: u64,
}

/// A batch that can be sent again.
pub struct Sendable {
    id: millstream_sim::model::BatchId,
    place: Place,
    bytes: bytes::Bytes,
}

impl Client {
    /// Makes a batch.
    pub fn batch(
        &mut self,
        ctx: &Ctx,
        topic: &Topic,
        partition: u32,
        records: Vec<SentRecord>,
        producer: Option<(i64, i16, i32)>,
    ) -> Sendable {
        self.order += 1;
        let place = Place {
            topic: topic.id(),
            partition,
        };
        let id = ctx.model(|model| model.send_new((0, self.order), place, records.clone(), producer));
        let bytes = encode(id, &records, Codec::None, producer);
        Sendable { id, place, bytes }
    }

    /// Makes a batch and sends it.
    pub async fn send(&mut self, ctx: &Ctx, topic: &Topic, partition: u32, records: Vec<SentRecord>) {
        let batch = self.batch(ctx, topic, partition, records, None);
        batch
            .send(ctx, topic)
            .await
            .expect("nothing fails unless asked to");
    }
}

impl Sendable {
    /// Sends it, once more or for the first time.
    pub async fn send(&self, ctx: &Ctx, topic: &Topic) -> Result<u64, ProduceError> {
        ctx.model(|model| model.attempt(self.id));
        let pending = ctx
            .broker
            .append(topic, self.place.partition, self.bytes.clone())
            .await;
        let answer = match pending {
            Ok(pending) => pending.durable().await.map(|produced| produced.base.0),
            Err(error) => Err(error),
        };
        let outcome = match &answer {
            Ok(base) => Outcome::Acked(*base),
            Err(ProduceError::Log(AppendError::OutOfOrderSequence)) => Outcome::NotDone,
            Err(_) => Outcome::Unknown,
        };
        ctx.judge(|model| model.ended(self.id, outcome));
        answer
    }
}
