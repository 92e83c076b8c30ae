//! Tests of `build`: what the builder writes is what Java writes; recompression keeps everything but the codec.

use super::super::tests::{RECORDS_BYTES_MAX, any_codec, any_records, build, golden, golden_records, read};
use super::super::validate_records;
use super::*;
use proptest::prelude::*;

fn as_java(codec: Codec) -> ValidBatch {
    let mut builder = BatchBuilder::new(codec).producer(42, 3, 17).transactional();
    for record in golden_records(0) {
        builder.push_record(&record).unwrap();
    }
    builder.finish().unwrap()
}

#[test]
fn plain_batches_are_byte_for_byte_those_of_java() {
    assert_eq!(as_java(Codec::None).bytes(), &golden!("java-none"));
    assert_eq!(
        build(Codec::None, &golden_records(0)).bytes(),
        &golden!("java-plain-no-producer")
    );
}

#[test]
fn the_size_is_known_before_the_batch_is_finished() {
    let mut builder = BatchBuilder::new(Codec::None);
    assert!(builder.is_empty());
    for record in golden_records(0) {
        builder.push_record(&record).unwrap();
    }
    assert_eq!(builder.len(), 3);
    assert_eq!(builder.size_bytes(), golden!("java-plain-no-producer").len());
}

#[test]
fn the_size_with_one_more_record_is_known_before_it_is_encoded() {
    let mut builder = BatchBuilder::new(Codec::None);
    let value = [7; 200];
    for length in [0, 1, 63, 64, 200] {
        let record = NewRecord {
            timestamp: 1 << length.min(40),
            key: (length > 0).then_some(&value[..1]),
            value: Some(&value[..length]),
            headers: &[(b"h", None), (b"", Some(b"x"))],
        };
        let foretold = builder.size_bytes_with(&record).unwrap();
        builder.push(&record).unwrap();
        assert_eq!(builder.size_bytes(), foretold);
    }
}

#[test]
fn an_empty_builder_and_contradicting_producer_fields_are_refused() {
    assert!(BatchBuilder::new(Codec::Zstd).finish().is_err());
    let mut builder = BatchBuilder::new(Codec::None).transactional();
    builder.push(&NewRecord::default()).unwrap();
    assert!(builder.finish().is_err());
}

#[test]
fn header_keys_may_repeat_and_be_any_bytes() {
    let headers: [(&[u8], Option<&[u8]>); 3] =
        [(b"\xff\xfe", None), (b"\xff\xfe", Some(b"")), (b"", Some(b"x"))];
    let mut builder = BatchBuilder::new(Codec::Lz4);
    builder
        .push(&NewRecord {
            headers: &headers,
            ..NewRecord::default()
        })
        .unwrap();
    let batch = builder.finish().unwrap();
    let records = batch.records(RECORDS_BYTES_MAX).unwrap();
    let record = records.iter().next().unwrap().unwrap();
    assert_eq!(record.headers().len(), 3);
    assert!(record.headers().eq(headers));
}

#[test]
fn log_append_time_overrules_the_records_times() {
    let mut builder = BatchBuilder::new(Codec::None).log_append_time(77);
    builder.push_record(&golden_records(0)[0]).unwrap();
    let batch = builder.finish().unwrap();
    let records = batch.records(RECORDS_BYTES_MAX).unwrap();
    assert_eq!(records.iter().next().unwrap().unwrap().timestamp, 77);
}

#[test]
fn timestamps_at_both_ends_of_the_range_survive() {
    let mut records = golden_records(0);
    records[0].timestamp = i64::MIN;
    records[1].timestamp = i64::MAX;
    let batch = build(Codec::None, &records);
    assert_eq!(read(&batch.records(RECORDS_BYTES_MAX).unwrap()).unwrap(), records);
}

#[test]
fn a_compressed_batch_that_promises_too_many_records_cannot_be_made_plain() {
    let payload = super::super::compress(Codec::Zstd, None, &[12, 0, 0, 0, 1, 1, 0]).unwrap();
    let bytes = super::super::tests::with_payload(Codec::Zstd, 1_000_000, &payload);
    let batch = ValidBatch::verify(bytes).unwrap();
    assert!(recompress(&batch, Codec::None, None, RECORDS_BYTES_MAX).is_err());
}

proptest! {
    #[test]
    fn built_batches_pass_every_check(codec in any_codec(), level in -200..30_i32, records in any_records()) {
        let mut builder = BatchBuilder::new(codec).level(level).producer(1, 0, i32::MAX);
        for record in &records {
            builder.push_record(record).unwrap();
        }
        let batch = builder.finish().unwrap();
        let summary = validate_records(&batch, RECORDS_BYTES_MAX).unwrap();
        prop_assert!(summary.max_timestamp_is_honest);
    }

    #[test]
    fn recompression_changes_only_the_codec(from in any_codec(), to in any_codec(), records in any_records()) {
        let batch = build(from, &records);
        let other = recompress(&batch, to, None, RECORDS_BYTES_MAX).unwrap();
        let other = ValidBatch::verify(other.into_bytes()).unwrap();
        prop_assert_eq!(other.codec(), to);
        prop_assert_eq!(read(&other.records(RECORDS_BYTES_MAX).unwrap()).unwrap(), records.clone());
        let back = recompress(&other, Codec::None, None, RECORDS_BYTES_MAX).unwrap();
        let plain = build(Codec::None, &records);
        prop_assert_eq!(back.bytes(), plain.bytes());
    }
}
