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
}
