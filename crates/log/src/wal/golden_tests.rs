//! The file medium's format, byte for byte: golden files of every version, and what they are too small for.

use super::conformance::{Opened, Setup, group};
use super::format::{ALIGN_BYTES, GROUP_HEAD_BYTES, RUN_BYTES};
use super::tests::{OnMemory, SEGMENT_BYTES, filled, segment_with, seqs};
use super::{Block, Group, Run};
use crate::config::FlushMode;
use crate::disk::Disk;
use crate::ids::{GroupSeq, StreamId};
use bytes::Bytes;

const FIRST: &[u8] = include_bytes!("../batch/golden/java-none.batch");
const SECOND: &[u8] = include_bytes!("../batch/golden/java-zstd.batch");

/// A group of batches as a client sent them, in pieces; each batch is of a stream of its own.
fn group_of(seq: u64, pieces: &[&[&[u8]]]) -> Group {
    let mut block = Block::default();
    let mut runs = Vec::new();
    for piece in pieces {
        let mut position = block.push(Bytes::from(piece.concat()));
        for batch in *piece {
            runs.push(Run {
                stream: StreamId(runs.len() as u64 + 1),
                position,
                bytes: u32::try_from(batch.len()).unwrap(),
                batches: 1,
            });
            position += batch.len();
        }
    }
    Group {
        seq: GroupSeq(seq),
        wall_ms: 1_700_000_000_000,
        runs,
        block,
    }
}

fn in_one_piece(seq: u64) -> Group {
    group_of(seq, &[&[FIRST, SECOND]])
}

fn in_pieces(seq: u64) -> Group {
    group_of(seq, &[&[FIRST], &[SECOND, FIRST], &[SECOND]])
}

/// Where a group's block ends, from its head on, if it begins at a page.
fn paged_end(group: &Group) -> usize {
    ALIGN_BYTES as usize + group.block.len()
}

// Version 4 of the format, byte for byte. If this fails, the format has changed: raise the version and keep reading this one.
#[tokio::test]
async fn the_golden_file_of_version_4_is_written_and_read() {
    const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/wal-v4.bin");
    let on = OnMemory::new(FlushMode::Sync);
    let opened = filled(&on, 3, 200).await;
    opened.medium.append(in_one_piece(4)).await.unwrap();
    opened.medium.append(in_pieces(5)).await.unwrap();
    opened.end().await;
    let (name, at) = segment_with(&on.disk, 5);
    let bytes = on.disk.contents(&name).unwrap();
    let end = at + paged_end(&in_pieces(5));
    if std::env::var_os("MILLSTREAM_WRITE_GOLDEN").is_some() {
        std::fs::write(PATH, &bytes[..end]).unwrap();
        return;
    }
    let golden = std::fs::read(PATH).unwrap();
    assert!(bytes[..end] == golden, "version 4 is written as it always was");
    let opened = reads_golden(&name, &golden, &[1, 2, 3, 4, 5]).await;
    for (found, expected) in opened.replayed[3..].iter().zip([in_one_piece(4), in_pieces(5)]) {
        assert_eq!(found.group.block, expected.block);
        assert_eq!(found.group.runs, expected.runs);
    }
}

#[tokio::test]
async fn the_golden_files_of_older_versions_are_read() {
    let (first, second, third) = (
        &include_bytes!("../../tests/golden/wal-v1.bin")[..],
        &include_bytes!("../../tests/golden/wal-v2.bin")[..],
        &include_bytes!("../../tests/golden/wal-v3.bin")[..],
    );
    let on = OnMemory::new(FlushMode::Sync);
    filled(&on, 3, 200).await.end().await;
    let (name, _) = segment_with(&on.disk, 3);
    reads_golden(&name, first, &[1, 2, 3]).await;
    reads_golden(&name, second, &[1, 2, 3]).await;
    let opened = reads_golden(&name, third, &[1, 2, 3, 4]).await;
    assert_eq!(opened.replayed[3].group.block, in_one_piece(4).block);
}

async fn reads_golden(name: &str, golden: &[u8], expected: &[u64]) -> Opened {
    let on = OnMemory::new(FlushMode::Sync);
    on.disk.create(name, SEGMENT_BYTES).await.unwrap();
    on.disk
        .damage(name, |bytes| bytes[..golden.len()].copy_from_slice(golden));
    let opened = on.open(GroupSeq(0)).await.unwrap();
    assert_eq!(seqs(&opened), expected);
    assert_eq!(opened.replayed[2].group.block, group(3, 200).block);
    opened
}

/// The records of a batch are covered by its own CRC, and by nothing else; the gaps between pieces by nothing.
#[tokio::test]
async fn a_changed_byte_anywhere_in_the_last_group_makes_it_a_torn_one() {
    for last in [in_one_piece(2), in_pieces(2)] {
        let on = OnMemory::new(FlushMode::Sync);
        let opened = filled(&on, 1, 200).await;
        opened.medium.append(last.clone()).await.unwrap();
        opened.end().await;
        let (name, at) = segment_with(&on.disk, 2);
        let whole = on.disk.contents(&name).unwrap();
        let table_end = at + GROUP_HEAD_BYTES + last.runs.len() * RUN_BYTES;
        let block_at = match last.block.has_gaps() {
            true => at + ALIGN_BYTES as usize,
            false => table_end,
        };
        let pieces = last
            .block
            .pieces()
            .map(|(piece_at, piece)| block_at + piece_at..block_at + piece_at + piece.len());
        for byte in (at..table_end).chain(pieces.flatten()) {
            let damaged = OnMemory::new(FlushMode::Sync);
            damaged.disk.create(&name, SEGMENT_BYTES).await.unwrap();
            damaged.disk.damage(&name, |bytes| {
                bytes.copy_from_slice(&whole);
                bytes[byte] ^= 0x10;
            });
            let opened = damaged.open(GroupSeq(0)).await.unwrap();
            assert_eq!(seqs(&opened), [1], "byte {byte}");
        }
    }
}

/// What the golden file is too small for.
#[tokio::test]
async fn a_large_block_begins_at_the_page_behind_its_table() {
    let on = OnMemory::new(FlushMode::Sync);
    filled(&on, 1, 70_000).await.end().await;
    let (name, at) = segment_with(&on.disk, 1);
    let bytes = on.disk.contents(&name).unwrap();
    assert_eq!(bytes[at + 4..at + 6], [2, 0], "the flag");
    let block_at = at + ALIGN_BYTES as usize;
    assert!(
        bytes[at + GROUP_HEAD_BYTES + 2 * RUN_BYTES..block_at]
            .iter()
            .all(|byte| *byte == 0)
    );
    assert!(bytes[block_at..][..70_000] == *group(1, 70_000).block.slice(0, 70_000));
}
