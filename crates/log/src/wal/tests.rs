//! The file medium: conformance, format, and the proofs of recovery.

use super::WalError;
use super::conformance::{self, Opened, Setup, group};
use super::file::{FileWal, FileWalOptions, SEGMENT_BYTES_MIN};
use super::format::{ALIGN_BYTES, GROUP_HEAD_BYTES, GroupHead, RUN_BYTES, SegmentHeader};
use crate::clock::{Clock, SystemClock, TimestampMs};
use crate::config::FlushMode;
use crate::disk::Disk;
use crate::disk::testing::{MemoryDisk, Survival};
use crate::error::{Fate, OpenError};
use crate::ids::GroupSeq;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;

pub(super) const SEGMENT_BYTES: u64 = 64 << 10;

struct FixedClock;

impl Clock for FixedClock {
    fn wall_ms(&self) -> TimestampMs {
        1_700_000_000_000
    }
    fn monotonic(&self) -> Duration {
        Duration::from_secs(1)
    }
}

pub(super) struct OnMemory {
    pub(super) disk: MemoryDisk,
    flush: FlushMode,
}

impl OnMemory {
    pub(super) fn new(flush: FlushMode) -> Self {
        Self {
            disk: MemoryDisk::new(),
            flush,
        }
    }
}

pub(super) async fn open_on(
    disk: Arc<dyn Disk>,
    flush: FlushMode,
    through: GroupSeq,
) -> Result<Opened, OpenError> {
    let mut replayed = Vec::new();
    let options = FileWalOptions {
        segment_bytes: SEGMENT_BYTES,
        flush,
    };
    let mut replay = |group| {
        replayed.push(group);
        Ok(())
    };
    let wal = FileWal::open(disk, Arc::new(FixedClock), options, through, &mut replay).await?;
    Ok(Opened::new(Arc::new(wal), replayed))
}

impl Setup for OnMemory {
    fn open(&self, through: GroupSeq) -> BoxFuture<'_, Result<Opened, OpenError>> {
        Box::pin(open_on(Arc::new(self.disk.clone()), self.flush, through))
    }
    fn kill(&self) {
        self.disk.kill();
    }
    fn large_block_bytes(&self) -> usize {
        3 * SEGMENT_BYTES as usize
    }
}

#[tokio::test]
async fn the_file_medium_conforms_in_both_flush_modes() {
    conformance::all(|| OnMemory::new(FlushMode::Sync)).await;
    conformance::all(|| OnMemory::new(FlushMode::Async)).await;
}

pub(super) async fn filled(disk: &OnMemory, groups: u64, bytes: usize) -> Opened {
    let opened = disk.open(GroupSeq(0)).await.unwrap();
    for seq in 1..=groups {
        opened.medium.append(group(seq, bytes)).await.unwrap();
    }
    opened
}

pub(super) fn seqs(opened: &Opened) -> Vec<u64> {
    opened
        .replayed
        .iter()
        .map(|replayed| replayed.group.seq.0)
        .collect()
}

/// Position of each group in a segment, with its number.
fn groups_in(bytes: &[u8]) -> Vec<(usize, u64)> {
    let pages = (ALIGN_BYTES as usize..bytes.len()).step_by(ALIGN_BYTES as usize);
    pages
        .filter_map(|at| GroupHead::decode(&bytes[at..]).map(|head| (at, head.seq.0)))
        .collect()
}

pub(super) fn segment_with(disk: &MemoryDisk, seq: u64) -> (String, usize) {
    for (name, _) in disk.files() {
        let bytes = disk.contents(&name).unwrap();
        if name.starts_with("wal-")
            && let Some((at, _)) = groups_in(&bytes).into_iter().find(|(_, found)| *found == seq)
        {
            return (name, at);
        }
    }
    panic!("group {seq} is in no segment");
}

// T21: a power failure in the middle of a write leaves any part of the last group.
#[tokio::test]
async fn a_torn_last_group_is_cut_wherever_it_is_torn() {
    // Right behind its head.
    let head = GROUP_HEAD_BYTES + 2 * RUN_BYTES;
    torn(9000, head + 9000, 997).await;
    // At a page of its own.
    torn(70_000, ALIGN_BYTES as usize + 70_000, 9973).await;
}

/// Group 4, of so many bytes in its block and altogether, is cut off after every `step` bytes of it.
async fn torn(bytes: usize, whole: usize, step: usize) {
    for kept in (0..whole).step_by(step).chain([63, 64, 65, 95, 96, whole - 1]) {
        for survival in [Survival::Prefix(kept), Survival::Suffix(kept + 1)] {
            let on = OnMemory::new(FlushMode::Sync);
            let opened = filled(&on, 3, bytes).await;
            on.disk.fail_sync_after(0);
            opened.medium.append(group(4, bytes)).await.unwrap_err();
            opened.end().await;
            on.disk.crash(|_, _| survival);
            let opened = on.open(GroupSeq(0)).await.unwrap();
            assert_eq!(seqs(&opened), [1, 2, 3], "{survival:?}");
            // The number is used again, and what was torn stays void.
            opened.medium.append(group(4, 10)).await.unwrap();
            opened.end().await;
            on.disk.kill();
            let opened = on.open(GroupSeq(0)).await.unwrap();
            assert_eq!(seqs(&opened), [1, 2, 3, 4]);
            assert_eq!(opened.replayed[3].group.block.len(), 10);
        }
    }
}

// T21, the reverse: what was flushed and is damaged must not be taken for a torn tail.
#[tokio::test]
async fn damage_in_front_of_a_flushed_group_is_refused_not_cut() {
    for damaged in 1..=19_u64 {
        let on = OnMemory::new(FlushMode::Sync);
        filled(&on, 20, 9000).await.end().await;
        for offset in [0, 20, 60, 70, 5000] {
            let (name, at) = segment_with(&on.disk, damaged);
            let before = on.disk.contents(&name).unwrap();
            on.disk.damage(&name, |bytes| bytes[at + offset] ^= 1);
            let error = on.open(GroupSeq(0)).await.err();
            assert!(
                matches!(error, Some(OpenError::Corrupt(_))),
                "group {damaged} at {offset}: {error:?}"
            );
            on.disk.damage(&name, |bytes| *bytes = before);
        }
        assert_eq!(
            seqs(&on.open(GroupSeq(0)).await.unwrap()).len(),
            20,
            "refusing changed nothing"
        );
    }
}

#[tokio::test]
async fn damage_below_what_objects_hold_does_not_matter() {
    let on = OnMemory::new(FlushMode::Sync);
    filled(&on, 20, 9000).await.end().await;
    let (name, at) = segment_with(&on.disk, 2);
    on.disk.damage(&name, |bytes| bytes[at] ^= 1);
    assert_eq!(seqs(&on.open(GroupSeq(15)).await.unwrap()), [16, 17, 18, 19, 20]);
}

#[tokio::test]
async fn a_missing_segment_of_flushed_groups_is_refused() {
    let on = OnMemory::new(FlushMode::Sync);
    filled(&on, 20, 9000).await.end().await;
    let (name, _) = segment_with(&on.disk, 9);
    on.disk.remove(&name).await.unwrap();
    assert!(matches!(on.open(GroupSeq(0)).await, Err(OpenError::Corrupt(_))));
}

#[tokio::test]
async fn lost_unflushed_groups_are_cut_in_async_mode() {
    let on = OnMemory::new(FlushMode::Async);
    filled(&on, 20, 9000).await.end().await;
    let mut write = 0;
    // Of the groups' writes every third is lost.
    on.disk.crash(|_, _| {
        write += 1;
        if write % 3 == 0 {
            Survival::Lost
        } else {
            Survival::Whole
        }
    });
    let opened = on.open(GroupSeq(0)).await.unwrap();
    let found = seqs(&opened);
    assert!(!found.is_empty() && found.len() < 20);
    assert_eq!(found, (1..=found.len() as u64).collect::<Vec<_>>(), "a prefix");
    let next = found.len() as u64 + 1;
    opened.medium.append(group(next, 100)).await.unwrap();
    opened.end().await;
    on.disk.kill();
    assert_eq!(seqs(&on.open(GroupSeq(0)).await.unwrap()).len() as u64, next);
}

// What a killed process wrote but never flushed is read from the page cache; shown without a flush, a power failure would take
// acknowledged-looking data back.
#[tokio::test]
async fn what_recovery_trusts_is_flushed_before_it_is_shown() {
    let on = OnMemory::new(FlushMode::Sync);
    let opened = filled(&on, 3, 100).await;
    on.disk.fail_sync_after(0);
    opened.medium.append(group(4, 100)).await.unwrap_err();
    // kill -9: the written bytes stay in the page cache, not on the platter.
    opened.end().await;
    let opened = on.open(GroupSeq(0)).await.unwrap();
    assert_eq!(seqs(&opened), [1, 2, 3, 4]);
    opened.end().await;
    on.disk.crash(|_, _| Survival::Lost);
    assert_eq!(seqs(&on.open(GroupSeq(0)).await.unwrap()), [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_failed_flush_gives_the_segment_up_and_voids_the_group() {
    let on = OnMemory::new(FlushMode::Sync);
    let opened = filled(&on, 3, 100).await;
    on.disk.fail_sync_after(0);
    let error = opened.medium.append(group(4, 100)).await.unwrap_err();
    assert!(matches!(
        error,
        WalError::Failed {
            fate: Fate::Unknown,
            ..
        }
    ));
    opened.medium.append(group(4, 50)).await.unwrap();
    opened.medium.append(group(5, 50)).await.unwrap();
    opened.end().await;
    on.disk.kill();
    let opened = on.open(GroupSeq(0)).await.unwrap();
    assert_eq!(seqs(&opened), [1, 2, 3, 4, 5]);
    assert_eq!(
        opened.replayed[3].group.block.len(),
        50,
        "the second group 4, although the first is whole on disk"
    );
}

#[tokio::test]
async fn a_failed_write_gives_the_segment_up() {
    let on = OnMemory::new(FlushMode::Sync);
    let opened = filled(&on, 3, 100).await;
    on.disk.fail_write_after(0);
    opened.medium.append(group(4, 100)).await.unwrap_err();
    opened.medium.append(group(4, 60)).await.unwrap();
    opened.end().await;
    on.disk.crash(|_, _| Survival::Lost);
    let opened = on.open(GroupSeq(0)).await.unwrap();
    assert_eq!(seqs(&opened), [1, 2, 3, 4]);
    assert_eq!(
        opened.medium.read(GroupSeq(4), 0, 60).await.unwrap(),
        group(4, 60).block.slice(0, 60)
    );
}

#[tokio::test]
async fn a_full_disk_refuses_and_goes_on_once_there_is_room() {
    let on = OnMemory::new(FlushMode::Sync);
    on.disk.set_bytes_max(Some(2 * SEGMENT_BYTES));
    let opened = on.open(GroupSeq(0)).await.unwrap();
    let mut seq = 1;
    let error = loop {
        match opened.medium.append(group(seq, 9000)).await {
            Ok(_) => seq += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, WalError::Full);
    assert!(seq > 5, "both segments were used first");
    assert_eq!(opened.medium.append(group(seq, 9000)).await, Err(WalError::Full));
    // An upload frees the first segment.
    opened.medium.reclaim(GroupSeq(seq - 2));
    opened.medium.append(group(seq, 9000)).await.unwrap();
    on.disk.set_bytes_max(Some(100 * SEGMENT_BYTES));
    for next in seq + 1..seq + 20 {
        opened.medium.append(group(next, 9000)).await.unwrap();
    }
    opened.end().await;
    on.disk.kill();
    let opened = on.open(GroupSeq(seq - 2)).await.unwrap();
    assert_eq!(seqs(&opened), (seq - 1..seq + 20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_recycled_segment_shows_nothing_of_its_earlier_use() {
    let on = OnMemory::new(FlushMode::Sync);
    let opened = filled(&on, 20, 9000).await;
    opened.medium.reclaim(GroupSeq(20));
    for seq in 21..=28 {
        opened.medium.append(group(seq, 9000)).await.unwrap();
    }
    let segments = on.disk.files().len();
    assert!(segments <= 6, "segments are used again: {segments}");
    opened.end().await;
    on.disk.kill();
    assert_eq!(
        seqs(&on.open(GroupSeq(20)).await.unwrap()),
        (21..=28).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_damaged_segment_header_is_refused() {
    let on = OnMemory::new(FlushMode::Sync);
    filled(&on, 3, 100).await.end().await;
    let (name, _) = segment_with(&on.disk, 1);
    on.disk.damage(&name, |bytes| bytes[17] ^= 1);
    assert!(matches!(on.open(GroupSeq(0)).await, Err(OpenError::Corrupt(_))));
}

#[tokio::test]
async fn a_segment_of_a_later_version_is_refused_by_name() {
    let on = OnMemory::new(FlushMode::Sync);
    filled(&on, 1, 100).await.end().await;
    let (name, _) = segment_with(&on.disk, 1);
    on.disk.damage(&name, |bytes| {
        bytes[8] = 9;
        let checksum = xxhash_rust::xxh3::xxh3_64(&bytes[..32]);
        bytes[32..40].copy_from_slice(&checksum.to_le_bytes());
    });
    assert!(matches!(
        on.open(GroupSeq(0)).await,
        Err(OpenError::UnknownVersion(_))
    ));
}

#[tokio::test]
async fn segments_of_two_logs_are_not_mixed() {
    let on = OnMemory::new(FlushMode::Sync);
    filled(&on, 3, 100).await.end().await;
    let page = SegmentHeader {
        log_id: 1,
        segment: 99,
    }
    .encode();
    let file = on
        .disk
        .create("wal-0000000000000063", SEGMENT_BYTES_MIN)
        .await
        .unwrap();
    file.write_at(0, &[page]).await.unwrap();
    assert!(matches!(on.open(GroupSeq(0)).await, Err(OpenError::Corrupt(_))));
}

#[tokio::test]
async fn the_real_clock_draws_different_log_identities() {
    let clock = Arc::new(SystemClock::new());
    let (first, second) = (MemoryDisk::new(), MemoryDisk::new());
    let mut pages = Vec::new();
    for disk in [first, second] {
        let options = FileWalOptions {
            segment_bytes: SEGMENT_BYTES,
            flush: FlushMode::Sync,
        };
        let mut replay = |_| Ok(());
        let wal = FileWal::open(
            Arc::new(disk.clone()),
            clock.clone(),
            options,
            GroupSeq(0),
            &mut replay,
        );
        let opened = Opened::new(Arc::new(wal.await.unwrap()), Vec::new());
        opened.medium.append(group(1, 10)).await.unwrap();
        let (name, _) = segment_with(&disk, 1);
        pages.push(
            SegmentHeader::decode(&disk.contents(&name).unwrap())
                .unwrap()
                .log_id,
        );
    }
    assert_ne!(pages[0], pages[1]);
}
