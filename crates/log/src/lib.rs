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

mod backlog;
mod backoff;
mod buffers;
mod config;
mod core;
mod counters;
mod error;
mod housekeeping;
pub mod invariants;
mod le;
mod log;
mod partition;
mod producers;
mod recovery;
mod spares;
mod stream;
mod tail;
mod tail_source;
#[cfg(test)]
mod test_world;
mod transactions;
mod upload;
mod wake;
pub mod wal;

pub use buffers::Buffers;
pub use clock::{Clock, SystemClock, TimestampMs};
pub use config::{FlushMode, LogConfig, StreamPolicy};
pub use error::{AppendError, Fate, OpenError, ReadError, StreamError};
pub use ids::{AbortedTransaction, Epoch, GroupSeq, Offset, ProducerView, StreamId, TransactionGuard};
pub use log::{Log, LogPorts, LogStats, WalRunner};
pub use stream::{AppendTicket, Appended, ReadLimit, ReadOutcome, Stream, StreamBounds, TimestampedOffset};
pub use wake::WakeSet;
