//! The bytes of transaction records.

use crate::transaction::*;
use proptest::prelude::*;

fn any_state() -> impl Strategy<Value = TransactionState> {
    let numbers = (
        any::<i64>(),
        any::<i16>(),
        any::<i16>(),
        any::<i64>(),
        any::<i64>(),
    );
    let times = (any::<i32>(), any::<i64>(), any::<i64>());
    let partitions = proptest::collection::vec(("[a-zA-Z0-9._-]{1,20}", any::<i32>()), 0..20);
    let kind = (0usize..Phase::ALL.len(), any::<bool>());
    (numbers, times, partitions, kind).prop_map(|(numbers, times, partitions, kind)| TransactionState {
        producer: ProducerEpoch {
            id: numbers.0,
            epoch: numbers.1,
        },
        last_epoch: numbers.2,
        previous_id: numbers.3,
        next_id: numbers.4,
        timeout_ms: times.0,
        started_ms: times.1,
        updated_ms: times.2,
        phase: Phase::ALL[kind.0],
        policy: if kind.1 {
            EpochPolicy::PerTransaction
        } else {
            EpochPolicy::PerProducer
        },
        partitions: partitions
            .into_iter()
            .map(|(topic, index)| (topic.as_str().into(), index))
            .collect(),
    })
}

#[test]
fn the_bytes_are_those_of_version_1() {
    let record = Record {
        id: "copier".into(),
        state: Some(TransactionState {
            producer: ProducerEpoch { id: 7, epoch: 2 },
            last_epoch: 1,
            previous_id: -1,
            next_id: -1,
            timeout_ms: 60_000,
            phase: Phase::PrepareCommit,
            policy: EpochPolicy::PerTransaction,
            partitions: [("out".into(), 3)].into_iter().collect(),
            started_ms: 0x0102_0304_0506,
            updated_ms: 0x0102_0304_0507,
        }),
    };
    let encoded = record.encode();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(hex(&encoded.key), "0106000000636f70696572");
    let expected = "01020107000000000000000200\
                    0100ffffffffffffffffffffffffffffffff60ea0000\
                    06050403020100000705040302010000\
                    01000000030000006f75740100000003000000";
    assert_eq!(hex(&encoded.value.expect("a state")), expected);
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_the_same(id in "\\PC{0,40}", state in proptest::option::of(any_state())) {
        let record = Record { id: id.as_str().into(), state };
        let encoded = record.encode();
        prop_assert_eq!(Record::decode(&encoded.key, encoded.value.as_deref()), Ok(record));
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(
        key in proptest::collection::vec(any::<u8>(), 0..40),
        value in proptest::collection::vec(any::<u8>(), 0..120),
    ) {
        let _ = Record::decode(&key, Some(&value));
        let mut versioned = vec![1, 1, 1];
        versioned.extend_from_slice(&value);
        let _ = Record::decode(&[1, 1, 0, 0, 0, b'x'], Some(&versioned));
    }
}
