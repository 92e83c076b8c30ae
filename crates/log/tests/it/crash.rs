//! Random histories with crashes: what was acknowledged is there, nothing else is, and all state is a function of the log.

use crate::support::{EPOCH, World, large, read_all, sequenced};
use millstream_log::batch::ValidBatch;
use millstream_log::disk::testing::Survival;
use millstream_log::{AppendError, AppendTicket, Fate, Log, ProducerView, StreamId, invariants};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const STREAMS: u64 = 3;
/// How long an upload may go on that finds no room.
const PATIENCE: Duration = Duration::from_secs(30);

/// Batches for a stream.
#[derive(Clone, Debug)]
struct Append {
    stream: u64,
    batches: usize,
    /// In each batch.
    records: usize,
    /// Of a large batch, which stays in the memory of its request: bytes that nobody looks at.
    filler_bytes: Option<usize>,
}

#[derive(Clone, Debug)]
enum Step {
    /// Without waiting for the answers.
    Append(Append),
    /// Waits for all answers.
    Settle,
    /// Lets other tasks run a little.
    Yield(usize),
    /// The next flush fails.
    FailSync,
    /// The next write fails.
    FailWrite,
    Upload,
    /// The object store has so much room left; `None`: any.
    Room(Option<u64>),
    Trim {
        stream: u64,
    },
    /// Power failure: of the writes that were not flushed, these survive.
    Crash(Vec<Survival>),
    /// kill -9.
    Kill,
    Close,
}

fn survival() -> impl Strategy<Value = Survival> {
    prop_oneof![
        Just(Survival::Lost),
        Just(Survival::Whole),
        (0..9000_usize).prop_map(Survival::Prefix),
        (0..9000_usize).prop_map(Survival::Suffix),
        (0..300_000_usize).prop_map(Survival::Prefix),
        (0..300_000_usize).prop_map(Survival::Suffix),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..STREAMS, 1..6_usize, 1..40_usize)
            .prop_map(|(stream, batches, records)| Append { stream, batches, records, filler_bytes: None })
            .prop_map(Step::Append),
        2 => (0..STREAMS, 1..4_usize, 65_536..100_000_usize)
            .prop_map(|(stream, records, bytes)| Append { stream, batches: 1, records, filler_bytes: Some(bytes) })
            .prop_map(Step::Append),
        3 => Just(Step::Settle),
        3 => (0..4_usize).prop_map(Step::Yield),
        1 => Just(Step::FailSync),
        1 => Just(Step::FailWrite),
        2 => Just(Step::Upload),
        1 => proptest::option::of(0..20_000_u64).prop_map(Step::Room),
        1 => (0..STREAMS).prop_map(|stream| Step::Trim { stream }),
        2 => proptest::collection::vec(survival(), 1..4).prop_map(Step::Crash),
        1 => Just(Step::Kill),
        1 => Just(Step::Close),
    ]
}

/// A batch that was given to the log.
struct Sent {
    stream: u64,
    sequence: i32,
    records: usize,
    ticket: AppendTicket,
}

/// What must hold: the acknowledged records of each stream, by offset.
#[derive(Default)]
struct Model {
    acknowledged: BTreeMap<(u64, u64), String>,
    starts: BTreeMap<u64, u64>,
    sent: Vec<Sent>,
    /// A batch's outcome is unknown: it may come back.
    is_unsure: bool,
}

impl Model {
    async fn settle(&mut self) {
        for sent in self.sent.drain(..) {
            let answer = sent.ticket.durable().await;
            if matches!(
                answer,
                Err(AppendError::Storage {
                    fate: Fate::Unknown,
                    ..
                })
            ) {
                self.is_unsure = true;
            }
            if let Ok(appended) = answer {
                assert!(!appended.duplicate);
                for index in 0..sent.records {
                    let key = (sent.stream, appended.base.0 + index as u64);
                    let value = format!("{}/{}.{index}", sent.stream, sent.sequence);
                    let before = self.acknowledged.insert(key, value);
                    assert_eq!(before, None, "an offset is stamped once");
                }
            }
        }
    }

    async fn check(&self, log: &Log) {
        invariants::streams_are_dense(log).unwrap();
        for stream in 0..STREAMS {
            let handle = log.open_stream(StreamId(stream), EPOCH);
            let found: BTreeMap<u64, String> = read_all(&handle).await.into_iter().collect();
            let start = handle.bounds().start.0;
            assert_eq!(start, self.starts.get(&stream).copied().unwrap_or(0));
            let offsets: Vec<u64> = found.keys().copied().filter(|offset| *offset >= start).collect();
            assert_eq!(
                offsets,
                (start..handle.bounds().end.0).collect::<Vec<_>>(),
                "dense"
            );
            for ((_, offset), value) in self.acknowledged.range((stream, start)..(stream + 1, 0)) {
                assert_eq!(found.get(offset), Some(value), "stream {stream} offset {offset}");
            }
        }
    }
}

fn producers(log: &Log) -> Vec<Vec<ProducerView>> {
    (0..STREAMS)
        .map(|stream| log.open_stream(StreamId(stream), EPOCH).producers())
        .collect()
}

async fn send_all(model: &mut Model, log: &Log, next: &mut BTreeMap<u64, i32>, append: &Append) {
    let (stream, records) = (append.stream, append.records);
    for _ in 0..append.batches {
        let make = |sequence| match append.filler_bytes {
            None => sequenced(stream as i64, 0, sequence, records),
            Some(bytes) => large(log, stream as i64, sequence, records, bytes / records),
        };
        send(model, log, next, stream, records, make).await;
    }
}

/// Sends the producer's next batch, which `make` makes of its sequence: after what the log knows of it and what is still under way.
async fn send(
    model: &mut Model,
    log: &Log,
    next: &mut BTreeMap<u64, i32>,
    stream: u64,
    records: usize,
    make: impl FnOnce(i32) -> ValidBatch,
) {
    let handle = log.open_stream(StreamId(stream), EPOCH);
    let sequence = *next.entry(stream).or_insert(0);
    if let Ok(ticket) = handle.append(EPOCH, make(sequence)).await {
        model.sent.push(Sent {
            stream,
            sequence,
            records,
            ticket,
        });
        next.insert(stream, sequence + records as i32);
    }
}

async fn run(steps: Vec<Step>) {
    let mut world = World::new();
    world.config.wal_segment_bytes = 20 << 10;
    world.config.tail_cache_bytes = 8 << 10;
    let mut log = world.open().await.unwrap();
    let mut model = Model::default();
    let mut next = BTreeMap::new();
    for step in steps {
        match step {
            Step::Append(append) => send_all(&mut model, &log, &mut next, &append).await,
            Step::Settle => settle_all(&mut model, &log, &mut next).await,
            Step::Yield(count) => {
                for _ in 0..count {
                    tokio::task::yield_now().await;
                }
            }
            Step::FailSync => world.disk.fail_sync_after(0),
            Step::FailWrite => world.disk.fail_write_after(0),
            Step::Upload => match tokio::time::timeout(PATIENCE, log.upload_now()).await {
                Ok(uploaded) => uploaded.unwrap(),
                Err(_) => invariants::check(&log).unwrap(),
            },
            Step::Room(left) => {
                let room = left.map(|left| world.objects.bytes_used() + left);
                world.objects.set_bytes_max(room);
            }
            Step::Trim { stream } => {
                let handle = log.open_stream(StreamId(stream), EPOCH);
                let bounds = handle.bounds();
                let start = millstream_log::Offset(bounds.start.0.midpoint(bounds.end.0));
                model.starts.insert(stream, handle.trim(start).await.unwrap().0);
            }
            Step::Crash(survivals) => {
                let mut survivals = survivals.into_iter().cycle();
                world.disk.crash(|_, _| survivals.next().unwrap());
                log = restart(&world, log, &mut model, &mut next).await;
            }
            Step::Kill => {
                world.disk.kill();
                log = restart(&world, log, &mut model, &mut next).await;
            }
            Step::Close => {
                settle_all(&mut model, &log, &mut next).await;
                let before = producers(&log);
                let is_unsure = model.is_unsure;
                log.close().await;
                log = restart(&world, log, &mut model, &mut next).await;
                assert!(is_unsure || producers(&log) == before, "replayed as it was live");
            }
        }
    }
    settle_all(&mut model, &log, &mut next).await;
    model.check(&log).await;
    world.objects.set_bytes_max(None);
    log.upload_now().await.unwrap();
    model.check(&log).await;
}

async fn settle_all(model: &mut Model, log: &Log, next: &mut BTreeMap<u64, i32>) {
    model.settle().await;
    follow(log, next);
}

/// The clients' sequences follow what the log holds: a client that was told "not done" sends that sequence again.
fn follow(log: &Log, next: &mut BTreeMap<u64, i32>) {
    for (stream, known) in producers(log).into_iter().enumerate() {
        let sequence = known.first().map_or(0, |view| view.last_sequence + 1);
        next.insert(stream as u64, sequence);
    }
}

/// The process is dead: its handles go, its tasks find a dead disk; what it had acknowledged before must come back.
async fn restart(world: &World, log: Log, model: &mut Model, next: &mut BTreeMap<u64, i32>) -> Log {
    log.close().await;
    drop(log);
    world.disk.heal();
    model.settle().await;
    let log = world
        .open()
        .await
        .expect("only what was not acknowledged is lost");
    model.check(&log).await;
    model.is_unsure = false;
    follow(&log, next);
    log
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn every_acknowledged_batch_survives_any_crash(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(run(steps));
    }
}
