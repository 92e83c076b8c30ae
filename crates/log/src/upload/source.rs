//! What the uploader and the housekeeper ask of the streams' tails. The write-ahead log's side implements it.
//!
//! A small port inside the crate: uploads are tested with a fake tail.

use crate::clock::TimestampMs;
use crate::config::StreamPolicy;
use crate::error::ReadError;
use crate::ids::{AbortedTransaction, Epoch, GroupSeq, Offset, StreamId};
use crate::manifest::record::ProducerSnapshot;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::time::Duration;

/// The durable part of the log that is not in objects yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unuploaded {
    /// Bytes of batches.
    pub(crate) bytes: u64,
    /// Monotonic time at which the oldest was appended; `None` when there is none.
    pub(crate) oldest: Option<Duration>,
    /// Whether uploads fall behind appends.
    pub(crate) is_pressed: bool,
    /// Whether appends are about to wait for uploads.
    pub(crate) brakes_soon: bool,
}

/// One durable batch in a tail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TailBatch {
    /// Offset of the first record.
    pub(crate) base: Offset,
    /// Offset of the last record.
    pub(crate) last: Offset,
    /// Largest timestamp.
    pub(crate) max_timestamp: TimestampMs,
    /// The group that holds it.
    pub(crate) group: GroupSeq,
    /// Where in the group's block.
    pub(crate) position: u32,
    /// Bytes.
    pub(crate) len: u32,
}

/// Memory that a batch of a tail takes beside its bytes: its entry, the same again for room to which the queue of entries has grown,
/// and once more for the copy that an upload cuts. Batches of one record are hardly larger than that, so the bound on what waits for
/// an upload counts it. (The tail cache's does not: entries of what is cached and uploaded take little more than its blocks at worst.)
pub(crate) const TAIL_BATCH_CHARGE_BYTES: u64 = 3 * size_of::<TailBatch>() as u64;

/// What one stream gives to an upload: every batch in the cut that is not wholly below the stream's start, in order.
#[derive(Clone, Debug)]
pub(crate) struct TailPart {
    /// Whose.
    pub(crate) stream: StreamId,
    /// Not empty, contiguous.
    pub(crate) batches: Vec<TailBatch>,
    /// The whole history of epochs as of the last batch.
    pub(crate) epochs: Vec<(Epoch, Offset)>,
    /// Producers as of the last batch.
    pub(crate) producers: Vec<ProducerSnapshot>,
    /// Transactions that these batches aborted.
    pub(crate) aborted: Vec<AbortedTransaction>,
}

impl TailPart {
    /// Bytes of its batches.
    pub(crate) fn bytes(&self) -> u64 {
        self.batches.iter().map(|batch| u64::from(batch.len)).sum()
    }
}

/// The oldest groups that wait for an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Oldest {
    /// The last of them.
    pub(crate) through: GroupSeq,
    /// How many.
    pub(crate) groups: u64,
    /// Bytes that they take in the write-ahead log.
    pub(crate) bytes: u64,
}

impl Oldest {
    /// Of these groups, oldest first, with their bytes: those that take at most so many together; one at least, if there is one.
    pub(crate) fn within(bytes_max: u64, groups: impl Iterator<Item = (GroupSeq, u64)>) -> Self {
        let mut oldest = Oldest {
            through: GroupSeq(0),
            groups: 0,
            bytes: 0,
        };
        for (group, bytes) in groups {
            if oldest.groups > 0 && oldest.bytes + bytes > bytes_max {
                break;
            }
            oldest.through = group;
            oldest.groups += 1;
            oldest.bytes += bytes;
        }
        oldest
    }
}

/// The tails of all streams.
pub(crate) trait TailSource: Send + Sync + 'static {
    /// The last group that is durable.
    fn durable_group(&self) -> GroupSeq;
    /// How much waits, and since when.
    fn unuploaded(&self) -> Unuploaded;
    /// The oldest groups that wait and take at most so many bytes together; one at least, if there is one.
    fn oldest(&self, bytes_max: u64) -> Oldest;
    /// Everything in groups up to `through` that is not in objects, by stream in ascending order. It may reach beyond.
    fn cut(&self, through: GroupSeq) -> Vec<TailPart>;
    /// The same without reaching beyond. Each part's producers are as of its last batch: they are found by reading.
    fn cut_exactly(&self, through: GroupSeq) -> BoxFuture<'_, Result<Vec<TailPart>, ReadError>>;
    /// The batch's bytes, or those of several that lie together in one block, from the tail cache or the write-ahead log's file.
    fn tail_bytes<'a>(
        &'a self,
        stream: StreamId,
        batch: &'a TailBatch,
    ) -> BoxFuture<'a, Result<Bytes, ReadError>>;
    /// What `tail_bytes` gave and nobody of the upload holds any more: its memory may be used again.
    fn give_back(&self, bytes: Bytes);
    /// The upload under way has put so many bytes of batches into an object.
    fn put(&self, bytes: u64);
    /// The upload under way came to nothing.
    fn upload_failed(&self);
    /// The upload is committed: groups up to `through` may be recycled, and the streams' tails begin at these offsets. They are
    /// in order of stream; what was cut and is not among them is deleted for good.
    fn uploaded(&self, through: GroupSeq, ends: &[(StreamId, Offset)]);
    /// What the stream's owner wants of its history. `None`: not open, keep everything as it is.
    fn policy(&self, stream: StreamId) -> Option<StreamPolicy>;
    /// Streams that are open, in ascending order.
    fn streams(&self) -> Vec<StreamId>;
    /// One past the last offset that no open transaction holds back. `None`: not open.
    fn stable_end(&self, stream: StreamId) -> Option<Offset>;
    /// The durable batches of the stream's tail, in order.
    fn tail(&self, stream: StreamId) -> Vec<TailBatch>;
    /// A trim is durable: nothing below `start` is read any more.
    fn advance_start(&self, stream: StreamId, start: Offset);
    /// The transactions that were aborted and may have records in `[from, below)`; of what lies below the stable end, all.
    fn aborted(&self, stream: StreamId, from: Offset, below: Offset) -> Vec<AbortedTransaction>;
    /// Nobody reads anything any more that aborted transactions left below `through`. False: the tail holds a part of it, so the
    /// stream goes on telling of those that end there.
    fn forget_aborted(&self, stream: StreamId, through: Offset) -> bool;
    /// Whether the producer's last sequence is remembered from a batch that ends at `last`: compaction then keeps that
    /// batch's header, although no record of it is left (Kafka does the same).
    fn producer_needs(&self, stream: StreamId, producer_id: i64, last: Offset) -> bool;
}
