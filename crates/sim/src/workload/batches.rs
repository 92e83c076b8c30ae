//! Batches that clients send: small key space, values of all sizes, every codec, times that jump.

use super::Ctx;
use crate::model::{BatchId, SentRecord, TAG_HEADER, encode_tag};
use crate::rng::Rng;
use bytes::Bytes;
use millstream_broker::Broker;
use millstream_log::batch::{BatchBuilder, Codec, NewRecord};

/// Keys that all clients share: few, so that compaction has work.
const KEYS: u64 = 12;

/// Records of one batch.
const RECORDS_MAX: u64 = 6;

/// How far a record's time may lie before the present.
const AGE_MS_MAX: u64 = 4_000;

const CODECS: &[Codec] = &[Codec::Lz4, Codec::Snappy, Codec::Gzip, Codec::Zstd];

/// From this size on a batch is large: the front end reads it so that it begins at a page.
const LARGE_BYTES_MIN: u64 = 64 << 10;

/// How much larger a large one may be.
const LARGE_BYTES_MORE: u64 = 80_000;

/// One batch in so many is compressed: the codecs cost more than all the rest together.
const COMPRESSED_ONE_IN: u64 = 6;

/// Draws the records of a batch. `keyed`: none without a key, as a compacted topic wants it.
pub(super) fn draw_records(ctx: &Ctx, rng: &mut Rng, keyed: bool) -> Vec<SentRecord> {
    let now = ctx.world.wall_ms();
    let bytes_max = ctx.plan.crew.value_bytes_max;
    let record = |rng: &mut Rng| {
        let key = (keyed || rng.one_in(2)).then(|| format!("k{}", rng.below(KEYS)).into_bytes());
        let age = if rng.one_in(4) { rng.below(AGE_MS_MAX) } else { 0 };
        let value = (!rng.one_in(6)).then(|| {
            let len = rng.below(bytes_max + 1);
            // Half text, half noise: codecs see both.
            (0..len)
                .map(|at| {
                    if at % 2 == 0 {
                        b'a'
                    } else {
                        rng.next_u64().to_le_bytes()[0]
                    }
                })
                .collect()
        });
        SentRecord {
            key,
            value,
            timestamp: now - i64::try_from(age).expect("small"),
        }
    };
    let mut records: Vec<SentRecord> = (0..=rng.below(RECORDS_MAX)).map(|_| record(rng)).collect();
    let large_one_in = ctx.plan.crew.large_one_in;
    if large_one_in > 0 && rng.one_in(large_one_in) {
        let len = LARGE_BYTES_MIN + rng.below(LARGE_BYTES_MORE);
        records[0].value = Some(vec![b'l'; usize::try_from(len).expect("small")]);
    }
    records
}

/// The batch as a connection brings it: a large one in memory that the log may keep.
pub(super) fn in_a_request(broker: &Broker, batch: &Bytes) -> Bytes {
    if (batch.len() as u64) < LARGE_BYTES_MIN {
        return batch.clone();
    }
    let mut request = broker.buffers().take(batch.len(), 0);
    request.extend_from_slice(batch);
    request.freeze()
}

/// Draws a codec.
pub(super) fn draw_codec(rng: &mut Rng) -> Codec {
    if rng.one_in(COMPRESSED_ONE_IN) {
        *rng.pick(CODECS)
    } else {
        Codec::None
    }
}

/// The encoded batch; every record says which one it is.
#[must_use]
pub fn encode(id: BatchId, records: &[SentRecord], codec: Codec, producer: Option<(i64, i16, i32)>) -> Bytes {
    let mut builder = BatchBuilder::new(codec);
    if let Some((id, epoch, sequence)) = producer {
        builder = builder.producer(id, epoch, sequence);
    }
    for (record, at) in records.iter().zip(0..) {
        let tag = encode_tag(id, at);
        let pushed = builder.push(&NewRecord {
            timestamp: record.timestamp,
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &[(TAG_HEADER, Some(&tag))],
        });
        pushed.expect("records of the simulation are small");
    }
    builder.finish().expect("the fields agree").bytes().clone()
}
