//! What a manifest record says. One record is one atomic change; its bytes are in `record_format`.

use crate::clock::TimestampMs;
use crate::ids::{AbortedTransaction, Epoch, GroupSeq, Offset, StreamId};
use crate::objects::ObjectId;

/// One atomic change.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Record {
    /// A log was opened. Its position in the list is the incarnation: the upper part of every object id made by this log.
    Opened,
    /// Everything in groups up to `wal_through` is in objects, trimmed or deleted.
    Upload(Upload),
    /// Ranges were rewritten (merged, compacted) into others that cover exactly the same offsets.
    Rewrite(Rewrite),
    /// Streams begin later now.
    Trim(Vec<TrimTo>),
    /// A stream is gone; its id is never used again.
    DeleteStream {
        /// Which.
        stream: StreamId,
        /// Its batches lie in groups up to this one: the tombstone is forgotten once `wal_through` gets there.
        as_of: GroupSeq,
    },
    /// These dead objects are deleted from the store.
    Collected(Vec<ObjectId>),
    /// The record is kept in an object, as it is too large for the list.
    Spilled(Spill),
}

/// See `Record::Upload`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Upload {
    /// The last group that needs no replay.
    pub(crate) wal_through: GroupSeq,
    /// New objects.
    pub(crate) objects: Vec<ObjectMeta>,
    /// What each touched stream gains, in order of stream.
    pub(crate) parts: Vec<UploadPart>,
}

/// What one stream gains by an upload.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UploadPart {
    /// Whose.
    pub(crate) stream: StreamId,
    /// Contiguous, from the committed end (or from below a later start).
    pub(crate) ranges: Vec<Range>,
    /// The stream's whole history of epochs as of the new end.
    pub(crate) epochs: Vec<(Epoch, Offset)>,
    /// The stream's producers as of the new end.
    pub(crate) producers: Vec<ProducerSnapshot>,
    /// Transactions that the ranges' markers aborted, in the order of the markers.
    pub(crate) aborted: Vec<AbortedTransaction>,
}

/// See `Record::Rewrite`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rewrite {
    /// New objects.
    pub(crate) objects: Vec<ObjectMeta>,
    /// What changes in each stream, in order of stream.
    pub(crate) parts: Vec<RewritePart>,
}

/// What changes in one stream by a rewrite.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RewritePart {
    /// Whose.
    pub(crate) stream: StreamId,
    /// The ranges that go: exactly as they stand in the stream, one after the other.
    pub(crate) removed: Vec<Range>,
    /// The ranges that come: contiguous, and covering exactly what goes.
    pub(crate) added: Vec<Range>,
    /// Every key below this offset occurs once below it. Unchanged when zero.
    pub(crate) compacted_through: Offset,
}

impl RewritePart {
    /// Whether nothing is replaced, and only `compacted_through` rises.
    pub(crate) fn only_notes(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }
}

/// A new start of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TrimTo {
    /// Which.
    pub(crate) stream: StreamId,
    /// First offset kept.
    pub(crate) start: Offset,
}

/// An object of which ranges are in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ObjectMeta {
    /// Its name.
    pub(crate) id: ObjectId,
    /// Bytes.
    pub(crate) len: u64,
    /// Bytes of sections and trailer: one tail read of exactly this length opens it.
    pub(crate) footer_len: u32,
    /// The checksum in its trailer, which covers all of it: what tells it from another object that was once given the same number.
    /// `None` for objects of the time before it was noted here.
    pub(crate) checksum: Option<u64>,
}

/// Consecutive offsets of one stream in one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    /// First offset.
    pub(crate) base: Offset,
    /// One past the last. Compaction may have taken records out between, never the coverage.
    pub(crate) end: Offset,
    /// Where; `ObjectId::NONE` when compaction kept nothing.
    pub(crate) object: ObjectId,
    /// Bytes of the batches.
    pub(crate) bytes: u64,
    /// Largest timestamp of a record; negative when there is none.
    pub(crate) max_timestamp: TimestampMs,
    /// When its newest part was first uploaded: stands in for missing timestamps.
    pub(crate) written_ms: TimestampMs,
    /// How often its bytes were merged: bounds write amplification.
    pub(crate) level: u8,
}

/// What is remembered of one idempotent producer: a function of the stream's batches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProducerSnapshot {
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    /// Wall time of its last batch.
    pub(crate) last_timestamp: TimestampMs,
    /// Epoch of the coordinator that wrote its last marker; -1: none did.
    pub(crate) coordinator_epoch: i32,
    /// Where its open transaction began.
    pub(crate) transaction_start: Option<Offset>,
    /// Its newest batches, oldest first.
    pub(crate) batches: Vec<ProducerBatch>,
}

/// One batch of an idempotent producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProducerBatch {
    pub(crate) first_sequence: i32,
    pub(crate) last_sequence: i32,
    pub(crate) base: Offset,
    pub(crate) last: Offset,
}

/// Batches remembered for each producer (Kafka remembers as many; clients have at most five requests in flight).
pub(crate) const PRODUCER_BATCHES_MAX: usize = 5;

/// Where a record or snapshot is kept that is too large for the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spill {
    pub(crate) object: ObjectId,
    pub(crate) len: u64,
    /// xxh3-64 of the bytes.
    pub(crate) checksum: u64,
}
