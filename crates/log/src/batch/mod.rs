//! Record batches, version 2: the stored format, verbatim Kafka's (61-byte header; base offset and partition leader epoch lie
//! outside the CRC, so they are stamped without touching the rest).
//!
//! Owns: the bytes of a batch: header, records, compression, control markers, and what compaction leaves of them.
//! Never: IO, time, configuration, a decision about a stream. Every function is pure, and bounded by its input or by a cap that the
//! caller passes; nothing is allocated for a count or a length that the bytes themselves claim.
//!
//! **Invariant**: whatever comes from outside becomes a [`ValidBatch`] before it can be appended and a [`StoredBatch`] before it is
//! rewritten; malformed bytes are a [`BatchError`], never a panic.
//!
//! On the append path: `ValidBatch::verify`, then `stamp`. On the fetch path: nothing; batches leave as they lie.
//!
//! | Question | Needs the records? |
//! |---|---|
//! | length, magic, CRC, counts, codec, producer fields ([`ValidBatch::verify`]) | no |
//! | message.max.bytes, control batch from a client, time type, bound on the newest timestamp as the header claims it | no |
//! | LogAppendTime: new time type, timestamp and CRC ([`ValidBatch::with_timestamps`]) | no |
//! | keys on a compacted topic, dense offset deltas, honest max timestamp, every record within the time bounds ([`validate_records`]) | yes |
//! | compression.type other than `producer` and than the batch's own ([`recompress`]) | yes |
//!
//! So the produce path of a plain topic with CreateTime costs one pass of CRC-32C and no allocation.

mod build;
mod compact;
mod compression;
mod control;
mod encode;
mod error;
mod header;
mod records;
mod stored;
mod sum;
mod validate;
mod varint;
mod verify;

#[cfg(test)]
mod tests;

/// From this size on a batch is large: it is worth the gap, half a page as a rule, that lets it begin at a page of memory, of the write-ahead
/// log and of its object. Below, that would cost the disk more than a copy costs the processor.
pub(crate) const LARGE_BYTES_MIN: usize = 64 << 10;

pub use build::{BatchBuilder, NewRecord, recompress};
pub(crate) use compact::emptied;
pub use compact::{Horizon, Kept, Retain, retain};
pub use compression::{Codec, GZIP_LEVELS, LZ4_LEVELS, ZSTD_LEVELS, compress, decompress};
pub use control::{ControlKind, ControlRecord};
pub use error::BatchError;
pub use header::{
    BATCH_BYTES_MAX, BatchHeader, EPOCH_UNSTAMPED, HEADER_BYTES, LENGTH_PREFIX_BYTES, MAGIC, Split,
    TimestampType, field, split, stamp, stamp_timestamps,
};
pub use records::{BatchRecords, Record, RecordHeaders, RecordRef, Records};
pub use stored::StoredBatch;
pub(crate) use sum::{HeadsSum, bodies_hold, heads_sum, heads_sum_of};
pub use validate::{RecordsSummary, null_keys, validate_records};
pub use verify::ValidBatch;
