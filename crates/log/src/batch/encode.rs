//! Writing records and batches: the one place where their bytes are made.
//!
//! Owns: the encoding of a record, and the join of header, compression and CRC. Never decides what goes into a batch.
//!
//! **Invariant**: what it writes, `BatchHeader::parse` and `Records` read back to the same fields.
//! Off both hot paths: produced batches are kept as they came; builders, recompression and compaction come here.

use super::compression::{self, Codec};
use super::error::BatchError;
use super::header::{ATTRIBUTE_CODEC_MASK, BATCH_BYTES_MAX, BatchHeader, HEADER_BYTES, checksum, field};
use super::varint::{put_varint, put_varlong, varlong_bytes};
use bytes::Bytes;

/// What a record consists of, its place relative to its batch.
pub(super) struct RecordParts<'a, H> {
    /// Timestamp minus the batch's base timestamp, wrapping.
    pub timestamp_delta: i64,
    pub offset_delta: u32,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: H,
}

/// Appends one record to `out`.
///
/// `TooLarge`, and `out` unchanged, where a length does not fit the format.
pub(super) fn put_record<'a, H>(out: &mut Vec<u8>, parts: &RecordParts<'a, H>) -> Result<(), BatchError>
where
    H: Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + Clone,
{
    let body = body_bytes(parts)?;
    let length = i32::try_from(body).map_err(|_| BatchError::TooLarge)?;
    // `body_bytes` has refused what does not fit.
    let offset_delta = parts.offset_delta as i32;
    let headers_count = parts.headers.clone().count();
    if out.len() + body > BATCH_BYTES_MAX {
        return Err(BatchError::TooLarge);
    }
    put_varint(out, length);
    let start = out.len();
    out.push(0);
    put_varlong(out, parts.timestamp_delta);
    put_varint(out, offset_delta);
    put_nullable(out, parts.key);
    put_nullable(out, parts.value);
    // Each of them took two bytes or more of a length that fits.
    put_varint(out, headers_count as i32);
    for (key, value) in parts.headers.clone() {
        put_nullable(out, Some(key));
        put_nullable(out, value);
    }
    debug_assert_eq!(
        out.len() - start,
        body,
        "the length was computed for these fields"
    );
    Ok(())
}

/// Bytes that one record takes, its length included. `TooLarge` where a length does not fit the format.
pub(super) fn record_bytes<'a, H>(parts: &RecordParts<'a, H>) -> Result<usize, BatchError>
where
    H: Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + Clone,
{
    let body = body_bytes(parts)?;
    let length = i32::try_from(body).map_err(|_| BatchError::TooLarge)?;
    Ok(varlong_bytes(i64::from(length)) + body)
}

/// Bytes of one record behind its length.
fn body_bytes<'a, H>(parts: &RecordParts<'a, H>) -> Result<usize, BatchError>
where
    H: Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + Clone,
{
    let offset_delta = i32::try_from(parts.offset_delta).map_err(|_| BatchError::TooLarge)?;
    let mut headers_count = 0_usize;
    let mut body = 1 // the attributes, of which none is defined
        + varlong_bytes(parts.timestamp_delta)
        + varlong_bytes(i64::from(offset_delta))
        + nullable_bytes(parts.key)
        + nullable_bytes(parts.value);
    for (key, value) in parts.headers.clone() {
        headers_count += 1;
        body += nullable_bytes(Some(key)) + nullable_bytes(value);
    }
    Ok(body + varlong_bytes(headers_count as i64))
}

/// A batch of `records` (encoded, plain) with the fields of `template`; codec bits, size and CRC are set here.
pub(super) fn assemble(
    template: &BatchHeader,
    codec: Codec,
    level: Option<i32>,
    records: &[u8],
) -> Result<(BatchHeader, Bytes), BatchError> {
    let mut batch =
        Vec::with_capacity(HEADER_BYTES + compression::compressed_bytes_hint(codec, records.len()));
    batch.resize(HEADER_BYTES, 0);
    compression::compress_into(codec, level, records, &mut batch)?;
    if batch.len() > BATCH_BYTES_MAX {
        return Err(BatchError::TooLarge);
    }
    let mut header = *template;
    header.attributes = (template.attributes & !ATTRIBUTE_CODEC_MASK) | u16::from(codec.bits());
    header.size_bytes = batch.len();
    batch[..HEADER_BYTES].copy_from_slice(&header.encode());
    header.crc = checksum(&batch);
    batch[field::CRC..field::ATTRIBUTES].copy_from_slice(&header.crc.to_be_bytes());
    Ok((header, Bytes::from(batch)))
}

fn nullable_bytes(part: Option<&[u8]>) -> usize {
    part.map_or(1, |part| varlong_bytes(part.len() as i64) + part.len())
}

fn put_nullable(out: &mut Vec<u8>, part: Option<&[u8]>) {
    match part {
        None => put_varint(out, -1),
        Some(part) => {
            // Below the record's own length, which was checked to fit.
            put_varint(out, part.len() as i32);
            out.extend_from_slice(part);
        }
    }
}
