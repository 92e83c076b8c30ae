//! Tests of `compact`: what stays is what Kafka's cleaner leaves.

use super::super::tests::{RECORDS_BYTES_MAX, any_codec, any_records, build, golden, golden_records, read};
use super::super::{ControlKind, ControlRecord, Record, TimestampType};
use super::*;
use crate::ids::{Epoch, Offset};
use proptest::prelude::*;

const CLEANED_AT: TimestampMs = 1_800_000_000_000;
const TOMBSTONE_RETENTION_MS: i64 = 1_000;

fn how(horizon: Horizon) -> Retain {
    Retain {
        records_bytes_max: RECORDS_BYTES_MAX,
        horizon,
        level: None,
    }
}

fn on_tombstones() -> Retain {
    how(Horizon::OnTombstones(CLEANED_AT + TOMBSTONE_RETENTION_MS))
}

fn stored(records: &[Record], codec: Codec) -> StoredBatch {
    StoredBatch::stamp(build(codec, records), Offset(100), Epoch(5))
}

fn rewritten(kept: Kept) -> StoredBatch {
    match kept {
        Kept::Rewritten(batch) => StoredBatch::verify(batch.into_bytes()).unwrap(),
        other => panic!("expected a rewritten batch, not {other:?}"),
    }
}

#[test]
fn plain_batches_are_rewritten_byte_for_byte_as_by_kafkas_cleaner() {
    let batch = StoredBatch::verify(golden!("java-before-clean-none")).unwrap();
    let kept = retain(&batch, &on_tombstones(), |record| record.offset != Offset(101)).unwrap();
    assert_eq!(rewritten(kept).bytes(), &golden!("java-after-clean-none"));
    let kept = retain(&batch, &on_tombstones(), |record| record.offset == Offset(101)).unwrap();
    assert_eq!(
        rewritten(kept).bytes(),
        &golden!("java-after-clean-no-tombstone-none")
    );
    match retain(&batch, &on_tombstones(), |_| false).unwrap() {
        Kept::Empty(empty) => assert_eq!(empty.bytes(), &golden!("java-empty")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn compressed_batches_keep_their_codec_and_hold_what_kafkas_cleaner_leaves() {
    let batch = StoredBatch::verify(golden!("java-before-clean-zstd")).unwrap();
    let kept = retain(&batch, &on_tombstones(), |record| record.offset != Offset(101)).unwrap();
    let ours = rewritten(kept);
    let theirs = StoredBatch::verify(golden!("java-after-clean-zstd")).unwrap();
    assert_eq!(ours.codec(), Codec::Zstd);
    let without_bytes = |batch: &StoredBatch| BatchHeader {
        crc: 0,
        size_bytes: 0,
        ..*batch.header()
    };
    assert_eq!(without_bytes(&ours), without_bytes(&theirs));
    let records = |batch: &StoredBatch| batch.records(RECORDS_BYTES_MAX).unwrap().bytes().clone();
    assert_eq!(records(&ours), records(&theirs));
}

#[test]
fn a_batch_of_which_everything_stays_is_not_touched() {
    let batch = stored(&golden_records(0)[..2], Codec::Gzip);
    assert!(matches!(
        retain(&batch, &on_tombstones(), |_| true),
        Ok(Kept::Whole)
    ));
    let tombstone = stored(&golden_records(0), Codec::Gzip);
    assert!(matches!(
        retain(&tombstone, &how(Horizon::Keep), |_| true),
        Ok(Kept::Whole)
    ));
}

#[test]
fn a_tombstone_that_stays_gets_a_horizon_once() {
    let batch = stored(&golden_records(0), Codec::Lz4);
    let first = rewritten(retain(&batch, &on_tombstones(), |_| true).unwrap());
    assert_eq!(
        first.header().delete_horizon(),
        Some(CLEANED_AT + TOMBSTONE_RETENTION_MS)
    );
    assert_eq!(
        read(&first.records(RECORDS_BYTES_MAX).unwrap()),
        Ok(golden_records(100))
    );
    // The next pass neither moves it nor touches the batch.
    let later = how(Horizon::OnTombstones(CLEANED_AT * 2));
    assert!(matches!(retain(&first, &later, |_| true), Ok(Kept::Whole)));
    let again = rewritten(retain(&first, &later, |record| record.key.is_some()).unwrap());
    assert_eq!(again.header().delete_horizon(), first.header().delete_horizon());
    assert_eq!(again.header().max_timestamp, 1_700_000_000_000);
}

#[test]
fn the_marker_of_an_empty_transaction_gets_a_horizon() {
    let marker = ControlRecord {
        kind: ControlKind::Commit,
        coordinator_epoch: 1,
    };
    let batch = StoredBatch::stamp(marker.build(4, 0, 10).unwrap(), Offset(7), Epoch(1));
    assert!(matches!(
        retain(&batch, &on_tombstones(), |_| true),
        Ok(Kept::Whole)
    ));
    let dated = rewritten(retain(&batch, &how(Horizon::Always(50)), |_| true).unwrap());
    assert_eq!(dated.header().delete_horizon(), Some(50));
    let records = dated.records(RECORDS_BYTES_MAX).unwrap();
    let record = records.iter().next().unwrap().unwrap();
    assert_eq!(
        (record.timestamp, ControlRecord::parse(&record)),
        (10, Ok(marker))
    );
}

#[test]
fn log_append_time_is_not_lost_with_the_record_that_came_last() {
    let valid = build(Codec::None, &golden_records(0)).with_timestamps(TimestampType::LogAppendTime, 900);
    let batch = StoredBatch::stamp(valid, Offset(0), Epoch(0));
    let kept = rewritten(retain(&batch, &on_tombstones(), |record| record.offset == Offset(0)).unwrap());
    assert_eq!(kept.header().max_timestamp, 900);
    let records = kept.records(RECORDS_BYTES_MAX).unwrap();
    assert_eq!(records.iter().next().unwrap().unwrap().timestamp, 900);
}

#[test]
fn an_emptied_batch_stays_empty() {
    let batch = StoredBatch::verify(golden!("java-empty")).unwrap();
    match retain(&batch, &on_tombstones(), |_| true).unwrap() {
        Kept::Empty(empty) => assert_eq!(empty.bytes(), batch.bytes()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn records_above_the_cap_are_refused_and_nothing_is_asked() {
    let batch = stored(&golden_records(0), Codec::Zstd);
    let tight = Retain {
        records_bytes_max: 10,
        ..on_tombstones()
    };
    let outcome = retain(&batch, &tight, |_| panic!("no record was decompressed"));
    assert_eq!(outcome.err(), Some(BatchError::TooLarge));
}

proptest! {
    #[test]
    fn records_that_stay_keep_everything(
        codec in any_codec(),
        records in any_records(),
        stays in proptest::collection::vec(any::<bool>(), 20),
    ) {
        let batch = stored(&records, codec);
        let header = *batch.header();
        let before = read(&batch.records(RECORDS_BYTES_MAX).unwrap()).unwrap();
        let expected: Vec<_> = before.into_iter().filter(|r| stays[(r.offset.0 - 100) as usize]).collect();
        let after = match retain(&batch, &on_tombstones(), |r| stays[r.offset_delta as usize]).unwrap() {
            Kept::Whole => batch,
            Kept::Rewritten(after) | Kept::Empty(after) => StoredBatch::verify(after.into_bytes()).unwrap(),
        };
        prop_assert_eq!(after.header().base_offset, header.base_offset);
        prop_assert_eq!(after.header().last_offset(), header.last_offset());
        prop_assert_eq!(after.header().epoch, header.epoch);
        prop_assert_eq!(after.header().records_count as usize, expected.len());
        if let Some(max) = expected.iter().map(|r| r.timestamp).max() {
            prop_assert_eq!(after.header().max_timestamp, max);
            prop_assert_eq!(after.codec(), codec);
        }
        let dated = expected.iter().any(|r| r.value.is_none());
        prop_assert_eq!(after.header().delete_horizon().is_some(), dated);
        prop_assert_eq!(read(&after.records(RECORDS_BYTES_MAX).unwrap()).unwrap(), expected);
    }
}
