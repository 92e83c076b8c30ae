//! The stored form: bytes that later versions must read, and damage that is found.

use super::super::format::{
    FormatError, Key, decode_change, decode_snapshot, encode_change, encode_snapshot,
};
use super::super::kept::{Loader, Stored};
use super::super::*;
use super::random;
use millstream_meta::catalog::TopicId;
use std::sync::Arc;

fn id() -> SubscriptionId {
    SubscriptionId {
        space: Space(1),
        name: Arc::from("g"),
        topic: TopicId([7; 16]),
        partition: 3,
    }
}

fn sample() -> Change {
    let mut marks = Runs::default();
    marks.set(5..=5, Mark::Returned(2));
    marks.set(7..=206, Mark::Done);
    let (deliveries, cause) = (5, Cause::Undelivered);
    marks.set(300..=301, Mark::Condemned { deliveries, cause });
    Change {
        restart: None,
        marks,
        trim: Some(4),
    }
}

#[test]
fn version_one_keeps_its_bytes() {
    let key = [&[2, 1][..], &[7; 16], &[3, 0, 0, 0], &[9, 0], b"g"].concat();
    assert_eq!(Key::Change(id(), 9).encode(), key);
    assert_eq!(Key::decode(&key), Ok(Key::Change(id(), 9)));
    let change = [
        &[1][..],
        &8_u64.to_le_bytes(),
        &[2],
        &0_u64.to_le_bytes(),
        &4_u64.to_le_bytes(),
        &5_u64.to_le_bytes(),
        &[3, 0, 0, 1, 2, 1, 0xc7, 0x01, 0, 93, 1, 3, 5],
    ]
    .concat();
    assert_eq!(encode_change(&sample(), 8), change);
    assert_eq!(decode_change(&change), Ok((sample(), 8)));
    let mut ledger = Ledger::new(0);
    ledger.apply(&sample());
    let snapshot = [
        &[1][..],
        &1_u64.to_le_bytes(),
        &4_u64.to_le_bytes(),
        &[3, 1, 0, 1, 2, 1, 0xc7, 0x01, 0, 93, 1, 3, 5],
    ]
    .concat();
    assert_eq!(encode_snapshot(&ledger), snapshot);
    assert_eq!(decode_snapshot(&snapshot), Ok(ledger));
}

#[test]
fn damage_is_found_and_never_panics() {
    let change = encode_change(&sample(), 8);
    for cut in 0..change.len() {
        assert!(decode_change(&change[..cut]).is_err(), "cut at {cut}");
    }
    let mut state = 1;
    for _ in 0..20_000 {
        let mut bytes = change.to_vec();
        let at = random(&mut state) as usize % bytes.len();
        bytes[at] = random(&mut state) as u8;
        let _ = decode_change(&bytes);
        let _ = decode_snapshot(&bytes);
        let _ = Key::decode(&bytes);
    }
}

#[test]
fn a_missing_change_is_found_unless_a_snapshot_covers_it() {
    let (id, mut stored) = (id(), Stored::default());
    let mut ledger = Ledger::new(0);
    let mut records = vec![stored.snapshot(&id, &ledger)];
    for offset in 0..3 {
        let mut change = Change::default();
        change.marks.set(offset * 2..=offset * 2, Mark::Done);
        records.push(stored.record(&id, &ledger, &change));
        ledger.apply(&change);
    }
    let load = |records: &[crate::StateRecord]| {
        let mut loader = Loader::default();
        for record in records {
            loader.replay(&record.key, record.value.as_deref());
        }
        loader
            .finish()
            .map(|found| found.get(&id).map(|(ledger, _)| ledger.clone()))
    };
    assert_eq!(load(&records), Ok(Some(ledger.clone())));
    let mut holed = records.clone();
    holed.remove(2);
    assert_eq!(load(&holed), Err(FormatError::Hole));
    holed.push(stored.snapshot(&id, &ledger));
    assert_eq!(load(&holed), Ok(Some(ledger)));
    holed.extend(stored.deletion(&id));
    assert_eq!(load(&holed), Ok(None));
}
