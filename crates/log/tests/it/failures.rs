//! Disks that fail and run full.

use crate::support::{EPOCH, STREAM, TestClock, World, append, batch, read_all};
use millstream_log::{
    AppendError, Appended, Clock, Fate, Log, LogPorts, Offset, OpenError, StreamError, StreamId, TimestampMs,
    WalRunner, invariants,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_failed_flush_takes_its_offsets_back_and_later_appends_go_on() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, batch("kept", 2)).await;
    world.disk.fail_sync_after(0);
    let mut tickets = Vec::new();
    for _ in 0..5 {
        tickets.push(stream.append(EPOCH, batch("failed", 1)).await.unwrap());
    }
    for ticket in tickets {
        assert_eq!(fate(ticket.durable().await), Some(Fate::NotDone));
    }
    invariants::streams_are_dense(&log).unwrap();
    assert_eq!(append(&stream, batch("after", 1)).await.base, Offset(2));
    let live = read_all(&stream).await;
    drop((log, stream));
    world.disk.kill();
    let log = world.open().await.unwrap();
    assert_eq!(
        read_all(&log.open_stream(STREAM, EPOCH)).await,
        live,
        "what failed does not come back"
    );
}

// The failed group lies whole on the disk; answered "not done", it must not come back even if nothing is written after it.
#[tokio::test(start_paused = true)]
async fn what_is_answered_not_done_is_not_found_after_a_crash() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, batch("kept", 2)).await;
    world.disk.fail_sync_after(0);
    let failed = stream.append(EPOCH, batch("failed", 1)).await.unwrap();
    assert_eq!(fate(failed.durable().await), Some(Fate::NotDone));
    drop((log, stream));
    world.disk.kill();
    let log = world.open().await.unwrap();
    assert_eq!(log.open_stream(STREAM, EPOCH).bounds().end, Offset(2));
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_stays_broken_leaves_the_outcome_unknown() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, batch("kept", 2)).await;
    world.disk.break_down();
    let failed = stream.append(EPOCH, batch("failed", 1)).await.unwrap();
    assert_eq!(fate(failed.durable().await), Some(Fate::Unknown));
    world.disk.heal();
    assert_eq!(append(&stream, batch("after", 1)).await.base, Offset(2));
}

#[tokio::test(start_paused = true)]
async fn what_is_queued_behind_a_failed_group_is_not_written_and_other_streams_go_on() {
    let mut world = World::new();
    world.config.wal_group_bytes_max = 1;
    let log = world.open().await.unwrap();
    let (stream, other) = (
        log.open_stream(STREAM, EPOCH),
        log.open_stream(StreamId(99), EPOCH),
    );
    append(&stream, batch("kept", 1)).await;
    world.disk.fail_sync_after(0);
    let failed = stream.append(EPOCH, batch("failed", 1)).await.unwrap();
    let behind = stream.append(EPOCH, batch("behind", 1)).await.unwrap();
    let elsewhere = other.append(EPOCH, batch("elsewhere", 1)).await.unwrap();
    assert_eq!(fate(failed.durable().await), Some(Fate::NotDone));
    assert_eq!(fate(behind.durable().await), Some(Fate::NotDone));
    assert_eq!(elsewhere.durable().await.unwrap().base, Offset(0));
    assert_eq!(read_all(&stream).await.len(), 1);
}

fn fate(answer: Result<Appended, AppendError>) -> Option<Fate> {
    match answer {
        Err(AppendError::Storage { fate, .. }) => Some(fate),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_fails_appends_cleanly_and_they_work_again_once_there_is_room() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, batch("x", 1)).await;
    world.disk.set_bytes_max(Some(0));
    let mut acknowledged = 1;
    let error = loop {
        let ticket = stream.append(EPOCH, batch(&"y".repeat(9000), 1)).await.unwrap();
        match ticket.durable().await {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 100, "the disk is full");
    };
    assert_eq!(error, AppendError::StorageFull);
    assert_eq!(read_all(&stream).await.len(), acknowledged);
    invariants::streams_are_dense(&log).unwrap();
    world.disk.set_bytes_max(Some(1 << 30));
    assert_eq!(
        append(&stream, batch("z", 1)).await.base,
        Offset(acknowledged as u64)
    );
}

/// Every failing group made the log fill a segment with zeros up to the disk's last byte, and remove it again.
#[tokio::test(start_paused = true)]
async fn a_disk_that_stays_full_is_not_filled_again_for_every_append() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, batch("x", 1)).await;
    world.disk.set_bytes_max(Some(0));
    let before = world.disk.creates();
    let mut failed = 0;
    for _ in 0..200 {
        let ticket = stream.append(EPOCH, batch(&"y".repeat(9000), 1)).await.unwrap();
        failed += u32::from(ticket.durable().await.is_err());
    }
    let tried = world.disk.creates() - before;
    assert!(
        failed > 100 && tried <= 3,
        "{failed} appends failed, {tried} files were tried"
    );
    // Nobody tells of this room, and it is found all the same.
    world.disk.set_bytes_max(None);
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    append(&stream, batch("z", 1)).await;
}

#[tokio::test(start_paused = true)]
async fn an_upload_makes_room_on_a_full_disk() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, batch("x", 1)).await;
    world.disk.set_bytes_max(Some(2 * world.config.wal_segment_bytes));
    let mut failures = 0;
    for _ in 0..60 {
        let ticket = stream.append(EPOCH, batch(&"y".repeat(9000), 1)).await.unwrap();
        if ticket.durable().await.is_err() {
            failures += 1;
            log.upload_now().await.unwrap();
        }
    }
    assert!(failures > 2 && failures < 20, "{failures}");
    assert_eq!(read_all(&stream).await.len(), 61 - failures);
}

#[tokio::test(start_paused = true)]
async fn appends_wait_at_the_unuploaded_bound_and_fail_when_no_upload_comes() {
    let mut world = World::new();
    world.config.wal_unuploaded_bytes_max = 64 << 10;
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    world.objects.set_full(true);
    let error = loop {
        match stream.append(EPOCH, batch(&"y".repeat(2000), 1)).await {
            Ok(ticket) => drop(ticket.durable().await.unwrap()),
            Err(error) => break error,
        }
    };
    assert_eq!(error, AppendError::StorageFull);
    let kept = read_all(&stream).await.len();
    world.objects.set_full(false);
    world.objects.heal();
    assert_eq!(
        append(&stream, batch("z", 1)).await.base,
        Offset(kept as u64),
        "it waited for the upload"
    );
}

/// The bound counted bytes of the medium alone. A stream keeps an entry in memory for each batch that waits, which is as large as
/// a batch of one small record: what 2 GiB of those took beside them was never counted.
#[tokio::test(start_paused = true)]
async fn the_unuploaded_bound_counts_what_tiny_batches_take_in_memory() {
    const BYTES_MAX: u64 = 1 << 20;
    /// Of one batch: its bytes here, and its entry, three times: room to grow, and an upload's copy.
    const BATCH_BYTES: u64 = 70;
    const ENTRY_BYTES: u64 = 3 * 40;
    let mut world = World::new();
    world.config.wal_unuploaded_bytes_max = BYTES_MAX;
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    world.objects.set_full(true);
    // Not one after the other: a group of many is written without padding between them.
    let mut tickets = Vec::new();
    let error = loop {
        match stream.append(EPOCH, batch("", 1)).await {
            Ok(ticket) => tickets.push(ticket),
            Err(error) => break error,
        }
    };
    assert_eq!(error, AppendError::StorageFull);
    let count = tickets.len() as u64;
    for ticket in tickets {
        ticket.durable().await.unwrap();
    }
    let bytes = log.stats().appended_bytes;
    assert!(bytes >= count * BATCH_BYTES, "{bytes} of {count}");
    assert!(
        bytes + count * ENTRY_BYTES <= BYTES_MAX + BATCH_BYTES + ENTRY_BYTES,
        "{count}"
    );
    assert!(bytes > BYTES_MAX / 4, "and no more than it: {bytes}");
    drop((log, stream));
    world.disk.kill();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    let refused = stream.append(EPOCH, batch("", 1)).await.err();
    assert_eq!(
        refused,
        Some(AppendError::StorageFull),
        "recovery counts the same"
    );
    world.objects.set_full(false);
    log.upload_now().await.unwrap();
    append(&stream, batch("", 1)).await;
}

#[tokio::test(start_paused = true)]
async fn damaged_acknowledged_data_refuses_to_open_and_changes_nothing() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    for _ in 0..10 {
        append(&stream, batch("x", 1)).await;
    }
    log.close().await;
    drop((log, stream));
    // The page of the fourth group.
    let (name, _) = world
        .disk
        .files()
        .into_iter()
        .find(|(name, _)| name.starts_with("wal-"))
        .unwrap();
    world.disk.damage(&name, |bytes| bytes[4 * 4096 + 100] ^= 1);
    let before = world.disk.contents(&name);
    assert!(matches!(world.open().await, Err(OpenError::Corrupt(_))));
    assert_eq!(world.disk.contents(&name), before);
    world.disk.damage(&name, |bytes| bytes[4 * 4096 + 100] ^= 1);
    let log = world.open().await.unwrap();
    assert_eq!(read_all(&log.open_stream(STREAM, EPOCH)).await.len(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_trim_above_the_watermark_is_refused() {
    let world = World::new();
    let log = world.open().await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, batch("x", 4)).await;
    assert_eq!(stream.trim(Offset(5)).await, Err(StreamError::OffsetOutOfRange));
    assert_eq!(stream.trim(Offset(3)).await, Ok(Offset(3)));
    assert_eq!(stream.trim(Offset(1)).await, Ok(Offset(3)));
}

struct FailingClock {
    inner: Arc<TestClock>,
    is_armed: AtomicBool,
}

impl Clock for FailingClock {
    fn wall_ms(&self) -> TimestampMs {
        self.inner.wall_ms()
    }
    fn monotonic(&self) -> Duration {
        assert!(!self.is_armed.load(Ordering::Relaxed), "injected");
        self.inner.monotonic()
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_commit_loop_that_died() {
    let world = World::new();
    let clock = Arc::new(FailingClock {
        inner: world.clock.clone(),
        is_armed: AtomicBool::new(false),
    });
    let ports = LogPorts {
        clock: clock.clone(),
        disk: Arc::new(world.disk.clone()),
        objects: world.objects.clone(),
        second_tier: None,
        manifest: world.manifest.clone(),
        wal_runner: WalRunner::Task,
    };
    let log = Log::open(world.config.clone(), ports).await.unwrap();
    let stream = log.open_stream(STREAM, EPOCH);
    append(&stream, batch("kept", 1)).await;
    clock.is_armed.store(true, Ordering::Relaxed);
    // The second is queued behind the group that meets the failure.
    let first = stream.append(EPOCH, batch("first", 1)).await.unwrap();
    tokio::task::yield_now().await;
    let second = stream.append(EPOCH, batch("second", 1)).await;
    let wait = Duration::from_secs(60);
    let answer = tokio::time::timeout(wait, first.durable())
        .await
        .expect("an answer");
    assert_eq!(fate(answer), Some(Fate::Unknown));
    if let Ok(second) = second {
        let answer = tokio::time::timeout(wait, second.durable())
            .await
            .expect("an answer");
        assert_eq!(fate(answer), Some(Fate::Unknown));
    }
    let later = tokio::time::timeout(wait, stream.append(EPOCH, batch("later", 1))).await;
    assert_eq!(later.expect("an answer").err(), Some(AppendError::Closed));
}
