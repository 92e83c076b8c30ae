//! Uploads of a part of what waits, over the real tails: whatever fits into objects, and wherever a trim cuts in, the next start finds
//! every stream exactly as it was. Compared is all that is remembered, down to the last batch of each producer: clients see little
//! of it, and late.

use crate::batch::{BatchBuilder, Codec, ControlKind, ControlRecord, NewRecord, ValidBatch};
use crate::config::LogConfig;
use crate::disk::testing::MemoryDisk;
use crate::ids::{AbortedTransaction, Epoch, Offset, StreamId};
use crate::manifest::memory::MemoryManifest;
use crate::manifest::record::ProducerSnapshot;
use crate::objects::memory::MemoryObjects;
use crate::stream::StreamBounds;
use crate::test_world::FakeClock;
use crate::{Log, LogPorts, WalRunner, invariants};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const STREAMS: u64 = 3;
/// From this one on they write in transactions.
const TRANSACTIONAL_FROM: i64 = 2;
const PRODUCERS: i64 = 4;
const TIMESTAMP: i64 = 1_700_000_000_000;

#[derive(Clone, Debug)]
enum Step {
    /// So many batches of one producer, each in a group of its own if `apart`.
    Append {
        stream: u64,
        producer: i64,
        batches: usize,
        apart: bool,
    },
    /// The end of the producer's transaction.
    End {
        stream: u64,
        producer: i64,
        kind: ControlKind,
    },
    /// A new epoch of the stream.
    Epoch { stream: u64 },
    /// Of what the stream holds, so many percent go.
    Trim { stream: u64, percent: u64 },
    /// An upload to a store that has so much room left.
    Upload { room: u64 },
    /// kill -9, and a start.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let append = (0..STREAMS, 0..PRODUCERS, 1..8_usize, any::<bool>());
    let kind = prop_oneof![Just(ControlKind::Abort), Just(ControlKind::Commit)];
    prop_oneof![
        8 => append.prop_map(|(stream, producer, batches, apart)| Step::Append {
            stream,
            producer,
            batches,
            apart,
        }),
        2 => (0..STREAMS, TRANSACTIONAL_FROM..PRODUCERS, kind)
            .prop_map(|(stream, producer, kind)| Step::End { stream, producer, kind }),
        1 => (0..STREAMS).prop_map(|stream| Step::Epoch { stream }),
        1 => (0..STREAMS, 0..=100_u64).prop_map(|(stream, percent)| Step::Trim { stream, percent }),
        3 => (0..20_000_u64).prop_map(|room| Step::Upload { room }),
        2 => Just(Step::Restart),
    ]
}

/// What outlives the process, and what the clients know.
struct World {
    disk: MemoryDisk,
    objects: Arc<MemoryObjects>,
    manifest: Arc<MemoryManifest>,
    clock: Arc<FakeClock>,
    sequences: BTreeMap<(u64, i64), i32>,
    epochs: BTreeMap<u64, u32>,
}

/// All that is remembered of a stream.
#[derive(Debug, PartialEq)]
struct Remembered {
    bounds: StreamBounds,
    producers: Vec<ProducerSnapshot>,
    aborted: Vec<AbortedTransaction>,
    /// Where epochs end, but for those that end at the start or below: the manifest forgets them.
    epochs: Vec<(Epoch, Offset)>,
}

impl World {
    fn new() -> Self {
        Self {
            disk: MemoryDisk::new(),
            objects: Arc::default(),
            manifest: Arc::new(MemoryManifest::new()),
            clock: Arc::default(),
            sequences: BTreeMap::new(),
            epochs: BTreeMap::new(),
        }
    }

    async fn open(&self) -> Log {
        let config = LogConfig {
            wal_segment_bytes: 32 << 10,
            // Some of what waits is read from the medium.
            tail_cache_bytes: 8 << 10,
            ..LogConfig::default()
        };
        let ports = LogPorts {
            clock: self.clock.clone(),
            disk: Arc::new(self.disk.clone()),
            objects: self.objects.clone(),
            second_tier: None,
            manifest: self.manifest.clone(),
            wal_runner: WalRunner::Task,
        };
        Log::open(config, ports).await.expect("what is there is whole")
    }

    fn epoch(&self, stream: u64) -> Epoch {
        Epoch(self.epochs.get(&stream).copied().unwrap_or(1))
    }

    async fn append(&mut self, log: &Log, stream: u64, batches: Vec<ValidBatch>, apart: bool) {
        let epoch = self.epoch(stream);
        let handle = log.open_stream(StreamId(stream), epoch);
        let mut tickets = Vec::new();
        for batch in batches {
            self.clock.advance(1);
            let ticket = handle.append(epoch, batch).await.expect("queued");
            if apart {
                ticket.durable().await.expect("durable");
            } else {
                tickets.push(ticket);
            }
        }
        for ticket in tickets {
            ticket.durable().await.expect("durable");
        }
    }

    fn batch(&mut self, stream: u64, producer: i64) -> ValidBatch {
        let sequence = self.sequences.entry((stream, producer)).or_default();
        let mut builder = BatchBuilder::new(Codec::None).producer(producer, 0, *sequence);
        if producer >= TRANSACTIONAL_FROM {
            builder = builder.transactional();
        }
        *sequence += 1;
        let record = NewRecord {
            timestamp: TIMESTAMP,
            key: None,
            value: Some(&[b'v'; 500]),
            headers: &[],
        };
        builder.push(&record).expect("it fits");
        builder.finish().expect("it has a record")
    }

    fn remembered(&self, log: &Log, stream: u64) -> Remembered {
        let handle = log.open_stream(StreamId(stream), self.epoch(stream));
        let start = handle.bounds().start;
        let partition = log.core().partition(StreamId(stream));
        let known = partition.with_producers(|known| known.map_or_else(Vec::new, |known| known.snapshot()));
        let last = self.epoch(stream).0;
        Remembered {
            // The newest batch counts as long as it is in the tail, also below the start.
            bounds: StreamBounds {
                bytes: 0,
                ..handle.bounds()
            },
            producers: known,
            aborted: handle.aborted_between(start, Offset(u64::MAX)),
            epochs: (0..=last)
                .filter_map(|epoch| handle.epoch_end(Epoch(epoch)))
                .filter(|(_, end)| *end > start)
                .collect(),
        }
    }
}

async fn restart(world: &World, log: Log) -> Log {
    let look = |log: &Log| -> Vec<_> { (0..STREAMS).map(|at| world.remembered(log, at)).collect() };
    let before = look(&log);
    world.disk.kill();
    log.close().await;
    drop(log);
    world.disk.heal();
    let log = world.open().await;
    assert_eq!(look(&log), before);
    invariants::check(&log).expect("every invariant");
    log
}

async fn run(steps: Vec<Step>) {
    let mut world = World::new();
    let mut log = world.open().await;
    for step in steps {
        match step {
            Step::Append {
                stream,
                producer,
                batches,
                apart,
            } => {
                let batches = (0..batches).map(|_| world.batch(stream, producer)).collect();
                world.append(&log, stream, batches, apart).await;
            }
            Step::End {
                stream,
                producer,
                kind,
            } => {
                let record = ControlRecord {
                    kind,
                    coordinator_epoch: 3,
                };
                let marker = record.build(producer, 0, TIMESTAMP).expect("a marker");
                world.append(&log, stream, vec![marker], true).await;
            }
            Step::Epoch { stream } => *world.epochs.entry(stream).or_insert(1) += 1,
            Step::Trim { stream, percent } => {
                let handle = log.open_stream(StreamId(stream), world.epoch(stream));
                let (start, end) = (handle.bounds().start.0, handle.bounds().end.0);
                let to = Offset(start + (end - start) * percent / 100);
                handle.trim(to).await.expect("it is durable up to there");
            }
            Step::Upload { room } => {
                let used = world.objects.bytes_used();
                world.objects.set_bytes_max(Some(used + room));
                let patience = Duration::from_secs(1);
                if let Ok(uploaded) = tokio::time::timeout(patience, log.upload_now()).await {
                    uploaded.expect("the upload");
                }
                invariants::check(&log).expect("every invariant");
            }
            Step::Restart => log = restart(&world, log).await,
        }
    }
    restart(&world, log).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]
    #[test]
    fn a_start_finds_everything_as_it_was_whatever_was_uploaded(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        runtime.block_on(run(steps));
    }
}
