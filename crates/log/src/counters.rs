//! Counters of the append path. Relaxed: they are read for metrics, never to decide.

use std::sync::atomic::AtomicU64;

/// See `LogStats`.
#[derive(Default)]
pub(crate) struct Counters {
    /// Groups made durable.
    pub(crate) groups: AtomicU64,
    /// Bytes of the medium that they took.
    pub(crate) wal_bytes: AtomicU64,
    /// Batches made durable.
    pub(crate) batches: AtomicU64,
    /// Their bytes.
    pub(crate) batch_bytes: AtomicU64,
}
