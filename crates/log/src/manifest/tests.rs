//! Tests of the manifest: bytes, refusals, the committer under lost answers, restart.

use super::commit::CommitError;
use super::image::Image;
use super::memory::{AppendFault, MemoryManifest};
use super::ranges::{Refusal, StreamImage};
use super::record::{
    ObjectMeta, ProducerBatch, ProducerSnapshot, Range, Record, Rewrite, RewritePart, Spill, TrimTo, Upload, UploadPart,
};
use super::snapshot_format::{self, Snapshot};
use super::store::{ManifestSeq, ManifestStore};
use super::{ManifestHandle, record_format};
use crate::error::{Fate, OpenError, StreamError};
use crate::ids::{Epoch, GroupSeq, Offset, StreamId};
use crate::objects::ObjectId;
use crate::objects::memory::MemoryObjects;
use crate::test_world::golden;
use proptest::prelude::*;
use std::sync::Arc;

const STREAM: StreamId = StreamId(3);

fn range(object: u64, base: u64, end: u64) -> Range {
    Range {
        base: Offset(base),
        end: Offset(end),
        object: ObjectId(object),
        bytes: 100,
        max_timestamp: 77,
        written_ms: 99,
        level: 1,
    }
}

fn object(id: u64) -> ObjectMeta {
    ObjectMeta { id: ObjectId(id), len: 1000, footer_len: 136 }
}

fn upload(wal_through: u64, ranges: &[Range]) -> Upload {
    let mut ids: Vec<u64> = ranges.iter().map(|range| range.object.0).collect();
    ids.dedup();
    Upload {
        wal_through: GroupSeq(wal_through),
        objects: ids.into_iter().map(object).collect(),
        parts: vec![UploadPart {
            stream: STREAM,
            ranges: ranges.to_vec(),
            epochs: vec![(Epoch(1), Offset(0)), (Epoch(4), Offset(5))],
            producers: vec![ProducerSnapshot {
                producer_id: 12,
                producer_epoch: 2,
                last_timestamp: 1234,
                transaction_start: Some(Offset(9)),
                batches: vec![ProducerBatch { first_sequence: 0, last_sequence: 4, base: Offset(5), last: Offset(9) }],
            }],
        }],
    }
}

fn rewrite(removed: &[Range], added: &[Range]) -> Rewrite {
    let mut ids: Vec<u64> = added.iter().map(|range| range.object.0).filter(|id| *id != 0).collect();
    ids.dedup();
    Rewrite {
        objects: ids.into_iter().map(object).collect(),
        parts: vec![RewritePart {
            stream: STREAM,
            removed: removed.to_vec(),
            added: added.to_vec(),
            compacted_through: Offset(0),
        }],
    }
}

fn every_kind() -> Vec<(&'static str, Record)> {
    vec![
        ("opened", Record::Opened),
        ("upload", Record::Upload(upload(8, &[range(20, 0, 5), range(21, 5, 10)]))),
        ("rewrite", Record::Rewrite(rewrite(&[range(20, 0, 5), range(21, 5, 10)], &[range(30, 0, 10)]))),
        ("trim", Record::Trim(vec![TrimTo { stream: STREAM, start: Offset(6) }])),
        ("delete", Record::DeleteStream { stream: STREAM, as_of: GroupSeq(9) }),
        ("collected", Record::Collected(vec![ObjectId(20), ObjectId(21)])),
        ("spilled", Record::Spilled(Spill { object: ObjectId(40), len: 1 << 21, checksum: 5 })),
    ]
}

fn sample_image() -> Image {
    let mut image = Image::default();
    for (name, record) in every_kind() {
        if ["opened", "upload", "rewrite", "trim"].contains(&name) {
            image.apply(&record).expect(name);
            image.check().expect("every invariant");
        }
    }
    let gone = Record::DeleteStream { stream: StreamId(9), as_of: GroupSeq(50) };
    image.apply(&gone).expect("a delete");
    image
}

#[test]
fn the_bytes_of_records_are_those_of_version_1() {
    for (name, record) in every_kind() {
        let bytes = record_format::encode(&record);
        golden(&format!("manifest_{name}_v1.hex"), &bytes);
        assert_eq!(record_format::decode(&bytes), Ok(record), "{name}");
    }
}

#[test]
fn the_bytes_of_snapshots_are_those_of_version_1() {
    let image = sample_image();
    let bytes = snapshot_format::encode(&image);
    golden("manifest_snapshot_v1.hex", &bytes);
    assert_eq!(snapshot_format::decode(&bytes), Ok(Snapshot::Whole(Box::new(image))));
}

#[test]
fn every_flipped_byte_of_records_and_snapshots_is_noticed() {
    let mut all: Vec<_> = every_kind().iter().map(|(_, record)| record_format::encode(record)).collect();
    all.push(snapshot_format::encode(&sample_image()));
    for bytes in all {
        for at in 0..bytes.len() {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 0x10;
            assert!(record_format::decode(&damaged).is_err(), "byte {at}");
            assert!(snapshot_format::decode(&damaged).is_err(), "byte {at}");
            assert!(record_format::decode(&bytes[..at]).is_err(), "cut to {at}");
            assert!(snapshot_format::decode(&bytes[..at]).is_err(), "cut to {at}");
        }
    }
}

proptest! {
    /// Behind a right checksum too: lengths are believed only as far as bytes remain.
    #[test]
    fn no_bytes_make_the_decoders_panic(kind in 0u16..9, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        for magic in [*b"MSMR", *b"MSMS"] {
            let mut bytes = bytes::BytesMut::from(&magic[..]);
            bytes.extend_from_slice(&1u16.to_le_bytes());
            bytes.extend_from_slice(&kind.to_le_bytes());
            bytes.extend_from_slice(&body);
            let sealed = record_format::seal(bytes);
            let _ = record_format::decode(&sealed);
            let _ = snapshot_format::decode(&sealed);
        }
    }
}

#[test]
fn an_upload_goes_on_exactly_at_the_committed_end() {
    let mut image = Image::default();
    image.apply(&Record::Upload(upload(1, &[range(20, 0, 5)]))).expect("the first");
    for (wrong, refusal) in [
        (upload(2, &[range(21, 6, 9)]), Refusal::NotExactCover),
        (upload(2, &[range(21, 4, 9)]), Refusal::NotExactCover),
        (upload(2, &[range(21, 5, 7), range(22, 8, 9)]), Refusal::NotExactCover),
        (upload(2, &[]), Refusal::NotExactCover),
        (upload(0, &[range(21, 5, 9)]), Refusal::WalBackwards),
        (upload(2, &[range(20, 5, 9)]), Refusal::DuplicateObject),
    ] {
        let before = image.clone();
        assert_eq!(image.apply(&Record::Upload(wrong.clone())), Err(refusal), "{wrong:?}");
        assert_eq!(image, before, "a refused record changes nothing");
    }
    let mut unknown = upload(2, &[range(21, 5, 9)]);
    unknown.objects.clear();
    assert_eq!(image.apply(&Record::Upload(unknown)), Err(Refusal::UnknownObject));
    let mut unused = upload(2, &[range(21, 5, 9)]);
    unused.objects.push(object(22));
    assert_eq!(image.apply(&Record::Upload(unused)), Err(Refusal::UnknownObject));
}

/// T7: a delta that overflows, or a reversed range, is refused before anything is replaced.
#[test]
fn t7_an_insane_range_is_refused() {
    let mut image = Image::default();
    for insane in [range(20, 0, 0), range(20, 9, 5), range(20, 0, u64::MAX), range(20, 0, 1 << 50)] {
        assert_eq!(image.apply(&Record::Upload(upload(1, &[insane]))), Err(Refusal::InsaneRange), "{insane:?}");
    }
    image.apply(&Record::Upload(upload(1, &[range(20, 0, 1 << 40)]))).expect("beyond 32 bits is sane");
    let mut larger_than_object = range(30, 0, 1 << 40);
    larger_than_object.bytes = 1001;
    let wrong = rewrite(&[range(20, 0, 1 << 40)], &[larger_than_object]);
    assert_eq!(image.apply(&Record::Rewrite(wrong)), Err(Refusal::InsaneRange));
    let mut empty_with_object = range(30, 0, 1 << 40);
    empty_with_object.bytes = 0;
    let wrong = rewrite(&[range(20, 0, 1 << 40)], &[empty_with_object]);
    assert_eq!(image.apply(&Record::Rewrite(wrong)), Err(Refusal::InsaneRange));
}

/// T8: a rewrite that was planned before a trim, a delete or another rewrite is refused at commit.
#[test]
fn t8_a_rewrite_of_a_stale_view_is_refused() {
    let old = [range(20, 0, 5), range(21, 5, 10)];
    let mut fresh = Image::default();
    fresh.apply(&Record::Upload(upload(1, &old))).expect("an upload");
    let planned = Record::Rewrite(rewrite(&old, &[range(30, 0, 10)]));

    let mut trimmed = fresh.clone();
    trimmed.apply(&Record::Trim(vec![TrimTo { stream: STREAM, start: Offset(5) }])).expect("a trim");
    assert_eq!(trimmed.apply(&planned), Err(Refusal::StaleRange), "trimmed");
    let mut deleted = fresh.clone();
    deleted.apply(&Record::DeleteStream { stream: STREAM, as_of: GroupSeq(1) }).expect("a delete");
    assert_eq!(deleted.apply(&planned), Err(Refusal::StreamGone), "deleted");
    let mut rewritten = fresh.clone();
    rewritten.apply(&Record::Rewrite(rewrite(&old, &[range(29, 0, 10)]))).expect("another");
    assert_eq!(rewritten.apply(&planned), Err(Refusal::StaleRange), "rewritten");

    for added in [vec![range(30, 0, 9)], vec![range(30, 1, 10)], vec![range(30, 0, 4), range(31, 5, 10)], vec![]] {
        let wrong = Record::Rewrite(rewrite(&old, &added));
        assert_eq!(fresh.clone().apply(&wrong), Err(Refusal::NotExactCover), "{added:?}");
    }
    fresh.apply(&planned).expect("nothing happened in between");
    assert_eq!(fresh.dead.iter().map(|id| id.0).collect::<Vec<_>>(), [20, 21]);
    fresh.check().expect("every invariant");
}

#[test]
fn a_stream_trimmed_inside_its_tail_goes_on_above_its_committed_end() {
    let mut image = Image::default();
    image.apply(&Record::Upload(upload(1, &[range(20, 0, 5)]))).expect("an upload");
    image.apply(&Record::Trim(vec![TrimTo { stream: STREAM, start: Offset(12) }])).expect("a trim");
    assert!(image.dead.contains(&ObjectId(20)));
    let hole = Record::Upload(upload(2, &[range(21, 13, 20)]));
    assert_eq!(image.apply(&hole), Err(Refusal::NotExactCover), "a hole above the start");
    image.apply(&Record::Upload(upload(2, &[range(21, 10, 20)]))).expect("the batch that holds the start");
    image.check().expect("every invariant");
    assert_eq!(image.streams[&STREAM].ranges, [range(21, 10, 20)]);
}

#[test]
fn epochs_below_the_start_are_forgotten_but_for_the_one_that_covers_it() {
    let mut stream = StreamImage {
        epochs: vec![(Epoch(1), Offset(0)), (Epoch(2), Offset(5)), (Epoch(3), Offset(9))],
        ..StreamImage::default()
    };
    stream.trim(Offset(7));
    assert_eq!(stream.epochs, [(Epoch(2), Offset(5)), (Epoch(3), Offset(9))]);
}

struct Media {
    list: Arc<MemoryManifest>,
    objects: Arc<MemoryObjects>,
}

impl Media {
    fn new() -> Self {
        Self { list: Arc::default(), objects: Arc::default() }
    }

    async fn open(&self) -> ManifestHandle {
        ManifestHandle::open(self.list.clone(), self.objects.clone()).await.expect("it opens")
    }
}

async fn commit(manifest: &ManifestHandle, record: Record) -> Result<(), CommitError> {
    manifest.commit(|_| Some(record)).await.map(|_| ())
}

#[tokio::test(start_paused = true)]
async fn replay_gives_the_state_that_was_live() {
    let media = Media::new();
    let manifest = media.open().await;
    commit(&manifest, Record::Upload(upload(1, &[range(20, 0, 5), range(21, 5, 10)]))).await.expect("an upload");
    manifest.trim(STREAM, Offset(6)).await.expect("a trim");
    manifest.delete_stream(StreamId(8), GroupSeq(5)).await.expect("a delete");
    let live = manifest.with_image(Clone::clone);
    let replayed = media.open().await;
    let mut found = replayed.with_image(Clone::clone);
    assert_eq!(found.incarnation, live.seq.0 + 1, "every opening takes an incarnation of its own");
    (found.incarnation, found.seq) = (live.incarnation, live.seq);
    assert_eq!(found, live);
    assert!(replayed.is_deleted(StreamId(8)));
    let state = replayed.stream_state(STREAM).expect("the stream");
    assert_eq!((state.start, state.end, state.bytes, state.max_timestamp), (Offset(6), Offset(10), 100, 77));
    assert_eq!(state.producers.len(), 1);
}

/// T6: "failed" is not "not done". The record was written; the answer was lost.
#[tokio::test(start_paused = true)]
async fn t6_a_commit_whose_answer_was_lost_is_found_out_before_the_next() {
    for faults in [
        vec![AppendFault::UnknownDone],
        vec![AppendFault::UnknownNotDone],
        vec![AppendFault::UnknownNotDone, AppendFault::NotDone, AppendFault::UnknownDone],
    ] {
        let media = Media::new();
        let manifest = media.open().await;
        media.list.inject(faults.clone());
        commit(&manifest, Record::Upload(upload(1, &[range(20, 0, 5)]))).await.expect("decided");
        commit(&manifest, Record::Upload(upload(2, &[range(21, 5, 9)]))).await.expect("the next");
        assert_eq!(media.list.history().records.len(), 3, "{faults:?}: once each");
        assert_eq!(media.open().await.stream_state(STREAM).expect("the stream").end, Offset(9));
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_was_certainly_not_done_says_so_and_leaves_nothing() {
    let media = Media::new();
    let manifest = media.open().await;
    media.list.inject([AppendFault::NotDone]);
    let failed = manifest.trim(STREAM, Offset(5)).await;
    assert!(matches!(failed, Err(StreamError::Storage { fate: Fate::NotDone, .. })), "{failed:?}");
    assert_eq!(manifest.stream_state(STREAM), None);
    assert_eq!(manifest.trim(STREAM, Offset(5)).await, Ok(Offset(5)));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_leaves_no_commit_undecided() {
    let media = Media::new();
    let manifest = media.open().await;
    media.list.inject([AppendFault::UnknownDone]);
    let abandoned = commit(&manifest, Record::Upload(upload(1, &[range(20, 0, 5)])));
    // The answer is lost, the committer waits before it asks again, and the caller gives up meanwhile.
    tokio::time::timeout(std::time::Duration::from_millis(1), abandoned).await.expect_err("it waits");
    assert_eq!(manifest.stream_state(STREAM), None, "not known yet");
    manifest.trim(StreamId(50), Offset(1)).await.expect("the next caller decides it first");
    assert_eq!(manifest.stream_state(STREAM).expect("it was written").end, Offset(5));
}

#[tokio::test(start_paused = true)]
async fn a_second_writer_fences_the_first() {
    let media = Media::new();
    let first = media.open().await;
    let second = media.open().await;
    let refused = commit(&first, Record::Upload(upload(1, &[range(20, 0, 5)]))).await;
    assert_eq!(refused, Err(CommitError::Fenced));
    assert_eq!(commit(&first, Record::Opened).await, Err(CommitError::Fenced), "for good");
    commit(&second, Record::Upload(upload(1, &[range(20, 0, 5)]))).await.expect("the owner");
}

fn huge_upload() -> Record {
    let mut upload = upload(1, &[range(20, 0, 5)]);
    let producer = upload.parts[0].producers[0].clone();
    upload.parts[0].producers = vec![producer; 30_000];
    Record::Upload(upload)
}

#[tokio::test(start_paused = true)]
async fn large_records_and_snapshots_are_kept_in_objects() {
    let media = Media::new();
    let manifest = media.open().await;
    commit(&manifest, huge_upload()).await.expect("a spilled record");
    assert_eq!(media.objects.keys().len(), 1);
    assert_eq!(media.open().await.stream_state(STREAM).expect("read back").producers.len(), 30_000);

    let manifest = media.open().await;
    manifest.snapshot_now().await;
    assert_eq!(media.objects.keys().len(), 1, "the snapshot's object took the record's place");
    assert!(media.list.history().records.is_empty());
    manifest.trim(STREAM, Offset(2)).await.expect("a record behind the snapshot");
    manifest.snapshot_now().await;
    assert_eq!(media.objects.keys().len(), 1, "and the next snapshot's the first's");
    let state = media.open().await.stream_state(STREAM).expect("the snapshot");
    assert_eq!((state.start, state.producers.len()), (Offset(2), 30_000));
}

#[tokio::test(start_paused = true)]
async fn spilled_records_are_no_orphans() {
    let media = Media::new();
    let manifest = media.open().await;
    commit(&manifest, huge_upload()).await.expect("a spilled record");
    manifest.snapshot_now().await;
    manifest.trim(STREAM, Offset(2)).await.expect("a record");
    let reopened = media.open().await;
    let listed: Vec<ObjectId> = media.objects.keys().iter().filter_map(|key| ObjectId::from_key(key)).collect();
    assert_eq!(listed.len(), 1);
    assert_eq!(reopened.orphans(&listed).await, Ok(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_damaged_list_stops_the_opening_and_is_not_changed() {
    let media = Media::new();
    let manifest = media.open().await;
    commit(&manifest, Record::Upload(upload(1, &[range(20, 0, 5)]))).await.expect("an upload");
    let good = media.list.history().records;

    let damaged = MemoryManifest::new();
    let mut bytes = good[1].1.to_vec();
    bytes[20] ^= 1;
    damaged.append(good[0].0, good[0].1.clone()).await.expect("the first");
    damaged.append(good[1].0, bytes.into()).await.expect("the second");
    let damaged = Arc::new(damaged);
    let opened = ManifestHandle::open(damaged.clone(), media.objects.clone()).await;
    assert!(matches!(opened.map(|_| ()), Err(OpenError::Corrupt(_))));
    assert_eq!(damaged.history().records.len(), 2, "nothing was written");

    let later = MemoryManifest::new();
    let mut bytes = bytes::BytesMut::from(&good[0].1[..good[0].1.len() - 8]);
    bytes[4] = 2;
    later.append(ManifestSeq(1), record_format::seal(bytes)).await.expect("a later version's");
    let opened = ManifestHandle::open(Arc::new(later), media.objects.clone()).await;
    assert!(matches!(opened.map(|_| ()), Err(OpenError::UnknownVersion(_))));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_is_taken_after_enough_records() {
    let media = Media::new();
    let manifest = media.open().await;
    for n in 1..=5000 {
        manifest.trim(StreamId(n % 10), Offset(n)).await.expect("a trim");
    }
    let history = media.list.history();
    assert!(history.snapshot.is_some());
    assert!(history.records.len() < 2000, "{}", history.records.len());
    let live = manifest.with_image(|image| image.streams.clone());
    assert_eq!(media.open().await.with_image(|image| image.streams.clone()), live);
}

/// T5: uploaded, not published yet, and listed by a sweep.
#[tokio::test(start_paused = true)]
async fn t5_an_object_in_flight_is_no_orphan() {
    let media = Media::new();
    let manifest = media.open().await;
    let unpublished = manifest.allocate().await.expect("a name");
    let later = manifest.allocate().await.expect("a name").id();
    let older = ObjectId::new(0, 5).expect("of a log before this one");
    let listed = [older, unpublished.id(), later];
    assert_eq!(manifest.orphans(&listed).await, Ok(vec![older]), "nothing from the oldest in flight on");
    drop(unpublished);
    assert_eq!(manifest.orphans(&listed).await.expect("an answer").len(), 3, "given up");
}
