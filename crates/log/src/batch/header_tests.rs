//! Tests of `header`: the layout, stamping, splitting.

use super::super::tests::{build, golden, golden_records, with_payload};
use super::super::{BatchError, Codec, ValidBatch};
use super::*;

#[test]
fn every_field_of_a_batch_that_java_wrote_is_read() {
    let bytes = golden!("java-zstd");
    let header = BatchHeader::parse(&bytes).unwrap();
    assert_eq!(
        header,
        BatchHeader {
            base_offset: Offset(0),
            size_bytes: bytes.len(),
            epoch: EPOCH_UNSTAMPED,
            crc: crc32c::crc32c(&bytes[21..]),
            attributes: 0b1_0100,
            last_offset_delta: 2,
            base_timestamp: 1_700_000_000_000,
            max_timestamp: 1_700_000_000_007,
            producer_id: 42,
            producer_epoch: 3,
            base_sequence: 17,
            records_count: 3,
        }
    );
    assert_eq!(header.codec(), Ok(Codec::Zstd));
    assert_eq!(header.timestamp_type(), TimestampType::CreateTime);
    assert!(header.is_transactional() && !header.is_control() && header.has_producer());
    assert_eq!(header.delete_horizon(), None);
    assert_eq!(header.last_sequence(), 19);
    assert_eq!(header.encode()[..], bytes[..HEADER_BYTES]);
}

#[test]
fn older_formats_are_told_apart_even_when_they_are_shorter_than_a_header() {
    let mut message = [0_u8; 26];
    message[16] = 1;
    assert_eq!(BatchHeader::parse(&message), Err(BatchError::OldMagic(1)));
    message[16] = 0;
    assert_eq!(BatchHeader::parse(&message), Err(BatchError::OldMagic(0)));
    message[16] = 3;
    assert_eq!(BatchHeader::parse(&message), Err(BatchError::UnknownMagic(3)));
    message[16] = 2;
    assert_eq!(BatchHeader::parse(&message), Err(BatchError::Truncated));
    assert_eq!(BatchHeader::parse(&message[..16]), Err(BatchError::Truncated));
}

#[test]
fn lengths_below_a_header_and_negative_numbers_are_refused() {
    let bytes = golden!("java-none").to_vec();
    let with = |at: usize, value: i32| {
        let mut bytes = bytes.clone();
        bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
        BatchHeader::parse(&bytes)
    };
    assert_eq!(with(field::BATCH_LENGTH, 48), Err(BatchError::Truncated));
    assert_eq!(with(field::BATCH_LENGTH, -1), Err(BatchError::Truncated));
    assert!(with(field::BATCH_LENGTH, i32::MAX).is_ok());
    for at in [field::BASE_OFFSET, field::LAST_OFFSET_DELTA, field::RECORDS_COUNT] {
        assert!(matches!(with(at, -1), Err(BatchError::Inconsistent(_))), "{at}");
    }
    // Base offset i64::MAX: the offset after the batch would not exist.
    let mut last = bytes.clone();
    last[..8].copy_from_slice(&(i64::MAX - 2).to_be_bytes());
    assert!(matches!(
        BatchHeader::parse(&last),
        Err(BatchError::Inconsistent(_))
    ));
}

#[test]
fn stamping_changes_offset_and_epoch_and_keeps_the_checksum_right() {
    let bytes = golden!("java-gzip");
    let mut stamped = bytes.to_vec();
    stamp(&mut stamped, Offset(1 << 40), Epoch(7));
    let header = BatchHeader::parse(&stamped).unwrap();
    assert_eq!((header.base_offset, header.epoch), (Offset(1 << 40), Epoch(7)));
    assert_eq!(header.next_offset(), Offset((1 << 40) + 3));
    assert_eq!(checksum(&stamped), header.crc);
    assert_eq!(stamped[16..], bytes[16..]);
}

#[test]
fn log_append_time_is_stamped_with_a_new_checksum_and_taken_back() {
    let bytes = golden!("java-none");
    let mut stamped = bytes.to_vec();
    stamp_timestamps(&mut stamped, TimestampType::LogAppendTime, 5);
    let header = *ValidBatch::verify(Bytes::from(stamped.clone())).unwrap().header();
    assert_eq!(header.timestamp_type(), TimestampType::LogAppendTime);
    assert_eq!(header.max_timestamp, 5);
    stamp_timestamps(&mut stamped, TimestampType::CreateTime, 1_700_000_000_007);
    assert_eq!(stamped, bytes);
}

#[test]
fn sequences_wrap_after_the_largest_one() {
    let mut header = BatchHeader::parse(&golden!("java-none")).unwrap();
    header.base_sequence = i32::MAX - 1;
    assert_eq!(header.last_sequence(), 0);
    header.base_sequence = i32::MAX - 2;
    assert_eq!(header.last_sequence(), i32::MAX);
    header.base_sequence = -1;
    assert_eq!(header.last_sequence(), -1);
}

#[test]
fn a_chunk_is_split_into_its_batches_without_a_copy() {
    let parts = [golden!("java-none"), golden!("java-empty"), golden!("java-lz4")];
    let chunk = Bytes::from(parts.concat());
    let batches: Vec<_> = split(chunk.clone()).map(Result::unwrap).collect();
    assert_eq!(batches.len(), 3);
    let mut at = 0;
    for ((header, batch), part) in batches.iter().zip(&parts) {
        assert_eq!(batch, part);
        assert_eq!(header.size_bytes, part.len());
        assert_eq!(batch.as_ptr(), chunk[at..].as_ptr());
        at += part.len();
    }
}

#[test]
fn a_chunk_ends_at_its_first_damaged_batch() {
    let one = build(Codec::None, &golden_records(0)).into_bytes();
    let mut chunk = one.to_vec();
    chunk.extend_from_slice(&one[..one.len() - 1]);
    let items: Vec<_> = split(Bytes::from(chunk)).collect();
    assert!(items[0].is_ok());
    assert_eq!(items[1], Err(BatchError::Truncated));
    assert_eq!(items.len(), 2);
}

#[test]
fn codec_bits_above_zstd_are_not_known() {
    let mut bytes = with_payload(Codec::None, 1, &[0; 7]).to_vec();
    for bits in 5..8 {
        bytes[field::ATTRIBUTES + 1] = bits;
        let header = BatchHeader::parse(&bytes).unwrap();
        assert_eq!(header.codec(), Err(BatchError::UnknownCodec(bits)));
    }
}
