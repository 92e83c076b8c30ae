//! Tests of `verify`: what may be appended, and why the rest may not; hostile bytes.

use super::super::tests::{build, exercise, golden, golden_records, patched, seal, with_payload};
use super::super::{Codec, field};
use super::*;
use proptest::prelude::*;

fn refused(bytes: Bytes) -> &'static str {
    match ValidBatch::verify(bytes) {
        Err(BatchError::Inconsistent(why)) => why,
        other => panic!("expected an inconsistency, not {other:?}"),
    }
}

#[test]
fn batches_of_stock_clients_verify_and_are_kept_as_they_came() {
    for bytes in [
        golden!("java-none"),
        golden!("java-gzip"),
        golden!("java-snappy"),
        golden!("java-lz4"),
        golden!("java-zstd"),
        golden!("java-plain-no-producer"),
        golden!("java-commit-marker"),
        golden!("kafka-python-gzip"),
        golden!("kafka-python-snappy"),
        golden!("kafka-python-lz4"),
        golden!("kafka-python-zstd"),
    ] {
        let batch = ValidBatch::verify(bytes.clone()).unwrap();
        assert_eq!(batch.bytes().as_ptr(), bytes.as_ptr(), "no copy");
    }
}

#[test]
fn exactly_one_batch_is_taken() {
    let bytes = golden!("java-none");
    assert_eq!(refused(Bytes::new()), "there is no batch");
    assert_eq!(
        refused(Bytes::from([&bytes[..], &bytes[..]].concat())),
        "there is more than one batch"
    );
    for len in 1..bytes.len() {
        let cut = ValidBatch::verify(bytes.slice(..len)).unwrap_err();
        assert_eq!(cut, BatchError::Truncated, "{len}");
    }
}

#[test]
fn every_flipped_bit_behind_the_checksum_is_found() {
    let bytes = golden!("java-none");
    for bit in field::CRC * 8..bytes.len() * 8 {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        // Counts whose sign flips are refused before the CRC is computed.
        assert!(ValidBatch::verify(Bytes::from(flipped)).is_err(), "{bit}");
    }
}

#[test]
fn the_checksum_is_judged_before_the_counts() {
    let mut bytes = golden!("java-none").to_vec();
    bytes[field::RECORDS_COUNT + 3] = 9;
    assert_eq!(
        ValidBatch::verify(Bytes::from(bytes)).unwrap_err(),
        BatchError::BadCrc
    );
}

#[test]
fn counts_must_agree_and_be_possible() {
    let bytes = golden!("java-none");
    assert_eq!(
        refused(patched(&bytes, field::RECORDS_COUNT, &4_i32.to_be_bytes())),
        "the count of records contradicts the last offset delta"
    );
    let mut none = patched(&bytes, field::RECORDS_COUNT, &[0; 4]).to_vec();
    none[field::LAST_OFFSET_DELTA..][..4].fill(0);
    assert_eq!(refused(seal(&mut none)), "the batch holds no record");
    assert_eq!(
        refused(with_payload(Codec::None, i32::MAX as u32, &[0; 70])),
        "more records than the bytes can hold"
    );
    assert_eq!(
        refused(patched(&bytes, field::BASE_OFFSET, &5_i64.to_be_bytes())),
        "the base offset of a batch to append is not 0"
    );
}

#[test]
fn attributes_that_only_a_broker_sets_are_refused() {
    let bytes = golden!("java-none");
    assert_eq!(
        refused(patched(&bytes, field::ATTRIBUTES + 1, &[1 << 6])),
        "only compaction sets a delete horizon"
    );
    let unknown = ValidBatch::verify(patched(&bytes, field::ATTRIBUTES + 1, &[7]));
    assert_eq!(unknown.unwrap_err(), BatchError::UnknownCodec(7));
}

#[test]
fn producer_fields_must_be_coherent() {
    let bytes = golden!("java-none");
    for (at, value, why) in [
        (
            field::PRODUCER_ID,
            &(-2_i64).to_be_bytes()[..],
            "the producer id is negative",
        ),
        (
            field::PRODUCER_ID,
            &(-1_i64).to_be_bytes(),
            "a transactional batch names no producer",
        ),
        (
            field::PRODUCER_EPOCH,
            &(-1_i16).to_be_bytes(),
            "the producer epoch is negative",
        ),
        (
            field::BASE_SEQUENCE,
            &(-1_i32).to_be_bytes(),
            "an idempotent batch has no base sequence",
        ),
    ] {
        assert_eq!(refused(patched(&bytes, at, value)), why);
    }
    // Without a producer, zeros in the other two fields are what some clients send.
    let plain = golden!("java-plain-no-producer");
    assert!(ValidBatch::verify(patched(&plain, field::PRODUCER_EPOCH, &[0; 6])).is_ok());
}

#[test]
fn log_append_time_keeps_the_records_and_reads_as_their_time() {
    let batch = build(Codec::Zstd, &golden_records(0)).with_timestamps(TimestampType::LogAppendTime, 99);
    let batch = ValidBatch::verify(batch.into_bytes()).unwrap();
    let records = batch.records(1 << 20).unwrap();
    assert!(records.iter().all(|record| record.unwrap().timestamp == 99));
}

#[test]
fn a_shared_batch_is_copied_before_it_is_stamped() {
    let batch = build(Codec::None, &golden_records(0));
    let before = batch.bytes().clone();
    let copy = before.to_vec();
    let _ = batch.with_timestamps(TimestampType::LogAppendTime, 99);
    assert_eq!(before, copy);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_never_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        exercise(Bytes::from(bytes.clone()));
        if bytes.len() >= HEADER_BYTES {
            bytes[field::MAGIC] = 2;
            bytes[field::BASE_OFFSET..][..8].fill(0);
            exercise(seal(&mut bytes));
        }
    }

    #[test]
    fn damaged_batches_with_a_right_checksum_never_panic(
        which in 0..10_usize,
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let batches = [
            golden!("java-none"), golden!("java-gzip"), golden!("java-snappy"), golden!("java-lz4"),
            golden!("java-zstd"), golden!("kafka-python-snappy"), golden!("kafka-python-lz4"),
            golden!("java-after-clean-none"), golden!("java-after-clean-zstd"), golden!("java-abort-marker"),
        ];
        let mut bytes = batches[which].to_vec();
        if let Some(cut) = cut {
            bytes.truncate(HEADER_BYTES + cut.index(bytes.len() - HEADER_BYTES));
        }
        for (at, value) in flips {
            // Offset, length and magic stay, so that the damage reaches the inside.
            let at = field::ATTRIBUTES + at.index(bytes.len() - field::ATTRIBUTES);
            bytes[at] = value;
        }
        exercise(seal(&mut bytes));
    }
}
