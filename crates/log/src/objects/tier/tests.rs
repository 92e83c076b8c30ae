//! Tests of the second tier: the port's promises on both implementations, then what only a disk can do: restart, rot, fill, fail.

use super::conformance::{self, bytes_of, piece};
use super::disk::DISK_BYTES_MIN;
use super::format::{FILE_HEADER_BYTES, FileHeader, Row, decode_front, encode_front};
use super::memory::MemoryTier;
use super::{DiskTier, DiskTierOptions, Piece, SecondTier};
use crate::config::FlushMode;
use crate::disk::FileDisk;
use crate::disk::testing::{MemoryDisk, Survival};
use crate::log::WalRunner;
use proptest::prelude::*;
use std::sync::Arc;

const OWNER: u64 = 0x0123_4567_89ab_cdef;
/// Length of the usual piece here; a file of the smallest tier holds 20.
const LEN: usize = 100_000;

fn options(owner: u64) -> DiskTierOptions {
    DiskTierOptions {
        bytes_max: DISK_BYTES_MIN,
        owner,
        runner: WalRunner::Task,
    }
}

fn open(disk: &MemoryDisk) -> DiskTier {
    DiskTier::open(Arc::new(disk.clone()), options(OWNER)).expect("a task is always to be had")
}

/// A tier that holds the pieces 0 to `count` of object 1, all on the disk.
async fn filled(disk: &MemoryDisk, count: u64) -> DiskTier {
    let tier = open(disk);
    for n in 0..count {
        let piece = piece(1, n, LEN);
        tier.offer(piece, &bytes_of(piece));
        tier.settled().await;
    }
    tier
}

/// Waits until a tier has read what its disk holds: it then writes what is offered.
async fn recovered(tier: &DiskTier) {
    let piece = piece(u64::MAX, 0, 1);
    tier.offer(piece, &bytes_of(piece));
    tier.settled().await;
}

/// Which of the pieces 0 to `count` of object 1 are answered, each rightly.
async fn kept(tier: &DiskTier, count: u64) -> Vec<u64> {
    let mut kept = Vec::new();
    for n in 0..count {
        let piece = piece(1, n, LEN);
        if let Some(bytes) = tier.get(piece).await {
            assert!(bytes == bytes_of(piece), "piece {n} has another's bytes");
            kept.push(n);
        }
    }
    kept
}

fn cache_files(disk: &MemoryDisk) -> Vec<String> {
    disk.files().into_iter().map(|(name, _)| name).collect()
}

#[tokio::test(start_paused = true)]
async fn the_tier_in_memory_keeps_the_promises_of_the_port() {
    conformance::check(&MemoryTier::new(1 << 20), 1 << 20, async |_| {}).await;
}

#[tokio::test(start_paused = true)]
async fn the_tier_on_disk_keeps_the_promises_of_the_port() {
    let tier = open(&MemoryDisk::new());
    conformance::check(&tier, DISK_BYTES_MIN, DiskTier::settled).await;
}

#[tokio::test]
async fn the_tier_on_a_real_disk_keeps_the_promises_of_the_port() {
    let folder = std::env::temp_dir().join(format!("millstream-tier-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let disk = FileDisk::open(&folder, FlushMode::Sync).expect("a folder");
    let threaded = DiskTierOptions {
        runner: WalRunner::Thread,
        ..options(OWNER)
    };
    let tier = DiskTier::open(Arc::new(disk), threaded).expect("a thread");
    conformance::check(&tier, DISK_BYTES_MIN, DiskTier::settled).await;
    std::fs::remove_dir_all(&folder).expect("cleaning up");
}

#[tokio::test(start_paused = true)]
async fn what_was_written_is_there_after_a_restart() {
    let disk = MemoryDisk::new();
    let tier = filled(&disk, 50).await;
    tier.close().await;
    drop(tier);
    let tier = open(&disk);
    recovered(&tier).await;
    assert_eq!(kept(&tier, 50).await, (0..50).collect::<Vec<_>>());
    let stats = tier.stats();
    assert_eq!((stats.damaged, stats.errors), (0, 0), "{stats:?}");
    assert!(stats.bytes > 0 && stats.bytes <= DISK_BYTES_MIN, "{stats:?}");
}

#[tokio::test(start_paused = true)]
async fn what_waits_when_the_broker_ends_cleanly_is_written_first() {
    let disk = MemoryDisk::new();
    let tier = open(&disk);
    for n in 0..30 {
        let piece = piece(1, n, LEN);
        tier.offer(piece, &bytes_of(piece));
    }
    tier.close().await;
    drop(tier);
    let tier = open(&disk);
    recovered(&tier).await;
    assert_eq!(kept(&tier, 30).await.len(), 30);
}

#[tokio::test(start_paused = true)]
async fn files_that_are_used_again_never_answer_for_their_earlier_life() {
    let disk = MemoryDisk::new();
    // More than three times what fits, so that every file was begun anew.
    let tier = filled(&disk, 500).await;
    let before = kept(&tier, 500).await;
    assert!(
        before.len() >= 120 && before[0] > 300,
        "the newest are kept: {before:?}"
    );
    drop(tier);
    let tier = open(&disk);
    recovered(&tier).await;
    // The offer by which the test waits may have begun a file anew.
    let after = kept(&tier, 500).await;
    assert!(after.iter().all(|n| before.contains(n)), "{after:?}");
    assert!(after.len() + 20 >= before.len(), "{after:?}");
    assert_eq!(tier.stats().damaged, 0, "what is gone is not damage");
}

#[tokio::test(start_paused = true)]
async fn pieces_of_another_owner_or_of_an_undone_past_are_thrown_away() {
    let disk = MemoryDisk::new();
    drop(filled(&disk, 10).await);
    let tier = open(&disk);
    tier.forget_from(1);
    recovered(&tier).await;
    assert!(kept(&tier, 10).await.is_empty());
    drop(tier);
    let tier = DiskTier::open(Arc::new(disk.clone()), options(OWNER + 1)).expect("a task");
    recovered(&tier).await;
    assert!(kept(&tier, 10).await.is_empty());
    assert_eq!(cache_files(&disk).len(), 1, "the other's file is gone");
}

#[tokio::test(start_paused = true)]
async fn a_smaller_cache_keeps_to_its_smaller_size() {
    let disk = MemoryDisk::new();
    let large = DiskTierOptions {
        bytes_max: 2 * DISK_BYTES_MIN,
        ..options(OWNER)
    };
    let tier = DiskTier::open(Arc::new(disk.clone()), large).expect("a task");
    for n in 0..300 {
        let piece = piece(1, n, LEN);
        tier.offer(piece, &bytes_of(piece));
        tier.settled().await;
    }
    drop(tier);
    let tier = open(&disk);
    recovered(&tier).await;
    kept(&tier, 300).await;
    let on_disk: usize = disk.files().iter().map(|(_, len)| len).sum();
    assert!(on_disk as u64 <= DISK_BYTES_MIN, "{on_disk}");
}

#[tokio::test(start_paused = true)]
async fn a_truncated_or_emptied_cache_file_is_a_miss() {
    for left in [0, 10, FILE_HEADER_BYTES, 150_000] {
        let disk = MemoryDisk::new();
        let tier = filled(&disk, 10).await;
        let name = cache_files(&disk).remove(0);
        disk.damage(&name, |bytes| bytes.truncate(left));
        let answered = kept(&tier, 10).await;
        assert!(answered.len() < 10, "cut to {left}: {answered:?}");
        let stats = tier.stats();
        assert!(stats.is_on && stats.damaged > 0, "cut to {left}: {stats:?}");
        drop(tier);
        let tier = open(&disk);
        recovered(&tier).await;
        assert!(
            kept(&tier, 10).await.is_empty(),
            "a file of another length is not ours"
        );
        assert!(tier.stats().is_on);
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_turns_the_tier_off_once_and_gives_the_room_back() {
    let disk = MemoryDisk::new();
    let tier = filled(&disk, 30).await;
    assert_eq!(cache_files(&disk).len(), 2);
    disk.set_bytes_max(Some(2 * DISK_BYTES_MIN / 8));
    for n in 30..60 {
        let piece = piece(1, n, LEN);
        tier.offer(piece, &bytes_of(piece));
        tier.settled().await;
    }
    let stats = tier.stats();
    assert_eq!((stats.is_on, stats.errors), (false, 1), "{stats:?}");
    assert!(kept(&tier, 60).await.is_empty(), "everything is a miss");
    tier.close().await;
    assert_eq!(cache_files(&disk), [""; 0], "the room is somebody else's");
    assert_eq!(tier.stats().bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fails_turns_the_tier_off_and_the_next_start_tries_again() {
    let disk = MemoryDisk::new();
    let tier = filled(&disk, 3).await;
    disk.break_down();
    let late = piece(1, 3, LEN);
    tier.offer(late, &bytes_of(late));
    tier.settled().await;
    assert!(kept(&tier, 4).await.is_empty());
    let stats = tier.stats();
    assert_eq!((stats.is_on, stats.errors), (false, 1), "{stats:?}");
    tier.close().await;
    drop(tier);
    disk.heal();
    let tier = filled(&disk, 4).await;
    assert_eq!(kept(&tier, 4).await, [0, 1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_full_drops_what_is_offered() {
    let disk = MemoryDisk::new();
    let tier = open(&disk);
    // Nothing is awaited in between, so that nothing is written meanwhile.
    for n in 0..200 {
        let piece = piece(1, n, LEN);
        tier.offer(piece, &bytes_of(piece));
    }
    let dropped = tier.stats().dropped;
    assert!(dropped > 0 && dropped < 200, "{dropped}");
    tier.settled().await;
    assert_eq!(tier.stats().written_bytes, (200 - dropped) * LEN as u64);
}

#[test]
fn the_bytes_of_a_cache_file_are_those_of_version_1() {
    let header = FileHeader {
        owner: OWNER,
        number: 7,
        file_bytes: 2 << 20,
    };
    let rows = [1, 2].map(|n| Row {
        piece: piece(0x1_4000_0001, n, 300),
        checksum: 0x1111_2222_3333_4444 * n,
    });
    let bytes = [header.encode(), encode_front(7, &rows)].concat();
    crate::test_world::golden("cache_v1.hex", &bytes);
    assert_eq!(FileHeader::decode(&bytes), Ok(header));
    let front = &bytes[FILE_HEADER_BYTES..];
    assert_eq!(decode_front(front, 7), Ok(rows.to_vec()));
    assert!(decode_front(front, 6).is_err(), "of another life of the file");
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        let (header, front) = damaged.split_at(FILE_HEADER_BYTES);
        assert!(
            FileHeader::decode(header).is_err() || decode_front(front, 7).is_err(),
            "byte {at}"
        );
    }
}

/// Pieces of many lengths, of which a file takes as many as it may.
fn small(n: u64) -> Piece {
    piece(1, n, 3000 - (n % 50) as usize * 50)
}

/// What may happen to a tier's disk.
#[derive(Clone, Debug)]
enum Mishap {
    /// Bytes of a file change behind the tier's back.
    Rot { file: usize, at: usize, len: usize },
    /// The machine stops; every write that was not flushed is lost, cut or whole by chance.
    PowerFailure(u64),
    /// The process stops.
    Kill,
    /// The broker ends and starts again.
    Restart,
    /// So many pieces are offered.
    Work(u64),
}

fn mishap() -> impl Strategy<Value = Mishap> {
    prop_oneof![
        (0..8usize, 0..120_000usize, 1..5000usize).prop_map(|(file, at, len)| Mishap::Rot { file, at, len }),
        any::<u64>().prop_map(Mishap::PowerFailure),
        Just(Mishap::Kill),
        Just(Mishap::Restart),
        (1..40u64).prop_map(Mishap::Work),
    ]
}

async fn happen(disk: &MemoryDisk, tier: DiskTier, next: &mut u64, mishap: Mishap) -> DiskTier {
    match mishap {
        Mishap::Work(count) => {
            for _ in 0..count {
                let piece = small(*next);
                *next += 1;
                tier.offer(piece, &bytes_of(piece));
                if next.is_multiple_of(3) {
                    tier.settled().await;
                }
            }
            return tier;
        }
        Mishap::Rot { file, at, len } => {
            if let Some(name) = cache_files(disk).get(file) {
                disk.damage(name, |bytes| {
                    bytes.iter_mut().skip(at).take(len).for_each(|byte| *byte ^= 0x5a);
                });
            }
            return tier;
        }
        Mishap::PowerFailure(mut seed) => disk.crash(|_, len| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            match seed >> 62 {
                0 => Survival::Lost,
                1 => Survival::Whole,
                2 => Survival::Prefix((seed >> 8) as usize % len.max(1)),
                _ => Survival::Suffix((seed >> 8) as usize % len.max(1)),
            }
        }),
        Mishap::Kill => disk.kill(),
        Mishap::Restart => tier.close().await,
    }
    drop(tier);
    open(disk)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_to_the_disk_a_wrong_byte_is_never_answered(mishaps in proptest::collection::vec(mishap(), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(async {
            let disk = MemoryDisk::new();
            let mut tier = open(&disk);
            let mut next = 0;
            for mishap in mishaps {
                tier = happen(&disk, tier, &mut next, mishap).await;
                tier.settled().await;
                for n in 0..next {
                    let piece = small(n);
                    if let Some(bytes) = tier.get(piece).await {
                        assert!(bytes == bytes_of(piece), "{piece:?}");
                    }
                }
                let stats = tier.stats();
                assert!(stats.is_on && stats.errors == 0, "damage is no error: {stats:?}");
            }
        });
    }

    #[test]
    fn no_bytes_make_the_decoders_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = FileHeader::decode(&bytes);
        prop_assert!(decode_front(&bytes, 1).is_err());
    }
}
