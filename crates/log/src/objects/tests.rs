//! Tests of the object format, the adapters and cold reads.

use super::encode::{BatchSpan, EncodedObject, ObjectEncoder};
use super::format::{FOOTER_BYTES_MAX, HEADER_BYTES, ObjectIndex, decode_footer, decode_header};
use super::memory::{MemoryObjects, ObjectFault};
use super::put::{Taken, put_new};
use super::remote::RemoteStore;
use super::store::{ObjectError, ObjectStore, PutMode};
use super::{ObjectId, conformance};
use crate::error::ReadError;
use crate::ids::{Offset, StreamId};
use crate::le::FormatError;
use crate::stream::ReadLimit;
use crate::test_world::{World, batch, golden, record, records_of};
use bytes::Bytes;
use proptest::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

const STREAM: StreamId = StreamId(5);

fn limit(bytes_max: usize) -> ReadLimit {
    ReadLimit { bytes_max, at_least_one: true, below: Offset(u64::MAX) }
}

fn sample() -> EncodedObject {
    let mut encoder = ObjectEncoder::new(ObjectId(0x1_4000_0001), 0x0123_4567_89ab_cdef, 200);
    for (stream, base) in [(3, 0), (3, 1), (3, 2), (9, 40)] {
        let stored = batch(Offset(base), &[record("key", "a value of some length", 1000 + base as i64)]);
        let span = BatchSpan {
            base: Offset(base),
            last: Offset(base),
            first_timestamp: 1000 + base as i64,
            max_timestamp: 1000 + base as i64,
        };
        encoder.push(StreamId(stream), span, stored.into_bytes());
    }
    encoder.finish()
}

fn whole(object: &EncodedObject) -> Vec<u8> {
    object.parts.concat()
}

fn decode(id: ObjectId, bytes: &[u8], footer_len: u32) -> Result<ObjectIndex, FormatError> {
    decode_footer(id, bytes.len() as u64, &bytes[bytes.len() - footer_len as usize..])
}

#[test]
fn the_bytes_of_an_object_are_those_of_version_1() {
    golden("object_v1.hex", &whole(&sample()));
}

#[test]
fn an_object_is_opened_by_one_tail_read() {
    let object = sample();
    let bytes = whole(&object);
    assert_eq!(bytes.len() as u64, object.len);
    let index = decode(object.id, &bytes, object.footer_len).expect("a whole footer");
    assert_eq!(index.blocks, object.blocks);
    assert_eq!(index.blocks.len(), 3, "blocks end at their target and at the stream's end");
    assert_eq!(decode_header(&bytes), Ok((object.id, object.nonce)));
    assert!(object.footer_len < FOOTER_BYTES_MAX);
    for block in &index.blocks {
        let at = block.position as usize;
        assert_eq!(crate::le::checksum(&bytes[at..at + block.len as usize]), block.checksum);
    }
}

#[test]
fn every_flipped_byte_of_header_and_footer_is_noticed() {
    let object = sample();
    let bytes = whole(&object);
    let footer_at = bytes.len() - object.footer_len as usize;
    for at in (0..HEADER_BYTES).chain(footer_at..bytes.len()) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        if at < HEADER_BYTES {
            // Flags and reserved bytes are under the checksum like the rest.
            assert!(decode_header(&damaged).is_err(), "byte {at}");
        } else {
            assert!(decode(object.id, &damaged, object.footer_len).is_err(), "byte {at}");
        }
    }
    for cut in 0..object.footer_len as usize {
        assert!(decode_footer(object.id, object.len, &bytes[bytes.len() - cut..]).is_err(), "cut to {cut}");
    }
    assert!(decode(ObjectId(1), &bytes, object.footer_len).is_err(), "another object under this key");
}

proptest! {
    #[test]
    fn no_bytes_make_the_footer_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), len in any::<u64>()) {
        prop_assert!(decode_footer(ObjectId(1), len, &bytes).is_err());
    }
}

#[test]
fn object_ids_ascend_over_incarnations_and_keys_are_exact() {
    let old = ObjectId::new(4, (1 << 30) - 1).expect("the last of its incarnation");
    let new = ObjectId::new(5, 1).expect("the first of the next");
    assert!(old < new);
    assert_eq!(ObjectId::new(4, 1 << 30), None, "exhausted");
    assert_eq!(ObjectId::from_key(&new.key()), Some(new));
    for odd in ["data/5", "data/00000001400000010", "dato/0000000140000001", "data/000000014000000A"] {
        assert_eq!(ObjectId::from_key(odd), None, "{odd}");
    }
}

fn temporary_folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("millstream-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

#[tokio::test]
async fn the_store_in_memory_keeps_the_promises_of_the_port() {
    conformance::check(&MemoryObjects::new()).await;
}

#[tokio::test]
async fn the_local_directory_keeps_the_promises_of_the_port() {
    let folder = temporary_folder("conformance");
    let store = RemoteStore::local(&folder).expect("a folder");
    conformance::check(&store).await;
    std::fs::remove_dir_all(&folder).expect("cleaning up");
}

#[tokio::test]
async fn unfinished_files_of_a_crash_are_removed_at_open() {
    let folder = temporary_folder("staged");
    let store = RemoteStore::local(&folder).expect("a folder");
    store.put("data/a", vec![Bytes::from_static(b"x")], PutMode::CreateNew).await.expect("a put");
    std::fs::write(folder.join("data/b#1"), b"half of it").expect("what a crash left");
    let store = RemoteStore::local(&folder).expect("the folder again");
    assert!(!folder.join("data/b#1").exists());
    assert_eq!(store.list("data/").await, Ok(vec![("data/a".to_owned(), 1)]));
    std::fs::remove_dir_all(&folder).expect("cleaning up");
}

/// T9: the answer of the first attempt was lost, the second hears "exists".
#[tokio::test(start_paused = true)]
async fn t9_a_put_whose_answer_was_lost_is_recognised_by_its_nonce() {
    let store = MemoryObjects::new();
    let object = sample();
    store.fail_puts([ObjectFault::UnknownDone, ObjectFault::NotDone]);
    assert_eq!(put_new(&store, &object.id.key(), object.parts.clone()).await, Ok(()));
    let mut other = ObjectEncoder::new(object.id, 1, 200);
    let span = BatchSpan { base: Offset(0), last: Offset(0), first_timestamp: 0, max_timestamp: 0 };
    other.push(StreamId(1), span, batch(Offset(0), &[record("k", "v", 0)]).into_bytes());
    assert_eq!(put_new(&store, &object.id.key(), other.finish().parts).await, Err(Taken), "another writer's");
}

#[tokio::test(start_paused = true)]
async fn a_put_goes_on_until_the_store_has_room_again() {
    let store = Arc::new(MemoryObjects::new());
    store.set_full(true);
    let putting = tokio::spawn({
        let store = store.clone();
        async move { put_new(&*store, "data/x", vec![Bytes::from_static(b"x")]).await }
    });
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert!(!putting.is_finished());
    store.set_full(false);
    assert_eq!(putting.await.expect("the task"), Ok(()));
}

async fn world_with(batches: u64) -> World {
    let world = World::new().await;
    for n in 0..batches {
        let records: Vec<_> = (0..3).map(|k| record(&format!("k{n}-{k}"), "some value", (n * 10 + k) as i64)).collect();
        world.tail.append(STREAM, &records);
    }
    world.upload().await;
    world
}

#[tokio::test(start_paused = true)]
async fn t13_a_read_from_the_middle_of_a_batch_returns_the_whole_batch() {
    let world = world_with(4).await;
    let outcome = world.cold.read(STREAM, Offset(4), limit(1)).await.expect("a read");
    let records = records_of(&outcome.chunks[0]);
    assert_eq!(records.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(outcome.next, Offset(6));
}

#[tokio::test(start_paused = true)]
async fn a_read_keeps_to_its_limits() {
    let world = world_with(8).await;
    let none = ReadLimit { bytes_max: 10, at_least_one: false, below: Offset(u64::MAX) };
    let outcome = world.cold.read(STREAM, Offset(0), none).await.expect("a read");
    assert_eq!((outcome.bytes, outcome.next), (0, Offset(0)), "nothing fits");
    let below = ReadLimit { bytes_max: 1 << 20, at_least_one: true, below: Offset(6) };
    let outcome = world.cold.read(STREAM, Offset(0), below).await.expect("a read");
    assert_eq!(outcome.next, Offset(6), "nothing at or above `below`");
    let all = world.cold.read(STREAM, Offset(0), limit(1 << 20)).await.expect("a read");
    assert_eq!(all.next, Offset(24));
    assert_eq!(all.bytes, all.chunks.iter().map(Bytes::len).sum::<usize>());
    let at_end = world.cold.read(STREAM, Offset(24), limit(100)).await.expect("at the end");
    assert_eq!((at_end.bytes, at_end.next), (0, Offset(24)));
    let past = world.cold.read(STREAM, Offset(25), limit(100)).await;
    assert!(matches!(past, Err(ReadError::OffsetOutOfRange { .. })), "{past:?}");
    let unknown = world.cold.read(StreamId(404), Offset(0), limit(100)).await;
    assert_eq!(unknown.expect_err("no such stream"), ReadError::StreamGone);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_block_is_an_error_and_never_an_answer() {
    let world = world_with(20).await;
    let key = world.objects.keys().pop().expect("one object");
    let good = world.objects.bytes(&key).expect("its bytes");
    for at in [0, HEADER_BYTES, HEADER_BYTES + 300, good.len() - 400, good.len() - 1] {
        let mut damaged = good.to_vec();
        damaged[at] ^= 1;
        world.objects.overwrite(&key, damaged.into());
        let world = World { cold: fresh_reader(&world), ..world_parts(&world) };
        match world.read_all(STREAM, Offset(0)).await {
            Ok(records) => assert_eq!(records.len(), 60, "byte {at} is not part of what was read"),
            Err(error) => assert!(matches!(error, ReadError::Corrupt(_)), "byte {at}: {error:?}"),
        }
    }
    world.objects.overwrite(&key, good);
    assert_eq!(fresh_world(&world).read_all(STREAM, Offset(0)).await.expect("whole again").len(), 60);
}

/// A reader with an empty cache.
fn fresh_reader(world: &World) -> super::cold::ColdReader {
    let cache = super::cache::BlockCache::new(world.config.block_cache_bytes, None);
    let pools = Arc::new(super::pools::IoPools::new());
    let fetcher = Arc::new(super::fetch::Fetcher::new(world.objects.clone(), cache, pools));
    super::cold::ColdReader::new(world.manifest.clone(), fetcher)
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
    World { cold: fresh_reader(world), ..world_parts(world) }
}

#[tokio::test(start_paused = true)]
async fn bytes_damaged_on_the_way_are_read_again() {
    let world = world_with(4).await;
    world.objects.fail_gets([ObjectFault::FlipBit(3), ObjectFault::NotDone]);
    assert_eq!(world.read_all(STREAM, Offset(0)).await.expect("the second answer").len(), 12);
    let world = fresh_world(&world);
    world.objects.fail_gets([ObjectFault::FlipBit(3), ObjectFault::FlipBit(3)]);
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
    let all = world.cold.read(STREAM, Offset(0), limit(1 << 20)).await.expect("a read");
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
        next = world.cold.read(STREAM, next, limit(700)).await.expect("a read").next;
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
    for (asked, expected) in [(0, Some(0)), (11, Some(1)), (31, Some(4)), (30, Some(1)), (41, None)] {
        let found = world.cold.find_by_time(STREAM, asked, Offset(0)).await.expect("a search");
        assert_eq!(found.map(|found| found.offset.0), expected, "first at or after {asked}");
    }
    let from = world.cold.find_by_time(STREAM, 0, Offset(3)).await.expect("a search");
    assert_eq!(from.map(|found| (found.offset.0, found.timestamp)), Some((3, 25)), "from an offset on");
    let newest = world.cold.find_max_time(STREAM).await.expect("a search").expect("a record");
    assert_eq!((newest.offset.0, newest.timestamp, newest.epoch), (4, 40, crate::test_world::EPOCH));
    world.manifest.trim(STREAM, Offset(5)).await.expect("a trim");
    let newest = world.cold.find_max_time(STREAM).await.expect("a search").expect("a record");
    assert_eq!((newest.offset.0, newest.timestamp), (5, 5), "the trimmed one does not count");
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
