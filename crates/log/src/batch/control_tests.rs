//! Tests of `control`: markers are those of Kafka.

use super::super::tests::{RECORDS_BYTES_MAX, golden};
use super::*;

#[test]
fn markers_are_byte_for_byte_those_of_java_and_read_back() {
    for (kind, golden) in [
        (ControlKind::Commit, golden!("java-commit-marker")),
        (ControlKind::Abort, golden!("java-abort-marker")),
    ] {
        let marker = ControlRecord {
            kind,
            coordinator_epoch: 9,
        };
        let batch = marker.build(42, 3, 1_700_000_000_000).unwrap();
        assert_eq!(batch.bytes(), &golden);
        assert!(batch.header().is_control() && batch.header().is_transactional());
        let records = batch.records(RECORDS_BYTES_MAX).unwrap();
        let record = records.iter().next().unwrap().unwrap();
        assert_eq!(ControlRecord::parse(&record), Ok(marker));
    }
}

#[test]
fn other_types_are_passed_over_and_short_markers_refused() {
    let parse = |key: Option<&[u8]>, value: Option<&[u8]>| {
        let mut builder = BatchBuilder::new(Codec::None);
        let record = NewRecord {
            key,
            value,
            ..NewRecord::default()
        };
        builder.push(&record).unwrap();
        let batch = builder.finish().unwrap();
        let records = batch.records(RECORDS_BYTES_MAX).unwrap();
        ControlRecord::parse(&records.iter().next().unwrap().unwrap())
    };
    assert_eq!(
        parse(Some(&[0, 0, 0, 5]), None).unwrap().kind,
        ControlKind::Other(5)
    );
    // A later version may be longer.
    let longer = parse(Some(&[0, 1, 0, 1, 9]), Some(&[0, 1, 0, 0, 0, 7, 9])).unwrap();
    assert_eq!((longer.kind, longer.coordinator_epoch), (ControlKind::Commit, 7));
    for (key, value) in [
        (None, None),
        (Some(&[0, 0, 0][..]), None),
        (Some(&[0xff, 0xff, 0, 0][..]), None),
        (Some(&[0, 0, 0, 1][..]), None),
        (Some(&[0, 0, 0, 1][..]), Some(&[0; 5][..])),
    ] {
        assert!(parse(key, value).is_err());
    }
}
