//! Damage to manifest records on purpose: the simulator proves with it that its checker would find such a fault.

use super::record::Record;
use super::record_format::{decode, encode};
use bytes::Bytes;

/// The record without the transactions that were aborted, if it is an upload.
///
/// # Panics
/// When the bytes are no record.
#[must_use]
pub fn without_aborted(record: Bytes) -> Bytes {
    match decode(&record).expect("the log writes whole records") {
        Record::Upload(mut upload) => {
            for part in &mut upload.parts {
                part.aborted.clear();
            }
            encode(&Record::Upload(upload))
        }
        _ => record,
    }
}

/// The record without what it remembers of producers, if it is an upload.
///
/// # Panics
/// When the bytes are no record.
#[must_use]
pub fn without_producers(record: Bytes) -> Bytes {
    match decode(&record).expect("the log writes whole records") {
        Record::Upload(mut upload) => {
            for part in &mut upload.parts {
                part.producers.clear();
            }
            encode(&Record::Upload(upload))
        }
        _ => record,
    }
}
