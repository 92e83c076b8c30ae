//! gzip (RFC 1952), over zlib-rs.
//!
//! Owns: its levels. Memory of its own: a window of 32 KiB and tables, about 50 KiB to read and 300 KiB to write.
//!
//! **Invariant**: the CRC and length at the end of each member were compared. Members may follow each other, as Java's reader allows.
//! Off both hot paths (see `compression`).

use super::super::error::BatchError;
use bytes::Bytes;
use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::io::Write;
use std::ops::RangeInclusive;

/// Levels of `compression.gzip.level` (KIP-390).
pub const GZIP_LEVELS: RangeInclusive<i32> = 1..=9;

/// zlib's default, which Kafka's -1 stands for.
const LEVEL_DEFAULT: i32 = 6;

pub(super) fn decompress(payload: &[u8], bytes_max: usize) -> Result<Bytes, BatchError> {
    super::read_capped(MultiGzDecoder::new(payload), payload.len(), bytes_max).map(Bytes::from)
}

pub(super) fn compress(records: &[u8], level: Option<i32>, out: &mut Vec<u8>) -> Result<(), BatchError> {
    // Kafka's -1 lies outside the range, and means the default.
    let level = match level {
        None | Some(-1) => LEVEL_DEFAULT,
        Some(level) => level.clamp(*GZIP_LEVELS.start(), *GZIP_LEVELS.end()),
    };
    let mut encoder = GzEncoder::new(out, Compression::new(level.unsigned_abs()));
    encoder
        .write_all(records)
        .and_then(|()| encoder.try_finish())
        .map_err(|_| BatchError::BadCompression)
}
