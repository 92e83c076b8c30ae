//! The partitioned log: one write-ahead log shared by all streams, objects behind it, caches of its own.
//!
//! Owns: offsets, durability, tiering, retention, compaction, recovery.
//! Never: a protocol, a socket, a metadata store. Progress leaves as values (`StreamBounds`, waiters), never as a callback.
//!
//! **Invariant**: a batch is readable, and its append answered, only once it is durable
//! (`docs/ARCHITECTURE.md`, invariants 1 and 2).

pub mod batch;
pub mod clock;
pub mod disk;
pub mod ids;
pub mod manifest;
pub mod objects;

mod backoff;
mod config;
mod error;
mod housekeeping;
mod le;
mod log;
mod stream;
#[cfg(test)]
mod test_world;
mod upload;

pub use clock::{Clock, SystemClock, TimestampMs};
pub use config::{FlushMode, LogConfig, StreamPolicy};
pub use error::{AppendError, Fate, OpenError, ReadError, StreamError};
pub use ids::{Epoch, GroupSeq, Offset, ProducerView, StreamId};
pub use log::{Log, LogPorts, LogStats, WalRunner};
pub use stream::{
    AppendTicket, Appended, ReadLimit, ReadOutcome, Stream, StreamBounds, TimestampedOffset, WakeSet,
};
