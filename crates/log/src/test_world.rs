//! A log without its write-ahead log, for the tests of everything behind it: a fake tail, stores in memory, a clock that stands
//! still until told.

use crate::batch::{BatchBuilder, Codec, NewRecord, StoredBatch, split};
use crate::clock::{Clock, TimestampMs};
use crate::config::{LogConfig, StreamPolicy};
use crate::error::ReadError;
use crate::housekeeping::House;
use crate::ids::{AbortedTransaction, Epoch, GroupSeq, Offset, StreamId};
use crate::manifest::ManifestHandle;
use crate::manifest::memory::MemoryManifest;
use crate::objects::cache::BlockCache;
use crate::objects::cold::ColdReader;
use crate::objects::fetch::Fetcher;
use crate::objects::memory::MemoryObjects;
use crate::objects::pools::IoPools;
use crate::stream::ReadLimit;
use crate::upload::source::{Oldest, TailBatch, TailPart, TailSource, Unuploaded};
use crate::upload::uploader::Uploader;
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// The epoch of every batch made here.
pub(crate) const EPOCH: Epoch = Epoch(7);

/// Compares with the golden file; with `MILLSTREAM_BLESS` set, writes it.
pub(crate) fn golden(name: &str, bytes: &[u8]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    let hex: String = bytes
        .chunks(32)
        .map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n")
        .collect();
    if std::env::var_os("MILLSTREAM_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder of the golden files");
        std::fs::write(&path, &hex).expect("the golden file");
    }
    let golden = std::fs::read_to_string(&path).expect("the golden file");
    assert_eq!(hex, golden, "{name}: bytes of a released version never change");
}

/// The bytes of a golden file.
pub(crate) fn read_golden(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    let hex = std::fs::read_to_string(path).expect("the golden file");
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).expect("digits");
        u8::from_str_radix(pair, 16).expect("digits")
    };
    digits.chunks(2).map(byte).collect()
}

/// Wall time by hand; monotonic time is tokio's.
pub(crate) struct FakeClock {
    wall_ms: AtomicI64,
    start: tokio::time::Instant,
}

impl Default for FakeClock {
    fn default() -> Self {
        Self {
            wall_ms: AtomicI64::new(1_000_000),
            start: tokio::time::Instant::now(),
        }
    }
}

impl FakeClock {
    pub(crate) fn advance(&self, ms: i64) {
        self.wall_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for FakeClock {
    fn wall_ms(&self) -> TimestampMs {
        self.wall_ms.load(Ordering::Relaxed)
    }
    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A record of a test: key, value (`None` = tombstone), timestamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TestRecord {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) timestamp: TimestampMs,
}

pub(crate) fn record(key: &str, value: &str, timestamp: TimestampMs) -> TestRecord {
    TestRecord {
        key: Some(key.into()),
        value: Some(value.into()),
        timestamp,
    }
}

pub(crate) fn tombstone(key: &str, timestamp: TimestampMs) -> TestRecord {
    TestRecord {
        key: Some(key.into()),
        value: None,
        timestamp,
    }
}

/// A stamped batch of these records.
pub(crate) fn batch(base: Offset, records: &[TestRecord]) -> StoredBatch {
    let mut builder = BatchBuilder::new(Codec::None);
    for record in records {
        builder
            .push(&NewRecord {
                timestamp: record.timestamp,
                key: record.key.as_deref(),
                value: record.value.as_deref(),
                headers: &[],
            })
            .expect("a record");
    }
    StoredBatch::stamp(builder.finish().expect("a batch"), base, EPOCH)
}

#[derive(Default)]
struct FakeStream {
    policy: StreamPolicy,
    start: Offset,
    next: Offset,
    stable_end: Option<Offset>,
    aborted: Vec<AbortedTransaction>,
    /// Producers and the last offsets that they are remembered by.
    needed: Vec<(i64, Offset)>,
    batches: Vec<(TailBatch, Bytes)>,
}

/// The tails, in memory.
#[derive(Default)]
pub(crate) struct FakeTail {
    /// Whether it is not told yet of what is committed.
    pub(crate) is_behind: AtomicBool,
    /// What is said of the pressure.
    pub(crate) is_pressed: AtomicBool,
    /// Bytes that the upload under way has put.
    put_bytes: AtomicU64,
    state: Mutex<(u64, BTreeMap<StreamId, FakeStream>)>,
}

impl FakeTail {
    /// Appends one batch, in a group of its own.
    pub(crate) fn append(&self, id: StreamId, records: &[TestRecord]) -> Offset {
        self.append_batch(id, |base| batch(base, records))
    }

    /// The same with a batch made for its place.
    pub(crate) fn append_batch(&self, id: StreamId, make: impl FnOnce(Offset) -> StoredBatch) -> Offset {
        let mut state = self.state.lock();
        state.0 += 1;
        let group = GroupSeq(state.0);
        let stream = state.1.entry(id).or_default();
        let base = stream.next;
        let stored = make(base);
        stream.next = stored.header().next_offset();
        let tail = TailBatch {
            base,
            last: stored.header().last_offset(),
            max_timestamp: stored.header().max_timestamp,
            group,
            position: 0,
            len: u32::try_from(stored.bytes().len()).expect("small"),
        };
        stream.batches.push((tail, stored.into_bytes()));
        base
    }

    pub(crate) fn set_policy(&self, id: StreamId, policy: StreamPolicy) {
        self.state.lock().1.entry(id).or_default().policy = policy;
    }

    pub(crate) fn set_stable_end(&self, id: StreamId, end: Offset) {
        self.state.lock().1.entry(id).or_default().stable_end = Some(end);
    }

    pub(crate) fn abort(&self, id: StreamId, aborted: AbortedTransaction) {
        self.state.lock().1.entry(id).or_default().aborted.push(aborted);
    }

    /// As a restart does: what the manifest's list lost is lost here.
    pub(crate) fn forget_aborted(&self, id: StreamId) {
        self.state.lock().1.entry(id).or_default().aborted.clear();
    }

    pub(crate) fn need(&self, id: StreamId, producer_id: i64, last: Offset) {
        let mut state = self.state.lock();
        state.1.entry(id).or_default().needed = vec![(producer_id, last)];
    }

    pub(crate) fn remove(&self, id: StreamId) {
        self.state.lock().1.remove(&id);
    }
}

impl TailSource for FakeTail {
    fn durable_group(&self) -> GroupSeq {
        GroupSeq(self.state.lock().0)
    }

    fn unuploaded(&self) -> Unuploaded {
        let state = self.state.lock();
        let batches = state.1.values().flat_map(|stream| &stream.batches);
        let bytes = batches.map(|(batch, _)| u64::from(batch.len)).sum();
        Unuploaded {
            bytes,
            oldest: (bytes > 0).then_some(Duration::ZERO),
            is_pressed: self.is_pressed.load(Ordering::Relaxed),
            brakes_soon: self.is_pressed.load(Ordering::Relaxed),
        }
    }

    fn give_back(&self, _: Bytes) {}

    fn put(&self, bytes: u64) {
        self.put_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn upload_failed(&self) {
        self.put_bytes.store(0, Ordering::Relaxed);
    }

    fn oldest(&self, bytes_max: u64) -> Oldest {
        let state = self.state.lock();
        let batches = state.1.values().flat_map(|stream| &stream.batches);
        let mut groups: Vec<(GroupSeq, u64)> = batches
            .map(|(batch, _)| (batch.group, u64::from(batch.len)))
            .collect();
        groups.sort_unstable();
        let all = groups.len() as u64;
        let mut oldest = Oldest::within(bytes_max, groups.into_iter());
        if oldest.groups == all {
            oldest.through = GroupSeq(state.0);
        }
        oldest
    }

    fn cut_exactly(&self, through: GroupSeq) -> BoxFuture<'_, Result<Vec<TailPart>, ReadError>> {
        let parts = self.cut(through);
        async move { Ok(parts) }.boxed()
    }

    fn cut(&self, through: GroupSeq) -> Vec<TailPart> {
        let state = self.state.lock();
        let part = |(id, stream): (&StreamId, &FakeStream)| {
            let batches: Vec<TailBatch> = stream
                .batches
                .iter()
                .map(|(batch, _)| *batch)
                .filter(|batch| batch.group <= through && batch.last >= stream.start)
                .collect();
            (!batches.is_empty()).then(|| TailPart {
                stream: *id,
                batches,
                epochs: vec![(EPOCH, Offset::ZERO)],
                producers: Vec::new(),
                aborted: Vec::new(),
            })
        };
        state.1.iter().filter_map(part).collect()
    }

    fn tail_bytes<'a>(
        &'a self,
        id: StreamId,
        batch: &'a TailBatch,
    ) -> BoxFuture<'a, Result<Bytes, ReadError>> {
        let state = self.state.lock();
        let found = state
            .1
            .get(&id)
            .and_then(|stream| stream.batches.iter().find(|(tail, _)| tail == batch));
        let found = found.map(|(_, bytes)| bytes.clone()).ok_or(ReadError::StreamGone);
        async move { found }.boxed()
    }

    fn uploaded(&self, _through: GroupSeq, ends: &[(StreamId, Offset)]) {
        if self.is_behind.load(Ordering::Relaxed) {
            return;
        }
        let mut state = self.state.lock();
        for (id, end) in ends {
            if let Some(stream) = state.1.get_mut(id) {
                stream.batches.retain(|(batch, _)| batch.last >= *end);
            }
        }
    }

    fn policy(&self, id: StreamId) -> Option<StreamPolicy> {
        self.state.lock().1.get(&id).map(|stream| stream.policy.clone())
    }

    fn streams(&self) -> Vec<StreamId> {
        self.state.lock().1.keys().copied().collect()
    }

    fn stable_end(&self, id: StreamId) -> Option<Offset> {
        self.state
            .lock()
            .1
            .get(&id)
            .map(|stream| stream.stable_end.unwrap_or(stream.next))
    }

    fn tail(&self, id: StreamId) -> Vec<TailBatch> {
        let state = self.state.lock();
        state
            .1
            .get(&id)
            .map(|stream| stream.batches.iter().map(|(batch, _)| *batch).collect())
            .unwrap_or_default()
    }

    fn advance_start(&self, id: StreamId, start: Offset) {
        if let Some(stream) = self.state.lock().1.get_mut(&id) {
            stream.start = stream.start.max(start);
            let start = stream.start;
            stream.batches.retain(|(batch, _)| batch.last >= start);
        }
    }

    fn aborted(&self, id: StreamId, _: Offset, _: Offset) -> Vec<AbortedTransaction> {
        let state = self.state.lock();
        state
            .1
            .get(&id)
            .map_or_else(Vec::new, |stream| stream.aborted.clone())
    }

    fn forget_aborted(&self, id: StreamId, through: Offset) -> bool {
        if let Some(stream) = self.state.lock().1.get_mut(&id) {
            stream.aborted.retain(|one| one.marker >= through);
        }
        true
    }

    fn producer_needs(&self, id: StreamId, producer_id: i64, last: Offset) -> bool {
        let state = self.state.lock();
        let stream = state.1.get(&id);
        stream.is_some_and(|stream| stream.needed.contains(&(producer_id, last)))
    }
}

/// Everything behind the write-ahead log.
pub(crate) struct World {
    pub(crate) objects: Arc<MemoryObjects>,
    pub(crate) list: Arc<MemoryManifest>,
    pub(crate) tail: Arc<FakeTail>,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) config: LogConfig,
    pub(crate) manifest: ManifestHandle,
    pub(crate) cold: ColdReader,
    pub(crate) uploader: Uploader,
    pub(crate) house: Arc<House>,
}

/// Small sizes, so that little data makes many objects and blocks.
pub(crate) fn small_config() -> LogConfig {
    LogConfig {
        block_cache_bytes: 1 << 20,
        object_own_bytes: 2 << 10,
        object_target_bytes: 8 << 10,
        block_target_bytes: 512,
        ..LogConfig::default()
    }
}

impl World {
    pub(crate) async fn new() -> World {
        World::with(small_config()).await
    }

    pub(crate) async fn with(config: LogConfig) -> World {
        let clock = FakeClock::default();
        World::assemble(
            config,
            Arc::default(),
            Arc::default(),
            Arc::default(),
            Arc::new(clock),
        )
        .await
    }

    async fn assemble(
        config: LogConfig,
        objects: Arc<MemoryObjects>,
        list: Arc<MemoryManifest>,
        tail: Arc<FakeTail>,
        clock: Arc<FakeClock>,
    ) -> World {
        let manifest = ManifestHandle::open(list.clone(), objects.clone())
            .await
            .expect("the manifest opens");
        let pools = Arc::new(IoPools::new(false, clock.clone()));
        let cache = BlockCache::new(config.block_cache_bytes, None);
        let fetcher = Arc::new(Fetcher::new(objects.clone(), cache, pools.clone()));
        let cold = ColdReader::new(manifest.clone(), fetcher.clone());
        let uploader = Uploader::start(tail.clone(), manifest.clone(), pools, clock.clone(), &config);
        let house = House::new(tail.clone(), manifest.clone(), fetcher, clock.clone(), &config);
        World {
            objects,
            list,
            tail,
            clock,
            config,
            manifest,
            cold,
            uploader,
            house: Arc::new(house),
        }
    }

    /// Everything in memory is lost, but for the tail.
    pub(crate) async fn restart(self) -> World {
        self.uploader.close().await;
        World::assemble(self.config, self.objects, self.list, self.tail, self.clock).await
    }

    pub(crate) async fn upload(&self) {
        self.uploader.upload_now().await.expect("the upload");
        self.manifest
            .with_image(|image| image.check())
            .expect("every invariant");
    }

    pub(crate) async fn housekeep(&self) {
        self.house.round(0).await.expect("housekeeping");
        self.manifest
            .with_image(|image| image.check())
            .expect("every invariant");
    }

    /// Reads everything committed from `from` on, a little at a time.
    pub(crate) async fn read_all(
        &self,
        id: StreamId,
        from: Offset,
    ) -> Result<BTreeMap<u64, TestRecord>, ReadError> {
        let mut found = BTreeMap::new();
        let mut next = from;
        loop {
            let limit = ReadLimit {
                bytes_max: 700,
                at_least_one: true,
                below: Offset(u64::MAX),
            };
            let outcome = self.cold.read(id, next, limit).await?;
            for chunk in &outcome.chunks {
                found.extend(records_of(chunk));
            }
            if outcome.next == next {
                found.retain(|offset, _| *offset >= from.0);
                return Ok(found);
            }
            next = outcome.next;
        }
    }
}

/// The records of whole batches.
pub(crate) fn records_of(chunk: &Bytes) -> Vec<(u64, TestRecord)> {
    let mut found = Vec::new();
    for batch in split(chunk.clone()) {
        let (_, bytes) = batch.expect("whole batches");
        let records = StoredBatch::verify(bytes)
            .expect("a valid batch")
            .records(1 << 20)
            .expect("records");
        for record in records.iter() {
            let record = record.expect("a record");
            let copy = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
            let test = TestRecord {
                key: copy(record.key),
                value: copy(record.value),
                timestamp: record.timestamp,
            };
            found.push((record.offset.0, test));
        }
    }
    found
}
