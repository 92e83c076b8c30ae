//! What a produced batch must be, rule by rule.

use super::*;
use crate::configs::resolve::{BrokerLayers, ConfigMap};
use millstream_log::batch::{BatchBuilder, NewRecord};

const NOW: TimestampMs = 1_700_000_000_000;

fn prepare(
    records: Bytes,
    settings: &TopicSettings,
    now: TimestampMs,
) -> Result<PreparedBatch, RecordsRefused> {
    super::prepare(records, settings, Transactional::Refused, now)
}

fn settings(configs: &[(&str, &str)]) -> TopicSettings {
    let topic: ConfigMap = configs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    let none = ConfigMap::new();
    TopicSettings::resolve(
        &topic,
        BrokerLayers {
            dynamic: &none,
            dynamic_default: &none,
            fixed: &none,
        },
    )
}

fn batch(codec: Codec, records: &[(Option<&[u8]>, TimestampMs)]) -> Bytes {
    let mut builder = BatchBuilder::new(codec);
    for (key, timestamp) in records {
        let value = Some(&b"value"[..]);
        builder
            .push(&NewRecord {
                timestamp: *timestamp,
                key: *key,
                value,
                headers: &[],
            })
            .unwrap();
    }
    builder.finish().unwrap().into_bytes()
}

fn keyed(codec: Codec) -> Bytes {
    batch(codec, &[(Some(b"a"), NOW), (Some(b"b"), NOW - 5)])
}

#[test]
fn a_batch_that_meets_the_rules_is_taken_as_it_is() {
    for codec in [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let bytes = keyed(codec);
        let prepared = prepare(bytes.clone(), &settings(&[]), NOW).unwrap();
        assert_eq!(prepared.batch.bytes(), &bytes);
        assert_eq!(prepared.log_append_time, None);
    }
}

#[test]
fn a_flipped_bit_is_refused_as_corrupt() {
    let mut bytes = keyed(Codec::None).to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let refused = prepare(bytes.into(), &settings(&[]), NOW).unwrap_err();
    assert_eq!(refused, RecordsRefused::Corrupt(BatchError::BadCrc));
}

#[test]
fn two_batches_or_none_are_refused() {
    let one = keyed(Codec::None);
    let two = Bytes::from([one.as_ref(), one.as_ref()].concat());
    assert!(matches!(
        prepare(two, &settings(&[]), NOW),
        Err(RecordsRefused::Invalid { .. })
    ));
    assert!(matches!(
        prepare(Bytes::new(), &settings(&[]), NOW),
        Err(RecordsRefused::Invalid { .. })
    ));
}

#[test]
fn a_batch_above_max_message_bytes_is_refused() {
    let bytes = keyed(Codec::None);
    let bound = bytes.len().to_string();
    assert!(prepare(bytes.clone(), &settings(&[("max.message.bytes", &bound)]), NOW).is_ok());
    let below = (bytes.len() - 1).to_string();
    let refused = prepare(bytes, &settings(&[("max.message.bytes", &below)]), NOW);
    assert!(matches!(refused, Err(RecordsRefused::TooLarge { .. })));
}

/// Only the first was named once; librdkafka then failed the whole batch with that record's error.
#[test]
fn a_compacted_topic_names_every_record_without_a_key_under_any_codec() {
    let compacted = settings(&[("cleanup.policy", "compact")]);
    for codec in [Codec::None, Codec::Zstd] {
        let bytes = batch(codec, &[(Some(b"a"), NOW), (None, NOW), (Some(b"b"), NOW), (None, NOW)]);
        let refused = prepare(bytes, &compacted, NOW).unwrap_err();
        let RecordsRefused::Invalid { records, .. } = refused else {
            panic!("{refused}");
        };
        assert_eq!(records, [1, 3]);
    }
}

/// A batch of a megabyte once took half a gigabyte to be looked at, and an answer that made its producer send it again.
#[test]
fn a_batch_that_unpacks_to_very_much_is_refused_for_good() {
    let value = vec![0; OPENED_BYTES_MAX];
    let mut builder = BatchBuilder::new(Codec::Zstd);
    builder
        .push(&NewRecord {
            timestamp: NOW,
            key: Some(b"k"),
            value: Some(&value),
            headers: &[],
        })
        .unwrap();
    let bomb = builder.finish().unwrap().into_bytes();
    assert!(bomb.len() < 1 << 20, "it passes max.message.bytes");
    let opened = settings(&[("cleanup.policy", "compact")]);
    let refused = prepare(bomb.clone(), &opened, NOW).unwrap_err();
    assert!(matches!(refused, RecordsRefused::Invalid { .. }), "{refused}");
    prepare(bomb, &settings(&[]), NOW).expect("a topic that need not open it takes it");
}

#[test]
fn timestamps_outside_of_the_topics_bounds_are_refused() {
    let bounds = settings(&[
        ("message.timestamp.before.max.ms", "1000"),
        ("message.timestamp.after.max.ms", "1000"),
    ]);
    for codec in [Codec::None, Codec::Lz4] {
        for (timestamp, fits) in [
            (NOW, true),
            (NOW - 1000, true),
            (NOW - 1001, false),
            (NOW + 1001, false),
        ] {
            let taken = prepare(batch(codec, &[(None, timestamp)]), &bounds, NOW);
            assert_eq!(taken.is_ok(), fits, "{timestamp} with {codec:?}");
        }
    }
}

#[test]
fn log_append_time_stamps_the_batch_and_ignores_the_producers_time() {
    let prepared = prepare(
        keyed(Codec::None),
        &settings(&[("message.timestamp.type", "LogAppendTime")]),
        NOW + 7,
    )
    .unwrap();
    assert_eq!(prepared.log_append_time, Some(NOW + 7));
    assert_eq!(prepared.batch.header().max_timestamp, NOW + 7);
    ValidBatch::verify(prepared.batch.into_bytes()).expect("the CRC was made anew");
}

#[test]
fn a_topics_codec_replaces_the_producers() {
    let prepared = prepare(
        keyed(Codec::Gzip),
        &settings(&[("compression.type", "zstd")]),
        NOW,
    )
    .unwrap();
    assert_eq!(prepared.batch.codec(), Codec::Zstd);
    let prepared = prepare(
        keyed(Codec::Gzip),
        &settings(&[("compression.type", "uncompressed")]),
        NOW,
    )
    .unwrap();
    assert_eq!(prepared.batch.codec(), Codec::None);
    assert_eq!(prepared.batch.records(1 << 20).unwrap().iter().count(), 2);
}
