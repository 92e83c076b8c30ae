//! The object format, version 3 (docs/format/object.md): header, blocks of whole batches, sections, trailer.
//!
//! Pure: bytes in, index out. Every length is compared with what is there before it is used, every part has a checksum, and a
//! damaged byte anywhere is a `FormatError`, never a wrong answer.

use super::ObjectId;
use crate::batch::{bodies_hold, heads_sum};
use crate::clock::TimestampMs;
use crate::ids::{Offset, StreamId};
use crate::le::{FormatError, LeReader, checksum, put_count};
use bytes::{BufMut, BytesMut};
use std::ops::Range;

/// First bytes of every object.
const MAGIC_HEADER: [u8; 8] = *b"MSOBJECT";
/// First bytes of the trailer.
const MAGIC_TRAILER: [u8; 8] = *b"MSFOOTER";
/// The version that this code writes.
const VERSION: u16 = 3;
/// The oldest version that is read: its blocks' checksums are of all their bytes.
const VERSION_MIN: u16 = 1;
/// From this version on a block may begin behind a gap, so that it begins at a page.
const VERSION_GAPS_MIN: u16 = 3;
/// What a block behind a gap begins at a multiple of; so every gap is smaller.
pub(crate) const PAGE_BYTES: u64 = 4096;
/// Bytes of the header.
pub(crate) const HEADER_BYTES: usize = 40;
/// Bytes of the trailer, the last of the object.
pub(crate) const TRAILER_BYTES: usize = 64;
/// Bytes of a section's own header; its checksum follows the payload.
const SECTION_HEADER_BYTES: usize = 16;
/// Bytes of one index entry in version 1. A later minor extension may append fields: the section states the size.
const ENTRY_BYTES: usize = 64;
/// Section: the index of blocks.
const SECTION_INDEX: u16 = 1;
/// Section flag: a reader that does not know the kind must refuse the object.
const SECTION_REQUIRED: u16 = 1;
/// The largest block: one batch can be as large as the largest message allowed, and no larger than Kafka's own i32 length.
pub(crate) const BLOCK_BYTES_MAX: u32 = i32::MAX as u32;
/// The largest footer that is read: index entries for 2 million blocks (1 TiB of data).
pub(crate) const FOOTER_BYTES_MAX: u32 = 128 << 20;

/// One block: whole batches of one stream, back to back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockEntry {
    /// Whose batches.
    pub(crate) stream: StreamId,
    /// First offset of the first batch.
    pub(crate) base: Offset,
    /// Last offset of the last batch.
    pub(crate) last: Offset,
    /// Where in the object.
    pub(crate) position: u64,
    /// Bytes.
    pub(crate) len: u32,
    /// Batches inside.
    pub(crate) batches: u32,
    /// Timestamp of the first record of the first batch.
    pub(crate) first_timestamp: TimestampMs,
    /// Largest timestamp of any batch.
    pub(crate) max_timestamp: TimestampMs,
    /// xxh3-64 of what the object's version says.
    pub(crate) checksum: u64,
}

/// What the checksum of a block covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Covers {
    /// All bytes (version 1).
    Bytes,
    /// What of each batch its own CRC does not cover, and the CRC; so that covers the rest (from version 2 on).
    Heads,
}

impl Covers {
    /// Whether these are the block's bytes.
    pub(crate) fn holds(self, entry: &BlockEntry, block: &[u8]) -> bool {
        match self {
            Self::Bytes => checksum(block) == entry.checksum,
            Self::Heads => heads_sum(block) == Some(entry.checksum) && bodies_hold(block),
        }
    }
}

/// What the footer tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectIndex {
    /// Sorted by (stream, base).
    pub(crate) blocks: Vec<BlockEntry>,
    /// What their checksums cover.
    pub(crate) covers: Covers,
}

impl BlockEntry {
    /// Its bytes in the object.
    pub(crate) fn place(&self) -> Range<u64> {
        self.position..self.position + u64::from(self.len)
    }
}

impl ObjectIndex {
    /// The blocks of the stream that hold anything in `[from, end)`, as positions in `blocks`.
    pub(crate) fn blocks_in(&self, stream: StreamId, from: Offset, end: Offset) -> Range<usize> {
        let first = self
            .blocks
            .partition_point(|b| (b.stream, b.last) < (stream, from));
        let behind = self
            .blocks
            .partition_point(|b| (b.stream, b.base) < (stream, end));
        first..behind.max(first)
    }

    /// Memory that it pins.
    pub(crate) fn charge_bytes(&self) -> u64 {
        (self.blocks.capacity() * size_of::<BlockEntry>()) as u64
    }
}

/// The header of an object.
pub(crate) fn encode_header(id: ObjectId, nonce: u64) -> [u8; HEADER_BYTES] {
    header_of_version(VERSION, id, nonce)
}

fn header_of_version(version: u16, id: ObjectId, nonce: u64) -> [u8; HEADER_BYTES] {
    let mut out = [0u8; HEADER_BYTES];
    out[0..8].copy_from_slice(&MAGIC_HEADER);
    out[8..10].copy_from_slice(&version.to_le_bytes());
    // 10..16: flags and reserved, zero.
    out[16..24].copy_from_slice(&id.0.to_le_bytes());
    out[24..32].copy_from_slice(&nonce.to_le_bytes());
    let sum = checksum(&out[..32]);
    out[32..40].copy_from_slice(&sum.to_le_bytes());
    out
}

/// Reads id and nonce back, to tell our own earlier put from another writer's (trap T9).
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "readers begin at the footer; tests look at the header, too"
    )
)]
pub(crate) fn decode_header(bytes: &[u8]) -> Result<(ObjectId, u64), FormatError> {
    let bytes = bytes.get(..HEADER_BYTES).ok_or(FormatError::Truncated)?;
    let mut reader = LeReader::new(bytes);
    if reader.take(8)? != MAGIC_HEADER {
        return Err(FormatError::BadMagic);
    }
    let version = reader.u16()?;
    check_version(version)?;
    reader.take(6)?;
    let (id, nonce) = (ObjectId(reader.u64()?), reader.u64()?);
    if reader.u64()? != checksum(&bytes[..32]) {
        return Err(FormatError::BadChecksum("object header"));
    }
    Ok((id, nonce))
}

/// Sections and trailer of an object whose blocks end at `data_end`.
pub(crate) fn encode_footer(id: ObjectId, nonce: u64, data_end: u64, blocks: &[BlockEntry]) -> BytesMut {
    footer_of_version(VERSION, id, nonce, data_end, blocks)
}

pub(super) fn footer_of_version(
    version: u16,
    id: ObjectId,
    nonce: u64,
    data_end: u64,
    blocks: &[BlockEntry],
) -> BytesMut {
    let payload_len = 8 + blocks.len() * ENTRY_BYTES;
    let mut out = BytesMut::with_capacity(SECTION_HEADER_BYTES + payload_len + 8 + TRAILER_BYTES);
    out.put_u16_le(SECTION_INDEX);
    out.put_u16_le(SECTION_REQUIRED);
    out.put_u32_le(0);
    out.put_u64_le(payload_len as u64);
    put_count(&mut out, blocks.len());
    out.put_u16_le(ENTRY_BYTES as u16);
    out.put_u16_le(0);
    for block in blocks {
        encode_entry(&mut out, block);
    }
    let sum = checksum(&out);
    out.put_u64_le(sum);

    let sections_len = out.len();
    let object_sum = object_checksum(version, id, nonce, &out);
    let trailer_at = out.len();
    out.put_slice(&MAGIC_TRAILER);
    out.put_u16_le(version);
    out.put_u16_le(1); // sections
    put_count(&mut out, sections_len);
    out.put_u64_le(id.0);
    out.put_u64_le(nonce);
    out.put_u64_le(data_end);
    out.put_u64_le(data_end + sections_len as u64 + TRAILER_BYTES as u64);
    out.put_u64_le(object_sum);
    let sum = checksum(&out[trailer_at..]);
    out.put_u64_le(sum);
    debug_assert_eq!(out.len() - trailer_at, TRAILER_BYTES);
    out
}

/// Covers the header and the sections; the sections hold every block's checksum, so it covers the whole object, but for
/// gaps, without reading the data twice.
fn object_checksum(version: u16, id: ObjectId, nonce: u64, sections: &[u8]) -> u64 {
    let mut hash = xxhash_rust::xxh3::Xxh3::new();
    hash.update(&header_of_version(version, id, nonce));
    hash.update(sections);
    hash.digest()
}

fn encode_entry(out: &mut BytesMut, block: &BlockEntry) {
    out.put_u64_le(block.stream.0);
    out.put_u64_le(block.base.0);
    out.put_u64_le(block.last.0);
    out.put_u64_le(block.position);
    out.put_u32_le(block.len);
    out.put_u32_le(block.batches);
    out.put_i64_le(block.first_timestamp);
    out.put_i64_le(block.max_timestamp);
    out.put_u64_le(block.checksum);
}

/// The object's checksum as the trailer at the end of these bytes states it. Says nothing of whether they are a footer.
pub(crate) fn stated_checksum(footer: &[u8]) -> Option<u64> {
    let at = footer.len().checked_sub(16)?;
    LeReader::new(&footer[at..]).u64().ok()
}

/// Decodes the last bytes of object `id`: exactly its footer. One tail read opens an object.
pub(crate) fn decode_footer(
    id: ObjectId,
    object_len: u64,
    footer: &[u8],
) -> Result<ObjectIndex, FormatError> {
    let sections_len = footer
        .len()
        .checked_sub(TRAILER_BYTES)
        .ok_or(FormatError::Truncated)?;
    let (sections, trailer) = footer.split_at(sections_len);
    let mut reader = LeReader::new(trailer);
    if reader.take(8)? != MAGIC_TRAILER {
        return Err(FormatError::BadMagic);
    }
    let version = reader.u16()?;
    let section_count = reader.u16()?;
    let stated_sections_len = reader.u32()? as usize;
    let stated_id = ObjectId(reader.u64()?);
    let nonce = reader.u64()?;
    let data_end = reader.u64()?;
    let stated_len = reader.u64()?;
    let object_sum = reader.u64()?;
    if reader.u64()? != checksum(&trailer[..TRAILER_BYTES - 8]) {
        return Err(FormatError::BadChecksum("object trailer"));
    }
    check_version(version)?;
    if stated_id != id {
        return Err(FormatError::Inconsistent(
            "the object is another one than its key says",
        ));
    }
    let footer_at = object_len.checked_sub(footer.len() as u64);
    if stated_len != object_len || stated_sections_len != sections_len || footer_at != Some(data_end) {
        return Err(FormatError::Inconsistent(
            "the object's length is not what its trailer says",
        ));
    }
    if object_sum != object_checksum(version, id, nonce, sections) {
        return Err(FormatError::BadChecksum("object"));
    }
    let covers = match version {
        VERSION_MIN => Covers::Bytes,
        _ => Covers::Heads,
    };
    let layout = Layout {
        data_end,
        gap_bytes_max: match version {
            VERSION_GAPS_MIN.. => PAGE_BYTES - 1,
            _ => 0,
        },
    };
    let blocks = decode_sections(sections, section_count, &layout)?;
    Ok(ObjectIndex { blocks, covers })
}

fn check_version(version: u16) -> Result<(), FormatError> {
    match version {
        VERSION_MIN..=VERSION => Ok(()),
        other => Err(FormatError::UnknownVersion(other)),
    }
}

/// What the trailer says of where blocks lie.
struct Layout {
    /// Where the sections begin.
    data_end: u64,
    /// Bytes between a block, or the end of all, and what lies before it.
    gap_bytes_max: u64,
}

impl Layout {
    /// Whether what begins at `position` may follow what ends at `end`.
    fn may_follow(&self, position: u64, end: u64) -> bool {
        position
            .checked_sub(end)
            .is_some_and(|gap| gap <= self.gap_bytes_max)
    }
}

fn decode_sections(mut rest: &[u8], count: u16, layout: &Layout) -> Result<Vec<BlockEntry>, FormatError> {
    let mut index = None;
    for _ in 0..count {
        let mut reader = LeReader::new(rest);
        let (kind, flags) = (reader.u16()?, reader.u16()?);
        reader.u32()?;
        let len = usize::try_from(reader.u64()?).map_err(|_| FormatError::Truncated)?;
        let payload = reader.take(len)?;
        let summed = &rest[..SECTION_HEADER_BYTES + len];
        if reader.u64()? != checksum(summed) {
            return Err(FormatError::BadChecksum("object section"));
        }
        rest = &rest[SECTION_HEADER_BYTES + len + 8..];
        match kind {
            SECTION_INDEX if index.is_none() => index = Some(decode_index(payload, layout)?),
            SECTION_INDEX => return Err(FormatError::Inconsistent("an object has one index")),
            _ if flags & SECTION_REQUIRED != 0 => {
                return Err(FormatError::Inconsistent("a required section is not known here"));
            }
            _ => {}
        }
    }
    if !rest.is_empty() {
        return Err(FormatError::Inconsistent("bytes follow the last section"));
    }
    index.ok_or(FormatError::Inconsistent("the object has no index"))
}

fn decode_index(payload: &[u8], layout: &Layout) -> Result<Vec<BlockEntry>, FormatError> {
    let mut reader = LeReader::new(payload);
    let count = reader.count(ENTRY_BYTES)?;
    let entry_len = reader.u16()? as usize;
    reader.u16()?;
    if entry_len < ENTRY_BYTES || payload.len() - 8 != count.saturating_mul(entry_len) {
        return Err(FormatError::Inconsistent(
            "the index is not as long as its count says",
        ));
    }
    let mut blocks = Vec::with_capacity(count);
    let mut end = HEADER_BYTES as u64;
    for _ in 0..count {
        let block = decode_entry(&mut LeReader::new(reader.take(entry_len)?))?;
        if !layout.may_follow(block.position, end) {
            return Err(FormatError::Inconsistent(
                "a block is not where the one before ends",
            ));
        }
        check_entry(blocks.last(), &block)?;
        // Cannot pass u64: blocks and gaps are bounded, and so is their count.
        end = block.place().end;
        blocks.push(block);
    }
    if !layout.may_follow(layout.data_end, end) {
        return Err(FormatError::Inconsistent("the blocks do not fill the object"));
    }
    Ok(blocks)
}

fn decode_entry(reader: &mut LeReader<'_>) -> Result<BlockEntry, FormatError> {
    Ok(BlockEntry {
        stream: StreamId(reader.u64()?),
        base: Offset(reader.u64()?),
        last: Offset(reader.u64()?),
        position: reader.u64()?,
        len: reader.u32()?,
        batches: reader.u32()?,
        first_timestamp: reader.i64()?,
        max_timestamp: reader.i64()?,
        checksum: reader.u64()?,
    })
}

/// Blocks are sorted, and their offsets do not overlap.
fn check_entry(before: Option<&BlockEntry>, block: &BlockEntry) -> Result<(), FormatError> {
    let sane = block.base <= block.last
        && block.last.0 < u64::MAX
        && block.len > 0
        && block.len <= BLOCK_BYTES_MAX
        && block.batches > 0;
    let sorted = before.is_none_or(|b| (b.stream, b.last) < (block.stream, block.base));
    if sane && sorted {
        Ok(())
    } else {
        Err(FormatError::Inconsistent(
            "an index entry is out of order or out of bounds",
        ))
    }
}
