//! Tests of the catalog's records: golden bytes, round trips, hostile bytes.
//!
//! Owns: nothing but tests. Never: a store.
//! **Invariant**: the golden bytes of a version never change.

use super::*;
use proptest::prelude::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn partition(stream: u64, epoch: u32, owner: u32) -> PartitionFacts {
    PartitionFacts {
        stream: StreamId(stream),
        epoch: Epoch(epoch),
        owner,
    }
}

fn configs(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn a_cluster_record_has_its_golden_bytes() {
    let id = ClusterId([0x11; 16]);
    let value = encode_cluster(id);
    assert_eq!(hex(&value), "4d6d010111111111111111111111111111111111b225eb00");
    assert_eq!(decode_cluster(&value), Ok(id));
}

#[test]
fn a_counter_has_its_golden_bytes() {
    let value = encode_counter(0x0102_0304);
    assert_eq!(hex(&value), "4d6d0201040302010000000055b0378d");
    assert_eq!(decode_counter(&value), Ok(0x0102_0304));
}

#[test]
fn a_topic_record_has_its_golden_bytes() {
    let topic = TopicRecord {
        name: "a.b".into(),
        id: TopicId([0x22; 16]),
        partition_count: 3,
    };
    let value = encode_topic(&topic);
    assert_eq!(
        hex(&value),
        "4d6d030122222222222222222222222222222222030000000300612e623cbee10f"
    );
    assert_eq!(decode_topic(&value), Ok(topic));
}

#[test]
fn partitions_have_their_golden_bytes() {
    let partitions = [partition(7, 1, 2), partition(8, 1, 2), partition(20, 0, 3)];
    let value = encode_partitions(&partitions);
    assert_eq!(
        hex(&value),
        "4d6d0401020000000700000000000000020000000100000002000000140000000000000001000000000000000\
         3000000bba9d107"
    );
    assert_eq!(decode_partitions(&value).as_deref(), Ok(&partitions[..]));
}

#[test]
fn configs_have_their_golden_bytes() {
    let map = configs(&[("k", "v"), ("l", "")]);
    let value = encode_configs(&map);
    assert_eq!(
        hex(&value),
        "4d6d05010200000001006b010000007601006c0000000083cc60c2"
    );
    assert_eq!(decode_configs(&value), Ok(map));
}

#[test]
fn the_partitions_of_a_new_topic_are_one_run() {
    let partitions: Vec<_> = (0..u64::from(PARTITIONS_PER_CHUNK))
        .map(|i| partition(5 + i, 0, 1))
        .collect();
    let value = encode_partitions(&partitions);
    assert_eq!(value.len(), 4 + 4 + 20 + 4);
    assert_eq!(decode_partitions(&value), Ok(partitions));
}

/// Replaces the fields of a record and makes the checksum right again.
fn forge(kind: Kind, fields: &[u8]) -> Bytes {
    Encoder::new(kind, VERSION).bytes(fields).finish()
}

#[test]
fn a_record_that_claims_more_than_it_holds_is_refused_without_allocating_it() {
    let most = u32::MAX.to_le_bytes();
    let mut run = 1_u32.to_le_bytes().to_vec();
    run.extend([0; 8]);
    run.extend(most);
    run.extend([0; 8]);
    assert_eq!(
        decode_partitions(&forge(Kind::Partitions, &run)),
        Err(DecodeError::Field("run"))
    );
    assert_eq!(
        decode_partitions(&forge(Kind::Partitions, &most)),
        Err(DecodeError::Field("run_count"))
    );
    assert_eq!(
        decode_partitions(&forge(Kind::Partitions, &[0; 4])),
        Err(DecodeError::Field("run_count"))
    );
    assert_eq!(
        decode_configs(&forge(Kind::Configs, &most)),
        Err(DecodeError::Field("count"))
    );
    let mut one = 1_u32.to_le_bytes().to_vec();
    one.extend([1, 0, b'k']);
    one.extend(60_000_u32.to_le_bytes());
    assert_eq!(
        decode_configs(&forge(Kind::Configs, &one)),
        Err(DecodeError::TooShort)
    );
}

#[test]
fn a_damaged_a_foreign_and_a_later_record_are_told_apart() {
    let value = encode_counter(5);
    let mut damaged = value.to_vec();
    damaged[5] ^= 1;
    assert_eq!(decode_counter(&damaged.into()), Err(DecodeError::Checksum));
    assert_eq!(decode_cluster(&value), Err(DecodeError::NotThisKind));
    let later = Encoder::new(Kind::Counter, 2).u64(5).finish();
    assert_eq!(decode_counter(&later), Err(DecodeError::UnknownVersion(2)));
    let longer = Encoder::new(Kind::Counter, VERSION).u64(5).u16(0).finish();
    assert_eq!(decode_counter(&longer), Err(DecodeError::TooLong));
    assert_eq!(decode_counter(&Bytes::new()), Err(DecodeError::TooShort));
}

fn any_partition() -> impl Strategy<Value = PartitionFacts> {
    (0..u64::MAX - 3000, any::<u32>(), any::<u32>())
        .prop_map(|(stream, epoch, owner)| partition(stream, epoch, owner))
}

proptest! {
    #[test]
    fn partitions_survive_a_round_trip(partitions in prop::collection::vec(any_partition(), 1..200), run in 1_u64..50) {
        let runs: Vec<_> = partitions.iter().flat_map(|p| (0..run).map(|i| partition(p.stream.0 + i, p.epoch.0, p.owner))).take(2048).collect();
        prop_assert_eq!(decode_partitions(&encode_partitions(&runs)), Ok(runs));
    }

    #[test]
    fn configs_survive_a_round_trip(map in prop::collection::btree_map("\\PC{0,60}", "\\PC{0,60}", 0..50)) {
        prop_assert_eq!(decode_configs(&encode_configs(&map)), Ok(map));
    }

    /// Whatever the fields are, under a right frame: an answer, and only what encoding gives is taken.
    #[test]
    fn forged_fields_never_panic(fields in prop::collection::vec(any::<u8>(), 0..200)) {
        let value = |kind| forge(kind, &fields);
        if let Ok(id) = decode_cluster(&value(Kind::Cluster)) {
            prop_assert_eq!(encode_cluster(id), value(Kind::Cluster));
        }
        if let Ok(topic) = decode_topic(&value(Kind::Topic)) {
            prop_assert_eq!(encode_topic(&topic), value(Kind::Topic));
        }
        if let Ok(map) = decode_configs(&value(Kind::Configs)) {
            prop_assert_eq!(encode_configs(&map), value(Kind::Configs));
        }
        let _ = decode_partitions(&value(Kind::Partitions));
        let _ = decode_counter(&value(Kind::Counter));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let bytes = Bytes::from(bytes);
        prop_assert!(decode_cluster(&bytes).is_err());
        prop_assert!(decode_counter(&bytes).is_err());
        prop_assert!(decode_topic(&bytes).is_err());
        prop_assert!(decode_partitions(&bytes).is_err());
        prop_assert!(decode_configs(&bytes).is_err());
    }
}
