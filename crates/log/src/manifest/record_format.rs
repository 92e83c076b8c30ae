//! Bytes of manifest records, versions 1 and 2 (docs/format/manifest.md): magic, version, kind, payload, checksum last.

use super::record::{
    ObjectMeta, PRODUCER_BATCHES_MAX, ProducerBatch, ProducerSnapshot, Range, Record, Rewrite, RewritePart,
    Spill, TrimTo, Upload, UploadPart,
};
use super::transactions_format::{OfStream, put_transactions, take_transactions};
use crate::ids::{Epoch, GroupSeq, Offset, StreamId};
use crate::le::{FormatError, LeReader, checksum, put_count};
use crate::objects::ObjectId;
use crate::producers::NO_COORDINATOR;
use bytes::{BufMut, Bytes, BytesMut};

const MAGIC: [u8; 4] = *b"MSMR";
/// The version that this code writes. It reads those from `VERSION_MIN` on.
pub(super) const VERSION: u16 = 2;
/// Objects have no checksum yet.
const VERSION_MIN: u16 = 1;
const CHECKSUM_BYTES: usize = 8;

const KIND_OPENED: u16 = 1;
const KIND_UPLOAD: u16 = 2;
const KIND_REWRITE: u16 = 3;
const KIND_TRIM: u16 = 4;
const KIND_DELETE: u16 = 5;
const KIND_COLLECTED: u16 = 6;
const KIND_SPILLED: u16 = 7;
/// An upload with aborted transactions, or with producers of which a coordinator has written markers.
const KIND_UPLOAD_TRANSACTIONS: u16 = 8;

/// Bytes of an object in version 1; later ones have more.
const OBJECT_BYTES_MIN: usize = 20;
/// "Not known", where an object's checksum stands. One that is 0 by chance is as little known.
const NO_CHECKSUM: u64 = 0;
const RANGE_BYTES: usize = 49;
const EPOCH_BYTES: usize = 12;
const PRODUCER_BYTES_MIN: usize = 30;
const PRODUCER_BATCH_BYTES: usize = 24;
/// Bytes of an upload's part without its lists.
const PART_BYTES_MIN: usize = 20;
const TRIM_BYTES: usize = 16;
/// "No open transaction"; no offset reaches it.
const NO_OFFSET: u64 = u64::MAX;

pub(crate) fn encode(record: &Record) -> Bytes {
    let mut out = BytesMut::with_capacity(256);
    out.put_slice(&MAGIC);
    out.put_u16_le(VERSION);
    out.put_u16_le(kind_of(record));
    match record {
        Record::Opened => {}
        Record::Upload(upload) => put_upload(&mut out, upload),
        Record::Rewrite(rewrite) => put_rewrite(&mut out, rewrite),
        Record::Trim(trims) => put_list(&mut out, trims, |out, trim| {
            out.put_u64_le(trim.stream.0);
            out.put_u64_le(trim.start.0);
        }),
        Record::DeleteStream { stream, as_of } => {
            out.put_u64_le(stream.0);
            out.put_u64_le(as_of.0);
        }
        Record::Collected(ids) => put_list(&mut out, ids, |out, id| out.put_u64_le(id.0)),
        Record::Spilled(spill) => put_spill(&mut out, spill),
    }
    seal(out)
}

fn kind_of(record: &Record) -> u16 {
    match record {
        Record::Opened => KIND_OPENED,
        Record::Upload(upload) if of_streams(upload).is_empty() => KIND_UPLOAD,
        Record::Upload(_) => KIND_UPLOAD_TRANSACTIONS,
        Record::Rewrite(_) => KIND_REWRITE,
        Record::Trim(_) => KIND_TRIM,
        Record::DeleteStream { .. } => KIND_DELETE,
        Record::Collected(_) => KIND_COLLECTED,
        Record::Spilled(_) => KIND_SPILLED,
    }
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Record, FormatError> {
    let (version, body) = unseal(bytes, MAGIC, "manifest record")?;
    let mut reader = LeReader::new(body);
    let kind = reader.u16()?;
    let record = match kind {
        KIND_OPENED => Record::Opened,
        KIND_UPLOAD => Record::Upload(take_upload(&mut reader, version)?),
        KIND_UPLOAD_TRANSACTIONS => Record::Upload(take_upload_transactions(&mut reader, version)?),
        KIND_REWRITE => Record::Rewrite(take_rewrite(&mut reader, version)?),
        KIND_TRIM => Record::Trim(take_list(&mut reader, TRIM_BYTES, |r| {
            Ok(TrimTo {
                stream: StreamId(r.u64()?),
                start: Offset(r.u64()?),
            })
        })?),
        KIND_DELETE => Record::DeleteStream {
            stream: StreamId(reader.u64()?),
            as_of: GroupSeq(reader.u64()?),
        },
        KIND_COLLECTED => Record::Collected(take_list(&mut reader, 8, |r| Ok(ObjectId(r.u64()?)))?),
        KIND_SPILLED => Record::Spilled(take_spill(&mut reader)?),
        _ => {
            return Err(FormatError::Inconsistent(
                "a manifest record of a kind that is not known here",
            ));
        }
    };
    if reader.is_empty() {
        Ok(record)
    } else {
        Err(FormatError::Inconsistent("bytes follow a manifest record"))
    }
}

/// Appends the checksum of all that was written.
pub(super) fn seal(mut out: BytesMut) -> Bytes {
    let sum = checksum(&out);
    out.put_u64_le(sum);
    out.freeze()
}

/// The version, and what lies between it and the checksum, after magic, version and checksum were found right.
pub(super) fn unseal<'a>(
    bytes: &'a [u8],
    magic: [u8; 4],
    part: &'static str,
) -> Result<(u16, &'a [u8]), FormatError> {
    let mut reader = LeReader::new(bytes);
    if reader.take(4)? != magic {
        return Err(FormatError::BadMagic);
    }
    let version = reader.u16()?;
    let summed = bytes
        .len()
        .checked_sub(CHECKSUM_BYTES)
        .filter(|at| *at >= 6)
        .ok_or(FormatError::Truncated)?;
    if LeReader::new(&bytes[summed..]).u64()? != checksum(&bytes[..summed]) {
        return Err(FormatError::BadChecksum(part));
    }
    if !(VERSION_MIN..=VERSION).contains(&version) {
        return Err(FormatError::UnknownVersion(version));
    }
    Ok((version, &bytes[6..summed]))
}

pub(super) fn put_list<T>(out: &mut BytesMut, items: &[T], mut put: impl FnMut(&mut BytesMut, &T)) {
    put_count(out, items.len());
    for item in items {
        put(out, item);
    }
}

pub(super) fn take_list<T>(
    reader: &mut LeReader<'_>,
    bytes_min: usize,
    mut take: impl FnMut(&mut LeReader<'_>) -> Result<T, FormatError>,
) -> Result<Vec<T>, FormatError> {
    let count = reader.count(bytes_min)?;
    let mut items = Vec::with_capacity(count);
    for _ in 0..count {
        items.push(take(reader)?);
    }
    Ok(items)
}

fn put_upload(out: &mut BytesMut, upload: &Upload) {
    out.put_u64_le(upload.wal_through.0);
    put_list(out, &upload.objects, put_object);
    put_list(out, &upload.parts, |out, part| {
        out.put_u64_le(part.stream.0);
        put_list(out, &part.ranges, put_range);
        put_epochs(out, &part.epochs);
        put_list(out, &part.producers, put_producer);
    });
    let of_streams = of_streams(upload);
    if !of_streams.is_empty() {
        put_transactions(out, &of_streams);
    }
}

/// The parts that have something to say of transactions.
fn of_streams(upload: &Upload) -> Vec<OfStream<'_>> {
    let parts = upload.parts.iter().map(|part| OfStream {
        stream: part.stream,
        aborted: &part.aborted,
        producers: &part.producers,
    });
    parts.filter(|of_stream| !of_stream.is_silent()).collect()
}

fn take_upload_transactions(reader: &mut LeReader<'_>, version: u16) -> Result<Upload, FormatError> {
    let mut upload = take_upload(reader, version)?;
    for taken in take_transactions(reader)? {
        let part = upload
            .parts
            .iter_mut()
            .find(|part| part.stream == taken.stream)
            .ok_or(FormatError::Inconsistent(
                "transactions of a stream without a part",
            ))?;
        taken.mark(&mut part.producers)?;
        part.aborted = taken.aborted;
    }
    Ok(upload)
}

fn take_upload(reader: &mut LeReader<'_>, version: u16) -> Result<Upload, FormatError> {
    Ok(Upload {
        wal_through: GroupSeq(reader.u64()?),
        objects: take_objects(reader, version)?,
        parts: take_list(reader, PART_BYTES_MIN, |r| {
            Ok(UploadPart {
                stream: StreamId(r.u64()?),
                ranges: take_ranges(r)?,
                epochs: take_epochs(r)?,
                producers: take_producers(r)?,
                aborted: Vec::new(),
            })
        })?,
    })
}

fn put_rewrite(out: &mut BytesMut, rewrite: &Rewrite) {
    put_list(out, &rewrite.objects, put_object);
    put_list(out, &rewrite.parts, |out, part| {
        out.put_u64_le(part.stream.0);
        put_list(out, &part.removed, put_range);
        put_list(out, &part.added, put_range);
        out.put_u64_le(part.compacted_through.0);
    });
}

fn take_rewrite(reader: &mut LeReader<'_>, version: u16) -> Result<Rewrite, FormatError> {
    Ok(Rewrite {
        objects: take_objects(reader, version)?,
        parts: take_list(reader, PART_BYTES_MIN, |r| {
            Ok(RewritePart {
                stream: StreamId(r.u64()?),
                removed: take_ranges(r)?,
                added: take_ranges(r)?,
                compacted_through: Offset(r.u64()?),
            })
        })?,
    })
}

pub(super) fn put_object(out: &mut BytesMut, object: &ObjectMeta) {
    out.put_u64_le(object.id.0);
    out.put_u64_le(object.len);
    out.put_u32_le(object.footer_len);
    out.put_u64_le(object.checksum.unwrap_or(NO_CHECKSUM));
}

pub(super) fn take_objects(reader: &mut LeReader<'_>, version: u16) -> Result<Vec<ObjectMeta>, FormatError> {
    take_list(reader, OBJECT_BYTES_MIN, |r| {
        let (id, len, footer_len) = (ObjectId(r.u64()?), r.u64()?, r.u32()?);
        let checksum = match version {
            VERSION_MIN => NO_CHECKSUM,
            _ => r.u64()?,
        };
        Ok(ObjectMeta {
            id,
            len,
            footer_len,
            checksum: (checksum != NO_CHECKSUM).then_some(checksum),
        })
    })
}

pub(super) fn put_range(out: &mut BytesMut, range: &Range) {
    out.put_u64_le(range.base.0);
    out.put_u64_le(range.end.0);
    out.put_u64_le(range.object.0);
    out.put_u64_le(range.bytes);
    out.put_i64_le(range.max_timestamp);
    out.put_i64_le(range.written_ms);
    out.put_u8(range.level);
}

pub(super) fn take_ranges(reader: &mut LeReader<'_>) -> Result<Vec<Range>, FormatError> {
    take_list(reader, RANGE_BYTES, |r| {
        Ok(Range {
            base: Offset(r.u64()?),
            end: Offset(r.u64()?),
            object: ObjectId(r.u64()?),
            bytes: r.u64()?,
            max_timestamp: r.i64()?,
            written_ms: r.i64()?,
            level: r.u8()?,
        })
    })
}

pub(super) fn put_epochs(out: &mut BytesMut, epochs: &[(Epoch, Offset)]) {
    put_list(out, epochs, |out, (epoch, start)| {
        out.put_u32_le(epoch.0);
        out.put_u64_le(start.0);
    });
}

pub(super) fn take_epochs(reader: &mut LeReader<'_>) -> Result<Vec<(Epoch, Offset)>, FormatError> {
    take_list(reader, EPOCH_BYTES, |r| Ok((Epoch(r.u32()?), Offset(r.u64()?))))
}

pub(super) fn put_producer(out: &mut BytesMut, producer: &ProducerSnapshot) {
    out.put_i64_le(producer.producer_id);
    out.put_i16_le(producer.producer_epoch);
    out.put_i64_le(producer.last_timestamp);
    out.put_u64_le(producer.transaction_start.map_or(NO_OFFSET, |start| start.0));
    assert!(
        producer.batches.len() <= PRODUCER_BATCHES_MAX,
        "a producer's window is bounded"
    );
    put_list(out, &producer.batches, |out, batch| {
        out.put_i32_le(batch.first_sequence);
        out.put_i32_le(batch.last_sequence);
        out.put_u64_le(batch.base.0);
        out.put_u64_le(batch.last.0);
    });
}

pub(super) fn take_producers(reader: &mut LeReader<'_>) -> Result<Vec<ProducerSnapshot>, FormatError> {
    take_list(reader, PRODUCER_BYTES_MIN, |r| {
        let producer = ProducerSnapshot {
            producer_id: r.i64()?,
            producer_epoch: r.i16()?,
            last_timestamp: r.i64()?,
            coordinator_epoch: NO_COORDINATOR,
            transaction_start: Some(r.u64()?).filter(|at| *at != NO_OFFSET).map(Offset),
            batches: take_list(r, PRODUCER_BATCH_BYTES, take_producer_batch)?,
        };
        if producer.batches.len() > PRODUCER_BATCHES_MAX {
            return Err(FormatError::Inconsistent(
                "a producer's window is larger than allowed",
            ));
        }
        Ok(producer)
    })
}

fn take_producer_batch(reader: &mut LeReader<'_>) -> Result<ProducerBatch, FormatError> {
    Ok(ProducerBatch {
        first_sequence: reader.i32()?,
        last_sequence: reader.i32()?,
        base: Offset(reader.u64()?),
        last: Offset(reader.u64()?),
    })
}

pub(super) fn put_spill(out: &mut BytesMut, spill: &Spill) {
    out.put_u64_le(spill.object.0);
    out.put_u64_le(spill.len);
    out.put_u64_le(spill.checksum);
}

pub(super) fn take_spill(reader: &mut LeReader<'_>) -> Result<Spill, FormatError> {
    Ok(Spill {
        object: ObjectId(reader.u64()?),
        len: reader.u64()?,
        checksum: reader.u64()?,
    })
}
