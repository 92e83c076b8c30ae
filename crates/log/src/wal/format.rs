//! The bytes of the file write-ahead log, version 4. Drawn in docs/format/wal.md.
//!
//! Owns: encoding and decoding of segment headers and group heads. Never does IO; never trusts a length before its checksum.
//!
//! **Invariant**: a head decodes only if its checksum holds, so that every later decision rests on what was once written whole.

use super::block::next_piece_at;
use super::{Block, Run};
use crate::batch::{bodies_hold, heads_sum_of};
use crate::clock::TimestampMs;
use crate::ids::{GroupSeq, StreamId};
use bytes::{BufMut, Bytes, BytesMut};
use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_64_with_seed};

/// Groups begin at multiples of this, and segments' headers fill one: a torn write then never touches a sector, or a page of
/// the page cache, that holds an acknowledged group.
pub(crate) const ALIGN_BYTES: u64 = 4096;
/// The format's version.
pub(crate) const VERSION: u16 = 4;
/// The oldest version that is read: its groups have none of the flags that came later, and blocks of one piece.
const VERSION_MIN: u16 = 1;
/// Bytes of a segment header that carry something; the rest of its page is zero.
pub(crate) const SEGMENT_HEADER_BYTES: usize = 40;
/// Bytes of a group's fixed head, in front of its run table.
pub(crate) const GROUP_HEAD_BYTES: usize = 64;
/// Bytes of one row of the run table.
pub(crate) const RUN_BYTES: usize = 16;
/// Bit of a run's length: the run begins a piece, at the page behind the run before it. No run has 2^31 bytes.
const BEGINS_PIECE: u32 = 1 << 31;
/// Blocks begin at multiples of this.
pub(crate) const BLOCK_UNIT_BYTES: u64 = 16;
/// Most streams in one group: bounds the table before it is allocated.
pub(crate) const GROUP_RUNS_MAX: usize = 1 << 20;

const SEGMENT_MAGIC: [u8; 8] = *b"MSWALSEG";
/// Where the head's own checksum lies.
const CHECKSUM_AT: usize = GROUP_HEAD_BYTES - 8;
const GROUP_MAGIC: [u8; 4] = *b"MSWG";
/// Group flag: written without a flush, so that a later group proves nothing about it.
const FLAG_ASYNC: u16 = 1;
/// Group flag: the block begins at the next page, so that a direct write takes it from where it lies.
const FLAG_PAGED: u16 = 2;
/// Group flag: the block's checksum covers what in front of each batch the batch's own CRC does not, and the CRC covers the rest.
const FLAG_HEADS: u16 = 4;

const _: () = assert!(SEGMENT_HEADER_BYTES <= ALIGN_BYTES as usize);
const _: () = assert!(
    ALIGN_BYTES == crate::disk::direct::ALIGN_BYTES as u64,
    "groups are written directly"
);
// A block begins at a multiple of 16, so that a segment's table of blocks fits 32-bit units.
const _: () = assert!(
    GROUP_HEAD_BYTES.is_multiple_of(BLOCK_UNIT_BYTES as usize)
        && RUN_BYTES.is_multiple_of(BLOCK_UNIT_BYTES as usize)
);

/// What a segment's first page says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Which write-ahead log the segment belongs to: drawn once for a data directory.
    pub log_id: u64,
    /// Rises with every use of a file: groups of an earlier use are told apart by it.
    pub segment: u64,
}

/// Why a segment's first page does not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// The magic or the checksum is wrong.
    Damaged,
    /// Whole, but of another version.
    Version(u16),
}

/// What a group's head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GroupHead {
    /// Not flushed when it was acknowledged.
    pub is_async: bool,
    /// The block begins at the first page behind the run table, and not right behind it.
    pub is_paged: bool,
    /// The block is whole batches, whose own CRCs are a part of its checksum. Found out when it is encoded.
    pub is_by_heads: bool,
    /// The segment's number again: a recycled file's older groups do not count.
    pub segment: u64,
    /// The group's number.
    pub seq: GroupSeq,
    /// Checksum field of the head of group `seq - 1`: the chain that proves what belongs together.
    pub previous: u64,
    /// Wall time at which it was gathered.
    pub wall_ms: TimestampMs,
    /// Rows of the run table.
    pub runs: u32,
    /// Bytes of the block, gaps between its pieces included.
    pub block_bytes: u32,
    /// xxh3 of run table and pieces, or of run table and heads of the block's batches.
    pub body_checksum: u64,
    /// xxh3 of the head before this field.
    pub checksum: u64,
}

impl SegmentHeader {
    /// The whole first page.
    pub(crate) fn encode(&self) -> Bytes {
        let mut page = BytesMut::with_capacity(ALIGN_BYTES as usize);
        page.put_slice(&SEGMENT_MAGIC);
        page.put_u16_le(VERSION);
        page.put_bytes(0, 6);
        page.put_u64_le(self.log_id);
        page.put_u64_le(self.segment);
        let checksum = xxh3_64(&page);
        page.put_u64_le(checksum);
        page.put_bytes(0, ALIGN_BYTES as usize - SEGMENT_HEADER_BYTES);
        page.freeze()
    }

    /// Reads a first page.
    pub(crate) fn decode(page: &[u8]) -> Result<Self, HeaderError> {
        let head = page.get(..SEGMENT_HEADER_BYTES).ok_or(HeaderError::Damaged)?;
        if head[..8] != SEGMENT_MAGIC || u64_at(head, 32) != xxh3_64(&head[..32]) {
            return Err(HeaderError::Damaged);
        }
        match u16_at(head, 8) {
            VERSION_MIN..=VERSION => Ok(Self {
                log_id: u64_at(head, 16),
                segment: u64_at(head, 24),
            }),
            other => Err(HeaderError::Version(other)),
        }
    }
}

impl GroupHead {
    /// Head and run table of a group, checksums filled in. Returns the bytes in front of its block, and the head's checksum
    /// for the chain.
    pub(crate) fn encode(mut self, runs: &[Run], block: &Block) -> (Bytes, u64) {
        let mut head = BytesMut::with_capacity(head_bytes(runs.len()));
        head.put_bytes(0, GROUP_HEAD_BYTES);
        let mut end = 0;
        for run in runs {
            debug_assert!(run.position == end || run.position == next_piece_at(end));
            let begins_piece = if run.position == end { 0 } else { BEGINS_PIECE };
            head.put_u64_le(run.stream.0);
            head.put_u32_le(run.bytes | begins_piece);
            head.put_u32_le(run.batches);
            end = run.end();
        }
        let pieces = || block.pieces().map(|(_, bytes)| &bytes[..]);
        let by_heads = heads_sum_of(pieces());
        self.is_by_heads = by_heads.is_some();
        let block_sum = by_heads.unwrap_or_else(|| bytes_sum(pieces()));
        self.body_checksum = body_checksum(&head[GROUP_HEAD_BYTES..], block_sum);
        let mut fixed = &mut head[..CHECKSUM_AT];
        fixed.put_slice(&GROUP_MAGIC);
        fixed.put_u16_le(self.flags());
        fixed.put_u16_le(0);
        fixed.put_u64_le(self.segment);
        fixed.put_u64_le(self.seq.0);
        fixed.put_u64_le(self.previous);
        fixed.put_i64_le(self.wall_ms);
        fixed.put_u32_le(self.runs);
        fixed.put_u32_le(self.block_bytes);
        fixed.put_u64_le(self.body_checksum);
        debug_assert!(fixed.is_empty(), "the fields fill the head");
        let checksum = xxh3_64(&head[..CHECKSUM_AT]);
        head[CHECKSUM_AT..GROUP_HEAD_BYTES].copy_from_slice(&checksum.to_le_bytes());
        (head.freeze(), checksum)
    }

    /// Reads a head; `None` unless it was written whole, by this version, and its lengths are possible.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let head = bytes.get(..GROUP_HEAD_BYTES)?;
        if head[..4] != GROUP_MAGIC || u64_at(head, CHECKSUM_AT) != xxh3_64(&head[..CHECKSUM_AT]) {
            return None;
        }
        let decoded = Self {
            is_async: u16_at(head, 4) & FLAG_ASYNC != 0,
            is_paged: u16_at(head, 4) & FLAG_PAGED != 0,
            is_by_heads: u16_at(head, 4) & FLAG_HEADS != 0,
            segment: u64_at(head, 8),
            seq: GroupSeq(u64_at(head, 16)),
            previous: u64_at(head, 24),
            wall_ms: u64_at(head, 32).cast_signed(),
            runs: u32_at(head, 40),
            block_bytes: u32_at(head, 44),
            body_checksum: u64_at(head, 48),
            checksum: u64_at(head, CHECKSUM_AT),
        };
        (decoded.runs as usize <= GROUP_RUNS_MAX).then_some(decoded)
    }

    fn flags(&self) -> u16 {
        u16::from(self.is_async) * FLAG_ASYNC
            + u16::from(self.is_paged) * FLAG_PAGED
            + u16::from(self.is_by_heads) * FLAG_HEADS
    }

    /// Bytes from the head's first to the block's last.
    pub(crate) fn len(&self) -> usize {
        self.block_at() + self.block_bytes as usize
    }

    /// Where the block begins, from the head on.
    pub(crate) fn block_at(&self) -> usize {
        let head = head_bytes(self.runs as usize);
        if self.is_paged {
            head.next_multiple_of(ALIGN_BYTES as usize)
        } else {
            head
        }
    }

    /// Splits what `len` spans into runs and block; `None` if they are not what the head's checksum covers.
    pub(crate) fn body(&self, bytes: &Bytes) -> Option<(Vec<Run>, Block)> {
        let table = bytes.get(GROUP_HEAD_BYTES..head_bytes(self.runs as usize))?;
        let block = bytes.get(self.block_at()..self.len())?;
        let runs = decode_runs(table);
        if runs.last().map_or(0, Run::end) != block.len() {
            return None;
        }
        let pieces = runs.chunk_by(|before, run| run.position == before.end());
        let pieces: Vec<&[u8]> = pieces
            .map(|piece| block.get(piece[0].position..piece[piece.len() - 1].end()))
            .collect::<Option<_>>()?;
        let block_sum = match self.is_by_heads {
            true => heads_sum_of(pieces.iter().copied())
                .filter(|_| pieces.iter().all(|piece| bodies_hold(piece)))?,
            false => bytes_sum(pieces.iter().copied()),
        };
        if body_checksum(table, block_sum) != self.body_checksum {
            return None;
        }
        let mut block = Block::default();
        for piece in pieces {
            // Copied, so that a small block does not pin the large buffer that a scan reads into (trap T14).
            block.push(Bytes::copy_from_slice(piece));
        }
        Some((runs, block))
    }
}

/// Bytes in front of the block of a group with so many runs.
pub(crate) fn head_bytes(runs: usize) -> usize {
    GROUP_HEAD_BYTES + runs * RUN_BYTES
}

/// `bytes`, rounded up to where the next group may begin.
pub(crate) fn aligned(bytes: u64) -> u64 {
    bytes.next_multiple_of(ALIGN_BYTES)
}

/// The block's checksum seeds the table's.
fn body_checksum(table: &[u8], block_sum: u64) -> u64 {
    xxh3_64_with_seed(table, block_sum)
}

/// All bytes, piece by piece.
fn bytes_sum<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> u64 {
    let mut sum = Xxh3::new();
    pieces.for_each(|piece| sum.update(piece));
    sum.digest()
}

/// Says nothing of whether the block holds them.
fn decode_runs(table: &[u8]) -> Vec<Run> {
    let mut end = 0;
    let rows = table.chunks_exact(RUN_BYTES).map(|row| {
        let bytes = u32_at(row, 8);
        let run = Run {
            stream: StreamId(u64_at(row, 0)),
            position: match bytes & BEGINS_PIECE {
                0 => end,
                _ => next_piece_at(end),
            },
            bytes: bytes & !BEGINS_PIECE,
            batches: u32_at(row, 12),
        };
        end = run.end();
        run
    });
    rows.collect()
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes"))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
