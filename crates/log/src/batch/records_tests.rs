//! Tests of `records`: batches of other implementations, and every way in which a record can lie about itself.

use super::super::tests::{
    RECORDS_BYTES_MAX, any_codec, any_records, build, golden, golden_records, oracle_decode, oracle_encode,
    oracle_records, read, with_payload,
};
use super::super::{Codec, ValidBatch};
use super::*;
use proptest::prelude::*;

#[test]
fn java_batches_of_every_codec_hold_their_records() {
    for bytes in [
        golden!("java-none"),
        golden!("java-gzip"),
        golden!("java-snappy"),
        golden!("java-lz4"),
        golden!("java-zstd"),
    ] {
        let batch = ValidBatch::verify(bytes).unwrap();
        let records = batch.records(RECORDS_BYTES_MAX).unwrap();
        assert_eq!(read(&records), Ok(golden_records(0)), "{:?}", batch.codec());
    }
}

#[test]
fn kafka_python_batches_of_every_codec_hold_their_records() {
    for (bytes, codec) in [
        (golden!("kafka-python-gzip"), Codec::Gzip),
        (golden!("kafka-python-snappy"), Codec::Snappy),
        (golden!("kafka-python-lz4"), Codec::Lz4),
        (golden!("kafka-python-zstd"), Codec::Zstd),
    ] {
        let batch = ValidBatch::verify(bytes).unwrap();
        assert_eq!(batch.codec(), codec);
        let records = read(&batch.records(RECORDS_BYTES_MAX).unwrap()).unwrap();
        let mut expected = golden_records(0);
        expected[1].value = Some(format!("no key, {}", "some text ".repeat(8)).into());
        expected[1].headers.pop();
        assert_eq!(records, expected);
    }
}

#[test]
fn plain_records_are_read_in_place() {
    let bytes = golden!("java-none");
    let batch = ValidBatch::verify(bytes.clone()).unwrap();
    let records = batch.records(RECORDS_BYTES_MAX).unwrap();
    assert_eq!(records.bytes().as_ptr(), bytes[HEADER_BYTES..].as_ptr());
    let first = records.share(&records.iter().next().unwrap().unwrap());
    assert!(bytes.as_ptr_range().contains(&first.value.unwrap().as_ptr()));
}

/// The error of a plain batch that claims one record and has this payload.
fn refused(payload: &[u8]) -> &'static str {
    let mut padded = payload.to_vec();
    // `verify` asks for seven bytes a record; an error must come before the padding is reached.
    padded.resize(payload.len().max(RECORD_BYTES_MIN), 0);
    let batch = ValidBatch::verify(with_payload(Codec::None, 1, &padded)).unwrap();
    let records = batch.records(RECORDS_BYTES_MAX).unwrap();
    let mut items = records.iter();
    let error = loop {
        match items.next().expect("an error") {
            Err(BatchError::Inconsistent(why)) => break why,
            Err(other) => panic!("{other:?}"),
            Ok(_) => {}
        }
    };
    assert!(items.next().is_none(), "nothing follows an error");
    error
}

#[test]
fn malformed_records_are_refused_with_the_reason() {
    assert_eq!(refused(&[0xff; 7]), "a record's length is malformed");
    assert_eq!(
        refused(&[1, 0, 0, 0, 0, 0, 0]),
        "a record is longer than the bytes that follow"
    );
    assert_eq!(
        refused(&[126, 0, 0, 0, 0, 0, 0]),
        "a record is longer than the bytes that follow"
    );
    assert_eq!(refused(&[0, 0, 0, 0, 0, 0, 0]), "a record has no attributes");
    assert_eq!(refused(&[2, 0]), "a record's timestamp delta is malformed");
    assert_eq!(refused(&[6, 0, 0, 1]), "a record's offset delta is malformed");
    assert_eq!(refused(&[6, 0, 0, 2]), "a record's offset is out of order");
    assert_eq!(refused(&[8, 0, 0, 0, 3]), "a record's key is malformed");
    assert_eq!(refused(&[8, 0, 0, 0, 10]), "a record's key is malformed");
    assert_eq!(refused(&[10, 0, 0, 0, 1, 3]), "a record's value is malformed");
    assert_eq!(
        refused(&[12, 0, 0, 0, 1, 1, 1]),
        "a record's headers are malformed"
    );
    // Two headers claimed, three bytes left.
    assert_eq!(
        refused(&[18, 0, 0, 0, 1, 1, 4, 0, 1, 0]),
        "a record's headers are malformed"
    );
    // 2^31 - 1 headers claimed: nothing is allocated for them.
    assert_eq!(
        refused(&[20, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f]),
        "a record's headers are malformed"
    );
    // A header key may not be null.
    assert_eq!(
        refused(&[16, 0, 0, 0, 1, 1, 2, 1, 1]),
        "a record's headers are malformed"
    );
    assert_eq!(
        refused(&[14, 0, 0, 0, 1, 1, 0, 0]),
        "a record is longer than its fields"
    );
    assert_eq!(
        refused(&[12, 0, 0, 0, 1, 1, 0, 0]),
        "bytes follow the last record"
    );
}

#[test]
fn fewer_records_than_the_header_promises_are_found() {
    let one = [12, 0, 0, 0, 1, 1, 0];
    let payload = super::compression::compress(Codec::Zstd, None, &one).unwrap();
    let batch = ValidBatch::verify(with_payload(Codec::Zstd, 1_000_000, &payload)).unwrap();
    let items: Vec<_> = batch
        .records(100)
        .unwrap()
        .iter()
        .map(|item| item.is_ok())
        .collect();
    assert_eq!(items, [true, false]);
}

#[test]
fn offsets_that_repeat_are_refused() {
    let twice = [12, 0, 0, 0, 1, 1, 0, 12, 0, 0, 0, 1, 1, 0];
    let batch = ValidBatch::verify(with_payload(Codec::None, 2, &twice)).unwrap();
    let last = batch.records(100).unwrap().iter().last().map(|item| item.is_ok());
    assert_eq!(last, Some(false));
}

proptest! {
    #[test]
    fn what_is_built_is_read_back(codec in any_codec(), records in any_records()) {
        let batch = build(codec, &records);
        prop_assert_eq!(batch.codec(), codec);
        prop_assert_eq!(read(&batch.records(RECORDS_BYTES_MAX).unwrap()).unwrap(), records);
    }

    #[test]
    fn the_oracle_reads_what_is_built(codec in any_codec(), records in oracle_records()) {
        let batch = build(codec, &records);
        prop_assert_eq!(oracle_decode(batch.bytes()), records);
    }

    #[test]
    fn what_the_oracle_writes_is_read(codec in any_codec(), records in oracle_records()) {
        let batch = ValidBatch::verify(oracle_encode(codec, &records)).unwrap();
        prop_assert_eq!(read(&batch.records(RECORDS_BYTES_MAX).unwrap()).unwrap(), records);
    }

    #[test]
    fn damaged_plain_records_never_panic(
        records in any_records(),
        at in any::<prop::sample::Index>(),
        value: u8,
    ) {
        let bytes = build(Codec::None, &records).into_bytes();
        let mut damaged = bytes.to_vec();
        let at = HEADER_BYTES + at.index(bytes.len() - HEADER_BYTES);
        damaged[at] = value;
        super::super::tests::exercise(super::super::tests::seal(&mut damaged));
    }
}
