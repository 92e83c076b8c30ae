//! Zstandard (RFC 8878), over the C library.
//!
//! Owns: its levels and the cap on its window.
//!
//! **Invariant**: a frame that asks for a larger window than every stock client accepts is refused before room is made for it.
//! Memory of its own: about 200 KiB and the window; of a window, the pages that output filled, so not more than the cap.
//! Off both hot paths (see `compression`).

use super::super::error::BatchError;
use bytes::Bytes;
use std::ops::RangeInclusive;
use zstd::bulk;
use zstd::stream::read::Decoder;
use zstd::zstd_safe::compress_bound;

/// Levels of `compression.zstd.level` (KIP-390).
pub const ZSTD_LEVELS: RangeInclusive<i32> = -131_072..=22;

/// zstd's and Kafka's default.
const LEVEL_DEFAULT: i32 = 3;

/// 128 MiB: what level 22 writes, and what zstd's decoders accept unless told otherwise. Less would refuse honest batches; the
/// memory is reserved but only touched as far as output reaches, which the cap bounds.
const WINDOW_LOG_MAX: u32 = 27;

pub(super) fn decompress(payload: &[u8], bytes_max: usize) -> Result<Bytes, BatchError> {
    let mut decoder = Decoder::with_buffer(payload).map_err(|_| BatchError::BadCompression)?;
    decoder
        .window_log_max(WINDOW_LOG_MAX)
        .map_err(|_| BatchError::BadCompression)?;
    super::read_capped(decoder, payload.len(), bytes_max).map(Bytes::from)
}

pub(super) fn compress(records: &[u8], level: Option<i32>, out: &mut Vec<u8>) -> Result<(), BatchError> {
    let level = level
        .unwrap_or(LEVEL_DEFAULT)
        .clamp(*ZSTD_LEVELS.start(), *ZSTD_LEVELS.end());
    let start = out.len();
    out.resize(start + compress_bound(records.len()), 0);
    let written = bulk::compress_to_buffer(records, &mut out[start..], level)
        .map_err(|_| BatchError::BadCompression)?;
    out.truncate(start + written);
    Ok(())
}
