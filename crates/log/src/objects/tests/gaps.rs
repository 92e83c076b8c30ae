//! Blocks that begin at a page, behind a gap: where they lie, what an index may say of it, and that nothing of a gap is ever answered.

use super::*;
use crate::batch::{LARGE_BYTES_MIN, split};
use crate::config::{LogConfig, StreamPolicy};
use crate::manifest::record::ObjectMeta;
use crate::objects::cache::BlockCache;
use crate::objects::fetch::{Fetcher, GET_BYTES_MAX, one_read};
use crate::objects::format::{PAGE_BYTES, footer_of_version};
use crate::objects::pools::IoPools;
use crate::objects::tier::SecondTier;
use crate::objects::tier::memory::MemoryTier;
use crate::test_world::{FakeClock, TestRecord};
use std::ops::Range;

/// A batch whose bytes are at least so many, and few more.
fn batch_of(base: Offset, bytes: usize) -> Bytes {
    let value: String = (b'a'..=b'z').map(char::from).cycle().take(bytes).collect();
    batch(base, &[record("key", &value, 1000)]).into_bytes()
}

/// What was pushed, and the object.
struct Made {
    batches: Vec<(StreamId, Offset, Bytes)>,
    object: EncodedObject,
}

/// Of batches of these sizes; true: of the next stream.
fn made(block_target_bytes: usize, sizes: &[(bool, usize)]) -> Made {
    let mut encoder = ObjectEncoder::new(ObjectId(0x1_4000_0001), 0x0123_4567_89ab_cdef, block_target_bytes);
    let (mut stream, mut batches) = (StreamId(3), Vec::new());
    for (n, (is_next, bytes)) in (0..).zip(sizes) {
        let base = Offset(n);
        stream = StreamId(stream.0 + u64::from(*is_next));
        let bytes = batch_of(base, *bytes);
        let span = BatchSpan {
            base,
            last: base,
            first_timestamp: 1000,
            max_timestamp: 1000,
        };
        encoder.push(stream, span, bytes.clone());
        batches.push((stream, base, bytes));
    }
    Made {
        batches,
        object: encoder.finish(),
    }
}

impl Made {
    /// What the block is to hold.
    fn batches_of(&self, block: &BlockEntry) -> Vec<&Bytes> {
        let is_inside = |(stream, base, _): &&(StreamId, Offset, Bytes)| {
            *stream == block.stream && (block.base..=block.last).contains(base)
        };
        let inside = self.batches.iter().filter(is_inside);
        inside.map(|(_, _, bytes)| bytes).collect()
    }

    fn expected(&self) -> Vec<Vec<u8>> {
        let blocks = self.object.blocks.iter();
        blocks
            .map(|block| {
                let batches = self.batches_of(block).into_iter();
                batches.flat_map(|bytes| bytes.iter().copied()).collect()
            })
            .collect()
    }

    fn meta(&self) -> ObjectMeta {
        ObjectMeta {
            id: self.object.id,
            len: self.object.len,
            footer_len: self.object.footer_len,
            checksum: Some(self.object.checksum),
        }
    }
}

/// Small blocks, a large one behind a gap, one that follows it without.
fn sample_with_gap() -> Made {
    made(200, &[(false, 20), (false, 20), (true, 64 << 10), (true, 20)])
}

/// What lies between the header, the blocks and the footer.
fn gaps(blocks: &[BlockEntry]) -> Vec<Range<usize>> {
    let mut end = HEADER_BYTES;
    let mut found = Vec::new();
    for block in blocks {
        let place = block.place();
        found.push(end..place.start as usize);
        end = place.end as usize;
    }
    found
}

/// The object's bytes with something in its gaps that must never be seen.
fn with_dirt(bytes: &[u8], blocks: &[BlockEntry]) -> Bytes {
    let mut bytes = bytes.to_vec();
    for gap in gaps(blocks) {
        bytes[gap].fill(0xaa);
    }
    bytes.into()
}

#[test]
fn the_bytes_of_an_object_with_a_gap_are_those_of_version_3() {
    let made = sample_with_gap();
    let bytes = whole(&made.object);
    golden("object_v3.hex", &bytes);
    let index = decode(made.object.id, &bytes, made.object.footer_len).expect("a whole footer");
    assert_eq!(index.blocks, made.object.blocks);
    let positions: Vec<u64> = index.blocks.iter().map(|block| block.position).collect();
    let [first, large, behind] = positions[..] else {
        panic!("three blocks: {positions:?}");
    };
    assert_eq!((first, large), (HEADER_BYTES as u64, PAGE_BYTES));
    assert_eq!(behind, index.blocks[1].place().end);
}

fn sizes() -> impl Strategy<Value = Vec<(bool, usize)>> {
    let size = prop_oneof![
        3 => 1usize..3000,
        2 => (LARGE_BYTES_MIN - 200)..(LARGE_BYTES_MIN + 200),
        2 => LARGE_BYTES_MIN..(200 << 10),
    ];
    proptest::collection::vec((any::<bool>(), size), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_block_lies_at_a_page_if_its_first_batch_is_large_and_else_right_behind_the_one_before(
        sizes in sizes(),
        block_target_bytes in prop_oneof![Just(200usize), Just(100 << 10), Just(512 << 10)],
    ) {
        let made = made(block_target_bytes, &sizes);
        let bytes = whole(&made.object);
        let index = decode(made.object.id, &bytes, made.object.footer_len).expect("a whole footer");
        prop_assert_eq!(&index.blocks, &made.object.blocks);
        let expected = made.expected();
        for ((block, gap), expected) in index.blocks.iter().zip(gaps(&index.blocks)).zip(&expected) {
            let place = block.place();
            let held = &bytes[place.start as usize..place.end as usize];
            prop_assert!(held == &expected[..] && index.covers.holds(block, held));
            prop_assert!(gap.len() < PAGE_BYTES as usize);
            prop_assert!(bytes[gap.clone()].iter().all(|byte| *byte == 0));
            if made.batches_of(block)[0].len() >= LARGE_BYTES_MIN {
                prop_assert!(block.position.is_multiple_of(PAGE_BYTES));
                prop_assert!(gap.len() * 16 <= held.len(), "a sixteenth at most");
            } else {
                prop_assert!(gap.is_empty());
            }
        }
        let data_end = bytes.len() - made.object.footer_len as usize;
        prop_assert_eq!(index.blocks.last().map(|block| block.place().end), Some(data_end as u64));
    }
}

/// Whether an index is taken whose blocks lie at these positions, before sections that begin at `data_end`.
fn is_taken(version: u16, positions: [u64; 2], data_end: u64) -> bool {
    let mut blocks = sample().blocks;
    blocks.truncate(2);
    for (block, position) in blocks.iter_mut().zip(positions) {
        block.position = position;
        block.len = 100;
    }
    let id = ObjectId(7);
    let footer = footer_of_version(version, id, 1, data_end, &blocks);
    let decoded = decode_footer(id, data_end + footer.len() as u64, &footer);
    assert!(
        matches!(decoded, Ok(_) | Err(FormatError::Inconsistent(_))),
        "nothing else is wrong: {decoded:?}"
    );
    decoded.is_ok()
}

#[test]
fn an_index_with_too_large_a_gap_or_with_blocks_that_overlap_is_refused() {
    const BEGIN: u64 = HEADER_BYTES as u64;
    for (version, gap_max) in [(1, 0), (2, 0), (3, PAGE_BYTES - 1)] {
        for gap in [0, 1, 4095, 4096, 4097, 1 << 20] {
            let allowed = gap <= gap_max;
            let what = format!("version {version}, a gap of {gap}");
            let before_first = is_taken(version, [BEGIN + gap, BEGIN + gap + 100], BEGIN + gap + 200);
            let between = is_taken(version, [BEGIN, BEGIN + 100 + gap], BEGIN + gap + 200);
            let behind_last = is_taken(version, [BEGIN, BEGIN + 100], BEGIN + 200 + gap);
            assert_eq!(
                [before_first, between, behind_last],
                [allowed, allowed, allowed],
                "{what}"
            );
        }
        assert!(
            !is_taken(version, [BEGIN - 1, BEGIN + 100], BEGIN + 200),
            "in the header"
        );
        assert!(
            !is_taken(version, [BEGIN, BEGIN + 99], BEGIN + 200),
            "overlapping"
        );
        assert!(
            !is_taken(version, [BEGIN + 100, BEGIN], BEGIN + 200),
            "in no order"
        );
        assert!(
            !is_taken(version, [BEGIN, BEGIN + 100], BEGIN + 199),
            "past the end"
        );
        assert!(!is_taken(version, [BEGIN, u64::MAX], BEGIN + 200), "nowhere");
        assert!(!is_taken(version, [u64::MAX - 50, 50], 150), "over the edge");
    }
}

#[test]
fn one_read_takes_no_more_than_its_bound_with_its_gaps() {
    let mut entry = sample().blocks[0];
    entry.len = 1 << 20;
    let entries: Vec<BlockEntry> = (0..9)
        .map(|n| BlockEntry {
            position: PAGE_BYTES + n * (1 << 20),
            ..entry
        })
        .collect();
    assert_eq!(one_read(&entries) as u64, GET_BYTES_MAX >> 20);
    let spread: Vec<BlockEntry> = (0..)
        .zip(&entries)
        .map(|(n, entry)| BlockEntry {
            position: entry.position + n * PAGE_BYTES / 2,
            ..*entry
        })
        .collect();
    assert_eq!(one_read(&spread) as u64, (GET_BYTES_MAX >> 20) - 1);
    entry.len = 1 << 30;
    assert_eq!(one_read(&[entry]), 1, "one always");
}

fn fetcher(store: Arc<dyn ObjectStore>, second: Option<Arc<dyn SecondTier>>) -> Fetcher {
    let pools = IoPools::new(false, Arc::new(FakeClock::default()));
    Fetcher::new(store, BlockCache::new(64 << 20, second), Arc::new(pools))
}

/// Reads every run of blocks of the object, past the cache and through it, and by way of a second tier that has some of them.
async fn every_run_is_read(store: Arc<dyn ObjectStore>, made: &Made) {
    let (meta, expected) = (made.meta(), made.expected());
    let index = fetcher(store.clone(), None)
        .index(&meta, None)
        .await
        .expect("an index");
    let count = expected.len();
    for (from, to) in (0..count).flat_map(|from| (from + 1..=count).map(move |to| (from, to))) {
        let read = fetcher(store.clone(), None);
        let loaded = read
            .load_blocks(&meta, index.covers, &index.blocks[from..to])
            .await;
        assert!(loaded.expect("blocks") == expected[from..to], "{from}..{to}");
        let cached = read.blocks(&meta, &index, from..to, None).await;
        assert!(cached.expect("blocks") == expected[from..to], "{from}..{to}");
        let rest = read.blocks(&meta, &index, 0..count, None).await;
        assert!(rest.expect("blocks") == expected, "around {from}..{to}");
        let tier = Arc::new(MemoryTier::new(64 << 20));
        for wanted in [from..to, 0..count] {
            let read = fetcher(store.clone(), Some(tier.clone()));
            let found = read.blocks(&meta, &index, wanted.clone(), None).await;
            assert!(
                found.expect("blocks") == expected[wanted],
                "with a tier that has {from}..{to}"
            );
        }
    }
}

fn mixed() -> Made {
    let sizes = [
        100, 70_000, 100_000, 3000, 300_000, 2000, 600_000, 65_536, 10, 1_000_000,
    ];
    let sizes: Vec<(bool, usize)> = (0..).zip(sizes).map(|(n, size)| (n % 4 == 3, size)).collect();
    made(128 << 10, &sizes)
}

#[tokio::test]
async fn blocks_with_gaps_between_them_are_read_from_the_local_directory() {
    let folder = temporary_folder("gaps");
    let store: Arc<dyn ObjectStore> = Arc::new(RemoteStore::local(&folder).expect("a folder"));
    let made = mixed();
    let id = made.object.id;
    put_new(&*store, &id.key(), made.object.parts.clone())
        .await
        .expect("a put");
    let file = std::fs::read(folder.join(id.key())).expect("the file");
    assert!(file == whole(&made.object));
    assert!(
        gaps(&made.object.blocks)
            .iter()
            .filter(|gap| !gap.is_empty())
            .count()
            >= 4
    );
    every_run_is_read(store, &made).await;
    std::fs::remove_dir_all(&folder).expect("cleaning up");
}

#[tokio::test(start_paused = true)]
async fn what_lies_in_a_gap_is_not_looked_at() {
    let store = Arc::new(MemoryObjects::new());
    let made = mixed();
    let dirty = with_dirt(&whole(&made.object), &made.object.blocks);
    store.overwrite(&made.object.id.key(), dirty);
    every_run_is_read(store, &made).await;
}

/// Puts something into every gap of every object. Answers how many there are.
fn put_dirt(world: &World) -> usize {
    let metas = |image: &crate::manifest::image::Image| {
        let metas = image.objects.values().map(|object| object.meta);
        metas.collect::<Vec<_>>()
    };
    let mut count = 0;
    for meta in world.manifest.with_image(metas) {
        let key = meta.id.key();
        let bytes = world.objects.bytes(&key).expect("an object in use");
        let index = decode(meta.id, &bytes, meta.footer_len).expect("a whole footer");
        count += gaps(&index.blocks).iter().filter(|gap| !gap.is_empty()).count();
        world.objects.overwrite(&key, with_dirt(&bytes, &index.blocks));
    }
    count
}

/// Everything that a client is answered, with reads of these sizes; whole batches only.
async fn answered(world: &World, bytes_max: usize) -> Vec<u8> {
    let (mut next, mut found) = (Offset(0), Vec::new());
    loop {
        let outcome = world
            .cold
            .read(STREAM, next, limit(bytes_max))
            .await
            .expect("a read");
        if outcome.next == next {
            return found;
        }
        assert_eq!(
            outcome.bytes,
            outcome.chunks.iter().map(Bytes::len).sum::<usize>()
        );
        for chunk in outcome.chunks {
            assert!(split(chunk.clone()).all(|one| one.is_ok()));
            found.extend_from_slice(&chunk);
        }
        next = outcome.next;
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_gap_reaches_a_client_nor_the_objects_that_are_made_of_others() {
    let config = LogConfig {
        object_own_bytes: 8 << 20,
        object_target_bytes: 16 << 20,
        block_target_bytes: 128 << 10,
        block_cache_bytes: 1 << 20,
        ..crate::test_world::small_config()
    };
    let world = World::with(config).await;
    world.tail.set_policy(
        STREAM,
        StreamPolicy {
            retention: None,
            ..StreamPolicy::default()
        },
    );
    let mut appended = Vec::new();
    for round in 0..8 {
        for size in [100, 70_000, 20_000, 150_000, 2000] {
            let records: [TestRecord; 1] = [record("key", &"v".repeat(size + round), 1000)];
            world.tail.append_batch(STREAM, |base| {
                let stored = batch(base, &records);
                appended.extend_from_slice(stored.bytes());
                stored
            });
        }
        world.upload().await;
    }
    let ranges = |world: &World| {
        world
            .manifest
            .with_image(|image| image.streams[&STREAM].ranges.clone())
    };
    let bytes = |world: &World| ranges(world).iter().map(|range| range.bytes).sum::<u64>();
    for count in [8, 1] {
        assert!(put_dirt(&world) >= 8);
        assert_eq!(
            (ranges(&world).len(), bytes(&world)),
            (count, appended.len() as u64)
        );
        for bytes_max in [1, 90_000, 1 << 20, 64 << 20] {
            assert!(
                answered(&world, bytes_max).await == appended,
                "{count} objects, {bytes_max} at once"
            );
        }
        world.housekeep().await;
    }
}
