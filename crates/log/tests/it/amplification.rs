//! What reaches the media for each byte appended, counted at the ports.

use crate::support::{EPOCH, World, read_all};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use millstream_log::batch::{BatchBuilder, Codec, NewRecord, ValidBatch};
use millstream_log::disk::testing::MemoryDisk;
use millstream_log::disk::{Disk, DiskFile};
use millstream_log::objects::memory::MemoryObjects;
use millstream_log::objects::store::{ObjectError, ObjectStore, PutMode};
use millstream_log::{Log, LogPorts, Offset, ReadLimit, StreamId, WalRunner};
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const RECORD_BYTES: usize = 1 << 10;
const RECORDS_PER_BATCH: usize = 16;
/// Batches are copied into pieces of this size.
const PIECE_BYTES: u64 = 256 << 10;
const BATCHES: usize = (64 << 20) / (RECORD_BYTES * RECORDS_PER_BATCH);

#[derive(Default)]
struct Counters {
    allocated: AtomicU64,
    written: AtomicU64,
    writes: AtomicU64,
    flushes: AtomicU64,
    reads: AtomicU64,
    put: AtomicU64,
    got: AtomicU64,
}

struct CountingDisk(MemoryDisk, Arc<Counters>);
struct CountingFile(Arc<dyn DiskFile>, Arc<Counters>);
/// The last: whether it says that it lies on the write-ahead log's disk.
struct CountingObjects(Arc<MemoryObjects>, Arc<Counters>, bool);

fn sum(parts: &[Bytes]) -> u64 {
    parts.iter().map(|part| part.len() as u64).sum()
}

impl CountingDisk {
    fn wrap(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(CountingFile(file, self.1.clone()))
    }
}

impl Disk for CountingDisk {
    fn list(&self) -> BoxFuture<'_, io::Result<Vec<String>>> {
        self.0.list()
    }
    fn create<'a>(&'a self, name: &'a str, len: u64) -> BoxFuture<'a, io::Result<Arc<dyn DiskFile>>> {
        self.1.allocated.fetch_add(len, Ordering::Relaxed);
        Box::pin(async move { Ok(self.wrap(self.0.create(name, len).await?)) })
    }
    fn open<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Arc<dyn DiskFile>>> {
        Box::pin(async move { Ok(self.wrap(self.0.open(name).await?)) })
    }
    fn rename<'a>(&'a self, from: &'a str, to: &'a str) -> BoxFuture<'a, io::Result<()>> {
        self.0.rename(from, to)
    }
    fn remove<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<()>> {
        self.0.remove(name)
    }
}

impl DiskFile for CountingFile {
    fn len(&self) -> BoxFuture<'_, io::Result<u64>> {
        self.0.len()
    }
    fn write_at<'a>(&'a self, offset: u64, parts: &'a [Bytes]) -> BoxFuture<'a, io::Result<()>> {
        self.1.written.fetch_add(sum(parts), Ordering::Relaxed);
        self.1.writes.fetch_add(1, Ordering::Relaxed);
        self.0.write_at(offset, parts)
    }
    fn sync(&self) -> BoxFuture<'_, io::Result<()>> {
        self.1.flushes.fetch_add(1, Ordering::Relaxed);
        self.0.sync()
    }
    fn read_at(&self, offset: u64, len: usize) -> BoxFuture<'_, io::Result<Bytes>> {
        self.1.reads.fetch_add(1, Ordering::Relaxed);
        self.0.read_at(offset, len)
    }
}

impl ObjectStore for CountingObjects {
    fn put<'a>(
        &'a self,
        key: &'a str,
        parts: Vec<Bytes>,
        mode: PutMode,
    ) -> BoxFuture<'a, Result<(), ObjectError>> {
        self.1.put.fetch_add(sum(&parts), Ordering::Relaxed);
        self.0.put(key, parts, mode)
    }
    fn get_range<'a>(&'a self, key: &'a str, range: Range<u64>) -> BoxFuture<'a, Result<Bytes, ObjectError>> {
        self.1.got.fetch_add(range.end - range.start, Ordering::Relaxed);
        self.0.get_range(key, range)
    }
    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<u64, ObjectError>> {
        self.0.head(key)
    }
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, u64)>, ObjectError>> {
        self.0.list(prefix)
    }
    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), ObjectError>> {
        self.0.delete(key)
    }
    fn is_on_disk(&self) -> bool {
        self.2
    }
}

fn batch() -> ValidBatch {
    let value = [b'v'; RECORD_BYTES];
    let mut builder = BatchBuilder::new(Codec::None);
    for _ in 0..RECORDS_PER_BATCH {
        let record = NewRecord {
            timestamp: 1_700_000_000_000,
            key: None,
            value: Some(&value),
            headers: &[],
        };
        builder.push(&record).unwrap();
    }
    builder.finish().unwrap()
}

/// Appends 64 MiB to `streams` streams, `in_flight` batches at once, uploads, and lets housekeeping do what it wants.
/// Returns written bytes per appended byte, in percent: write-ahead log, objects.
async fn measure(streams: u64, in_flight: usize, upload_bytes: u64) -> (u64, u64) {
    let mut world = World::new();
    world.config.wal_segment_bytes = 16 << 20;
    world.config.upload_bytes = upload_bytes;
    world.config.object_own_bytes = 1 << 20;
    let counters = Arc::new(Counters::default());
    let ports = LogPorts {
        clock: world.clock.clone(),
        disk: Arc::new(CountingDisk(world.disk.clone(), counters.clone())),
        objects: Arc::new(CountingObjects(world.objects.clone(), counters.clone(), false)),
        second_tier: None,
        manifest: world.manifest.clone(),
        wal_runner: WalRunner::Task,
    };
    let log = Log::open(world.config.clone(), ports).await.unwrap();
    let batch = batch();
    let mut tickets = Vec::with_capacity(in_flight);
    for n in 0..BATCHES {
        let stream = log.open_stream(StreamId(n as u64 % streams), EPOCH);
        tickets.push(stream.append(EPOCH, batch.clone()).await.unwrap());
        if tickets.len() == in_flight {
            for ticket in tickets.drain(..) {
                ticket.durable().await.unwrap();
            }
        }
    }
    log.upload_now().await.unwrap();
    for _ in 0..10 {
        log.housekeep_now().await.unwrap();
    }
    let appended = log.stats().appended_bytes;
    let percent = |counter: &AtomicU64| counter.load(Ordering::Relaxed) * 100 / appended;
    eprintln!(
        "{streams} streams, {in_flight} batches in flight, {appended} bytes appended: write-ahead log {} %, objects {} %, \
         zeros of pre-allocation {} %",
        percent(&counters.written),
        percent(&counters.put),
        percent(&counters.allocated),
    );
    (percent(&counters.written), percent(&counters.put))
}

#[tokio::test(start_paused = true)]
async fn a_byte_is_written_little_more_than_twice() {
    // A batch of 16 KiB alone in its group is padded to 20 KiB.
    let (wal, objects) = measure(1, 1, 16 << 20).await;
    assert!(wal <= 125 && objects <= 101, "alone: {wal} % and {objects} %");
    let (wal, objects) = measure(1, 32, 16 << 20).await;
    assert!(wal <= 102 && objects <= 101, "together: {wal} % and {objects} %");
    // Parts below `object_own_bytes` are merged once.
    let (wal, objects) = measure(100, 32, 4 << 20).await;
    assert!(
        wal <= 102 && objects <= 205,
        "many streams: {wal} % and {objects} %"
    );
}

#[tokio::test(start_paused = true)]
async fn an_upload_of_what_is_no_longer_cached_reads_each_piece_of_a_group_once() {
    let mut world = World::new();
    world.config.tail_cache_bytes = 1;
    world.config.wal_segment_bytes = 16 << 20;
    let counters = Arc::new(Counters::default());
    let ports = LogPorts {
        clock: world.clock.clone(),
        disk: Arc::new(CountingDisk(world.disk.clone(), counters.clone())),
        objects: world.objects.clone(),
        second_tier: None,
        manifest: world.manifest.clone(),
        wal_runner: WalRunner::Task,
    };
    let log = Log::open(world.config.clone(), ports).await.unwrap();
    let stream = log.open_stream(StreamId(1), EPOCH);
    let mut tickets = Vec::new();
    for _ in 0..256 {
        tickets.push(stream.append(EPOCH, batch()).await.unwrap());
    }
    for ticket in tickets {
        ticket.durable().await.unwrap();
    }
    let before = counters.reads.load(Ordering::Relaxed);
    log.upload_now().await.unwrap();
    let reads = counters.reads.load(Ordering::Relaxed) - before;
    let stats = log.stats();
    // The last piece of a group is smaller, and each is full but for one batch at most.
    let pieces = stats
        .appended_bytes
        .div_ceil(PIECE_BYTES - batch().into_bytes().len() as u64)
        + stats.wal_groups;
    assert!(reads <= pieces, "{reads} reads for {pieces} pieces");
    assert_eq!(read_all(&stream).await.len(), 256 * RECORDS_PER_BATCH);
}

/// Appends 64 MiB as fast as the write-ahead log takes them, to objects that take ten times as long, and uploads. Answers how often the
/// write-ahead log was read.
async fn read_back_by_uploads(one_disk: bool) -> u64 {
    let mut world = World::new();
    world.config.tail_cache_bytes = 24 << 20;
    world.config.wal_segment_bytes = 16 << 20;
    world.config.upload_bytes = 8 << 20;
    world.objects.set_latency(Duration::from_millis(20));
    let counters = Arc::new(Counters::default());
    let ports = LogPorts {
        clock: world.clock.clone(),
        disk: Arc::new(CountingDisk(world.disk.clone(), counters.clone())),
        objects: Arc::new(CountingObjects(world.objects.clone(), counters.clone(), one_disk)),
        second_tier: None,
        manifest: world.manifest.clone(),
        wal_runner: WalRunner::Task,
    };
    let log = Log::open(world.config.clone(), ports).await.unwrap();
    let before = counters.reads.load(Ordering::Relaxed);
    let stream = log.open_stream(StreamId(1), EPOCH);
    let (batch, mut tickets) = (batch(), Vec::new());
    for n in 0..BATCHES {
        log.pace().await;
        tickets.push(stream.append(EPOCH, batch.clone()).await.unwrap());
        if n % 32 == 31 {
            for ticket in tickets.drain(..) {
                ticket.durable().await.unwrap();
            }
        }
    }
    log.upload_now().await.unwrap();
    assert_eq!(read_all(&stream).await.len(), BATCHES * RECORDS_PER_BATCH);
    counters.reads.load(Ordering::Relaxed) - before
}

/// On one disk, reading back what is to be uploaded would put uploads further behind: appends wait a little instead. Where objects lie
/// elsewhere the write-ahead log is what takes a burst.
#[tokio::test(start_paused = true)]
async fn on_one_disk_appends_do_not_outrun_the_memory_that_uploads_come_from() {
    assert_eq!(read_back_by_uploads(true).await, 0);
    assert!(read_back_by_uploads(false).await > 0);
}

/// Readers that catch up side by side, as one consumer of several partitions does. The cache is far smaller than what they read, and what
/// they are through with must not keep what was read ahead for them out of it.
#[tokio::test(start_paused = true)]
async fn readers_that_catch_up_fetch_each_byte_once() {
    const STREAMS: u64 = 6;
    let mut world = World::new();
    world.config.tail_cache_bytes = 1;
    world.config.block_cache_bytes = 16 << 20;
    world.config.block_target_bytes = 128 << 10;
    world.config.upload_bytes = 1 << 30;
    let counters = Arc::new(Counters::default());
    let ports = LogPorts {
        clock: world.clock.clone(),
        disk: Arc::new(world.disk.clone()),
        objects: Arc::new(CountingObjects(world.objects.clone(), counters.clone(), false)),
        manifest: world.manifest.clone(),
        wal_runner: WalRunner::Task,
        second_tier: None,
    };
    let log = Log::open(world.config.clone(), ports).await.unwrap();
    let batch = batch();
    let streams: Vec<_> = (0..STREAMS)
        .map(|n| log.open_stream(StreamId(n), EPOCH))
        .collect();
    for n in 0..BATCHES {
        let ticket = streams[n % streams.len()]
            .append(EPOCH, batch.clone())
            .await
            .unwrap();
        if n % 32 == 0 {
            ticket.durable().await.unwrap();
        }
    }
    log.upload_now().await.unwrap();
    let limit = ReadLimit {
        bytes_max: 256 << 10,
        at_least_one: true,
        below: Offset(u64::MAX),
    };
    let mut at = vec![Offset(0); streams.len()];
    let mut read = 0;
    loop {
        let before = read;
        for (stream, at) in streams.iter().zip(&mut at) {
            let outcome = stream.read(*at, limit).await.unwrap();
            *at = outcome.next;
            read += outcome.bytes as u64;
        }
        if read == before {
            break;
        }
    }
    let got = counters.got.load(Ordering::Relaxed);
    assert_eq!(read, log.stats().appended_bytes);
    assert!(got * 100 <= read * 105, "{got} bytes fetched for {read}");
}

#[tokio::test(start_paused = true)]
async fn a_group_costs_one_write_and_one_flush_however_many_batches_it_holds() {
    let mut world = World::new();
    world.config.wal_segment_bytes = 16 << 20;
    let counters = Arc::new(Counters::default());
    let ports = LogPorts {
        clock: world.clock.clone(),
        disk: Arc::new(CountingDisk(world.disk.clone(), counters.clone())),
        objects: world.objects.clone(),
        manifest: world.manifest.clone(),
        wal_runner: WalRunner::Task,
        second_tier: None,
    };
    let log = Log::open(world.config.clone(), ports).await.unwrap();
    let stream = log.open_stream(StreamId(1), EPOCH);
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (writes, flushes) = (count(&counters.writes), count(&counters.flushes));
    let groups = log.stats().wal_groups;
    for _ in 0..8 {
        let mut tickets = Vec::new();
        for _ in 0..32 {
            tickets.push(stream.append(EPOCH, batch()).await.unwrap());
        }
        for ticket in tickets {
            ticket.durable().await.unwrap();
        }
    }
    let groups = log.stats().wal_groups - groups;
    let (writes, flushes) = (
        count(&counters.writes) - writes,
        count(&counters.flushes) - flushes,
    );
    println!("{groups} groups: {writes} writes, {flushes} flushes");
    assert!(
        groups <= 16,
        "{groups} groups of 256 batches that came 32 at a time"
    );
    // The next segment is prepared meanwhile.
    assert!(
        writes <= groups + 4 && flushes <= groups + 4,
        "{writes} writes and {flushes} flushes for {groups} groups"
    );
}
