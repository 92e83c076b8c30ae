//! Tests of retention, merging, compaction and collection, one by one and all together against a model.

mod model;
mod transactions;

use super::compaction::compact;
use super::merge;
use crate::config::StreamPolicy;
use crate::error::ReadError;
use crate::ids::{Offset, StreamId};
use crate::manifest::memory::AppendFault;
use crate::objects::memory::ObjectFault;
use crate::objects::store::{ObjectStore, PutMode};
use crate::test_world::{TestRecord, World, record, tombstone};
use crate::upload::source::TailSource;
use bytes::Bytes;
use std::sync::atomic::Ordering;
use std::time::Duration;

const A: StreamId = StreamId(1);
const B: StreamId = StreamId(2);

fn keep_all() -> StreamPolicy {
    StreamPolicy {
        retention: None,
        delete: false,
        ..StreamPolicy::default()
    }
}

fn compacted() -> StreamPolicy {
    StreamPolicy {
        compact: true,
        tombstone_retention: Duration::from_millis(1000),
        dirty_percent_min: 0,
        ..keep_all()
    }
}

async fn world(policy: StreamPolicy) -> World {
    let world = World::new().await;
    world.tail.set_policy(A, policy);
    world
}

/// Uploads one batch for each list.
async fn upload_each(world: &World, batches: &[&[TestRecord]]) {
    for records in batches {
        world.tail.append(A, records);
        world.upload().await;
    }
}

async fn offsets(world: &World) -> Vec<u64> {
    let start = world
        .manifest
        .stream_state(A)
        .map_or(Offset::ZERO, |state| state.start);
    world.read_all(A, start).await.expect("all").into_keys().collect()
}

fn ranges(world: &World, stream: StreamId) -> usize {
    world
        .manifest
        .with_image(|image| image.streams[&stream].ranges.len())
}

#[tokio::test(start_paused = true)]
async fn retention_by_time_drops_what_is_too_old_from_objects_and_tail() {
    let policy = StreamPolicy {
        retention: Some(Duration::from_millis(1000)),
        ..StreamPolicy::default()
    };
    let world = world(policy).await;
    let now = 1_000_000;
    upload_each(
        &world,
        &[&[record("a", "1", now - 2000)], &[record("b", "2", now - 500)]],
    )
    .await;
    world.tail.append(A, &[record("c", "3", now)]);
    world.housekeep().await;
    assert_eq!(world.manifest.stream_state(A).expect("A").start, Offset(1));
    world.clock.advance(700);
    world.housekeep().await;
    assert_eq!(
        world.manifest.stream_state(A).expect("A").start,
        Offset(2),
        "up to the tail"
    );
    world.clock.advance(700);
    world.housekeep().await;
    assert_eq!(
        world.manifest.stream_state(A).expect("A").start,
        Offset(3),
        "and into it"
    );
    assert!(world.tail.tail(A).is_empty());
    assert_eq!(world.objects.keys().len(), 0, "the objects are collected");
    // The stream goes on above its committed end, and survives a restart.
    world.tail.append(A, &[record("d", "4", now + 1400)]);
    world.upload().await;
    let world = world.restart().await;
    assert_eq!(offsets(&world).await, [3]);
}

#[tokio::test(start_paused = true)]
async fn records_without_a_timestamp_count_from_their_upload() {
    let policy = StreamPolicy {
        retention: Some(Duration::from_millis(1000)),
        ..StreamPolicy::default()
    };
    let world = world(policy).await;
    upload_each(&world, &[&[record("a", "1", -1)]]).await;
    world.housekeep().await;
    assert_eq!(offsets(&world).await, [0]);
    world.clock.advance(1001);
    world.housekeep().await;
    assert_eq!(offsets(&world).await, Vec::<u64>::new());
}

#[tokio::test(start_paused = true)]
async fn retention_by_size_keeps_at_least_what_it_may() {
    let world = world(keep_all()).await;
    let value = "v".repeat(100);
    for n in 0..10 {
        upload_each(&world, &[&[record(&format!("{n}"), &value, n)]]).await;
    }
    let bytes = world.manifest.stream_state(A).expect("A").bytes;
    let policy = StreamPolicy {
        retention: None,
        retention_bytes: Some(bytes / 10 * 4 + 5),
        ..StreamPolicy::default()
    };
    world.tail.set_policy(A, policy);
    world.housekeep().await;
    assert_eq!(
        offsets(&world).await,
        [5, 6, 7, 8, 9],
        "four batches would be less than it may hold"
    );
    world.housekeep().await;
    assert_eq!(offsets(&world).await.len(), 5, "and no more the next time");
}

#[tokio::test(start_paused = true)]
async fn retention_cuts_large_ranges_at_their_blocks() {
    let mut config = crate::test_world::small_config();
    config.block_target_bytes = 512 << 10;
    let world = World::with(config).await;
    let value = "v".repeat(250_000);
    for n in 0..40 {
        world.tail.append(A, &[record(&format!("{n}"), &value, n)]);
    }
    world.upload().await;
    assert_eq!(ranges(&world, A), 1);
    let policy = StreamPolicy {
        retention: None,
        retention_bytes: Some(2_600_000),
        ..StreamPolicy::default()
    };
    world.tail.set_policy(A, policy);
    world.housekeep().await;
    let kept = offsets(&world).await;
    assert!((10..=13).contains(&kept.len()), "{kept:?}");
    world.housekeep().await;
    assert_eq!(offsets(&world).await, kept, "the cut range is not cut again");
}

#[tokio::test(start_paused = true)]
async fn merging_makes_few_large_ranges_and_changes_no_record() {
    let world = world(keep_all()).await;
    world.tail.set_policy(B, keep_all());
    for n in 0..200 {
        world.tail.append(A, &[record(&format!("{n}"), "some value", n)]);
        world
            .tail
            .append(B, &[record(&format!("{n}"), "another value", n)]);
        world.upload().await;
    }
    let before = (
        world.read_all(A, Offset(0)).await.expect("A"),
        world.read_all(B, Offset(0)).await.expect("B"),
    );
    assert_eq!(ranges(&world, A), 200);
    for _ in 0..40 {
        world.housekeep().await;
    }
    assert!(ranges(&world, A) < 20, "{} ranges", ranges(&world, A));
    assert!(world.objects.keys().len() < 20, "{:?}", world.objects.keys());
    let world = world.restart().await;
    let after = (
        world.read_all(A, Offset(0)).await.expect("A"),
        world.read_all(B, Offset(0)).await.expect("B"),
    );
    assert_eq!(before, after);
    let (puts, _) = world.objects.counts();
    world.housekeep().await;
    assert_eq!(world.objects.counts().0, puts, "what is merged is left alone");
}

#[tokio::test(start_paused = true)]
async fn a_mostly_dead_shared_object_gives_its_space_back() {
    let world = world(keep_all()).await;
    for n in 0..4 {
        world
            .tail
            .append(A, &[record(&format!("{n}"), &"v".repeat(300), n)]);
    }
    world.tail.append(B, &[record("b", "small", 1)]);
    world.upload().await;
    let shared = world.objects.keys();
    assert_eq!(shared.len(), 1);
    world.manifest.trim(A, Offset(4)).await.expect("a trim");
    world.housekeep().await;
    world.housekeep().await;
    assert_ne!(world.objects.keys(), shared);
    let size: usize = world
        .objects
        .keys()
        .iter()
        .map(|key| world.objects.bytes(key).expect("its bytes").len())
        .sum();
    assert!(size < 600, "{size}");
    assert_eq!(world.read_all(B, Offset(0)).await.expect("B").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn compaction_keeps_the_newest_record_of_each_key() {
    let world = world(compacted()).await;
    upload_each(
        &world,
        &[
            &[record("a", "1", 1), record("b", "1", 2), record("a", "2", 3)],
            &[record("c", "1", 4), record("b", "2", 5)],
            &[record("d", "1", 6)],
        ],
    )
    .await;
    world.tail.append(A, &[record("d", "2", 7)]);
    world.housekeep().await;
    assert_eq!(offsets(&world).await, [2, 3, 4, 5], "the tail hides nothing yet");
    let found = world.read_all(A, Offset(0)).await.expect("all");
    assert_eq!(
        found[&2],
        record("a", "2", 3),
        "offset, timestamp, key and value are as they were"
    );
    world.upload().await;
    world.housekeep().await;
    assert_eq!(offsets(&world).await, [2, 3, 4, 6]);
    let (puts, _) = world.objects.counts();
    world.housekeep().await;
    assert_eq!(world.objects.counts().0, puts, "nothing is dirty any more");
    let world = world.restart().await;
    assert_eq!(offsets(&world).await, [2, 3, 4, 6]);
}

#[tokio::test(start_paused = true)]
async fn tombstones_stay_until_their_horizon() {
    let world = world(compacted()).await;
    upload_each(&world, &[&[record("a", "1", 1)], &[tombstone("a", 2)]]).await;
    world.housekeep().await;
    assert_eq!(offsets(&world).await, [1], "a reader must learn of the delete");
    world.clock.advance(500);
    upload_each(&world, &[&[record("b", "1", 3)]]).await;
    world.housekeep().await;
    assert_eq!(
        offsets(&world).await,
        [1, 2],
        "before the horizon, which a later pass does not put off"
    );
    world.clock.advance(600);
    upload_each(&world, &[&[record("c", "1", 4)]]).await;
    world.housekeep().await;
    assert_eq!(offsets(&world).await, [2, 3], "behind it");
}

#[tokio::test(start_paused = true)]
async fn a_pass_over_more_keys_than_fit_goes_on_in_the_next() {
    let world = world(compacted()).await;
    for round in 0..3 {
        for n in 0..10 {
            world
                .tail
                .append(A, &[record(&format!("{n}"), &format!("{round}"), 1)]);
        }
        world.upload().await;
    }
    for pass in 0..12 {
        compact(&world.house, A, &compacted(), 4).await.expect("a pass");
        world
            .manifest
            .with_image(|image| image.check())
            .expect("every invariant");
        let kept = offsets(&world).await;
        assert!(
            (20..30).all(|offset| kept.contains(&offset)),
            "pass {pass}: {kept:?}"
        );
    }
    assert_eq!(offsets(&world).await, (20..30).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn compaction_waits_for_lag_and_dirt() {
    let lagging = StreamPolicy {
        compaction_lag_min: Duration::from_millis(1000),
        ..compacted()
    };
    let world = world(lagging).await;
    upload_each(
        &world,
        &[&[record("a", "1", 999_500)], &[record("a", "2", 999_500)]],
    )
    .await;
    world.housekeep().await;
    assert_eq!(offsets(&world).await, [0, 1], "too young");
    world.clock.advance(600);
    world.housekeep().await;
    assert_eq!(offsets(&world).await, [1]);

    let clean = StreamPolicy {
        dirty_percent_min: 90,
        ..compacted()
    };
    world.tail.set_policy(A, clean.clone());
    upload_each(&world, &[&[record("a", "3", 1_000_600)]]).await;
    world.housekeep().await;
    assert_eq!(offsets(&world).await, [1, 2], "not dirty enough");
    let overdue = StreamPolicy {
        compaction_lag_max: Some(Duration::from_millis(10)),
        ..clean
    };
    world.tail.set_policy(A, overdue);
    world.clock.advance(20);
    world.housekeep().await;
    assert_eq!(offsets(&world).await, [2], "but overdue");
}

#[tokio::test(start_paused = true)]
async fn what_an_open_transaction_holds_back_is_not_compacted() {
    let world = world(compacted()).await;
    world.tail.set_stable_end(A, Offset(1));
    upload_each(&world, &[&[record("a", "1", 1)], &[record("a", "2", 2)]]).await;
    world.housekeep().await;
    assert_eq!(offsets(&world).await, [0, 1]);
    world.tail.set_stable_end(A, Offset(2));
    world.housekeep().await;
    assert_eq!(offsets(&world).await, [1]);
}

#[tokio::test(start_paused = true)]
async fn orphans_of_a_crash_are_swept_and_nothing_else() {
    let world = world(keep_all()).await;
    upload_each(&world, &[&[record("a", "1", 1)]]).await;
    let orphan = crate::objects::ObjectId::new(1, 999).expect("a name").key();
    let foreign = "data/notes.txt";
    for key in [orphan.as_str(), foreign] {
        world
            .objects
            .put(key, vec![Bytes::from_static(b"x")], PutMode::CreateNew)
            .await
            .expect("a put");
    }
    let world = world.restart().await;
    world.housekeep().await;
    let keys = world.objects.keys();
    assert!(!keys.contains(&orphan));
    assert!(
        keys.contains(&foreign.to_owned()),
        "what we never wrote we do not delete"
    );
    assert_eq!(offsets(&world).await, [0]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_delete_is_made_up_for() {
    let world = world(keep_all()).await;
    upload_each(&world, &[&[record("a", "1", 1)]]).await;
    world.manifest.trim(A, Offset(1)).await.expect("a trim");
    // A round collects before it rewrites and after it.
    world.objects.fail_deletes([ObjectFault::UnknownNotDone; 2]);
    world.house.round(1).await.expect_err("told");
    assert_eq!(world.objects.keys().len(), 1);
    let world = world.restart().await;
    world.house.round(1).await.expect("the next round");
    assert_eq!(
        world.objects.keys().len(),
        0,
        "dead objects are remembered over a restart"
    );
}

#[tokio::test(start_paused = true)]
async fn retention_by_size_counts_once_what_is_committed_and_still_in_the_tail() {
    let world = world(keep_all()).await;
    world.tail.is_behind.store(true, Ordering::Relaxed);
    for n in 0..10 {
        world
            .tail
            .append(A, &[record(&format!("{n}"), &"v".repeat(100), n)]);
    }
    world.upload().await;
    let bytes = world.manifest.stream_state(A).expect("A").bytes;
    let policy = StreamPolicy {
        retention: None,
        retention_bytes: Some(bytes),
        ..StreamPolicy::default()
    };
    world.tail.set_policy(A, policy);
    world.housekeep().await;
    assert_eq!(world.manifest.stream_state(A).expect("A").start, Offset(0));
}

/// Uploads are pressed because the store is full; only what is trimmed or too old can make room for them.
#[tokio::test(start_paused = true)]
async fn room_is_made_while_uploads_are_pressed_and_rewriting_pauses() {
    let world = world(compacted()).await;
    world.tail.set_policy(B, keep_all());
    upload_each(&world, &[&[record("a", "1", 1)], &[record("a", "2", 2)]]).await;
    world.tail.append(B, &[record("b", "1", 1)]);
    world.upload().await;
    let before = world.objects.keys().len();
    let orphan = crate::objects::ObjectId::new(1, 999).expect("a name").key();
    world
        .objects
        .overwrite(&orphan, Bytes::from_static(b"left by a crash"));
    let world = world.restart().await;
    world.objects.set_full(true);
    world.tail.append(A, &[record("c", &"v".repeat(100), 3)]);
    world.tail.is_pressed.store(true, Ordering::Relaxed);
    // The uploader looks, and finds itself pressed.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut round = std::pin::pin!(world.house.round(0));
    let pause = Duration::from_secs(1);
    assert!(
        tokio::time::timeout(pause, &mut round).await.is_err(),
        "it pauses"
    );
    assert!(!world.objects.keys().contains(&orphan), "it is swept before");
    let read = tokio::time::timeout(Duration::from_secs(60), world.read_all(A, Offset(0)));
    assert_eq!(read.await.expect("no wait").expect("all").len(), 2);
    world.manifest.trim(B, Offset(1)).await.expect("a trim");
    assert!(
        tokio::time::timeout(world.config.housekeeping_interval * 2, &mut round)
            .await
            .is_err()
    );
    assert_eq!(world.objects.keys().len(), before - 1, "B's object is collected");
    world.objects.set_full(false);
    world.tail.is_pressed.store(false, Ordering::Relaxed);
    world.upload().await;
    round.await.expect("it goes on");
    assert_eq!(offsets(&world).await, [1, 2], "and compacts");
}

#[tokio::test(start_paused = true)]
async fn merging_reaches_every_stream_however_busy_those_before_it_are() {
    let world = world(keep_all()).await;
    let streams: Vec<StreamId> = (1..=5).map(StreamId).collect();
    for n in 0..8 {
        for stream in &streams {
            world.tail.append(*stream, &[record("k", "v", n)]);
        }
        world.upload().await;
    }
    let mut from = StreamId(0);
    let mut seen = Vec::new();
    for _ in 0..5 {
        // Room for one stream a round.
        let (runs, next) = world
            .manifest
            .with_image(|image| merge::plan(image, &world.house.limits, from, 1));
        seen.extend(runs.iter().map(|run| run.stream));
        from = next;
    }
    assert_eq!(seen, streams);
}
