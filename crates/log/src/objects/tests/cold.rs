//! Reading objects: limits, damage, caches, searches.

use super::*;

async fn world_with(batches: u64) -> World {
    let world = World::new().await;
    for n in 0..batches {
        let records: Vec<_> = (0..3)
            .map(|k| record(&format!("k{n}-{k}"), "some value", (n * 10 + k) as i64))
            .collect();
        world.tail.append(STREAM, &records);
    }
    world.upload().await;
    world
}

#[tokio::test(start_paused = true)]
async fn t13_a_read_from_the_middle_of_a_batch_returns_the_whole_batch() {
    let world = world_with(4).await;
    let outcome = world
        .cold
        .read(STREAM, Offset(4), limit(1))
        .await
        .expect("a read");
    let records = records_of(&outcome.chunks[0]);
    assert_eq!(
        records.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(),
        [3, 4, 5]
    );
    assert_eq!(outcome.next, Offset(6));
}

#[tokio::test(start_paused = true)]
async fn a_read_keeps_to_its_limits() {
    let world = world_with(8).await;
    let none = ReadLimit {
        bytes_max: 10,
        at_least_one: false,
        below: Offset(u64::MAX),
    };
    let outcome = world.cold.read(STREAM, Offset(0), none).await.expect("a read");
    assert_eq!((outcome.bytes, outcome.next), (0, Offset(0)), "nothing fits");
    let outcome = world
        .cold
        .read(STREAM, Offset(0), limit(0))
        .await
        .expect("a read");
    assert_eq!(outcome.next, Offset(3), "one batch, whatever its size");
    let below = ReadLimit {
        bytes_max: 1 << 20,
        at_least_one: true,
        below: Offset(6),
    };
    let outcome = world.cold.read(STREAM, Offset(0), below).await.expect("a read");
    assert_eq!(outcome.next, Offset(6), "nothing at or above `below`");
    let all = world
        .cold
        .read(STREAM, Offset(0), limit(1 << 20))
        .await
        .expect("a read");
    assert_eq!(all.next, Offset(24));
    assert_eq!(all.bytes, all.chunks.iter().map(Bytes::len).sum::<usize>());
    let at_end = world
        .cold
        .read(STREAM, Offset(24), limit(100))
        .await
        .expect("at the end");
    assert_eq!((at_end.bytes, at_end.next), (0, Offset(24)));
    let past = world.cold.read(STREAM, Offset(25), limit(100)).await;
    assert!(
        matches!(past, Err(ReadError::OffsetOutOfRange { .. })),
        "{past:?}"
    );
    let unknown = world.cold.read(StreamId(404), Offset(0), limit(100)).await;
    assert_eq!(unknown.expect_err("no such stream"), ReadError::StreamGone);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_block_is_an_error_and_never_an_answer() {
    let world = world_with(20).await;
    let key = world.objects.keys().pop().expect("one object");
    let good = world.objects.bytes(&key).expect("its bytes");
    for at in [
        0,
        HEADER_BYTES,
        HEADER_BYTES + 300,
        good.len() - 400,
        good.len() - 1,
    ] {
        let mut damaged = good.to_vec();
        damaged[at] ^= 1;
        world.objects.overwrite(&key, damaged.into());
        let world = World {
            cold: fresh_reader(&world),
            ..world_parts(&world)
        };
        match world.read_all(STREAM, Offset(0)).await {
            Ok(records) => assert_eq!(records.len(), 60, "byte {at} is not part of what was read"),
            Err(error) => assert!(matches!(error, ReadError::Corrupt(_)), "byte {at}: {error:?}"),
        }
    }
    world.objects.overwrite(&key, good);
    assert_eq!(
        fresh_world(&world)
            .read_all(STREAM, Offset(0))
            .await
            .expect("whole again")
            .len(),
        60
    );
}

/// A reader with an empty cache.
fn fresh_reader(world: &World) -> crate::objects::cold::ColdReader {
    let pools = crate::objects::pools::IoPools::new(false, world.clock.clone());
    reader_with(world, Arc::new(pools))
}

fn reader_with(
    world: &World,
    pools: Arc<crate::objects::pools::IoPools>,
) -> crate::objects::cold::ColdReader {
    let cache = crate::objects::cache::BlockCache::new(world.config.block_cache_bytes, None);
    let fetcher = Arc::new(crate::objects::fetch::Fetcher::new(
        world.objects.clone(),
        cache,
        pools,
    ));
    crate::objects::cold::ColdReader::new(world.manifest.clone(), fetcher)
}

fn world_parts(world: &World) -> World {
    World {
        objects: world.objects.clone(),
        list: world.list.clone(),
        tail: world.tail.clone(),
        clock: world.clock.clone(),
        config: world.config.clone(),
        manifest: world.manifest.clone(),
        cold: world.cold.clone(),
        uploader: world.uploader.clone(),
        house: world.house.clone(),
    }
}

fn fresh_world(world: &World) -> World {
    World {
        cold: fresh_reader(world),
        ..world_parts(world)
    }
}

#[tokio::test(start_paused = true)]
async fn while_uploads_to_the_same_disk_are_pressed_reads_of_the_store_take_turns() {
    let world = world_with(4).await;
    let pools = Arc::new(crate::objects::pools::IoPools::new(true, world.clock.clone()));
    let cold = reader_with(&world, pools.clone());
    pools.set_pressed(true);
    let turn = pools.courtesy().turn().await;
    let mut read = Box::pin(cold.read(STREAM, Offset(0), limit(1)));
    let waits = tokio::time::timeout(std::time::Duration::from_secs(1), &mut read).await;
    assert!(waits.is_err(), "another one reads");
    drop(turn);
    assert_eq!(read.await.expect("its turn has come").next, Offset(3));
}

#[tokio::test(start_paused = true)]
async fn bytes_damaged_on_the_way_are_read_again() {
    let world = world_with(4).await;
    world
        .objects
        .fail_gets([ObjectFault::FlipBit(3), ObjectFault::NotDone]);
    assert_eq!(
        world
            .read_all(STREAM, Offset(0))
            .await
            .expect("the second answer")
            .len(),
        12
    );
    let world = fresh_world(&world);
    world
        .objects
        .fail_gets([ObjectFault::FlipBit(3), ObjectFault::FlipBit(3)]);
    let twice = world.cold.read(STREAM, Offset(0), limit(1)).await;
    assert!(matches!(twice, Err(ReadError::Corrupt(_))), "{twice:?}");
}

#[tokio::test(start_paused = true)]
async fn many_readers_of_one_block_load_it_once() {
    let world = world_with(4).await;
    world.objects.set_latency(std::time::Duration::from_millis(5));
    let (_, before) = world.objects.counts();
    let reads = (0..50).map(|_| world.cold.read(STREAM, Offset(0), limit(1)));
    for result in futures_util::future::join_all(reads).await {
        assert_eq!(result.expect("a read").next, Offset(3));
    }
    let (_, after) = world.objects.counts();
    assert_eq!(after - before, 2, "one footer, one block");
}

#[tokio::test(start_paused = true)]
async fn adjacent_blocks_come_in_one_read() {
    let world = world_with(40).await;
    let (_, before) = world.objects.counts();
    let all = world
        .cold
        .read(STREAM, Offset(0), limit(1 << 20))
        .await
        .expect("a read");
    assert_eq!(all.next, Offset(120));
    assert!(all.chunks.len() > 5, "many blocks");
    let (_, after) = world.objects.counts();
    assert_eq!(after - before, 2, "one footer, one run of blocks");
}

#[tokio::test(start_paused = true)]
async fn a_sequential_reader_finds_its_next_blocks_in_the_cache() {
    let world = world_with(200).await;
    let mut next = Offset(0);
    for _ in 0..3 {
        next = world
            .cold
            .read(STREAM, next, limit(700))
            .await
            .expect("a read")
            .next;
        // Read-ahead runs in the background.
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let (_, before) = world.objects.counts();
    world.read_all(STREAM, next).await.expect("the rest");
    let (_, after) = world.objects.counts();
    assert_eq!(after, before, "everything was read ahead");
}

#[tokio::test(start_paused = true)]
async fn the_cache_stays_within_its_budget() {
    let mut config = crate::test_world::small_config();
    config.block_cache_bytes = 8 << 10;
    let world = World::with(config).await;
    for n in 0..300 {
        world.tail.append(STREAM, &[record("key", &"v".repeat(100), n)]);
    }
    world.upload().await;
    assert_eq!(world.read_all(STREAM, Offset(0)).await.expect("all").len(), 300);
    let stats = world.cold.cache_stats();
    assert!(stats.bytes <= 8 << 10, "{stats:?}");
    assert!(stats.misses > 0);
}

#[tokio::test(start_paused = true)]
async fn records_are_found_by_time() {
    let world = World::new().await;
    for timestamps in [[10, 30], [20, 25], [40, 5]] {
        let records = timestamps.map(|at| record("k", "v", at));
        world.tail.append(STREAM, &records);
        world.upload().await;
    }
    for (asked, expected) in [
        (0, Some(0)),
        (11, Some(1)),
        (31, Some(4)),
        (30, Some(1)),
        (41, None),
    ] {
        let found = world
            .cold
            .find_by_time(STREAM, asked, Offset(0))
            .await
            .expect("a search");
        assert_eq!(
            found.map(|found| found.offset.0),
            expected,
            "first at or after {asked}"
        );
    }
    let from = world
        .cold
        .find_by_time(STREAM, 0, Offset(3))
        .await
        .expect("a search");
    assert_eq!(
        from.map(|found| (found.offset.0, found.timestamp)),
        Some((3, 25)),
        "from an offset on"
    );
    let newest = world
        .cold
        .find_max_time(STREAM)
        .await
        .expect("a search")
        .expect("a record");
    assert_eq!(
        (newest.offset.0, newest.timestamp, newest.epoch),
        (4, 40, crate::test_world::EPOCH)
    );
    world.manifest.trim(STREAM, Offset(5)).await.expect("a trim");
    let newest = world
        .cold
        .find_max_time(STREAM)
        .await
        .expect("a search")
        .expect("a record");
    assert_eq!(
        (newest.offset.0, newest.timestamp),
        (5, 5),
        "the trimmed one does not count"
    );
}

/// A read went through three objects. While it read the first, retention took the second: the answer went on with the third, and the
/// reader, which takes what follows in an answer for what follows in the stream, never heard that there had been a second.
#[tokio::test(start_paused = true)]
async fn a_read_ends_where_the_stream_was_trimmed_meanwhile() {
    let world = World::new().await;
    for n in 0..3 {
        world.tail.append(STREAM, &[record("key", "value", n)]);
        world.upload().await;
    }
    let get = std::time::Duration::from_millis(5);
    world.objects.set_latency(get);
    let read = world.cold.read(STREAM, Offset(0), limit(1 << 20));
    let trim = async {
        // The first object's footer is there, its block is not.
        tokio::time::sleep(get + get / 2).await;
        world.manifest.trim(STREAM, Offset(2)).await.expect("a trim")
    };
    let (read, _) = tokio::join!(read, trim);
    let read = read.expect("what was there when it was asked for");
    assert_eq!((read.chunks.len(), read.next), (1, Offset(1)));
    let next = world.cold.read(STREAM, read.next, limit(1 << 20)).await;
    let (start, end) = (Offset(2), Offset(3));
    assert_eq!(
        next.expect_err("trimmed"),
        ReadError::OffsetOutOfRange { start, end }
    );
}

#[tokio::test(start_paused = true)]
async fn an_object_is_not_deleted_under_a_reader() {
    let world = world_with(4).await;
    let leased = world.manifest.lease(STREAM, Offset(0), 1).expect("a lease");
    world.manifest.trim(STREAM, Offset(12)).await.expect("a trim");
    world.housekeep().await;
    let id = leased[0].object.expect("an object").id;
    assert!(world.objects.bytes(&id.key()).is_some(), "leased");
    drop(leased);
    world.housekeep().await;
    assert!(world.objects.bytes(&id.key()).is_none(), "collected");
    let missing = world.objects.get_range(&id.key(), 0..1).await;
    assert_eq!(missing, Err(ObjectError::NotFound));
}
