//! The committer, restart, orphans.

use super::*;
use crate::manifest::conformance::{ManifestWorld, check_manifest_store};

struct Media {
    list: Arc<MemoryManifest>,
    objects: Arc<MemoryObjects>,
}

impl Media {
    fn new() -> Self {
        Self {
            list: Arc::default(),
            objects: Arc::default(),
        }
    }

    async fn open(&self) -> ManifestHandle {
        ManifestHandle::open(self.list.clone(), self.objects.clone())
            .await
            .expect("it opens")
    }
}

async fn commit(manifest: &ManifestHandle, record: Record) -> Result<(), CommitError> {
    manifest.commit(|_| Some(record)).await.map(|_| ())
}

impl ManifestWorld for Arc<MemoryManifest> {
    fn open(&self) -> Arc<dyn ManifestStore> {
        self.clone()
    }
}

#[tokio::test]
async fn the_list_in_memory_keeps_the_promises_of_the_port() {
    check_manifest_store(Arc::<MemoryManifest>::default).await;
}

#[tokio::test(start_paused = true)]
async fn replay_gives_the_state_that_was_live() {
    let media = Media::new();
    let manifest = media.open().await;
    commit(
        &manifest,
        Record::Upload(upload(1, &[range(20, 0, 5), range(21, 5, 10)])),
    )
    .await
    .expect("an upload");
    manifest.trim(STREAM, Offset(6)).await.expect("a trim");
    manifest
        .delete_stream(StreamId(8), GroupSeq(5))
        .await
        .expect("a delete");
    let live = manifest.with_image(Clone::clone);
    let replayed = media.open().await;
    let mut found = replayed.with_image(Clone::clone);
    assert_eq!(
        found.incarnation,
        live.seq.0 + 1,
        "every opening takes an incarnation of its own"
    );
    (found.incarnation, found.seq) = (live.incarnation, live.seq);
    assert_eq!(found, live);
    assert!(replayed.is_deleted(StreamId(8)));
    let state = replayed.stream_state(STREAM).expect("the stream");
    assert_eq!(
        (state.start, state.end, state.bytes, state.max_timestamp),
        (Offset(6), Offset(10), 100, 77)
    );
    assert_eq!(state.producers.len(), 1);
}

/// T6: "failed" is not "not done". The record was written; the answer was lost.
#[tokio::test(start_paused = true)]
async fn t6_a_commit_whose_answer_was_lost_is_found_out_before_the_next() {
    for faults in [
        vec![AppendFault::UnknownDone],
        vec![AppendFault::UnknownNotDone],
        vec![
            AppendFault::UnknownNotDone,
            AppendFault::NotDone,
            AppendFault::UnknownDone,
        ],
    ] {
        let media = Media::new();
        let manifest = media.open().await;
        media.list.inject(faults.clone());
        commit(&manifest, Record::Upload(upload(1, &[range(20, 0, 5)])))
            .await
            .expect("decided");
        commit(&manifest, Record::Upload(upload(2, &[range(21, 5, 9)])))
            .await
            .expect("the next");
        assert_eq!(media.list.history().records.len(), 3, "{faults:?}: once each");
        assert_eq!(
            media.open().await.stream_state(STREAM).expect("the stream").end,
            Offset(9)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_was_certainly_not_done_says_so_and_leaves_nothing() {
    let media = Media::new();
    let manifest = media.open().await;
    media.list.inject([AppendFault::NotDone]);
    let failed = manifest.trim(STREAM, Offset(5)).await;
    assert!(
        matches!(
            failed,
            Err(StreamError::Storage {
                fate: Fate::NotDone,
                ..
            })
        ),
        "{failed:?}"
    );
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
    tokio::time::timeout(std::time::Duration::from_millis(1), abandoned)
        .await
        .expect_err("it waits");
    assert_eq!(manifest.stream_state(STREAM), None, "not known yet");
    manifest
        .trim(StreamId(50), Offset(1))
        .await
        .expect("the next caller decides it first");
    assert_eq!(
        manifest.stream_state(STREAM).expect("it was written").end,
        Offset(5)
    );
}

#[tokio::test(start_paused = true)]
async fn a_second_writer_fences_the_first() {
    let media = Media::new();
    let first = media.open().await;
    let second = media.open().await;
    let refused = commit(&first, Record::Upload(upload(1, &[range(20, 0, 5)]))).await;
    assert_eq!(refused, Err(CommitError::Fenced));
    assert_eq!(
        commit(&first, Record::Opened).await,
        Err(CommitError::Fenced),
        "for good"
    );
    commit(&second, Record::Upload(upload(1, &[range(20, 0, 5)])))
        .await
        .expect("the owner");
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
    assert_eq!(
        media
            .open()
            .await
            .stream_state(STREAM)
            .expect("read back")
            .producers
            .len(),
        30_000
    );

    let manifest = media.open().await;
    manifest.snapshot_now().await;
    assert_eq!(
        media.objects.keys().len(),
        1,
        "the snapshot's object took the record's place"
    );
    assert!(media.list.history().records.is_empty());
    manifest
        .trim(STREAM, Offset(2))
        .await
        .expect("a record behind the snapshot");
    manifest.snapshot_now().await;
    assert_eq!(
        media.objects.keys().len(),
        1,
        "and the next snapshot's the first's"
    );
    let state = media.open().await.stream_state(STREAM).expect("the snapshot");
    assert_eq!((state.start, state.producers.len()), (Offset(2), 30_000));
}

#[tokio::test(start_paused = true)]
async fn a_full_store_does_not_keep_trims_from_making_room() {
    let media = Media::new();
    let manifest = media.open().await;
    commit(&manifest, huge_upload()).await.expect("a spilled record");
    media.objects.set_full(true);
    manifest.snapshot_now().await;
    assert!(media.list.history().snapshot.is_none(), "no room for it");
    manifest.trim(STREAM, Offset(5)).await.expect("a trim");
    assert_eq!(manifest.collectable(), [ObjectId(20)]);
    media.objects.set_full(false);
    manifest.snapshot_now().await;
    assert!(media.list.history().snapshot.is_some());
    let state = media.open().await.stream_state(STREAM).expect("the stream");
    assert_eq!(state.start, Offset(5));
}

#[tokio::test(start_paused = true)]
async fn spilled_records_are_no_orphans() {
    let media = Media::new();
    let manifest = media.open().await;
    commit(&manifest, huge_upload()).await.expect("a spilled record");
    manifest.snapshot_now().await;
    manifest.trim(STREAM, Offset(2)).await.expect("a record");
    let reopened = media.open().await;
    let listed: Vec<ObjectId> = media
        .objects
        .keys()
        .iter()
        .filter_map(|key| ObjectId::from_key(key))
        .collect();
    assert_eq!(listed.len(), 1);
    assert_eq!(reopened.orphans(&listed).await, Ok(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn a_damaged_list_stops_the_opening_and_is_not_changed() {
    let media = Media::new();
    let manifest = media.open().await;
    commit(&manifest, Record::Upload(upload(1, &[range(20, 0, 5)])))
        .await
        .expect("an upload");
    let good = media.list.history().records;

    let damaged = MemoryManifest::new();
    let mut bytes = good[1].1.to_vec();
    bytes[20] ^= 1;
    damaged
        .append(good[0].0, good[0].1.clone())
        .await
        .expect("the first");
    damaged.append(good[1].0, bytes.into()).await.expect("the second");
    let damaged = Arc::new(damaged);
    let opened = ManifestHandle::open(damaged.clone(), media.objects.clone()).await;
    assert!(matches!(opened.map(|_| ()), Err(OpenError::Corrupt(_))));
    assert_eq!(damaged.history().records.len(), 2, "nothing was written");

    let later = MemoryManifest::new();
    let mut bytes = bytes::BytesMut::from(&good[0].1[..good[0].1.len() - 8]);
    bytes[4] = 3;
    later
        .append(ManifestSeq(1), record_format::seal(bytes))
        .await
        .expect("a later version's");
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
    assert_eq!(
        manifest.orphans(&listed).await,
        Ok(vec![older]),
        "nothing from the oldest in flight on"
    );
    drop(unpublished);
    assert_eq!(
        manifest.orphans(&listed).await.expect("an answer").len(),
        3,
        "given up"
    );
}
