//! A log whose block cache is far too small, with a tier below it: the store is read once, whatever happens to the broker.

use crate::support::{EPOCH, STREAM, World, append, batch, read_all};
use millstream_log::disk::testing::MemoryDisk;
use millstream_log::objects::tier::disk::DISK_BYTES_MIN;
use millstream_log::objects::tier::memory::MemoryTier;
use millstream_log::objects::tier::{DiskTier, DiskTierOptions, SecondTier};
use millstream_log::{Log, Stream, WalRunner};
use std::sync::Arc;
use std::time::Duration;

/// The backlog, in some objects of some blocks each.
const UPLOADS: usize = 6;
const BATCHES: usize = 20;

/// Every record as `read_all` gives it.
type Records = Vec<(u64, String)>;

fn disk_tier(disk: &MemoryDisk) -> Arc<DiskTier> {
    let options = DiskTierOptions {
        bytes_max: DISK_BYTES_MIN,
        owner: DiskTierOptions::owner_of(&["a cluster", "a bucket"]),
        runner: WalRunner::Task,
    };
    Arc::new(DiskTier::open(Arc::new(disk.clone()), options).expect("a task"))
}

/// A world with a backlog of which memory holds next to nothing.
async fn backlog() -> (World, Records) {
    let mut world = World::new();
    world.config.tail_cache_bytes = 1;
    world.config.block_cache_bytes = 8 << 10;
    world.config.block_target_bytes = 4 << 10;
    world.config.housekeeping_interval = Duration::from_secs(86_400);
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    for upload in 0..UPLOADS {
        for index in 0..BATCHES {
            append(
                &stream,
                batch(&format!("{upload}/{index}:{}", "x".repeat(900)), 2),
            )
            .await;
        }
        log.upload_now().await.unwrap();
    }
    let records = read_all(&stream).await;
    assert_eq!(records.len(), UPLOADS * BATCHES * 2);
    log.close().await;
    (world, records)
}

async fn open(world: &mut World, tier: Arc<dyn SecondTier>) -> (Log, Stream) {
    world.second_tier = Some(tier);
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    (log, stream)
}

/// Reads everything; how many reads of the store that took, read-ahead included.
async fn gets(world: &World, stream: &Stream, records: &Records) -> u64 {
    let (_, before) = world.objects.counts();
    assert!(
        read_all(stream).await == *records,
        "the same records, byte for byte"
    );
    // Paused time moves when nothing else does: read-ahead has ended then.
    tokio::time::sleep(Duration::from_millis(1)).await;
    world.objects.counts().1 - before
}

#[tokio::test(start_paused = true)]
async fn without_a_tier_every_reading_asks_the_store() {
    let (world, records) = backlog().await;
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    assert!(gets(&world, &stream, &records).await > UPLOADS as u64);
    assert!(gets(&world, &stream, &records).await > UPLOADS as u64);
    assert_eq!(log.stats().second_tier, None);
}

#[tokio::test(start_paused = true)]
async fn what_was_read_once_is_not_asked_of_the_store_again() {
    let tiers: [Arc<dyn SecondTier>; 2] = [Arc::new(MemoryTier::new(1 << 20)), disk_tier(&MemoryDisk::new())];
    for tier in tiers {
        let (mut world, records) = backlog().await;
        let (log, stream) = open(&mut world, tier).await;
        assert!(gets(&world, &stream, &records).await > 0, "the first reading");
        for _ in 0..3 {
            assert_eq!(
                gets(&world, &stream, &records).await,
                0,
                "blocks and indexes are kept"
            );
        }
        let stats = log.stats().second_tier.expect("there is one");
        assert!(stats.hits > 0 && stats.dropped == 0, "{stats:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_tier_answers_after_a_crash_too() {
    let (mut world, records) = backlog().await;
    let disk = MemoryDisk::new();
    let tier = disk_tier(&disk);
    let (log, stream) = open(&mut world, tier.clone()).await;
    gets(&world, &stream, &records).await;
    tier.settled().await;
    drop((log, stream, tier));
    world.second_tier = None;
    world.disk.kill();
    disk.kill();
    let (_log, stream) = open(&mut world, disk_tier(&disk)).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(gets(&world, &stream, &records).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_tier_that_lies_costs_reads_and_never_a_byte() {
    let (mut world, records) = backlog().await;
    let tier = Arc::new(MemoryTier::new(1 << 20));
    let (_log, stream) = open(&mut world, tier.clone()).await;
    gets(&world, &stream, &records).await;
    tier.lie();
    assert!(gets(&world, &stream, &records).await > 0);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_fails_is_no_error_of_a_read() {
    let (mut world, records) = backlog().await;
    let disk = MemoryDisk::new();
    disk.break_down();
    let (log, stream) = open(&mut world, disk_tier(&disk)).await;
    for _ in 0..2 {
        assert!(gets(&world, &stream, &records).await > 0);
    }
    let stats = log.stats().second_tier.expect("there is one");
    assert_eq!(
        (stats.is_on, stats.errors, stats.hits),
        (false, 1, 0),
        "{stats:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_deleted_object_leaves_the_tier() {
    let (mut world, records) = backlog().await;
    let tier = Arc::new(MemoryTier::new(1 << 20));
    let (log, stream) = open(&mut world, tier.clone()).await;
    gets(&world, &stream, &records).await;
    assert!(tier.stats().bytes > 0);
    stream.trim(stream.bounds().end).await.unwrap();
    log.housekeep_now().await.unwrap();
    assert!(log.stats().objects_collected > 0);
    assert_eq!(tier.stats().bytes, 0);
}

/// A log with a history of its own, whose objects are as many and as long as those of any other such history.
async fn history(name: &str) -> (World, Records) {
    assert_eq!(name.len(), 3, "names of one length make objects of one length");
    let mut world = World::new();
    world.config.tail_cache_bytes = 1;
    world.config.block_target_bytes = 4 << 10;
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    for index in 10..10 + BATCHES {
        append(&stream, batch(&format!("{name}/{index}:{}", "x".repeat(900)), 2)).await;
    }
    log.upload_now().await.unwrap();
    let records = read_all(&stream).await;
    log.close().await;
    (world, records)
}

/// Metadata were restored from a copy, and objects of the new life got numbers that others had in the life that was undone. The start
/// after the restoring knew which pieces of the tier were void, and forgot them in memory; the second start, by which the numbers
/// were taken again, did not: it read the undone past's records where the new ones belong.
#[tokio::test(start_paused = true)]
async fn pieces_of_an_undone_past_are_not_believed_at_the_second_start_either() {
    let disk = MemoryDisk::new();
    let (mut undone, records) = history("old").await;
    let tier = disk_tier(&disk);
    let (log, stream) = open(&mut undone, tier.clone()).await;
    gets(&undone, &stream, &records).await;
    tier.close().await;
    assert!(tier.stats().written_bytes > 0);
    drop((log, stream, tier, undone));

    // The copy was made before the first object.
    let (mut world, records) = history("new").await;
    for _ in 0..2 {
        let tier = disk_tier(&disk);
        let (log, stream) = open(&mut world, tier.clone()).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        gets(&world, &stream, &records).await;
        assert_eq!(
            gets(&world, &stream, &records).await,
            0,
            "its own pieces are kept"
        );
        log.close().await;
    }
}
