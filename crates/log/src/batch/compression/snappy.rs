//! Snappy, in two framings.
//!
//! Owns: the framing of Java's snappy library ("xerial"): magic `82 53 4e 41 50 50 59 00`, two 32-bit versions, then blocks, each
//! a big-endian 32-bit length and one raw snappy block. Bytes that do not begin with the magic are a single raw block, as some
//! clients write.
//!
//! **Invariant**: the length that a block claims for its content is compared with the cap and with what its bytes can expand to,
//! before room is made for it. Memory of its own: the encoder's table, 32 KiB.
//! Off both hot paths (see `compression`).

use super::super::error::BatchError;
use bytes::Bytes;

/// What a framed payload begins with.
const MAGIC: [u8; 8] = *b"\x82SNAPPY\0";
/// The magic, the version and the oldest version that can read it.
const FRAME_HEADER_BYTES: usize = 16;
/// Both versions, as Java writes them.
const FRAME_VERSION: [u8; 4] = 1_u32.to_be_bytes();
/// Bytes of records in one block, as Java writes them.
const BLOCK_BYTES: usize = 32 << 10;
/// Snappy's densest element copies 64 bytes for 3: no block holds more than 22 times its size.
const EXPANSION_MAX: usize = 22;

pub(super) fn decompress(payload: &[u8], bytes_max: usize) -> Result<Bytes, BatchError> {
    let mut out = Vec::new();
    let mut decoder = snap::raw::Decoder::new();
    if !payload.starts_with(&MAGIC) {
        append_block(&mut decoder, payload, bytes_max, &mut out)?;
        return Ok(Bytes::from(out));
    }
    let mut rest = payload;
    while !rest.is_empty() {
        // Also between blocks: streams may be joined, which Java's reader allows. The versions are not compared: some clients
        // write them in their machine's byte order, and there is only one format.
        if rest.starts_with(&MAGIC) {
            rest = rest.get(FRAME_HEADER_BYTES..).ok_or(BatchError::BadCompression)?;
            continue;
        }
        let (length, after) = rest.split_first_chunk::<4>().ok_or(BatchError::BadCompression)?;
        let length = u32::from_be_bytes(*length) as usize;
        let (block, after) = after.split_at_checked(length).ok_or(BatchError::BadCompression)?;
        append_block(&mut decoder, block, bytes_max, &mut out)?;
        rest = after;
    }
    Ok(Bytes::from(out))
}

fn append_block(
    decoder: &mut snap::raw::Decoder,
    block: &[u8],
    bytes_max: usize,
    out: &mut Vec<u8>,
) -> Result<(), BatchError> {
    let length = snap::raw::decompress_len(block).map_err(|_| BatchError::BadCompression)?;
    if length > bytes_max - out.len() {
        return Err(BatchError::TooLarge);
    }
    if length > block.len().saturating_mul(EXPANSION_MAX) {
        return Err(BatchError::BadCompression);
    }
    let start = out.len();
    out.resize(start + length, 0);
    let written = decoder
        .decompress(block, &mut out[start..])
        .map_err(|_| BatchError::BadCompression)?;
    out.truncate(start + written);
    Ok(())
}

pub(super) fn compress(records: &[u8], out: &mut Vec<u8>) -> Result<(), BatchError> {
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&FRAME_VERSION);
    out.extend_from_slice(&FRAME_VERSION);
    let mut encoder = snap::raw::Encoder::new();
    for block in records.chunks(BLOCK_BYTES) {
        let start = out.len();
        out.resize(start + 4 + snap::raw::max_compress_len(block.len()), 0);
        let written = encoder
            .compress(block, &mut out[start + 4..])
            .map_err(|_| BatchError::BadCompression)?;
        // A block of 32 KiB never compresses to 2^32 bytes.
        out[start..start + 4].copy_from_slice(&(written as u32).to_be_bytes());
        out.truncate(start + 4 + written);
    }
    Ok(())
}
