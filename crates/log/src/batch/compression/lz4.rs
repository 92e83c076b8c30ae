//! LZ4, frame format.
//!
//! Owns: the frame that is written: independent blocks of 64 KiB, no checksum of the content. Java's reader knows no linked blocks.
//!
//! **Invariant**: exactly one frame; bytes after it are refused, as what a Java consumer would not see must not be kept. Memory of
//! its own: three blocks of the size that the frame names, at most 8 MiB each.
//! Off both hot paths (see `compression`).

use super::super::error::BatchError;
use bytes::Bytes;
use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use std::io::Write;
use std::ops::RangeInclusive;

/// Levels of `compression.lz4.level` (KIP-390). Accepted and without effect: the encoder has one level, the fast one.
pub const LZ4_LEVELS: RangeInclusive<i32> = 1..=17;

/// The four bytes that end a frame's blocks: a block of length 0.
const END_MARK: [u8; 4] = [0; 4];
/// Bytes of the checksum of the content, if the frame has one.
const CONTENT_CHECKSUM_BYTES: usize = 4;
/// Where a frame says what it has: after its magic.
const FLAGS_AT: usize = 4;
/// Bit of the flags: a checksum of the content ends the frame.
const FLAG_CONTENT_CHECKSUM: u8 = 1 << 2;

pub(super) fn decompress(payload: &[u8], bytes_max: usize) -> Result<Bytes, BatchError> {
    let mut decoder = FrameDecoder::new(payload);
    let out = super::read_capped(&mut decoder, payload.len(), bytes_max)?;
    if !decoder.get_ref().is_empty() || !ends_a_frame(payload) {
        return Err(BatchError::BadCompression);
    }
    Ok(Bytes::from(out))
}

/// The decoder takes the end of its input for the end of the frame: a frame cut between two blocks would pass.
fn ends_a_frame(payload: &[u8]) -> bool {
    let checksum = match payload.get(FLAGS_AT) {
        Some(flags) if flags & FLAG_CONTENT_CHECKSUM != 0 => CONTENT_CHECKSUM_BYTES,
        _ => 0,
    };
    payload
        .len()
        .checked_sub(checksum)
        .is_some_and(|end| payload[..end].ends_with(&END_MARK))
}

pub(super) fn compress(records: &[u8], _level: Option<i32>, out: &mut Vec<u8>) -> Result<(), BatchError> {
    let frame = FrameInfo::new()
        .block_mode(BlockMode::Independent)
        .block_size(BlockSize::Max64KB);
    let mut encoder = FrameEncoder::with_frame_info(frame, out);
    encoder
        .write_all(records)
        .map_err(|_| BatchError::BadCompression)?;
    encoder.finish().map_err(|_| BatchError::BadCompression)?;
    Ok(())
}
