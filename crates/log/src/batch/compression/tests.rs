//! Tests of `compression`: both directions, both framings of snappy, caps, bombs, damage.

use super::*;
use proptest::prelude::*;

const BYTES_MAX: usize = 1 << 20;

const COMPRESSED: [Codec; 4] = [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

fn packed(codec: Codec, records: &[u8]) -> Bytes {
    compress(codec, None, records).unwrap()
}

fn unpacked(codec: Codec, payload: &[u8], bytes_max: usize) -> Result<Bytes, BatchError> {
    decompress(codec, &Bytes::copy_from_slice(payload), bytes_max)
}

/// Bytes that compress, but not to nothing.
fn text(len: usize) -> Vec<u8> {
    let words = (0_u64..).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48).to_string());
    words.flat_map(String::into_bytes).take(len).collect()
}

#[test]
fn plain_payloads_are_shared() {
    let payload = Bytes::from_static(b"records");
    let out = decompress(Codec::None, &payload, 7).unwrap();
    assert_eq!(out.as_ptr(), payload.as_ptr());
    assert_eq!(decompress(Codec::None, &payload, 6), Err(BatchError::TooLarge));
}

#[test]
fn the_cap_is_exact() {
    let records = vec![7_u8; 200_000];
    for codec in COMPRESSED {
        let payload = packed(codec, &records);
        assert_eq!(
            unpacked(codec, &payload, records.len()).unwrap(),
            records,
            "{codec:?}"
        );
        for bytes_max in [0, 1, 65_536, records.len() - 1] {
            let outcome = unpacked(codec, &payload, bytes_max);
            assert_eq!(outcome, Err(BatchError::TooLarge), "{codec:?} {bytes_max}");
        }
    }
}

#[test]
fn bombs_end_at_the_cap() {
    let zeros = vec![0_u8; 64 << 20];
    for codec in COMPRESSED {
        let bomb = packed(codec, &zeros);
        assert!(bomb.len() < zeros.len() / 20, "{codec:?}");
        assert_eq!(
            unpacked(codec, &bomb, BYTES_MAX),
            Err(BatchError::TooLarge),
            "{codec:?}"
        );
    }
}

#[test]
fn joined_bombs_end_at_the_cap_together() {
    // Each member stays below the cap; their sum does not.
    let zeros = vec![0_u8; BYTES_MAX / 2];
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Zstd] {
        let joined = packed(codec, &zeros).repeat(3);
        assert_eq!(
            unpacked(codec, &joined, BYTES_MAX),
            Err(BatchError::TooLarge),
            "{codec:?}"
        );
        let two = packed(codec, &zeros).repeat(2);
        assert_eq!(
            unpacked(codec, &two, BYTES_MAX).unwrap().len(),
            BYTES_MAX,
            "{codec:?}"
        );
    }
    // Java's reader would not see the second frame.
    let joined = packed(Codec::Lz4, &zeros).repeat(2);
    assert_eq!(
        unpacked(Codec::Lz4, &joined, BYTES_MAX),
        Err(BatchError::BadCompression)
    );
}

#[test]
fn every_truncation_is_an_error() {
    let records = text(150_000);
    for codec in COMPRESSED {
        let payload = packed(codec, &records);
        let last = payload.len() - 1;
        for len in (1..payload.len()).step_by(997).chain([last]) {
            let outcome = unpacked(codec, &payload[..len], BYTES_MAX);
            // Snappy's framing has no end: cut between two blocks, it is a shorter stream. The record iterator misses the rest.
            let shorter =
                codec == Codec::Snappy && outcome.as_ref().is_ok_and(|out| out.len() < records.len());
            assert!(outcome.is_err() || shorter, "{codec:?} {len}");
        }
    }
}

#[test]
fn an_lz4_frame_cut_between_two_blocks_is_an_error() {
    let records = text(200_000);
    let payload = packed(Codec::Lz4, &records);
    let header = 7;
    let block = u32::from_le_bytes(payload[header..header + 4].try_into().unwrap()) & 0x7fff_ffff;
    let cut = &payload[..header + 4 + block as usize];
    assert_eq!(
        unpacked(Codec::Lz4, cut, BYTES_MAX),
        Err(BatchError::BadCompression)
    );
}

#[test]
fn snappy_is_read_raw_and_framed_and_written_in_blocks_of_32_kib() {
    let records: Vec<u8> = (0..100_000_u32).map(|n| (n / 3) as u8).collect();
    let raw = snap::raw::Encoder::new().compress_vec(&records).unwrap();
    assert_eq!(unpacked(Codec::Snappy, &raw, BYTES_MAX).unwrap(), records);
    let framed = packed(Codec::Snappy, &records);
    assert_eq!(framed[..16], *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
    let mut rest = &framed[16..];
    let mut blocks = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (block, after) = after.split_at(u32::from_be_bytes(*length) as usize);
        blocks.push(snap::raw::decompress_len(block).unwrap());
        rest = after;
    }
    assert_eq!(blocks, [32_768, 32_768, 32_768, 1_696]);
}

#[test]
fn snappy_versions_in_either_byte_order_are_read() {
    let mut framed = packed(Codec::Snappy, b"some records").to_vec();
    framed[8..16].copy_from_slice(&[1, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(
        unpacked(Codec::Snappy, &framed, BYTES_MAX).unwrap(),
        "some records"
    );
}

#[test]
fn a_snappy_block_that_claims_more_than_it_can_hold_gets_no_room() {
    // 512 KiB claimed by eight bytes: below the cap, above what eight bytes can say.
    let claim = [0x80, 0x80, 0x20, 0, 0, 0, 0, 0];
    assert_eq!(
        unpacked(Codec::Snappy, &claim, BYTES_MAX),
        Err(BatchError::BadCompression)
    );
}

#[test]
fn snappy_never_expands_more_than_its_bound() {
    let zeros = vec![0_u8; 4 << 20];
    let raw = snap::raw::Encoder::new().compress_vec(&zeros).unwrap();
    assert_eq!(unpacked(Codec::Snappy, &raw, 4 << 20).unwrap().len(), zeros.len());
}

#[test]
fn linked_lz4_frames_with_checksums_are_read() {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    use std::io::Write;
    let records: Vec<u8> = (0..700_000_u32).map(|n| (n % 251 * (n >> 12)) as u8).collect();
    let info = FrameInfo::new()
        .block_mode(BlockMode::Linked)
        .block_size(BlockSize::Max256KB)
        .block_checksums(true)
        .content_checksum(true);
    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(&records).unwrap();
    let frame = encoder.finish().unwrap();
    assert_eq!(unpacked(Codec::Lz4, &frame, BYTES_MAX).unwrap(), records);
    let mut damaged = frame.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(
        unpacked(Codec::Lz4, &damaged, BYTES_MAX),
        Err(BatchError::BadCompression)
    );
}

#[test]
fn a_zstd_window_above_the_limit_is_refused() {
    // Magic, descriptor without content size, window descriptor of 2^(10 + 18): 256 MiB. Then an empty last raw block.
    let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 18 << 3, 0x01, 0x00, 0x00];
    assert_eq!(
        unpacked(Codec::Zstd, &frame, BYTES_MAX),
        Err(BatchError::BadCompression)
    );
    let allowed = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 0x01, 0x00, 0x00];
    assert_eq!(unpacked(Codec::Zstd, &allowed, BYTES_MAX).unwrap(), "");
}

#[test]
fn levels_outside_the_range_are_moved_into_it() {
    let records = b"a record, a record, a record".repeat(50);
    for codec in COMPRESSED {
        for level in [i32::MIN, -1, 0, 1, 9, 17, 22, i32::MAX] {
            let payload = compress(codec, Some(level), &records).unwrap();
            assert_eq!(
                unpacked(codec, &payload, BYTES_MAX).unwrap(),
                records,
                "{codec:?} {level}"
            );
        }
    }
}

#[test]
fn the_level_has_an_effect_where_the_codec_has_levels() {
    let records = text(300_000);
    for (codec, low, high) in [(Codec::Gzip, 1, 9), (Codec::Zstd, 1, 19)] {
        let low = compress(codec, Some(low), &records).unwrap();
        let high = compress(codec, Some(high), &records).unwrap();
        assert!(high.len() < low.len(), "{codec:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn random_payloads_never_panic(
        codec in prop::sample::select(COMPRESSED.to_vec()),
        payload in proptest::collection::vec(any::<u8>(), 0..300),
        bytes_max in 0..10_000_usize,
    ) {
        if let Ok(out) = unpacked(codec, &payload, bytes_max) {
            prop_assert!(out.len() <= bytes_max);
        }
    }

    #[test]
    fn damaged_payloads_never_panic_and_keep_the_cap(
        codec in prop::sample::select(COMPRESSED.to_vec()),
        records in proptest::collection::vec(0..4_u8, 0..3_000),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        bytes_max in 0..6_000_usize,
    ) {
        let mut payload = packed(codec, &records).to_vec();
        for (at, value) in flips {
            let at = at.index(payload.len());
            payload[at] = value;
        }
        if let Ok(out) = unpacked(codec, &payload, bytes_max) {
            prop_assert!(out.len() <= bytes_max);
        }
    }

    #[test]
    fn damaged_linked_lz4_frames_never_panic(
        records in proptest::collection::vec(0..4_u8, 0..2_000),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
        use std::io::Write;
        let info = FrameInfo::new().block_mode(BlockMode::Linked).block_size(BlockSize::Max64KB);
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(&records.repeat(100)).unwrap();
        let mut payload = encoder.finish().unwrap();
        for (at, value) in flips {
            let at = at.index(payload.len());
            payload[at] = value;
        }
        let _ = unpacked(Codec::Lz4, &payload, BYTES_MAX);
    }

    #[test]
    fn what_goes_in_comes_out(
        codec in prop::sample::select(Codec::ALL.to_vec()),
        records in proptest::collection::vec(any::<u8>(), 0..5_000),
        times in 0..40_usize,
    ) {
        let records = records.repeat(times);
        prop_assert_eq!(unpacked(codec, &packed(codec, &records), BYTES_MAX).unwrap(), records);
    }
}
