//! The suite that every [`WalMedium`] passes: what the commit loop and recovery rely on.
//!
//! Owns: the promises of the port, each a named function; [`all`] runs them on fresh media.
//! Never looks inside of a medium: only through the port, and through reopening after a crash.

use super::{Group, ReplayedGroup, Run, WalMedium};
use crate::error::OpenError;
use crate::ids::{GroupSeq, StreamId};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::ops::RangeInclusive;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// One medium's storage, which outlives its process.
pub trait Setup: Send + Sync {
    /// Opens the medium on it, as after a start of the process; what was replayed is returned in order.
    fn open(&self, through: GroupSeq) -> BoxFuture<'_, Result<Opened, OpenError>>;
    /// kill -9 of the process that has it open.
    fn kill(&self);
    /// A block larger than whatever unit the medium allocates.
    fn large_block_bytes(&self) -> usize;
}

/// An open medium with its background work running.
pub struct Opened {
    /// The medium.
    pub medium: Arc<dyn WalMedium>,
    /// The groups that it replayed.
    pub replayed: Vec<ReplayedGroup>,
    background: JoinHandle<()>,
}

impl Opened {
    /// Starts the background work of a medium that was just opened.
    #[must_use]
    pub fn new(medium: Arc<dyn WalMedium>, replayed: Vec<ReplayedGroup>) -> Self {
        let worker = medium.clone();
        Self {
            medium,
            replayed,
            background: tokio::spawn(async move { worker.background().await }),
        }
    }

    /// Ends the process that has it open: nothing of it touches the storage any more.
    pub async fn end(self) {
        self.medium.close();
        self.background.await.expect("the background work does not panic");
    }
}

/// Runs every promise on a storage of its own.
pub async fn all<S: Setup>(fresh: impl Fn() -> S) {
    groups_are_replayed_in_order_after_a_crash(&fresh()).await;
    replaying_changes_nothing(&fresh()).await;
    numbers_go_on_after_reopening(&fresh()).await;
    uploaded_groups_are_not_replayed(&fresh()).await;
    blocks_are_readable_until_they_are_reclaimed(&fresh()).await;
    empty_and_large_groups_are_kept(&fresh()).await;
    blocks_of_several_pieces_are_kept(&fresh()).await;
    room_is_used_again(&fresh()).await;
    a_closed_medium_still_reads(&fresh()).await;
}

/// Every durable group comes back, whole, once, in order.
pub async fn groups_are_replayed_in_order_after_a_crash(setup: &impl Setup) {
    let opened = open(setup, 0).await;
    assert!(opened.replayed.is_empty(), "a fresh medium holds nothing");
    append_range(&opened, 1..=50, 1000).await;
    let opened = reopen(setup, opened, 0).await;
    expect(&opened, 1..=50, 1000);
    opened.end().await;
}

/// A start that dies before it writes leaves what it found.
pub async fn replaying_changes_nothing(setup: &impl Setup) {
    let mut opened = open(setup, 0).await;
    append_range(&opened, 1..=7, 100).await;
    for _ in 0..3 {
        opened = reopen(setup, opened, 0).await;
        expect(&opened, 1..=7, 100);
    }
    opened.end().await;
}

/// The group after the last durable one is the next, also over several lives.
pub async fn numbers_go_on_after_reopening(setup: &impl Setup) {
    let mut opened = open(setup, 0).await;
    for life in 0..5_u64 {
        append_range(&opened, life * 3 + 1..=life * 3 + 3, 200).await;
        opened = reopen(setup, opened, 0).await;
        expect(&opened, 1..=life * 3 + 3, 200);
    }
    opened.end().await;
}

/// What objects hold need not be read.
pub async fn uploaded_groups_are_not_replayed(setup: &impl Setup) {
    let opened = open(setup, 0).await;
    append_range(&opened, 1..=30, 3000).await;
    opened.medium.reclaim(GroupSeq(20));
    let opened = reopen(setup, opened, 20).await;
    expect(&opened, 21..=30, 3000);
    let opened = reopen(setup, opened, 30).await;
    assert!(opened.replayed.is_empty());
    append_range(&opened, 31..=33, 3000).await;
    let opened = reopen(setup, opened, 30).await;
    expect(&opened, 31..=33, 3000);
    opened.end().await;
}

/// Any part of a durable block can be read back, before and after a restart; what is reclaimed is an error, not other bytes.
pub async fn blocks_are_readable_until_they_are_reclaimed(setup: &impl Setup) {
    let opened = open(setup, 0).await;
    append_range(&opened, 1..=20, 5000).await;
    let opened = reopen(setup, opened, 0).await;
    append_range(&opened, 21..=40, 5000).await;
    for seq in 1..=40 {
        let bytes = opened
            .medium
            .read(GroupSeq(seq), 17, 4000)
            .await
            .expect("readable");
        assert_eq!(bytes, group(seq, 5000).block.slice(17, 4000));
    }
    opened.medium.reclaim(GroupSeq(10));
    append_range(&opened, 41..=80, 5000).await;
    for seq in 1..=10 {
        if let Ok(bytes) = opened.medium.read(GroupSeq(seq), 0, 5000).await {
            assert_eq!(
                bytes,
                group(seq, 5000).block.slice(0, 5000),
                "not reclaimed yet, or an error; never other bytes"
            );
        }
    }
    assert!(
        opened.medium.read(GroupSeq(81), 0, 1).await.is_err(),
        "never written"
    );
    opened.end().await;
}

/// Zero-length and oversized groups are groups like others.
pub async fn empty_and_large_groups_are_kept(setup: &impl Setup) {
    let opened = open(setup, 0).await;
    let large = setup.large_block_bytes();
    for (seq, bytes) in [(1, 0), (2, large), (3, 1), (4, large + 1), (5, 0)] {
        opened.medium.append(group(seq, bytes)).await.expect("durable");
    }
    let opened = reopen(setup, opened, 0).await;
    let lengths: Vec<usize> = opened
        .replayed
        .iter()
        .map(|replayed| replayed.group.block.len())
        .collect();
    assert_eq!(lengths, [0, large, 1, large + 1, 0]);
    assert_eq!(opened.replayed[3].group.block, group(4, large + 1).block);
    opened.end().await;
}

/// Each piece is found where the block has it, before and after a restart.
pub async fn blocks_of_several_pieces_are_kept(setup: &impl Setup) {
    let groups = [
        group_in_pieces(1, &[10, 4096, 8191]),
        group_in_pieces(2, &[8192, 1, 5000]),
        group_in_pieces(3, &[100, setup.large_block_bytes(), 4097]),
    ];
    let opened = open(setup, 0).await;
    for group in &groups {
        opened.medium.append(group.clone()).await.expect("durable");
    }
    expect_pieces(&opened, &groups).await;
    let opened = reopen(setup, opened, 0).await;
    for (found, group) in opened.replayed.iter().zip(&groups) {
        assert_eq!(found.group.block, group.block);
        assert_eq!(found.group.runs, group.runs);
    }
    expect_pieces(&opened, &groups).await;
    opened.end().await;
}

async fn expect_pieces(opened: &Opened, groups: &[Group]) {
    for group in groups {
        for run in &group.runs {
            let position = u32::try_from(run.position).expect("small");
            let bytes = opened.medium.read(group.seq, position, run.bytes).await;
            let expected = group.block.slice(run.position, run.bytes as usize);
            assert_eq!(bytes.expect("readable"), expected);
        }
    }
}

/// A medium that is reclaimed in time goes on for ever.
pub async fn room_is_used_again(setup: &impl Setup) {
    let opened = open(setup, 0).await;
    for round in 0..20_u64 {
        append_range(&opened, round * 10 + 1..=round * 10 + 10, 9000).await;
        opened.medium.reclaim(GroupSeq(round * 10 + 5));
    }
    let opened = reopen(setup, opened, 195).await;
    expect(&opened, 196..=200, 9000);
    opened.end().await;
}

/// Closing ends the background work only.
pub async fn a_closed_medium_still_reads(setup: &impl Setup) {
    let opened = open(setup, 0).await;
    append_range(&opened, 1..=3, 100).await;
    let medium = opened.medium.clone();
    opened.end().await;
    let bytes = medium.read(GroupSeq(2), 0, 100).await.expect("readable");
    assert_eq!(bytes, group(2, 100).block.slice(0, 100));
}

async fn open(setup: &impl Setup, through: u64) -> Opened {
    setup.open(GroupSeq(through)).await.expect("opens")
}

async fn reopen(setup: &impl Setup, opened: Opened, through: u64) -> Opened {
    opened.end().await;
    setup.kill();
    open(setup, through).await
}

async fn append_range(opened: &Opened, seqs: RangeInclusive<u64>, bytes: usize) {
    for seq in seqs {
        let stored = opened.medium.append(group(seq, bytes)).await.expect("durable");
        assert!(stored >= bytes as u64, "the room taken covers the block");
    }
}

fn expect(opened: &Opened, seqs: RangeInclusive<u64>, bytes: usize) {
    let found: Vec<u64> = opened
        .replayed
        .iter()
        .map(|replayed| replayed.group.seq.0)
        .collect();
    assert_eq!(found, seqs.collect::<Vec<_>>());
    for replayed in &opened.replayed {
        let expected = group(replayed.group.seq.0, bytes);
        assert_eq!(replayed.group.block, expected.block);
        assert_eq!(replayed.group.runs, expected.runs);
        assert_eq!(replayed.group.wall_ms, expected.wall_ms);
    }
}

/// A group whose content is a function of its number. The medium does not look into blocks, so these are no batches.
#[must_use]
pub fn group(seq: u64, bytes: usize) -> Group {
    let block: Vec<u8> = (0..bytes)
        .map(|at| (seq as usize * 31 + at * 7 + at / 251) as u8)
        .collect();
    let first = bytes / 3;
    let runs = if bytes == 0 {
        Vec::new()
    } else {
        vec![run(seq, 0, first), run(seq + 1, first, bytes - first)]
    };
    Group {
        seq: GroupSeq(seq),
        wall_ms: 1_700_000_000_000 + i64::try_from(seq).expect("small"),
        runs,
        block: Bytes::from(block).into(),
    }
}

/// A group whose block has a piece of each of these lengths, and a run for each.
fn group_in_pieces(seq: u64, lens: &[usize]) -> Group {
    let mut made = group(seq, 0);
    for (len, salt) in lens.iter().zip(1..) {
        let piece = group(seq + salt, *len).block.slice(0, *len);
        let position = made.block.push(piece);
        made.runs.push(run(seq + salt, position, *len));
    }
    made
}

fn run(stream: u64, position: usize, bytes: usize) -> Run {
    Run {
        stream: StreamId(stream),
        position,
        bytes: u32::try_from(bytes).expect("small"),
        batches: 1,
    }
}
