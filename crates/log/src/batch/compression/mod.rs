//! The four codecs of record batches, and none.
//!
//! Owns: decompression under a cap, compression at a level. Never looks at what it (de)compresses.
//!
//! **Invariant**: output never exceeds the caller's cap, whatever the input claims, and memory stays below twice the cap plus a
//! constant of the codec (each module names its own). A bomb costs as much as an honest batch of the size of the cap.
//! Off the produce path of plain topics and off the fetch path; see `batch` for who needs records.

mod gzip;
mod lz4;
mod snappy;
mod zstd;

pub use gzip::GZIP_LEVELS;
pub use lz4::LZ4_LEVELS;
pub use zstd::ZSTD_LEVELS;

use super::error::BatchError;
use bytes::Bytes;
use std::io::Read;

/// Compression of a batch's records (attribute bits 0-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Plain.
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy; Java's xerial framing on write, both framings on read.
    Snappy,
    /// LZ4 frame.
    Lz4,
    /// Zstandard.
    Zstd,
}

impl Codec {
    /// Every codec, in the order of its bits.
    pub const ALL: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

    /// The attribute bits 0-2 that stand for it.
    #[must_use]
    pub fn bits(self) -> u8 {
        match self {
            Codec::None => 0,
            Codec::Gzip => 1,
            Codec::Snappy => 2,
            Codec::Lz4 => 3,
            Codec::Zstd => 4,
        }
    }

    /// What the bits stand for; 5 to 7 are not assigned.
    pub fn from_bits(bits: u8) -> Result<Codec, BatchError> {
        match bits {
            0 => Ok(Codec::None),
            1 => Ok(Codec::Gzip),
            2 => Ok(Codec::Snappy),
            3 => Ok(Codec::Lz4),
            4 => Ok(Codec::Zstd),
            other => Err(BatchError::UnknownCodec(other)),
        }
    }
}

/// Decompresses a batch's payload, to at most `bytes_max` bytes; `TooLarge` above. Plain payloads are shared, not copied.
pub fn decompress(codec: Codec, payload: &Bytes, bytes_max: usize) -> Result<Bytes, BatchError> {
    match codec {
        Codec::None if payload.len() > bytes_max => Err(BatchError::TooLarge),
        Codec::None => Ok(payload.clone()),
        Codec::Gzip => gzip::decompress(payload, bytes_max),
        Codec::Snappy => snappy::decompress(payload, bytes_max),
        Codec::Lz4 => lz4::decompress(payload, bytes_max),
        Codec::Zstd => zstd::decompress(payload, bytes_max),
    }
}

/// Compresses encoded records into a payload. `level` is moved into the codec's range; `None` is its default.
pub fn compress(codec: Codec, level: Option<i32>, records: &[u8]) -> Result<Bytes, BatchError> {
    let mut out = Vec::with_capacity(compressed_bytes_hint(codec, records.len()));
    compress_into(codec, level, records, &mut out)?;
    Ok(Bytes::from(out))
}

/// Appends the payload to `out`. An error only where the records are larger than a codec can take, or memory ends.
pub(super) fn compress_into(
    codec: Codec,
    level: Option<i32>,
    records: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), BatchError> {
    match codec {
        Codec::None => {
            out.extend_from_slice(records);
            Ok(())
        }
        Codec::Gzip => gzip::compress(records, level, out),
        Codec::Snappy => snappy::compress(records, out),
        Codec::Lz4 => lz4::compress(records, level, out),
        Codec::Zstd => zstd::compress(records, level, out),
    }
}

/// Room to reserve for a payload: exact for plain records, a guess for the rest.
pub(super) fn compressed_bytes_hint(codec: Codec, records_bytes: usize) -> usize {
    match codec {
        Codec::None => records_bytes,
        _ => records_bytes / 2,
    }
}

/// What records usually shrink to; the first reservation for the way back.
const EXPANSION_GUESS: usize = 4;

/// Reads `from` to its end, which must come within `bytes_max` bytes.
fn read_capped(mut from: impl Read, payload_bytes: usize, bytes_max: usize) -> Result<Vec<u8>, BatchError> {
    // One byte above the cap tells "just fits" from "goes on".
    let read_max = bytes_max.saturating_add(1);
    let guess = payload_bytes.saturating_mul(EXPANSION_GUESS).min(read_max);
    let mut out = Vec::with_capacity(guess);
    read_up_to(&mut from, guess, &mut out)?;
    if out.len() == guess && guess < read_max {
        // All the room at once: doubling would hold the old and the new together. Only what is written to costs memory.
        out.reserve_exact(read_max - guess);
        read_up_to(&mut from, read_max - guess, &mut out)?;
    }
    if out.len() > bytes_max {
        return Err(BatchError::TooLarge);
    }
    Ok(out)
}

fn read_up_to(from: &mut impl Read, bytes_max: usize, out: &mut Vec<u8>) -> Result<(), BatchError> {
    from.take(bytes_max as u64)
        .read_to_end(out)
        .map(drop)
        .map_err(|_| BatchError::BadCompression)
}

#[cfg(test)]
mod tests;
