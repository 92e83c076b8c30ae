//! What the tests of `batch` share: golden batches, an oracle, random records, hostile bytes.
//!
//! Never in a build that ships. **Invariant**: nothing here uses the code under test to judge it, but for `build`.

use super::*;
use bytes::{Bytes, BytesMut};
use kafka_protocol::indexmap::IndexMap;
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records as oracle;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::ids::Offset;

/// More than any honest batch of these tests holds.
pub(super) const RECORDS_BYTES_MAX: usize = 4 << 20;

/// A file of `golden/`.
macro_rules! golden {
    ($name:literal) => {
        bytes::Bytes::from_static(include_bytes!(concat!("golden/", $name, ".batch")))
    };
}
pub(super) use golden;

/// The three records of every golden batch that Java wrote, from offset `base` on.
pub(super) fn golden_records(base: u64) -> Vec<Record> {
    let value = Bytes::from_static;
    vec![
        Record {
            offset: Offset(base),
            timestamp: 1_700_000_000_000,
            key: Some(value(b"k1")),
            value: Some(value(b"first value, first value, first value")),
            headers: vec![],
        },
        Record {
            offset: Offset(base + 1),
            timestamp: 1_700_000_000_007,
            key: None,
            value: Some(value(b"no key")),
            headers: vec![
                (value(b"h"), Some(value(b"\x01\x02"))),
                (value(b"h"), None),
                (value(b""), Some(value(b""))),
            ],
        },
        Record {
            offset: Offset(base + 2),
            timestamp: 1_699_999_999_990,
            key: Some(value(b"k2")),
            value: None,
            headers: vec![],
        },
    ]
}

pub(super) fn build(codec: Codec, records: &[Record]) -> ValidBatch {
    let mut builder = BatchBuilder::new(codec);
    for record in records {
        builder.push_record(record).unwrap();
    }
    builder.finish().unwrap()
}

pub(super) fn read(records: &BatchRecords) -> Result<Vec<Record>, BatchError> {
    records
        .iter()
        .map(|record| record.map(|record| records.share(&record)))
        .collect()
}

/// Makes header and CRC right again after bytes were changed, so that a test reaches what it aims at.
pub(super) fn seal(bytes: &mut [u8]) -> Bytes {
    let length = i32::try_from(bytes.len() - LENGTH_PREFIX_BYTES).unwrap();
    bytes[field::BATCH_LENGTH..][..4].copy_from_slice(&length.to_be_bytes());
    let crc = crc32c::crc32c(&bytes[field::ATTRIBUTES..]);
    bytes[field::CRC..][..4].copy_from_slice(&crc.to_be_bytes());
    Bytes::copy_from_slice(bytes)
}

/// A sealed copy of `batch` with other bytes at `at`.
pub(super) fn patched(batch: &Bytes, at: usize, with: &[u8]) -> Bytes {
    let mut bytes = batch.to_vec();
    bytes[at..at + with.len()].copy_from_slice(with);
    seal(&mut bytes)
}

/// A sealed plain batch with this payload, claiming `count` records.
pub(super) fn with_payload(codec: Codec, count: u32, payload: &[u8]) -> Bytes {
    let mut bytes = golden!("java-plain-no-producer")[..HEADER_BYTES].to_vec();
    bytes[field::ATTRIBUTES + 1] = codec.bits();
    bytes[field::LAST_OFFSET_DELTA..][..4].copy_from_slice(&(count - 1).to_be_bytes());
    bytes[field::RECORDS_COUNT..][..4].copy_from_slice(&count.to_be_bytes());
    bytes.extend_from_slice(payload);
    seal(&mut bytes)
}

/// Everything that can be done with bytes from outside. Must return, whatever they are.
pub(super) fn exercise(bytes: Bytes) {
    for batch in split(bytes.clone()) {
        let _ = batch;
    }
    if let Ok(batch) = ValidBatch::verify(bytes.clone()) {
        let _ = validate_records(&batch, RECORDS_BYTES_MAX);
        let _ = recompress(&batch, Codec::Lz4, None, RECORDS_BYTES_MAX);
    }
    if let Ok(batch) = StoredBatch::verify(bytes) {
        if let Ok(records) = batch.records(RECORDS_BYTES_MAX) {
            for record in &records {
                let Ok(record) = record else { break };
                let _ = (records.share(&record), ControlRecord::parse(&record));
            }
        }
        let how = Retain {
            records_bytes_max: RECORDS_BYTES_MAX,
            horizon: Horizon::OnTombstones(1),
            level: None,
        };
        let mut index = 0_u32;
        let _ = retain(&batch, &how, |_| {
            index += 1;
            index.is_multiple_of(2)
        });
    }
}

fn oracle_codec(codec: Codec) -> oracle::Compression {
    match codec {
        Codec::None => oracle::Compression::None,
        Codec::Gzip => oracle::Compression::Gzip,
        Codec::Snappy => oracle::Compression::Snappy,
        Codec::Lz4 => oracle::Compression::Lz4,
        Codec::Zstd => oracle::Compression::Zstd,
    }
}

/// The batch as the oracle writes it.
pub(super) fn oracle_encode(codec: Codec, records: &[Record]) -> Bytes {
    let records: Vec<oracle::Record> = records
        .iter()
        .enumerate()
        .map(|(index, record)| oracle::Record {
            transactional: false,
            control: false,
            delete_horizon: false,
            partition_leader_epoch: -1,
            producer_id: -1,
            producer_epoch: -1,
            timestamp_type: oracle::TimestampType::Creation,
            offset: i64::try_from(record.offset.0).unwrap(),
            sequence: i32::try_from(index).unwrap() - 1,
            timestamp: record.timestamp,
            key: record.key.clone(),
            value: record.value.clone(),
            headers: oracle_headers(record),
        })
        .collect();
    let options = oracle::RecordEncodeOptions {
        version: 2,
        compression: oracle_codec(codec),
    };
    let mut out = BytesMut::new();
    oracle::RecordBatchEncoder::encode(&mut out, &records, &options).unwrap();
    out.freeze()
}

/// The records as the oracle reads them.
pub(super) fn oracle_decode(batch: &Bytes) -> Vec<Record> {
    let set = oracle::RecordBatchDecoder::decode(&mut batch.clone()).unwrap();
    set.records
        .into_iter()
        .map(|record| Record {
            offset: Offset(u64::try_from(record.offset).unwrap()),
            timestamp: record.timestamp,
            key: record.key,
            value: record.value,
            headers: record
                .headers
                .into_iter()
                .map(|(key, value)| (Bytes::copy_from_slice(key.as_bytes()), value))
                .collect(),
        })
        .collect()
}

fn oracle_headers(record: &Record) -> IndexMap<StrBytes, Option<Bytes>> {
    record
        .headers
        .iter()
        .map(|(key, value)| (StrBytes::try_from(key.clone()).unwrap(), value.clone()))
        .collect()
}

pub(super) fn any_codec() -> impl Strategy<Value = Codec> {
    prop::sample::select(Codec::ALL.to_vec())
}

fn any_bytes(max: usize) -> impl Strategy<Value = Bytes> {
    // Repeats, so that codecs find something to do.
    (vec(any::<u8>(), 0..=max), 1..4_usize).prop_map(|(bytes, times)| Bytes::from(bytes.repeat(times)))
}

/// Records with any bytes anywhere, dense from offset 0.
pub(super) fn any_records() -> impl Strategy<Value = Vec<Record>> {
    records_with(vec((any_bytes(8), option::of(any_bytes(8))), 0..4))
}

/// Records that the oracle can carry: header keys are distinct and UTF-8.
pub(super) fn oracle_records() -> impl Strategy<Value = Vec<Record>> {
    let headers = prop::collection::btree_map("[a-z]{0,6}", option::of(any_bytes(8)), 0..4);
    records_with(headers.prop_map(|headers| {
        let headers = headers.into_iter();
        headers.map(|(key, value)| (Bytes::from(key), value)).collect()
    }))
}

fn records_with(
    headers: impl Strategy<Value = Vec<(Bytes, Option<Bytes>)>>,
) -> impl Strategy<Value = Vec<Record>> {
    let record = (
        -1..2_000_000_000_000_i64,
        option::of(any_bytes(20)),
        option::of(any_bytes(300)),
        headers,
    );
    vec(record, 1..20).prop_map(|records| {
        let numbered = records.into_iter().enumerate();
        numbered
            .map(|(index, (timestamp, key, value, headers))| Record {
                offset: Offset(index as u64),
                timestamp,
                key,
                value,
                headers,
            })
            .collect()
    })
}
