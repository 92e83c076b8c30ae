//! Tests of `validate`: the summary, and dense offsets.

use super::super::tests::{RECORDS_BYTES_MAX, build, golden_records, patched, with_payload};
use super::super::{Codec, HEADER_BYTES, TimestampType, field};
use super::*;

#[test]
fn the_summary_tells_times_and_the_first_missing_key() {
    for codec in Codec::ALL {
        let batch = build(codec, &golden_records(0));
        let plain = build(Codec::None, &golden_records(0));
        let summary = validate_records(&batch, RECORDS_BYTES_MAX).unwrap();
        assert_eq!(
            summary,
            RecordsSummary {
                min_timestamp: 1_699_999_999_990,
                max_timestamp: 1_700_000_000_007,
                max_timestamp_offset_delta: 1,
                max_timestamp_is_honest: true,
                first_null_key: Some(1),
                uncompressed_bytes: plain.bytes().len() - HEADER_BYTES,
            }
        );
    }
}

#[test]
fn a_false_max_timestamp_is_reported_and_can_be_repaired() {
    let honest = build(Codec::Gzip, &golden_records(0));
    let bytes = patched(honest.bytes(), field::MAX_TIMESTAMP, &[0x7f; 8]);
    let batch = ValidBatch::verify(bytes).unwrap();
    let summary = validate_records(&batch, RECORDS_BYTES_MAX).unwrap();
    assert!(!summary.max_timestamp_is_honest);
    let repaired = batch.with_timestamps(TimestampType::CreateTime, summary.max_timestamp);
    assert_eq!(repaired.bytes(), honest.bytes());
}

#[test]
fn the_first_of_several_largest_timestamps_is_named() {
    let mut records = golden_records(0);
    for record in &mut records {
        record.timestamp = -1;
    }
    let summary = validate_records(&build(Codec::None, &records), RECORDS_BYTES_MAX).unwrap();
    assert_eq!(
        (summary.max_timestamp, summary.max_timestamp_offset_delta),
        (-1, 0)
    );
}

#[test]
fn offset_deltas_must_be_dense_from_zero() {
    let skips_zero = [12, 0, 0, 2, 1, 1, 0, 12, 0, 0, 2, 1, 1, 0];
    let batch = ValidBatch::verify(with_payload(Codec::None, 2, &skips_zero)).unwrap();
    assert!(matches!(
        validate_records(&batch, RECORDS_BYTES_MAX),
        Err(BatchError::Inconsistent(_))
    ));
}

#[test]
fn records_above_the_cap_are_refused() {
    for codec in Codec::ALL {
        let batch = build(codec, &golden_records(0));
        assert_eq!(
            validate_records(&batch, 20),
            Err(BatchError::TooLarge),
            "{codec:?}"
        );
    }
}
