//! Names of places in the log: stream, offset, epoch. Newtypes, so that one is never passed for another.

use std::fmt;

/// A stream: the only storage primitive. A Kafka partition, a queue's backlog, a group's offsets are all streams.
///
/// Assigned by the metadata store, never reused, also not after the stream was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// The position of one record in a stream: dense, from 0, stamped exactly once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub u64);

/// Which ownership of the stream wrote a batch (Kafka: partition leader epoch).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub u32);

/// Number of a group of the write-ahead log: contiguous from 1 for the life of a data directory; 0 = before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupSeq(pub u64);

impl Offset {
    /// The first offset of every stream.
    pub const ZERO: Offset = Offset(0);

    /// The offset `count` records further.
    #[must_use]
    pub fn plus(self, count: u64) -> Offset {
        Offset(
            self.0
                .checked_add(count)
                .expect("a stream never holds 2^64 records"),
        )
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stream {}", self.0)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for GroupSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "group {}", self.0)
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What a stream remembers of one idempotent producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerView {
    /// Kafka: producer id.
    pub producer_id: i64,
    /// Kafka: producer epoch.
    pub producer_epoch: i16,
    /// Last sequence written.
    pub last_sequence: i32,
    /// Wall time of its last batch, milliseconds.
    pub last_timestamp: crate::clock::TimestampMs,
    /// Whether, and from which offset, it has a transaction open.
    pub transaction_start: Option<Offset>,
    /// Epoch of the coordinator that wrote its last marker; -1: none did.
    pub coordinator_epoch: i32,
}

/// A transaction that was aborted: readers of committed records leave its records out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// Whose.
    pub producer_id: i64,
    /// Offset of its first record in the stream.
    pub first: Offset,
    /// Offset of the marker that ended it.
    pub marker: Offset,
    /// The stable end once it was ended: whatever is ended later begins at or above.
    pub stable_after: Offset,
}

/// What a producer's transaction was on a stream when somebody looked. Whoever then asks a coordinator whether the producer may
/// write, and appends with this, is refused if a marker came in between (KIP-890).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionGuard {
    pub(crate) is_open: bool,
    pub(crate) markers: u32,
}

impl TransactionGuard {
    /// Whether the producer's transaction holds the stream already, so that no coordinator need be asked.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_open
    }
}
