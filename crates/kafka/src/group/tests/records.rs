//! The stored format (docs/format/group.md).

use crate::group::*;
use bytes::Bytes;
use std::sync::Arc;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn group() -> Record {
    Record::Group(
        "g".into(),
        Some(GroupMetadata {
            protocol_type: Some("consumer".into()),
            generation: 7,
            protocol: Some("range".into()),
            leader: Some("m".into()),
            since_ms: 0x0102_0304_0506_0708,
            members: vec![MemberMetadata {
                member: "m".into(),
                instance: None,
                client_id: Arc::from("c"),
                client_host: Arc::from("/h"),
                rebalance_timeout_ms: 300_000,
                session_timeout_ms: 45_000,
                metadata: Bytes::from_static(&[0xaa, 0xbb]),
                assignment: Bytes::from_static(&[0xcc]),
            }],
        }),
    )
}

fn offset() -> CommittedOffset {
    CommittedOffset {
        offset: 42,
        leader_epoch: 3,
        committed_ms: 1_000,
        expires_ms: None,
        topic_id: TopicId([9; 16]),
        metadata: Arc::from("n"),
    }
}

#[test]
fn version_one_keeps_its_bytes() {
    let encoded = group().encode();
    assert_eq!(hex(&encoded.key), "010100000067");
    assert_eq!(
        hex(&encoded.value.unwrap()),
        concat!(
            "01",
            "08000000636f6e73756d6572",
            "07000000",
            "0500000072616e6765",
            "010000006d",
            "0807060504030201",
            "01000000",
            "010000006d",
            "ffffffff",
            "0100000063",
            "020000002f68",
            "e0930400",
            "c8af0000",
            "02000000aabb",
            "01000000cc",
        )
    );
    let encoded = Record::Offset("g".into(), "t".into(), 5, Some(offset())).encode();
    assert_eq!(hex(&encoded.key), "020100000067010000007405000000");
    assert_eq!(
        hex(&encoded.value.unwrap()),
        concat!(
            "01",
            "2a00000000000000",
            "03000000",
            "e803000000000000",
            "ffffffffffffffff",
            "09090909090909090909090909090909",
            "010000006e",
        )
    );
    let encoded = Record::TransactionalOffset("g".into(), 1, "t".into(), 5, Some(offset())).encode();
    assert_eq!(
        hex(&encoded.key),
        "0301000000670100000000000000010000007405000000"
    );
}

#[test]
fn a_tombstone_is_a_key_without_a_value() {
    for record in [
        Record::Group("g".into(), None),
        Record::Offset("g".into(), "t".into(), 0, None),
        Record::TransactionalOffset("g".into(), 1, "t".into(), 0, None),
    ] {
        let encoded = record.encode();
        assert_eq!(encoded.value, None);
        assert_eq!(Record::decode(&encoded.key, None), Ok(record));
    }
}

#[test]
fn damaged_records_are_refused_wherever_they_are_cut() {
    let encoded = group().encode();
    let value = encoded.value.unwrap();
    assert_eq!(Record::decode(&encoded.key, Some(&value)), Ok(group()));
    for end in 0..value.len() {
        assert!(Record::decode(&encoded.key, Some(&value[..end])).is_err());
    }
    for end in 0..encoded.key.len() {
        assert!(Record::decode(&encoded.key[..end], Some(&value)).is_err());
    }
    let mut longer = value.to_vec();
    longer.push(0);
    assert_eq!(
        Record::decode(&encoded.key, Some(&longer)),
        Err(RecordError::Malformed)
    );
}

#[test]
fn records_of_a_later_version_are_refused_and_stop_the_load() {
    let encoded = Record::Offset("g".into(), "t".into(), 0, Some(offset())).encode();
    let mut value = encoded.value.unwrap().to_vec();
    value[0] = 2;
    assert_eq!(
        Record::decode(&encoded.key, Some(&value)),
        Err(RecordError::UnknownVersion(2))
    );
    let mut loader = ShardLoader::default();
    loader.replay(&encoded.key, Some(&value));
    let now = Now {
        monotonic: std::time::Duration::ZERO,
        wall_ms: 0,
    };
    assert!(
        loader
            .finish(
                GroupConfig::default(),
                Arc::new(super::harness::TestFacts::default()),
                now
            )
            .is_err()
    );
}

#[test]
fn an_absurd_count_of_members_allocates_nothing() {
    let encoded = Record::Group(
        "g".into(),
        Some(GroupMetadata {
            protocol_type: None,
            generation: 0,
            protocol: None,
            leader: None,
            since_ms: 0,
            members: Vec::new(),
        }),
    )
    .encode();
    let mut value = encoded.value.unwrap().to_vec();
    let at = value.len() - 4;
    value[at..].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(
        Record::decode(&encoded.key, Some(&value)),
        Err(RecordError::Malformed)
    );
}
