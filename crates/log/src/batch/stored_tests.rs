//! Tests of `stored`: what may lie in the log.

use super::super::tests::{build, golden, golden_records, patched, read};
use super::super::{Codec, field};
use super::*;

#[test]
fn what_kafkas_cleaner_leaves_is_a_stored_batch_but_cannot_be_appended() {
    for bytes in [
        golden!("java-empty"),
        golden!("java-after-clean-none"),
        golden!("java-after-clean-zstd"),
    ] {
        let batch = StoredBatch::verify(bytes.clone()).unwrap();
        assert_eq!(batch.header().base_offset, Offset(100));
        assert_eq!(batch.header().last_offset(), Offset(102));
        assert!(ValidBatch::verify(bytes).is_err());
    }
}

#[test]
fn an_emptied_batch_has_no_records_even_if_its_codec_bits_are_left() {
    let bytes = patched(&golden!("java-empty"), field::ATTRIBUTES + 1, &[4]);
    let batch = StoredBatch::verify(bytes).unwrap();
    assert_eq!(batch.records(0).unwrap().iter().count(), 0);
}

#[test]
fn a_stamped_batch_reads_back_with_its_offsets() {
    let stamped = StoredBatch::stamp(build(Codec::Lz4, &golden_records(0)), Offset(500), Epoch(3));
    let batch = StoredBatch::verify(stamped.bytes().clone()).unwrap();
    assert_eq!(batch.header(), stamped.header());
    assert_eq!(batch.header().epoch, Epoch(3));
    assert_eq!(read(&batch.records(1 << 20).unwrap()), Ok(golden_records(500)));
}

#[test]
fn more_records_than_offsets_are_refused() {
    let bytes = patched(
        &golden!("java-after-clean-zstd"),
        field::RECORDS_COUNT,
        &4_i32.to_be_bytes(),
    );
    assert!(matches!(
        StoredBatch::verify(bytes),
        Err(BatchError::Inconsistent(_))
    ));
}
