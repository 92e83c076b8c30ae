//! The client's pure parts. What needs a broker is in tests/it.

use super::error::ClientError;
use super::member::ranges;
use super::offsets::{every, read_answer};
use super::partitioner::key_hash;
use millstream_kafka_wire::list_offsets::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse};
use millstream_kafka_wire::{ErrorCode, ListOffsetsResponse};

#[test]
fn keys_land_where_javas_partitioner_puts_them() {
    // From the unit tests of Apache Kafka's hash.
    let known: [(&[u8], i32); 6] = [
        (b"21", -973_932_308),
        (b"foobar", -790_332_482),
        (b"a-little-bit-long-string", -985_981_536),
        (b"a-little-bit-longer-string", -1_486_304_829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        (b"abc", 479_470_107),
    ];
    for (key, hash) in known {
        assert_eq!(key_hash(key), hash as u32 & 0x7fff_ffff, "{key:?}");
    }
}

#[test]
fn ranges_cover_every_partition_once_and_differ_by_one_at_most() {
    for partitions in 0..20 {
        for members in 1..8 {
            let cut: Vec<_> = ranges(partitions, members).collect();
            assert_eq!(cut.len(), members);
            let all: Vec<usize> = cut.iter().cloned().flatten().collect();
            assert_eq!(all, (0..partitions).collect::<Vec<_>>());
            let lengths: Vec<usize> = cut.iter().map(ExactSizeIterator::len).collect();
            let (least, most) = (lengths.iter().min(), lengths.iter().max());
            assert!(most.unwrap() - least.unwrap() <= 1);
        }
    }
}

#[test]
fn a_refusal_says_what_to_do_and_keeps_the_code_for_a_search() {
    let ours = ClientError::refused("topic a", ErrorCode::UNKNOWN_TOPIC_OR_PARTITION).to_string();
    assert!(
        ours.contains("millstream topic list") && ours.contains("UNKNOWN_TOPIC_OR_PARTITION"),
        "{ours}"
    );
    let theirs =
        ClientError::refused_with("topic a", ErrorCode::INVALID_CONFIG, Some("No such setting.")).to_string();
    assert_eq!(theirs, "topic a: No such setting (INVALID_CONFIG)");
    assert_eq!(
        ClientError::refused("x", ErrorCode(4711)).to_string(),
        "x: error code 4711"
    );
}

#[test]
fn only_what_may_pass_later_is_retried() {
    assert!(ClientError::refused("x", ErrorCode::NOT_LEADER_OR_FOLLOWER).is_retriable());
    assert!(!ClientError::refused("x", ErrorCode::TOPIC_ALREADY_EXISTS).is_retriable());
    let why = std::io::ErrorKind::ConnectionRefused.into();
    let address = "127.0.0.1:1".to_owned();
    assert!(!ClientError::Unreachable { address, why }.is_retriable());
}

/// `consume --until-end` took an end that the broker had not told for 0, and left the whole partition out without a word.
#[test]
fn an_end_that_the_broker_does_not_tell_is_asked_for_again_and_never_0() {
    let told = |partition_index, offset| ListOffsetsPartitionResponse {
        partition_index,
        offset,
        ..Default::default()
    };
    let answer = |partitions: Vec<ListOffsetsPartitionResponse>| ListOffsetsResponse {
        topics: vec![ListOffsetsTopicResponse {
            name: "t".into(),
            partitions,
        }],
        ..Default::default()
    };
    // One is left out, one has no offset.
    for silent in [answer(vec![told(0, 7)]), answer(vec![told(0, 7), told(1, -1)])] {
        let mut found = vec![None; 2];
        read_answer("t", &silent, &mut found).expect("no error code");
        let error = every("t", found).expect_err("the end of partition 1 is not known");
        assert!(error.is_retriable(), "{error}");
        assert!(error.to_string().contains("topic t, partition 1"), "{error}");
    }
    let mut found = vec![None; 2];
    read_answer("t", &answer(vec![told(1, 0), told(0, 7)]), &mut found).expect("no error code");
    assert_eq!(every("t", found).expect("both are known"), [7, 0]);
}
