//! Which stream goes into which object, and the making of one object.

use super::source::{TailBatch, TailPart, TailSource};
use crate::batch::BatchHeader;
use crate::clock::TimestampMs;
use crate::error::ReadError;
use crate::ids::{Offset, StreamId};
use crate::manifest::handle::ObjectTicket;
use crate::manifest::record::{ObjectMeta, Range};
use crate::objects::encode::{BatchSpan, COPY_BELOW_BYTES, EncodedObject, ObjectEncoder};
use crate::objects::put::{PutError, put_new};
use crate::objects::store::ObjectStore;

/// The largest object that is made in one piece: it is in memory while it is made.
pub(crate) const OBJECT_BYTES_MAX: u64 = 32 << 20;

/// The most streams that share an object: its index is read whole, and is to fit the cache with room to spare (256 KiB), or
/// each cold read of one of 100,000 small streams would fetch megabytes of it.
pub(crate) const OBJECT_STREAMS_MAX: usize = 4096;

/// Consecutive batches of one stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    /// Whose.
    pub(crate) stream: StreamId,
    /// Not empty.
    pub(crate) batches: Vec<TailBatch>,
}

impl Slice {
    pub(crate) fn bytes(&self) -> u64 {
        self.batches.iter().map(|batch| u64::from(batch.len)).sum()
    }
}

/// Sorts the parts into objects: a stream with `own_bytes` or more gets objects of its own, the others share, all within
/// `OBJECT_BYTES_MAX` (unless one batch is larger than that) and `OBJECT_STREAMS_MAX`.
pub(crate) fn plan(parts: &[TailPart], own_bytes: u64) -> Vec<Vec<Slice>> {
    // A shared object holds one slice of a stream.
    let own_bytes = own_bytes.min(OBJECT_BYTES_MAX);
    let mut objects = Vec::new();
    let mut shared: Vec<Slice> = Vec::new();
    let mut shared_bytes = 0;
    for part in parts {
        if part.bytes() >= own_bytes {
            objects.extend(split(part).map(|slice| vec![slice]));
            continue;
        }
        for slice in split(part) {
            let is_full =
                shared_bytes + slice.bytes() > OBJECT_BYTES_MAX || shared.len() == OBJECT_STREAMS_MAX;
            if is_full && !shared.is_empty() {
                objects.push(std::mem::take(&mut shared));
                shared_bytes = 0;
            }
            shared_bytes += slice.bytes();
            shared.push(slice);
        }
    }
    if !shared.is_empty() {
        objects.push(shared);
    }
    objects
}

/// Cuts a part into slices of at most `OBJECT_BYTES_MAX`.
fn split(part: &TailPart) -> impl Iterator<Item = Slice> {
    let mut slices: Vec<Slice> = Vec::new();
    let mut bytes = 0;
    for batch in &part.batches {
        let len = u64::from(batch.len);
        match slices.last_mut() {
            Some(slice) if bytes + len <= OBJECT_BYTES_MAX => slice.batches.push(*batch),
            _ => {
                slices.push(Slice {
                    stream: part.stream,
                    batches: vec![*batch],
                });
                bytes = 0;
            }
        }
        bytes += len;
    }
    slices.into_iter()
}

/// An object that is durable and not committed yet. While the ticket lives no sweep takes it.
pub(crate) struct MadeObject {
    pub(crate) ticket: ObjectTicket,
    pub(crate) meta: ObjectMeta,
    /// In order of stream and offset.
    pub(crate) ranges: Vec<(StreamId, Range)>,
}

/// Why an object was not made.
#[derive(Debug)]
pub(crate) enum MakeError {
    /// The store is full. What it may hold of the object all the same is of no use.
    NoRoom,
    /// A batch could not be read, or is not what it should be.
    Read(ReadError),
}

impl From<ReadError> for MakeError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<MakeError> for ReadError {
    fn from(error: MakeError) -> Self {
        match error {
            MakeError::NoRoom => ReadError::Storage("the object store has no room".to_owned()),
            MakeError::Read(error) => error,
        }
    }
}

/// Reads the batches of the slices, encodes them and puts the object.
pub(crate) async fn make_object(
    tail: &dyn TailSource,
    store: &dyn ObjectStore,
    ticket: ObjectTicket,
    slices: &[Slice],
    block_target_bytes: usize,
    now_ms: TimestampMs,
) -> Result<MadeObject, MakeError> {
    let mut encoder = ObjectEncoder::new(ticket.id(), nonce(&ticket, now_ms), block_target_bytes);
    let mut ranges = Vec::with_capacity(slices.len());
    // What the object is written from; what was copied is let go of at once.
    let mut held = Vec::new();
    for slice in slices {
        for run in slice.batches.chunk_by(lie_together) {
            // One read for all that lie together: what is no longer cached comes from a file.
            let mut bytes = tail.tail_bytes(slice.stream, &as_one(run)).await?;
            let whole = bytes.clone();
            for batch in run {
                let one = bytes.split_to(bytes.len().min(batch.len as usize));
                let span = span_of(batch, &one)?;
                encoder.push(slice.stream, span, one);
            }
            match run.iter().all(|batch| (batch.len as usize) < COPY_BELOW_BYTES) {
                true => tail.give_back(whole),
                false => held.push(whole),
            }
        }
        ranges.push((slice.stream, range_of(slice, &ticket, now_ms)));
    }
    let made = put_made(store, ticket, encoder.finish(), ranges).await;
    held.into_iter().for_each(|bytes| tail.give_back(bytes));
    made
}

/// Whether `b` follows `a` in the same block.
pub(crate) fn lie_together(a: &TailBatch, b: &TailBatch) -> bool {
    a.group == b.group && a.position + a.len == b.position
}

/// The place of batches that lie together.
pub(crate) fn as_one(run: &[TailBatch]) -> TailBatch {
    let (first, last) = (run[0], run[run.len() - 1]);
    TailBatch {
        last: last.last,
        max_timestamp: run
            .iter()
            .map(|batch| batch.max_timestamp)
            .max()
            .unwrap_or(first.max_timestamp),
        len: last.position + last.len - first.position,
        ..first
    }
}

/// Puts an encoded object for good. `Storage` when the store is full: then the plan is to be made anew.
pub(crate) async fn put_encoded(
    store: &dyn ObjectStore,
    ticket: ObjectTicket,
    encoded: EncodedObject,
    ranges: Vec<(StreamId, Range)>,
) -> Result<MadeObject, ReadError> {
    Ok(put_made(store, ticket, encoded, ranges).await?)
}

async fn put_made(
    store: &dyn ObjectStore,
    ticket: ObjectTicket,
    encoded: EncodedObject,
    ranges: Vec<(StreamId, Range)>,
) -> Result<MadeObject, MakeError> {
    let meta = ObjectMeta {
        id: encoded.id,
        len: encoded.len,
        footer_len: encoded.footer_len,
        checksum: Some(encoded.checksum),
    };
    let key = encoded.id.key();
    put_new(store, &key, encoded.parts)
        .await
        .map_err(|error| match error {
            PutError::Taken => MakeError::Read(ReadError::Corrupt(format!(
                "{} holds something that this log did not write",
                encoded.id
            ))),
            PutError::Full => MakeError::NoRoom,
        })?;
    Ok(MadeObject { ticket, meta, ranges })
}

/// Tells this object from whatever else may lie under its key. The id is unique by itself; time makes a mistake visible.
pub(crate) fn nonce(ticket: &ObjectTicket, now_ms: TimestampMs) -> u64 {
    let mut seed = [0; 16];
    seed[..8].copy_from_slice(&ticket.id().0.to_le_bytes());
    seed[8..].copy_from_slice(&now_ms.to_le_bytes());
    crate::le::checksum(&seed)
}

/// The bytes must be the batch that the tail says they are: nothing else may become an object.
fn span_of(batch: &TailBatch, bytes: &[u8]) -> Result<BatchSpan, ReadError> {
    let header = BatchHeader::parse(bytes)
        .map_err(|error| ReadError::Corrupt(format!("a batch of the tail: {error:?}")))?;
    let same = header.base_offset == batch.base
        && header.last_offset() == batch.last
        && header.size_bytes == bytes.len()
        && bytes.len() == batch.len as usize;
    if !same {
        return Err(ReadError::Corrupt(format!(
            "the tail's batch at {} is another one",
            batch.base
        )));
    }
    Ok(span(&header))
}

pub(crate) fn span(header: &BatchHeader) -> BatchSpan {
    BatchSpan {
        base: header.base_offset,
        last: header.last_offset(),
        first_timestamp: header.base_timestamp,
        max_timestamp: header.max_timestamp,
    }
}

fn range_of(slice: &Slice, ticket: &ObjectTicket, now_ms: TimestampMs) -> Range {
    let first = slice.batches.first().expect("a slice holds batches");
    let last = slice.batches.last().expect("a slice holds batches");
    Range {
        base: first.base,
        end: Offset(last.last.0 + 1),
        object: ticket.id(),
        bytes: slice.bytes(),
        max_timestamp: slice
            .batches
            .iter()
            .map(|batch| batch.max_timestamp)
            .max()
            .unwrap_or(-1),
        written_ms: now_ms,
        level: 0,
    }
}
