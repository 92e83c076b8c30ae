//! Limits and targets of the log, each named, each with its unit last.

use std::time::Duration;

/// When an append is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushMode {
    /// After fdatasync: nothing acknowledged is lost on power failure.
    Sync,
    /// After the write reached the operating system: survives kill -9, not power failure (Kafka's default).
    Async,
}

/// Settings of one log; defaults suit a laptop.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// When an append is answered.
    pub flush: FlushMode,
    /// Size of one pre-allocated segment file of the write-ahead log.
    pub wal_segment_bytes: u64,
    /// The largest group that one flush makes durable.
    pub wal_group_bytes_max: usize,
    /// Bytes that may wait for the write-ahead log before appends wait for a permit.
    pub wal_queue_bytes_max: usize,
    /// Batches that may wait for the write-ahead log.
    pub wal_queue_batches_max: usize,
    /// Un-uploaded bytes at which appends wait: the bound on the write-ahead log's size on disk.
    pub wal_unuploaded_bytes_max: u64,
    /// Memory for the newest batches of all streams.
    pub tail_cache_bytes: usize,
    /// Memory for blocks read from objects.
    pub block_cache_bytes: usize,
    /// Un-uploaded bytes at which an upload starts.
    pub upload_bytes: u64,
    /// Age of the oldest un-uploaded batch at which an upload starts.
    pub upload_age: Duration,
    /// From this size on a stream's part of an upload becomes an object of its own.
    pub object_own_bytes: u64,
    /// Size up to which small objects of one stream are merged.
    pub object_target_bytes: u64,
    /// Target size of one block inside an object.
    pub block_target_bytes: usize,
    /// How often retention, merging, compaction and collection look for work.
    pub housekeeping_interval: Duration,
    /// How long the state of a silent producer is kept (Kafka: producer.id.expiration.ms).
    pub producer_expiry: Duration,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            flush: FlushMode::Sync,
            wal_segment_bytes: 64 << 20,
            wal_group_bytes_max: 8 << 20,
            wal_queue_bytes_max: 16 << 20,
            wal_queue_batches_max: 65_536,
            wal_unuploaded_bytes_max: 2 << 30,
            tail_cache_bytes: 64 << 20,
            block_cache_bytes: 48 << 20,
            upload_bytes: 32 << 20,
            upload_age: Duration::from_secs(600),
            object_own_bytes: 4 << 20,
            object_target_bytes: 32 << 20,
            block_target_bytes: 512 << 10,
            housekeeping_interval: Duration::from_secs(30),
            producer_expiry: Duration::from_secs(86_400),
        }
    }
}

/// What one stream's owner wants of its history. Set by the broker from topic settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamPolicy {
    /// Records older than this go (Kafka: retention.ms). `None`: kept for ever.
    pub retention: Option<Duration>,
    /// Bytes above this go, oldest first (Kafka: retention.bytes).
    pub retention_bytes: Option<u64>,
    /// Whether retention applies (cleanup.policy contains delete).
    pub delete: bool,
    /// Whether only the newest record of each key is kept (cleanup.policy contains compact).
    pub compact: bool,
    /// How long a tombstone stays readable (delete.retention.ms).
    pub tombstone_retention: Duration,
    /// Records younger than this are not compacted (min.compaction.lag.ms).
    pub compaction_lag_min: Duration,
    /// Records older than this are compacted regardless of the ratio (max.compaction.lag.ms).
    pub compaction_lag_max: Option<Duration>,
    /// Share of uncompacted bytes, in percent, from which compaction runs (min.cleanable.dirty.ratio).
    pub dirty_percent_min: u8,
}

impl Default for StreamPolicy {
    fn default() -> Self {
        Self {
            retention: Some(Duration::from_secs(7 * 86_400)),
            retention_bytes: None,
            delete: true,
            compact: false,
            tombstone_retention: Duration::from_secs(86_400),
            compaction_lag_min: Duration::ZERO,
            compaction_lag_max: None,
            dirty_percent_min: 50,
        }
    }
}
