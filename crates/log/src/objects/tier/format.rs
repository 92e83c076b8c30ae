//! The bytes of cache files: a header, then bundles; each bundle a head, a table of its pieces, and the pieces. Drawn in
//! docs/format/cache.md.
//!
//! **Invariant**: no byte is believed before its checksum was right, and no bundle that names another file's number: a file that is
//! used again still holds bundles of its earlier life.

use super::Piece;
use crate::disk::direct::ALIGN_BYTES;
use crate::le::{FormatError, LeReader, checksum};
use bytes::{BufMut, Bytes, BytesMut};

const MAGIC_FILE: &[u8; 8] = b"MSCACHE\0";
const MAGIC_BUNDLE: &[u8; 8] = b"MSBUNDLE";
const VERSION: u16 = 1;
/// The header and each bundle begin and end at multiples of this, so that they are written past the page cache.
pub(super) const PAGE_BYTES: u64 = ALIGN_BYTES as u64;
/// Bytes of a file's header, without what fills its page.
pub(super) const FILE_HEADER_BYTES: usize = 48;
/// Bytes of a bundle's head, without its table.
pub(super) const BUNDLE_HEAD_BYTES: usize = 32;
/// Bytes of a piece's row in the table.
pub(super) const ROW_BYTES: usize = 32;
/// Pieces of one bundle: its table is read in one go.
pub(super) const BUNDLE_PIECES_MAX: usize = 1024;

/// What a file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileHeader {
    /// Whose objects it holds pieces of.
    pub(super) owner: u64,
    /// Ascends with every file that is begun, also with one that is used again.
    pub(super) number: u64,
    /// Length of the file.
    pub(super) file_bytes: u64,
}

impl FileHeader {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(FILE_HEADER_BYTES);
        out.put_slice(MAGIC_FILE);
        out.put_u16_le(VERSION);
        out.put_u16_le(0);
        out.put_u32_le(0);
        out.put_u64_le(self.owner);
        out.put_u64_le(self.number);
        out.put_u64_le(self.file_bytes);
        let sum = checksum(&out);
        out.put_u64_le(sum);
        out.freeze()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut reader = LeReader::new(bytes);
        if reader.take(8)? != MAGIC_FILE {
            return Err(FormatError::BadMagic);
        }
        let version = reader.u16()?;
        reader.take(6)?;
        let header = Self {
            owner: reader.u64()?,
            number: reader.u64()?,
            file_bytes: reader.u64()?,
        };
        if reader.u64()? != checksum(&bytes[..FILE_HEADER_BYTES - 8]) {
            return Err(FormatError::BadChecksum("cache file's header"));
        }
        if version != VERSION {
            return Err(FormatError::UnknownVersion(version));
        }
        Ok(header)
    }
}

/// A piece in a bundle's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) piece: Piece,
    /// Of its bytes.
    pub(super) checksum: u64,
}

/// Head and table of a bundle in the file `number`.
pub(super) fn encode_front(number: u64, rows: &[Row]) -> Bytes {
    let mut table = BytesMut::with_capacity(rows.len() * ROW_BYTES);
    for row in rows {
        table.put_u64_le(row.piece.object);
        table.put_u64_le(row.piece.position);
        table.put_u32_le(row.piece.len);
        table.put_u32_le(0);
        table.put_u64_le(row.checksum);
    }
    let mut out = BytesMut::with_capacity(front_bytes(rows.len()));
    out.put_slice(MAGIC_BUNDLE);
    out.put_u64_le(number);
    out.put_u32_le(u32::try_from(rows.len()).expect("bundles are bounded"));
    out.put_u32_le(0);
    let sum = front_checksum(&out, &table);
    out.put_u64_le(sum);
    out.put_slice(&table);
    out.freeze()
}

/// Bytes of head and table.
pub(super) fn front_bytes(pieces: usize) -> usize {
    BUNDLE_HEAD_BYTES + pieces * ROW_BYTES
}

/// How many pieces the bundle has, by its head alone: how much is to be read before [`decode_front`] can judge.
pub(super) fn piece_count(head: &[u8], number: u64) -> Result<usize, FormatError> {
    let mut reader = LeReader::new(head);
    if reader.take(8)? != MAGIC_BUNDLE {
        return Err(FormatError::BadMagic);
    }
    if reader.u64()? != number {
        return Err(FormatError::Inconsistent("a bundle of the file's earlier life"));
    }
    let count = reader.u32()? as usize;
    if count == 0 || count > BUNDLE_PIECES_MAX {
        return Err(FormatError::Inconsistent("an absurd count of pieces"));
    }
    Ok(count)
}

/// The pieces of a bundle, from exactly the bytes of its head and table.
pub(super) fn decode_front(front: &[u8], number: u64) -> Result<Vec<Row>, FormatError> {
    let count = piece_count(front, number)?;
    if front.len() != front_bytes(count) {
        return Err(FormatError::Truncated);
    }
    let (head, table) = front.split_at(BUNDLE_HEAD_BYTES);
    let (summed, mut sum) = (
        &head[..BUNDLE_HEAD_BYTES - 8],
        LeReader::new(&head[BUNDLE_HEAD_BYTES - 8..]),
    );
    if sum.u64()? != front_checksum(summed, table) {
        return Err(FormatError::BadChecksum("bundle's table"));
    }
    let mut reader = LeReader::new(table);
    let mut rows = Vec::with_capacity(count);
    for _ in 0..count {
        let (object, position, len) = (reader.u64()?, reader.u64()?, reader.u32()?);
        reader.u32()?;
        let piece = Piece {
            object,
            position,
            len,
        };
        rows.push(Row {
            piece,
            checksum: reader.u64()?,
        });
    }
    Ok(rows)
}

/// Of the head up to its checksum, and of the table.
fn front_checksum(head: &[u8], table: &[u8]) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    hasher.update(head);
    hasher.update(table);
    hasher.digest()
}
