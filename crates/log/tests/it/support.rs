//! A log on media that survive its crash.

use millstream_log::batch::{BatchBuilder, Codec, NewRecord, StoredBatch, ValidBatch, split};
use millstream_log::disk::testing::MemoryDisk;
use millstream_log::manifest::memory::MemoryManifest;
use millstream_log::objects::memory::MemoryObjects;
use millstream_log::objects::tier::SecondTier;
use millstream_log::{
    Appended, Clock, Epoch, Log, LogConfig, LogPorts, Offset, OpenError, ReadLimit, Stream, StreamId,
    TimestampMs, WalRunner,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Wall time that only a test moves; monotonic time is the runtime's.
pub struct TestClock {
    wall_ms: AtomicI64,
    start: tokio::time::Instant,
}

impl TestClock {
    pub fn advance(&self, by: Duration) {
        self.wall_ms.fetch_add(by.as_millis() as i64, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn wall_ms(&self) -> TimestampMs {
        self.wall_ms.load(Ordering::Relaxed)
    }
    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// What outlives a process.
#[derive(Clone)]
pub struct World {
    pub disk: MemoryDisk,
    pub objects: Arc<MemoryObjects>,
    pub manifest: Arc<MemoryManifest>,
    pub clock: Arc<TestClock>,
    pub config: LogConfig,
    pub second_tier: Option<Arc<dyn SecondTier>>,
}

impl World {
    pub fn new() -> Self {
        let config = LogConfig {
            wal_segment_bytes: 64 << 10,
            ..LogConfig::default()
        };
        Self {
            disk: MemoryDisk::new(),
            objects: Arc::new(MemoryObjects::new()),
            manifest: Arc::new(MemoryManifest::new()),
            clock: Arc::new(TestClock {
                wall_ms: AtomicI64::new(1_700_000_000_000),
                start: tokio::time::Instant::now(),
            }),
            config,
            second_tier: None,
        }
    }

    pub async fn open(&self) -> Result<Log, OpenError> {
        let ports = LogPorts {
            clock: self.clock.clone(),
            disk: Arc::new(self.disk.clone()),
            objects: self.objects.clone(),
            second_tier: self.second_tier.clone(),
            manifest: self.manifest.clone(),
            wal_runner: WalRunner::Task,
        };
        Log::open(self.config.clone(), ports).await
    }
}

pub const STREAM: StreamId = StreamId(7);
pub const EPOCH: Epoch = Epoch(1);
pub const ALL: ReadLimit = ReadLimit {
    bytes_max: usize::MAX,
    at_least_one: true,
    below: Offset(u64::MAX),
};

/// A batch of `count` records whose values begin with `text`.
pub fn batch(text: &str, count: usize) -> ValidBatch {
    build(BatchBuilder::new(Codec::None), text, count, &[])
}

/// The same from an idempotent producer.
pub fn sequenced(producer_id: i64, epoch: i16, sequence: i32, count: usize) -> ValidBatch {
    let builder = BatchBuilder::new(Codec::None).producer(producer_id, epoch, sequence);
    build(builder, &format!("{producer_id}/{sequence}"), count, &[])
}

/// The same with so many bytes in each record that nobody looks at, and in the memory of a request, where the log may keep it.
pub fn large(log: &Log, producer_id: i64, sequence: i32, count: usize, filler_bytes: usize) -> ValidBatch {
    let builder = BatchBuilder::new(Codec::None).producer(producer_id, 0, sequence);
    let filler = vec![b'f'; filler_bytes];
    let headers = [(&b"filler"[..], Some(&filler[..]))];
    let batch = build(builder, &format!("{producer_id}/{sequence}"), count, &headers).into_bytes();
    let mut request = log.buffers().take(batch.len(), 0);
    request.extend_from_slice(&batch);
    ValidBatch::verify(request.freeze()).expect("it was built")
}

fn build(
    mut builder: BatchBuilder,
    text: &str,
    count: usize,
    headers: &[(&[u8], Option<&[u8]>)],
) -> ValidBatch {
    for index in 0..count {
        let value = format!("{text}.{index}");
        let record = NewRecord {
            timestamp: 1_700_000_000_000 + index as i64,
            key: None,
            value: Some(value.as_bytes()),
            headers,
        };
        builder.push(&record).expect("it fits");
    }
    builder.finish().expect("it has records")
}

pub async fn append(stream: &Stream, batch: ValidBatch) -> Appended {
    let ticket = stream.append(EPOCH, batch).await.expect("queued");
    ticket.durable().await.expect("durable")
}

/// Every record of the stream from its start on: offset and value. Checks that offsets are dense.
pub async fn read_all(stream: &Stream) -> Vec<(u64, String)> {
    let mut from = stream.bounds().start;
    let mut records = Vec::new();
    while from < stream.bounds().end {
        let outcome = stream.read(from, ALL).await.expect("readable");
        assert!(outcome.next > from, "a read below the end moves on");
        for chunk in outcome.chunks {
            for one in split(chunk) {
                let (_, bytes) = one.expect("whole batches");
                let stored = StoredBatch::verify(bytes).expect("valid batches");
                for record in stored.records(1 << 30).expect("plain").iter() {
                    let record = record.expect("whole records");
                    let value = String::from_utf8_lossy(record.value.unwrap_or_default()).into_owned();
                    records.push((record.offset.0, value));
                }
            }
        }
        from = outcome.next;
    }
    records
}
