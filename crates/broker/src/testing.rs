//! A broker on media in memory that survive it: for the tests of this crate and of the front ends above it (feature `testing`).
//!
//! Owns: the media and the clock. Never shipped.

use crate::configs::resolve::ConfigMap;
use crate::security::sasl::Authenticators;
use crate::{Broker, BrokerConfig};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use millstream_log::disk::testing::MemoryDisk;
use millstream_log::objects::store::{ObjectError, ObjectStore, PutMode};
use millstream_log::{Clock, Log, LogConfig, LogPorts, TimestampMs, WalRunner};
use millstream_meta::catalog::CatalogConfig;
use millstream_meta::{Catalog, Entropy, MemoryStore, MetaManifest};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

pub use millstream_log::batch::{self, BatchBuilder, Codec, NewRecord, StoredBatch};

/// The broker's id.
pub const BROKER_ID: u32 = 1;

/// The wall clock when a world begins.
pub const START_MS: TimestampMs = 1_700_000_000_000;

/// Wall time that only a test moves; monotonic time is the runtime's.
pub struct TestClock {
    wall_ms: AtomicI64,
    start: tokio::time::Instant,
}

impl TestClock {
    /// Moves the wall clock.
    pub fn advance(&self, by: Duration) {
        let ms = i64::try_from(by.as_millis()).expect("tests stay within the ages");
        self.wall_ms.fetch_add(ms, Ordering::Relaxed);
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

/// Numbers instead of randomness.
#[derive(Default)]
struct Counter(AtomicU64);

impl Entropy for Counter {
    fn draw(&self) -> [u8; 16] {
        let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        u128::from(count).to_be_bytes()
    }
}

/// What outlives a broker.
pub struct World {
    /// The write-ahead log's disk.
    pub disk: MemoryDisk,
    /// The metadata store.
    pub meta: MemoryStore,
    /// Time.
    pub clock: Arc<TestClock>,
    /// Start values of settings, under Kafka's names.
    pub fixed: ConfigMap,
    /// What logins are checked against beside the catalog.
    pub authenticators: Authenticators,
    /// The log's settings.
    pub log: LogConfig,
    /// Where objects lie.
    pub objects: Arc<dyn ObjectStore>,
    entropy: Arc<Counter>,
}

impl Default for World {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl World {
    /// Empty media; `fixed` are start values of settings.
    #[must_use]
    pub fn new(fixed: &[(&str, &str)]) -> Self {
        let clock = Arc::new(TestClock {
            wall_ms: AtomicI64::new(START_MS),
            start: tokio::time::Instant::now(),
        });
        let fixed = fixed
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self {
            disk: MemoryDisk::new(),
            meta: MemoryStore::new(clock.clone()),
            clock,
            fixed: fixed.collect(),
            authenticators: Authenticators::default(),
            log: LogConfig {
                wal_segment_bytes: 1 << 20,
                ..LogConfig::default()
            },
            objects: Arc::new(MapObjects::default()),
            entropy: Arc::default(),
        }
    }

    /// A broker over the media as they are.
    pub async fn open(&self) -> Broker {
        let meta = Arc::new(self.meta.clone());
        let ports = LogPorts {
            clock: self.clock.clone(),
            disk: Arc::new(self.disk.clone()),
            objects: self.objects.clone(),
            second_tier: None,
            manifest: Arc::new(MetaManifest::new(meta.clone(), BROKER_ID, None, &*self.entropy)),
            wal_runner: WalRunner::Task,
        };
        let log = Log::open(self.log.clone(), ports)
            .await
            .expect("the media are sound");
        let catalog = CatalogConfig {
            broker: BROKER_ID,
            session: None,
        };
        let catalog = Catalog::open(meta, self.entropy.clone(), catalog).await;
        let config = BrokerConfig {
            broker_id: BROKER_ID,
            fixed: self.fixed.clone(),
            authenticators: self.authenticators.clone(),
            ..BrokerConfig::default()
        };
        let catalog = catalog.expect("the store is sound");
        let broker = Broker::open(config, log, catalog, self.clock.clone()).await;
        broker.expect("the media are sound")
    }
}

/// One batch of records without keys, uncompressed, at `START_MS`.
#[must_use]
pub fn batch_of(values: &[&str]) -> Bytes {
    let records: Vec<_> = values.iter().map(|value| (None, *value)).collect();
    batch_with(BatchBuilder::new(Codec::None), &records)
}

/// One batch from an idempotent producer.
#[must_use]
pub fn sequenced_batch(producer_id: i64, epoch: i16, sequence: i32, values: &[&str]) -> Bytes {
    let records: Vec<_> = values.iter().map(|value| (None, *value)).collect();
    batch_with(
        BatchBuilder::new(Codec::None).producer(producer_id, epoch, sequence),
        &records,
    )
}

/// One batch of records `(key, value)` at `START_MS` and the milliseconds after it.
#[must_use]
pub fn batch_with(mut builder: BatchBuilder, records: &[(Option<&str>, &str)]) -> Bytes {
    for (record, timestamp) in records.iter().zip(START_MS..) {
        let (key, value) = record;
        let record = NewRecord {
            timestamp,
            key: key.map(str::as_bytes),
            value: Some(value.as_bytes()),
            headers: &[],
        };
        builder.push(&record).expect("test records are small");
    }
    builder.finish().expect("a batch has records").into_bytes()
}

/// Offsets and values of the records of whole batches.
#[must_use]
pub fn records_of(chunks: &[Bytes]) -> Vec<(u64, String)> {
    let mut records = Vec::new();
    for batch in chunks.iter().cloned().flat_map(batch::split) {
        let (_, bytes) = batch.expect("whole batches");
        let stored = StoredBatch::verify(bytes).expect("valid batches");
        let opened = stored.records(1 << 30).expect("they open");
        for record in &opened {
            let record = record.expect("whole records");
            let value = String::from_utf8_lossy(record.value.unwrap_or_default());
            records.push((record.offset.0, value.into_owned()));
        }
    }
    records
}

/// Objects in a map.
#[derive(Default)]
struct MapObjects(Mutex<BTreeMap<String, Bytes>>);

impl ObjectStore for MapObjects {
    fn put<'a>(
        &'a self,
        key: &'a str,
        parts: Vec<Bytes>,
        mode: PutMode,
    ) -> BoxFuture<'a, Result<(), ObjectError>> {
        Box::pin(async move {
            let mut objects = self.0.lock();
            if mode == PutMode::CreateNew && objects.contains_key(key) {
                return Err(ObjectError::AlreadyExists);
            }
            objects.insert(key.to_owned(), parts.concat().into());
            Ok(())
        })
    }

    fn get_range<'a>(&'a self, key: &'a str, range: Range<u64>) -> BoxFuture<'a, Result<Bytes, ObjectError>> {
        Box::pin(async move {
            let objects = self.0.lock();
            let object = objects.get(key).ok_or(ObjectError::NotFound)?;
            if range.end > object.len() as u64 {
                return Err(ObjectError::Refused("the range ends behind the object".into()));
            }
            Ok(object.slice(range.start as usize..range.end as usize))
        })
    }

    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<u64, ObjectError>> {
        Box::pin(async move {
            let objects = self.0.lock();
            let object = objects.get(key).ok_or(ObjectError::NotFound)?;
            Ok(object.len() as u64)
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<(String, u64)>, ObjectError>> {
        Box::pin(async move {
            let objects = self.0.lock();
            let named = objects.iter().filter(|(key, _)| key.starts_with(prefix));
            Ok(named
                .map(|(key, object)| (key.clone(), object.len() as u64))
                .collect())
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), ObjectError>> {
        Box::pin(async move {
            self.0.lock().remove(key);
            Ok(())
        })
    }
}
