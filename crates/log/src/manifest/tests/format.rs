//! The bytes of records and snapshots.

use super::*;
use crate::manifest::{record_format, snapshot_format};

#[test]
fn the_bytes_of_records_are_those_of_version_2() {
    for (name, record) in every_kind() {
        let bytes = record_format::encode(&record);
        golden(&format!("manifest_{name}_v2.hex"), &bytes);
        assert_eq!(record_format::decode(&bytes), Ok(record), "{name}");
    }
}

/// The record as version 1 knew it: nothing was noted of what an object holds.
fn without_checksums(mut record: Record) -> Record {
    match &mut record {
        Record::Upload(Upload { objects, .. }) | Record::Rewrite(Rewrite { objects, .. }) => {
            objects.iter_mut().for_each(|object| object.checksum = None);
        }
        _ => {}
    }
    record
}

#[test]
fn records_and_snapshots_of_version_1_are_read() {
    let mut all = every_kind();
    all.push(("upload_transactions", transactional_upload()));
    for (name, record) in all {
        let bytes = read_golden(&format!("manifest_{name}_v1.hex"));
        let record = without_checksums(record);
        assert_eq!(record_format::decode(&bytes), Ok(record), "{name}");
    }
    let mut image = sample_image();
    for object in image.objects.values_mut() {
        object.meta.checksum = None;
    }
    let bytes = read_golden("manifest_snapshot_v1.hex");
    assert_eq!(
        snapshot_format::decode(&bytes),
        Ok(Snapshot::Whole(Box::new(image.clone())))
    );
    // Written again, by a version that notes checksums, there is still none.
    let bytes = snapshot_format::encode(&image);
    assert_eq!(
        snapshot_format::decode(&bytes),
        Ok(Snapshot::Whole(Box::new(image)))
    );
}

#[test]
fn the_bytes_of_snapshots_are_those_of_version_2() {
    let image = sample_image();
    let bytes = snapshot_format::encode(&image);
    golden("manifest_snapshot_v2.hex", &bytes);
    assert_eq!(
        snapshot_format::decode(&bytes),
        Ok(Snapshot::Whole(Box::new(image)))
    );
}

/// An upload of a stream with transactions: another kind of record, so that software that knows none refuses it.
fn transactional_upload() -> Record {
    let mut upload = upload(8, &[range(20, 0, 5), range(21, 5, 10)]);
    let part = &mut upload.parts[0];
    part.producers[0].coordinator_epoch = 6;
    part.aborted = vec![AbortedTransaction {
        producer_id: 12,
        first: Offset(1),
        marker: Offset(7),
        stable_after: Offset(8),
    }];
    Record::Upload(upload)
}

#[test]
fn transactions_have_bytes_of_their_own_and_fold_into_the_snapshot() {
    let record = transactional_upload();
    let bytes = record_format::encode(&record);
    golden("manifest_upload_transactions_v2.hex", &bytes);
    assert_eq!(record_format::decode(&bytes), Ok(record.clone()));
    let mut image = Image::default();
    image.apply(&record).expect("an upload");
    image.check().expect("every invariant");
    let bytes = snapshot_format::encode(&image);
    golden("manifest_snapshot_transactions_v2.hex", &bytes);
    assert_eq!(
        snapshot_format::decode(&bytes),
        Ok(Snapshot::Whole(Box::new(image)))
    );
}

#[test]
fn every_flipped_byte_of_records_and_snapshots_is_noticed() {
    let mut all: Vec<_> = every_kind()
        .iter()
        .map(|(_, record)| record_format::encode(record))
        .collect();
    all.push(snapshot_format::encode(&sample_image()));
    all.push(record_format::encode(&transactional_upload()));
    for bytes in all {
        for at in 0..bytes.len() {
            let mut damaged = bytes.to_vec();
            damaged[at] ^= 0x10;
            assert!(record_format::decode(&damaged).is_err(), "byte {at}");
            assert!(snapshot_format::decode(&damaged).is_err(), "byte {at}");
            assert!(record_format::decode(&bytes[..at]).is_err(), "cut to {at}");
            assert!(snapshot_format::decode(&bytes[..at]).is_err(), "cut to {at}");
        }
    }
}

proptest! {
    /// Behind a right checksum too: lengths are believed only as far as bytes remain.
    #[test]
    fn no_bytes_make_the_decoders_panic(version in 1u16..3, kind in 0u16..10, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        for magic in [*b"MSMR", *b"MSMS"] {
            let mut bytes = bytes::BytesMut::from(&magic[..]);
            bytes.extend_from_slice(&version.to_le_bytes());
            bytes.extend_from_slice(&kind.to_le_bytes());
            bytes.extend_from_slice(&body);
            let sealed = record_format::seal(bytes);
            let _ = record_format::decode(&sealed);
            let _ = snapshot_format::decode(&sealed);
        }
    }
}
