//! Tests of the manifest list in the metadata store: the port's promises, lost answers, damaged values, golden bytes.
//!
//! Owns: nothing but tests. Never: what the conformance suite checks already.
//! **Invariant**: none.

use super::*;
use crate::conformance::{CountingEntropy, RuntimeClock};
use crate::memory::{MemoryStore, TxnFault};
use millstream_log::manifest::conformance::{ManifestWorld, check_manifest_store};
use std::time::Duration;

struct World {
    store: MemoryStore,
    entropy: CountingEntropy,
}

impl World {
    fn new() -> Self {
        Self {
            store: MemoryStore::new(RuntimeClock::starting_now()),
            entropy: CountingEntropy::default(),
        }
    }

    fn writer(&self) -> MetaManifest {
        MetaManifest::new(Arc::new(self.store.clone()), 7, None, &self.entropy)
    }
}

impl ManifestWorld for World {
    fn open(&self) -> Arc<dyn ManifestStore> {
        Arc::new(self.writer())
    }
}

fn text(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[tokio::test(start_paused = true)]
async fn the_list_keeps_every_promise() {
    check_manifest_store(World::new).await;
}

/// The answer to an append got lost. Whether it was carried out, was not, or is still under way: in the end the record is
/// there once and the caller knows.
#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_an_append_is_resolved() {
    for fault in [
        TxnFault::DoneButUnknown,
        TxnFault::NotDoneButUnknown,
        TxnFault::Late,
        TxnFault::NotDone,
    ] {
        let world = World::new();
        let writer = world.writer();
        writer
            .append(ManifestSeq(1), text("one"))
            .await
            .expect("no fault");
        world.store.inject(fault);
        writer
            .append(ManifestSeq(2), text("two"))
            .await
            .unwrap_or_else(|e| panic!("{fault:?}: {e}"));
        world.store.inject(fault);
        writer
            .snapshot(ManifestSeq(1), text("all"))
            .await
            .unwrap_or_else(|e| panic!("{fault:?}: {e}"));
        world.store.release_late();
        let history = writer.load().await.expect("answers");
        assert_eq!(history.snapshot, Some((ManifestSeq(1), text("all"))));
        assert_eq!(history.records, [(ManifestSeq(2), text("two"))]);
    }
}

/// While our append was in doubt another writer took the position: that is a conflict, also if it wrote the same bytes.
#[tokio::test(start_paused = true)]
async fn anothers_record_after_a_lost_answer_is_a_conflict() {
    let world = World::new();
    let (ours, theirs) = (world.writer(), world.writer());
    theirs
        .append(ManifestSeq(1), text("one"))
        .await
        .expect("no fault");
    world.store.inject(TxnFault::DoneButUnknown);
    assert_eq!(
        ours.append(ManifestSeq(1), text("one")).await,
        Err(ManifestError::Conflict)
    );
}

/// Every attempt's answer is lost; the log asks again later, and must not take its own record for a fence.
#[tokio::test(start_paused = true)]
async fn a_record_asked_for_again_after_an_unknown_outcome_is_ours() {
    let world = World::new();
    let writer = world.writer();
    for _ in 0..6 {
        world.store.inject(TxnFault::DoneButUnknown);
    }
    let unknown = writer.append(ManifestSeq(1), text("one")).await;
    assert!(
        matches!(
            unknown,
            Err(ManifestError::Storage {
                fate: Fate::Unknown,
                ..
            })
        ),
        "{unknown:?}"
    );
    assert_eq!(writer.append(ManifestSeq(1), text("one")).await, Ok(()));
    assert_eq!(
        writer.append(ManifestSeq(1), text("other")).await,
        Err(ManifestError::Conflict)
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_once_the_session_has_expired() {
    let world = World::new();
    let store: Arc<dyn MetaStore> = Arc::new(world.store.clone());
    let session = store.open_session(Duration::from_secs(5)).await.expect("answers");
    let writer = MetaManifest::new(store, 7, Some(session.id), &world.entropy);
    writer
        .append(ManifestSeq(1), text("one"))
        .await
        .expect("it lives");
    tokio::time::sleep(Duration::from_secs(6)).await;
    for refused in [
        writer.append(ManifestSeq(2), text("two")).await,
        writer.snapshot(ManifestSeq(1), text("all")).await,
    ] {
        assert!(
            matches!(
                refused,
                Err(ManifestError::Storage {
                    fate: Fate::NotDone,
                    ..
                })
            ),
            "{refused:?}"
        );
    }
    assert_eq!(writer.load().await.expect("answers").records.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn lists_of_different_brokers_are_apart() {
    let world = World::new();
    let store: Arc<dyn MetaStore> = Arc::new(world.store.clone());
    let seventy = MetaManifest::new(store, 70, None, &world.entropy);
    seventy
        .append(ManifestSeq(1), text("seventy"))
        .await
        .expect("the first");
    assert!(world.writer().load().await.expect("answers").records.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_hole_and_a_damaged_record_are_reported() {
    let world = World::new();
    let writer = world.writer();
    for seq in 1..=3 {
        writer
            .append(ManifestSeq(seq), text("x"))
            .await
            .expect("the next");
    }
    let key = writer.record_key(ManifestSeq(2));
    for txn in [Txn::new().put(&key, text("Mm..garbage")), Txn::new().delete(&key)] {
        world.store.txn(txn).await.expect("answers");
        assert!(writer.load().await.is_err());
    }
}

#[test]
fn manifest_values_have_their_golden_bytes() {
    let record = encode_record(&[0xaa; 16], &text("body"));
    let mut golden = b"Mm\x06\x01".to_vec();
    golden.extend([0xaa; 16]);
    golden.extend(b"body");
    golden.extend(crc32c::crc32c(&golden).to_le_bytes());
    assert_eq!(record, golden);
    assert_eq!(record[24..], [0x39, 0xb1, 0xc5, 0x58]);
    assert_eq!(decode_record(&record), Ok(([0xaa; 16], text("body"))));

    let snapshot = encode_snapshot(ManifestSeq(0x0102), &[0xbb; 16], &text("all"));
    let mut golden = b"Mm\x07\x01\x02\x01\0\0\0\0\0\0".to_vec();
    golden.extend([0xbb; 16]);
    golden.extend(b"all");
    golden.extend(crc32c::crc32c(&golden).to_le_bytes());
    assert_eq!(snapshot, golden);
    assert_eq!(
        decode_snapshot(&snapshot),
        Ok((ManifestSeq(0x0102), [0xbb; 16], text("all")))
    );
}
