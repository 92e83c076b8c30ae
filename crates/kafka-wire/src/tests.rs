//! Promises of the hand-written half that span several files: sharing, tags, refusals. Values at large are tested in tests/it.

use crate::fetch::{FetchableTopicResponse, PartitionData};
use crate::*;
use bytes::Bytes;

const PLAIN: At = At {
    version: 0,
    flexible: false,
};
const FLEXIBLE: At = At {
    version: 0,
    flexible: true,
};

fn fetch_response(records: Records) -> FetchResponse {
    let partition = PartitionData {
        records: Some(records),
        ..Default::default()
    };
    FetchResponse {
        responses: vec![FetchableTopicResponse {
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

#[test]
fn a_fetch_response_shares_records_with_the_frame() {
    let chunks: Vec<Bytes> = (0..3)
        .map(|fill| Bytes::from(vec![fill; SHARE_BYTES_MIN]))
        .collect();
    let response = fetch_response(chunks.clone().into());
    for version in ApiKey::Fetch.versions() {
        let frame = encode_response(&response, version, 5).unwrap();
        for chunk in &chunks {
            let shared = frame
                .chunks()
                .iter()
                .filter(|part| part.as_ptr() == chunk.as_ptr());
            assert_eq!(shared.count(), 1, "version {version}");
        }
        let whole: Bytes = frame.into_chunks().concat().into();
        let (correlation_id, read) = decode_response::<FetchResponse>(&whole.slice(4..), version).unwrap();
        assert_eq!((correlation_id, read), (5, response.clone()), "version {version}");
    }
}

#[test]
fn produced_records_are_slices_of_the_frame() {
    let request = ProduceRequest {
        topic_data: vec![produce::TopicProduceData {
            name: Str::from("t"),
            partition_data: vec![produce::PartitionProduceData {
                index: 1,
                records: Some(Bytes::from(vec![9; 5000]).into()),
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let frame = request.encode_to_bytes(9).unwrap();
    let read = ProduceRequest::decode_exact(&frame, 9).unwrap();
    let records = read.topic_data[0].partition_data[0]
        .records
        .clone()
        .unwrap()
        .into_contiguous();
    assert!(frame.as_ptr_range().contains(&records.as_ptr()));
    assert_eq!(read, request);
}

#[test]
fn small_chunks_are_copied_so_that_they_pin_nothing() {
    let response = fetch_response(Bytes::from(vec![1; SHARE_BYTES_MIN - 1]).into());
    assert_eq!(encode_response(&response, 12, 0).unwrap().chunks().len(), 1);
}

#[test]
fn a_field_that_the_version_lacks_is_dropped_or_refused_as_the_table_says() {
    let ignorable = FetchRequest {
        rack_id: Str::from("r"),
        ..Default::default()
    };
    let read = FetchRequest::decode_exact(&ignorable.encode_to_bytes(10).unwrap(), 10).unwrap();
    assert_eq!(read.rack_id, "");

    let needed = FetchRequest {
        replica_id: 3,
        ..Default::default()
    };
    let refused = EncodeError::FieldNotInVersion {
        field: "replica_id",
        version: 15,
    };
    assert_eq!(needed.encode_to_bytes(15), Err(refused));
    assert!(needed.encode_to_bytes(14).is_ok());
}

#[test]
fn null_is_refused_where_the_version_does_not_allow_it() {
    let all_topics = MetadataRequest {
        topics: None,
        ..Default::default()
    };
    let refused = EncodeError::NullNotInVersion {
        field: "topics",
        version: 0,
    };
    assert_eq!(all_topics.encode_to_bytes(0), Err(refused));
    assert_eq!(all_topics.encode_to_bytes(1).unwrap()[..4], [0xff; 4]);
    let null = Bytes::from_static(&[0xff; 4]);
    assert_eq!(
        MetadataRequest::decode_exact(&null, 0).err(),
        Some(DecodeError::UnexpectedNull)
    );
}

#[test]
fn versions_that_do_not_exist_are_refused_both_ways() {
    let request = FetchRequest::default();
    for version in [-1, 3, 19] {
        assert_eq!(
            request.encode_to_bytes(version),
            Err(EncodeError::UnsupportedVersion)
        );
        let read = FetchRequest::decode_exact(&Bytes::new(), version);
        assert_eq!(read.err(), Some(DecodeError::UnsupportedVersion));
    }
}

#[test]
fn strings_are_no_longer_than_kafka_allows() {
    let long = "x".repeat(i16::MAX as usize + 1);
    let mut encoder = Encoder::new();
    assert_eq!(
        encoder.string(&Str::from(&*long), FLEXIBLE),
        Err(EncodeError::TooLong)
    );
    encoder.string(&Str::from(&long[1..]), PLAIN).unwrap();

    let mut encoder = Encoder::new();
    encoder.bytes(&Bytes::from(long), FLEXIBLE).unwrap();
    let frame = encoder.into_contiguous();
    assert_eq!(
        Reader::new(&frame).string(FLEXIBLE),
        Err(DecodeError::InvalidLength)
    );
}

#[test]
fn lengths_below_null_are_refused() {
    let frame = Bytes::from_static(&[0xff, 0xff, 0xff, 0xfe]);
    assert_eq!(
        Reader::new(&frame).opt_bytes(PLAIN),
        Err(DecodeError::InvalidLength)
    );
    assert_eq!(
        Reader::new(&frame.slice(2..)).opt_string(PLAIN),
        Err(DecodeError::InvalidLength)
    );
    assert_eq!(
        Reader::new(&frame).opt_array::<i32>(PLAIN),
        Err(DecodeError::InvalidLength)
    );
}

#[test]
fn varints_round_trip_and_end_at_32_bits() {
    for value in [0, 1, 127, 128, 16_383, 16_384, u32::MAX - 1, u32::MAX] {
        let mut encoder = Encoder::new();
        encoder.uvarint(value);
        let frame = encoder.into_contiguous();
        let mut reader = Reader::new(&frame);
        assert_eq!(reader.uvarint(), Ok(value));
        assert_eq!(reader.finish(), Ok(()));
    }
    for long in [&[0xff, 0xff, 0xff, 0xff, 0x1f][..], &[0x80; 9]] {
        let frame = Bytes::copy_from_slice(long);
        assert_eq!(Reader::new(&frame).uvarint(), Err(DecodeError::VarintTooLong));
    }
    assert_eq!(
        Reader::new(&Bytes::from_static(&[0x80])).uvarint(),
        Err(DecodeError::Truncated)
    );
}

/// A fetch request of version 12 without topics, up to its tags.
fn fetch_before_tags() -> Vec<u8> {
    let mut frame = FetchRequest::default().encode_to_bytes(12).unwrap().to_vec();
    assert_eq!(frame.pop(), Some(0));
    frame
}

#[test]
fn unknown_tags_are_skipped_and_known_ones_read_beside_them() {
    let mut frame = fetch_before_tags();
    // Three fields: the cluster id (tag 0), one of three bytes (tag 40), one of none (tag 300).
    frame.extend([3, 0, 3, 3, b'i', b'd', 40, 3, 9, 9, 9, 0xac, 0x02, 0]);
    let read = FetchRequest::decode_exact(&frame.into(), 12).unwrap();
    assert_eq!(read.cluster_id.as_deref(), Some("id"));
}

#[test]
fn a_known_tag_must_be_used_up_by_its_field() {
    let mut frame = fetch_before_tags();
    frame.extend([1, 0, 4, 3, b'i', b'd', 0]);
    assert_eq!(
        FetchRequest::decode_exact(&frame.into(), 12).err(),
        Some(DecodeError::TrailingBytes)
    );
    let mut frame = fetch_before_tags();
    frame.extend([1, 0, 2, 3, b'i', b'd']);
    assert_eq!(
        FetchRequest::decode_exact(&frame.into(), 12).err(),
        Some(DecodeError::Truncated)
    );
}

#[test]
fn a_tag_of_a_later_version_is_unknown_before_it() {
    let mut frame = fetch_before_tags();
    // Tag 1 is the replica state from version 15 on; at version 12 whatever it holds is skipped.
    frame.extend([1, 1, 2, 0xde, 0xad]);
    let read = FetchRequest::decode_exact(&frame.into(), 12).unwrap();
    assert_eq!(read.replica_state, fetch::ReplicaState::default());
}

#[test]
fn bytes_after_the_message_are_refused() {
    let mut frame = HeartbeatRequest::default().encode_to_bytes(4).unwrap().to_vec();
    frame.push(0);
    assert_eq!(
        HeartbeatRequest::decode_exact(&frame.into(), 4).err(),
        Some(DecodeError::TrailingBytes)
    );
}

#[test]
fn the_header_of_an_unknown_api_is_still_read() {
    let frame = Bytes::from_static(&[0x7f, 0xff, 0, 1, 0, 0, 0, 9, 0, 2, b'm', b'e', 1, 2, 3]);
    let mut reader = Reader::new(&frame);
    let header = RequestHeader::read(&mut reader).unwrap();
    assert_eq!((header.api_key, header.correlation_id), (0x7fff, 9));
    assert_eq!(header.client_id.as_deref(), Some("me"));
    assert_eq!(reader.remaining(), 3);
}

#[test]
fn the_header_of_a_version_to_come_is_still_read() {
    // ApiVersions 99: the broker must answer it at version 0 (KIP-511).
    let frame = Bytes::from_static(&[0, 18, 0, 99, 0, 0, 0, 1, 0xff, 0xff, 0]);
    let mut reader = Reader::new(&frame);
    let header = RequestHeader::read(&mut reader).unwrap();
    assert_eq!((header.api_version, header.client_id), (99, None));
    assert_eq!(reader.remaining(), 0);
}

#[test]
fn secrets_stay_out_of_debug() {
    let request = SaslAuthenticateRequest {
        auth_bytes: Bytes::from_static(b"\0user\0hunter2"),
    };
    let shown = format!("{request:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn the_budget_grows_with_the_frame_up_to_its_bound() {
    let budget = |len: usize| Reader::new(&Bytes::from(vec![0; len])).budget_left();
    assert_eq!(budget(0), DECODE_BUDGET_BYTES_BASE);
    assert_eq!(
        budget(1000),
        DECODE_BUDGET_BYTES_BASE + 1000 * DECODE_BUDGET_BYTES_PER_BYTE
    );
    assert_eq!(budget(DECODE_BUDGET_BYTES_MAX / 4), DECODE_BUDGET_BYTES_MAX);
}
