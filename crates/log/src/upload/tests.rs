//! Tests of uploads: what goes where, and that nothing is lost on the way.

use super::build::{OBJECT_BYTES_MAX, plan};
use super::source::{TailBatch, TailPart, TailSource};
use crate::config::LogConfig;
use crate::ids::{GroupSeq, Offset, StreamId};
use crate::manifest::memory::AppendFault;
use crate::objects::cache::{INDEX_SHARE, SHARDS};
use crate::objects::format::BlockEntry;
use crate::objects::memory::ObjectFault;
use crate::objects::pools::IoClass;
use crate::test_world::{EPOCH, World, record, small_config};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

const A: StreamId = StreamId(1);
const B: StreamId = StreamId(2);

fn append(world: &World, stream: StreamId, batches: usize, value_bytes: usize) {
    for n in 0..batches {
        world.tail.append(
            stream,
            &[record(&format!("{n}"), &"v".repeat(value_bytes), n as i64)],
        );
    }
}

#[tokio::test(start_paused = true)]
async fn large_streams_get_an_object_of_their_own_and_small_ones_share() {
    let world = World::new().await;
    append(&world, A, 30, 200);
    append(&world, B, 1, 10);
    append(&world, StreamId(3), 1, 10);
    world.upload().await;
    assert_eq!(world.objects.keys().len(), 2, "A's own, and a shared one");
    for (stream, count) in [(A, 30), (B, 1), (StreamId(3), 1)] {
        assert_eq!(world.read_all(stream, Offset(0)).await.expect("all").len(), count);
    }
    assert_eq!(world.manifest.wal_through(), GroupSeq(32));
    assert_eq!(world.tail.unuploaded().bytes, 0, "the tail may forget it");
    let state = world.manifest.stream_state(A).expect("committed");
    assert_eq!((state.end, state.epochs), (Offset(30), vec![(EPOCH, Offset(0))]));
}

#[test]
fn no_object_is_planned_larger_than_memory_allows() {
    let batch = |n: u64, len: u64| TailBatch {
        base: Offset(n),
        last: Offset(n),
        max_timestamp: 0,
        group: GroupSeq(n),
        position: 0,
        len: u32::try_from(len).expect("fits"),
    };
    let part = |stream, lens: &[u64]| TailPart {
        stream: StreamId(stream),
        batches: lens
            .iter()
            .enumerate()
            .map(|(n, len)| batch(n as u64, *len))
            .collect(),
        epochs: Vec::new(),
        producers: Vec::new(),
        aborted: Vec::new(),
    };
    let third = OBJECT_BYTES_MAX / 3;
    let parts = [
        part(1, &[third; 7]),
        part(2, &[10; 3]),
        part(3, &[OBJECT_BYTES_MAX + 1, 5]),
        part(4, &[third; 2]),
    ];
    let planned = plan(&parts, OBJECT_BYTES_MAX / 2);
    let sizes: Vec<Vec<(u64, usize)>> = planned
        .iter()
        .map(|object| {
            object
                .iter()
                .map(|slice| (slice.stream.0, slice.batches.len()))
                .collect()
        })
        .collect();
    assert_eq!(
        sizes,
        [
            vec![(1, 3)],
            vec![(1, 3)],
            vec![(1, 1)],
            vec![(3, 1)],
            vec![(3, 1)],
            vec![(4, 2)],
            vec![(2, 3)],
        ]
    );
}

#[test]
fn an_index_fits_the_cache_however_many_streams_share() {
    let batch = TailBatch {
        base: Offset(0),
        last: Offset(0),
        max_timestamp: 0,
        group: GroupSeq(1),
        position: 0,
        len: 100,
    };
    let part = |stream| TailPart {
        stream: StreamId(stream),
        batches: vec![batch],
        epochs: Vec::new(),
        producers: Vec::new(),
        aborted: Vec::new(),
    };
    let parts: Vec<TailPart> = (0..100_000).map(part).collect();
    let planned = plan(&parts, OBJECT_BYTES_MAX);
    let streams = planned.iter().map(Vec::len);
    assert_eq!(streams.clone().sum::<usize>(), 100_000);
    let index_bytes = streams.max().expect("some") * size_of::<BlockEntry>();
    let cache_bytes = LogConfig::default().block_cache_bytes;
    let shard_bytes = cache_bytes / INDEX_SHARE as usize / SHARDS;
    assert!(index_bytes * 8 <= shard_bytes, "{index_bytes} of {shard_bytes}");
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_tried_until_it_succeeds_and_loses_nothing() {
    let world = World::new().await;
    append(&world, A, 30, 200);
    append(&world, B, 5, 10);
    world.objects.fail_puts([
        ObjectFault::NotDone,
        ObjectFault::Full,
        ObjectFault::UnknownDone,
        ObjectFault::Refused,
        ObjectFault::UnknownNotDone,
    ]);
    world
        .list
        .inject([AppendFault::NotDone, AppendFault::UnknownDone]);
    world.upload().await;
    assert_eq!(world.read_all(A, Offset(0)).await.expect("all").len(), 30);
    assert_eq!(world.read_all(B, Offset(0)).await.expect("all").len(), 5);
    nothing_is_left_of_attempts_in_vain(&world);
}

/// Every object in the store is one that the manifest names.
fn nothing_is_left_of_attempts_in_vain(world: &World) {
    let named = world.manifest.with_image(|image| {
        let ids = image.objects.keys();
        ids.map(|id| id.key()).collect::<BTreeSet<_>>()
    });
    let present: BTreeSet<_> = world.objects.keys().into_iter().collect();
    assert_eq!(present, named);
}

/// Offsets of each of the stream's ranges.
fn sizes(world: &World, stream: StreamId) -> Vec<u64> {
    world.manifest.with_image(|image| {
        let ranges = &image.streams.get(&stream).expect("committed").ranges;
        ranges.iter().map(|range| range.end.0 - range.base.0).collect()
    })
}

/// Uploads for long, though not everything finds room.
async fn upload_what_fits(world: &World) {
    let waiting = tokio::time::timeout(Duration::from_secs(600), world.uploader.upload_now()).await;
    assert!(waiting.is_err(), "not everything fits");
    nothing_is_left_of_attempts_in_vain(world);
    world
        .manifest
        .with_image(|image| image.check())
        .expect("every invariant");
}

/// An upload was made whole or not at all: on a disk with less room than what waited, no segment of the write-ahead log was ever
/// free again.
#[tokio::test(start_paused = true)]
async fn of_what_does_not_fit_the_oldest_goes_first_and_the_rest_as_room_is_made() {
    let world = World::new().await;
    for _ in 0..10 {
        append(&world, A, 3, 200);
        append(&world, B, 3, 200);
        append(&world, StreamId(3), 1, 10);
    }
    let whole = world.tail.unuploaded().bytes;
    let mut through = GroupSeq(0);
    for room in [whole / 20, whole / 5, whole / 2] {
        world.objects.set_bytes_max(Some(room));
        upload_what_fits(&world).await;
        let now = world.manifest.wal_through();
        assert!(
            now > through && now < world.tail.durable_group(),
            "{now} after {through}"
        );
        assert!(
            world.objects.bytes_used() > room / 2,
            "{} of {room} are used",
            world.objects.bytes_used()
        );
        through = now;
    }
    world.objects.set_bytes_max(None);
    world.upload().await;
    nothing_is_left_of_attempts_in_vain(&world);
    for (stream, count) in [(A, 30), (B, 30), (StreamId(3), 10)] {
        assert_eq!(world.read_all(stream, Offset(0)).await.expect("all").len(), count);
    }
}

#[tokio::test(start_paused = true)]
async fn less_is_tried_at_once_and_everything_again_once_it_fits() {
    let world = World::new().await;
    for _ in 0..64 {
        append(&world, A, 1, 200);
    }
    world.objects.fail_puts([ObjectFault::Full; 3]);
    let start = tokio::time::Instant::now();
    world.upload().await;
    assert_eq!(start.elapsed(), Duration::ZERO, "nobody waited");
    assert_eq!(sizes(&world, A), [8, 16, 32, 8]);
}

#[tokio::test(start_paused = true)]
async fn what_came_since_does_not_keep_back_what_was_asked_for() {
    let world = World::new().await;
    append(&world, A, 1, 200);
    world.objects.set_full(true);
    let uploading = {
        let uploader = world.uploader.clone();
        tokio::spawn(async move { uploader.upload_now().await })
    };
    tokio::time::sleep(Duration::from_secs(1)).await;
    append(&world, A, 40, 200);
    world
        .objects
        .set_bytes_max(Some(world.tail.unuploaded().bytes / 10));
    world.objects.set_full(false);
    uploading
        .await
        .expect("the task")
        .expect("there is room for the one batch that was there");
    assert_eq!(world.manifest.wal_through(), GroupSeq(1));
}

#[tokio::test(start_paused = true)]
async fn a_list_without_room_is_given_less_too() {
    let world = World::new().await;
    for _ in 0..8 {
        append(&world, A, 1, 200);
    }
    world
        .list
        .inject([AppendFault::NotDone, AppendFault::NotDone, AppendFault::NotDone]);
    world.upload().await;
    nothing_is_left_of_attempts_in_vain(&world);
    assert_eq!(sizes(&world, A), [1, 2, 4, 1]);
    assert_eq!(world.read_all(A, Offset(0)).await.expect("all").len(), 8);
}

/// Objects of one upload are put side by side. Those that were under way when another one found no room came to their end when
/// nobody looked any more, and held the room until the next sweep.
#[tokio::test(start_paused = true)]
async fn what_is_under_way_beside_a_put_without_room_is_deleted() {
    let world = World::new().await;
    for stream in 1..=8 {
        append(&world, StreamId(stream), 4, 600);
    }
    let whole = world.tail.unuploaded().bytes;
    world.objects.set_latency(Duration::from_millis(100));
    world.objects.set_bytes_max(Some(whole / 3));
    upload_what_fits(&world).await;
    assert!(world.manifest.wal_through() > GroupSeq(0));
}

#[tokio::test(start_paused = true)]
async fn a_full_store_keeps_everything_in_the_tail() {
    let world = World::new().await;
    append(&world, A, 3, 10);
    world.objects.set_full(true);
    let waiting = tokio::time::timeout(Duration::from_secs(600), world.uploader.upload_now()).await;
    assert!(waiting.is_err(), "it goes on trying");
    assert!(world.tail.unuploaded().bytes > 0);
    world.objects.set_full(false);
    world.upload().await;
    assert_eq!(world.read_all(A, Offset(0)).await.expect("all").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn bytes_and_age_start_an_upload() {
    let mut config = small_config();
    config.upload_bytes = 1 << 30;
    config.upload_age = Duration::from_secs(100);
    let world = World::with(config).await;
    append(&world, A, 1, 10);
    tokio::time::sleep(Duration::from_secs(90)).await;
    assert_eq!(world.manifest.wal_through(), GroupSeq(0), "young");
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(world.manifest.wal_through(), GroupSeq(1), "old");

    let mut config = small_config();
    config.upload_bytes = 1000;
    let world = World::with(config).await;
    append(&world, A, 1, 10);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(world.manifest.wal_through(), GroupSeq(0), "few");
    append(&world, A, 1, 1000);
    world.uploader.poke();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.manifest.wal_through(), GroupSeq(2), "many");
    assert!(world.uploader.put_bytes() > 1000);
}

#[tokio::test(start_paused = true)]
async fn a_stream_deleted_during_its_upload_stays_deleted() {
    let world = World::new().await;
    append(&world, A, 3, 10);
    append(&world, B, 30, 200);
    world.objects.set_latency(Duration::from_millis(100));
    let uploading = {
        let uploader = world.uploader.clone();
        tokio::spawn(async move { uploader.upload_now().await })
    };
    tokio::time::sleep(Duration::from_millis(10)).await;
    world
        .manifest
        .delete_stream(B, world.tail.durable_group())
        .await
        .expect("the delete");
    world.tail.remove(B);
    uploading.await.expect("the task").expect("the upload");
    assert_eq!(world.manifest.stream_state(B), None);
    assert_eq!(world.objects.keys().len(), 1, "its object is of no use");
    assert_eq!(world.read_all(A, Offset(0)).await.expect("all").len(), 3);
    world
        .manifest
        .with_image(|image| image.check())
        .expect("every invariant");
}

/// A full disk was never free again: the upload of a stream was tried for ever although the stream was deleted to make room, and
/// the write-ahead log kept its bytes meanwhile.
#[tokio::test(start_paused = true)]
async fn a_stream_deleted_while_the_store_is_full_lets_go_of_the_log() {
    let world = World::new().await;
    append(&world, B, 30, 200);
    world.objects.set_full(true);
    let uploading = {
        let uploader = world.uploader.clone();
        tokio::spawn(async move { uploader.upload_now().await })
    };
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!uploading.is_finished(), "nothing is given up while it is needed");
    world
        .manifest
        .delete_stream(B, world.tail.durable_group())
        .await
        .expect("the delete");
    world.tail.remove(B);
    uploading
        .await
        .expect("the task")
        .expect("nothing is left to upload");
    assert_eq!(world.manifest.wal_through(), world.tail.durable_group());
}

#[tokio::test(start_paused = true)]
async fn closing_gives_up_an_upload_and_the_next_start_makes_it() {
    let world = World::new().await;
    append(&world, A, 3, 10);
    world.objects.set_full(true);
    let waiting = {
        let uploader = world.uploader.clone();
        tokio::spawn(async move { uploader.upload_now().await })
    };
    tokio::time::sleep(Duration::from_secs(5)).await;
    let world = world.restart().await;
    waiting.await.expect("the task").expect_err("given up");
    world.objects.set_full(false);
    world.upload().await;
    assert_eq!(world.read_all(A, Offset(0)).await.expect("all").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn pressure_is_noticed_while_an_upload_is_stuck() {
    let world = World::new().await;
    append(&world, A, 1, 10);
    world.objects.set_full(true);
    let mut upload = std::pin::pin!(world.uploader.upload_now());
    let second = Duration::from_secs(1);
    assert!(tokio::time::timeout(second, &mut upload).await.is_err());
    let pools = world.house.fetcher.pools().clone();
    drop(pools.enter(IoClass::Rewrite).await);
    world.tail.is_pressed.store(true, Ordering::Relaxed);
    tokio::time::sleep(second).await;
    let entering = tokio::time::timeout(second, pools.enter(IoClass::Rewrite));
    assert!(entering.await.is_err(), "it yields to the upload");
    world.objects.set_full(false);
    upload.await.expect("the upload");
}
