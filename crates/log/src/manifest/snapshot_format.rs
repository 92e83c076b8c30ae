//! Bytes of a manifest snapshot, versions 1 and 2 (docs/format/manifest.md): the whole image, or the name of the object that holds it.

use super::image::{Image, ObjectUse};
use super::ranges::StreamImage;
use super::record::Spill;
use super::record_format::{
    VERSION, put_epochs, put_list, put_object, put_producer, put_range, put_spill, seal, take_epochs,
    take_list, take_objects, take_producers, take_ranges, take_spill, unseal,
};
use super::store::ManifestSeq;
use super::transactions_format::{OfStream, put_transactions, take_transactions};
use crate::ids::{GroupSeq, Offset, StreamId};
use crate::le::{FormatError, LeReader, put_count};
use crate::objects::ObjectId;
use crate::transactions::AbortedList;
use bytes::{BufMut, Bytes, BytesMut};

const MAGIC: [u8; 4] = *b"MSMS";
const KIND_WHOLE: u16 = 1;
const KIND_SPILLED: u16 = 2;
/// The image with aborted transactions, or with producers of which a coordinator has written markers.
const KIND_WHOLE_TRANSACTIONS: u16 = 3;
/// Bytes of a stream without its lists.
const STREAM_BYTES_MIN: usize = 44;

/// What the bytes of a snapshot are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Snapshot {
    /// The image itself.
    Whole(Box<Image>),
    /// The image is in an object.
    Spilled(Spill),
}

pub(crate) fn encode_spilled(spill: &Spill) -> Bytes {
    let mut out = begin(KIND_SPILLED);
    put_spill(&mut out, spill);
    seal(out)
}

/// Spilled records up to the image's position are covered by the snapshot and are left out of it.
pub(crate) fn encode(image: &Image) -> Bytes {
    let of_streams: Vec<OfStream<'_>> = image
        .streams
        .iter()
        .map(|(id, stream)| OfStream {
            stream: *id,
            aborted: stream.aborted.all(),
            producers: &stream.producers,
        })
        .filter(|of_stream| !of_stream.is_silent())
        .collect();
    let mut out = begin(if of_streams.is_empty() {
        KIND_WHOLE
    } else {
        KIND_WHOLE_TRANSACTIONS
    });
    out.put_u64_le(image.seq.0);
    out.put_u64_le(image.incarnation);
    out.put_u64_le(image.wal_through.0);
    put_count(&mut out, image.objects.len());
    for object in image.objects.values() {
        put_object(&mut out, &object.meta);
    }
    put_count(&mut out, image.dead.len());
    for id in &image.dead {
        out.put_u64_le(id.0);
    }
    put_count(&mut out, image.deleted.len());
    for (stream, as_of) in &image.deleted {
        out.put_u64_le(stream.0);
        out.put_u64_le(as_of.0);
    }
    put_count(&mut out, image.streams.len());
    for (id, stream) in &image.streams {
        out.put_u64_le(id.0);
        out.put_u64_le(stream.start.0);
        out.put_u64_le(stream.end.0);
        out.put_u64_le(stream.compacted_through.0);
        put_list(&mut out, &stream.ranges, put_range);
        put_epochs(&mut out, &stream.epochs);
        put_list(&mut out, &stream.producers, put_producer);
    }
    if !of_streams.is_empty() {
        put_transactions(&mut out, &of_streams);
    }
    seal(out)
}

fn begin(kind: u16) -> BytesMut {
    let mut out = BytesMut::with_capacity(4096);
    out.put_slice(&MAGIC);
    out.put_u16_le(VERSION);
    out.put_u16_le(kind);
    out
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Snapshot, FormatError> {
    let (version, body) = unseal(bytes, MAGIC, "manifest snapshot")?;
    let mut reader = LeReader::new(body);
    let snapshot = match reader.u16()? {
        KIND_WHOLE => Snapshot::Whole(Box::new(take_image(&mut reader, version)?)),
        KIND_WHOLE_TRANSACTIONS => {
            let mut image = take_image(&mut reader, version)?;
            take_of_streams(&mut reader, &mut image)?;
            Snapshot::Whole(Box::new(image))
        }
        KIND_SPILLED => Snapshot::Spilled(take_spill(&mut reader)?),
        _ => {
            return Err(FormatError::Inconsistent(
                "a manifest snapshot of a kind that is not known here",
            ));
        }
    };
    if reader.is_empty() {
        Ok(snapshot)
    } else {
        Err(FormatError::Inconsistent("bytes follow a manifest snapshot"))
    }
}

fn take_image(reader: &mut LeReader<'_>, version: u16) -> Result<Image, FormatError> {
    let mut image = Image {
        seq: ManifestSeq(reader.u64()?),
        incarnation: reader.u64()?,
        wal_through: GroupSeq(reader.u64()?),
        ..Image::default()
    };
    for meta in take_objects(reader, version)? {
        image.objects.insert(
            meta.id,
            ObjectUse {
                meta,
                ranges: 0,
                bytes: 0,
            },
        );
    }
    image.dead = take_list(reader, 8, |r| Ok(ObjectId(r.u64()?)))?
        .into_iter()
        .collect();
    image.deleted = take_list(reader, 16, |r| Ok((StreamId(r.u64()?), GroupSeq(r.u64()?))))?
        .into_iter()
        .collect();
    image.streams = take_list(reader, STREAM_BYTES_MIN, take_stream)?
        .into_iter()
        .collect();
    count_references(&mut image)?;
    image
        .check()
        .map_err(|_| FormatError::Inconsistent("a manifest snapshot breaks an invariant"))?;
    Ok(image)
}

fn take_of_streams(reader: &mut LeReader<'_>, image: &mut Image) -> Result<(), FormatError> {
    for taken in take_transactions(reader)? {
        let stream = image
            .streams
            .get_mut(&taken.stream)
            .ok_or(FormatError::Inconsistent(
                "transactions of a stream that is not known",
            ))?;
        let mut producers = stream.producers.to_vec();
        taken.mark(&mut producers)?;
        stream.producers = producers.into();
        stream.aborted = AbortedList::new(taken.aborted);
    }
    Ok(())
}

fn take_stream(reader: &mut LeReader<'_>) -> Result<(StreamId, StreamImage), FormatError> {
    let id = StreamId(reader.u64()?);
    let (start, end, compacted_through) = (reader.u64()?, reader.u64()?, reader.u64()?);
    let ranges = take_ranges(reader)?;
    let stream = StreamImage {
        start: Offset(start),
        end: Offset(end),
        compacted_through: Offset(compacted_through),
        epochs: take_epochs(reader)?,
        producers: take_producers(reader)?.into(),
        ..StreamImage::with_ranges(ranges)
    };
    Ok((id, stream))
}

/// Counts are derived, so that they cannot contradict the ranges.
fn count_references(image: &mut Image) -> Result<(), FormatError> {
    for range in image.streams.values().flat_map(|stream| &stream.ranges) {
        if range.object == ObjectId::NONE {
            continue;
        }
        let object = image
            .objects
            .get_mut(&range.object)
            .ok_or(FormatError::Inconsistent(
                "a range lies in an object that is not known",
            ))?;
        object.ranges += 1;
        object.bytes = object.bytes.saturating_add(range.bytes);
    }
    Ok(())
}
