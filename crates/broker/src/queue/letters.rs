//! Dead letters as records: composed from what was given up, and written to their topic.
//!
//! Owns: what a letter says. Never: when it is written, how often that is tried, or what becomes of its record (`graves`).
//!
//! **Invariant**: a letter says where its record lies even if the record cannot be copied: it is too large, or cannot be read.

use super::id::SubscriptionId;
use super::ledger::Cause;
use super::policy::DeadLetters;
use super::runs::Range;
use crate::topics::{Topic, TopicError, TopicSpec};
use crate::{Broker, Dry, ProduceError};
use bytes::Bytes;
use millstream_log::batch::{self, BatchBuilder, Codec, NewRecord, StoredBatch};
use millstream_log::{Offset, ReadError, ReadLimit, Stream, TimestampMs};
use std::sync::Arc;

/// Bytes of source records that are in memory at a time, one batch more or less.
const BURIAL_BYTES_MAX: usize = 1 << 20;

/// The most that the records of one batch may grow to when they are opened.
const OPENED_BYTES_MAX: usize = 64 << 20;

/// Why letters were not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unwritten {
    #[error("the topic {0} does not exist")]
    NoTopic(String),
    #[error("the topic could not be made: {0}")]
    Topic(#[from] TopicError),
    #[error("the topic did not take them: {0}")]
    Append(#[from] ProduceError),
    #[error("they do not fit into a batch: {0}")]
    Batch(#[from] batch::BatchError),
}

impl Unwritten {
    /// Whether it is the letters that are refused: then trying again is of no use.
    pub fn is_final(&self) -> bool {
        let refused = matches!(
            self,
            Self::Append(ProduceError::Refused(_) | ProduceError::InternalTopic)
        );
        refused || matches!(self, Self::Batch(_))
    }
}

/// Why records are not copied.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error("they could not be read: {0}")]
    Read(#[from] ReadError),
    #[error("a stored batch does not open: {0}")]
    Damaged(#[from] batch::BatchError),
}

/// One record that is given up.
pub(super) struct Letter {
    pub offset: u64,
    deliveries: u16,
    cause: Cause,
    key: Option<Bytes>,
    value: Option<Bytes>,
}

/// The letters of condemned records, as many as fit into memory: at least one.
pub(super) async fn collect(
    source: &Topic,
    partition: u32,
    condemned: Vec<(Range, u16, Cause)>,
    copies: bool,
) -> Vec<Letter> {
    let mut letters = Vec::new();
    let mut bytes = 0;
    for (range, deliveries, cause) in condemned {
        if bytes > BURIAL_BYTES_MAX {
            break;
        }
        let at = letters.len();
        letters.extend(range.clone().map(|offset| Letter {
            offset,
            deliveries,
            cause,
            key: None,
            value: None,
        }));
        if let Some(stream) = source.stream(partition).filter(|_| copies) {
            match fill(stream, &range, &mut letters[at..]).await {
                Ok(filled) => bytes += filled,
                // The labels say where it lies; whoever wants it may have more luck.
                Err(error) => {
                    tracing::warn!(topic = source.name(), partition, ?range, %error, "dead letters go without their records");
                }
            }
        }
    }
    letters
}

/// Puts keys and values into the letters of one range. What the log no longer holds stays empty.
async fn fill(stream: &Stream, range: &Range, letters: &mut [Letter]) -> Result<usize, Unread> {
    let mut bytes = 0;
    let bounds = stream.bounds();
    let below = bounds.end;
    let mut next = bounds.start.0.max(*range.start());
    while next <= *range.end() && next < below.0 {
        let limit = ReadLimit {
            bytes_max: BURIAL_BYTES_MAX,
            at_least_one: true,
            below,
        };
        let outcome = stream.read(Offset(next), limit).await?;
        if outcome.next.0 <= next {
            break;
        }
        for split in outcome.chunks.into_iter().flat_map(batch::split) {
            let (header, chunk) = split?;
            if header.is_control() || header.base_offset.0 > *range.end() {
                continue;
            }
            let records = StoredBatch::verify(chunk)?.records(OPENED_BYTES_MAX)?;
            for record in &records {
                let record = record?;
                if let Some(index) = record.offset.0.checked_sub(*range.start())
                    && let Some(letter) = letters.get_mut(index as usize)
                {
                    letter.key = record.key.map(Bytes::copy_from_slice);
                    letter.value = record.value.map(Bytes::copy_from_slice);
                    bytes += record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
                }
            }
        }
        next = outcome.next.0;
    }
    Ok(bytes)
}

/// Writes the letters, in batches that the target takes, and waits until they are durable.
pub(super) async fn write(
    broker: &Broker,
    id: &SubscriptionId,
    source: &Topic,
    target: &DeadLetters,
    letters: &[Letter],
) -> Result<(), Unwritten> {
    let topic = target_topic(broker, target).await?;
    let partition = id.partition % topic.partitions();
    let bytes_max = topic.settings().batch_bytes_max;
    let now = broker.clock().wall_ms();
    let mut pending = Vec::new();
    let mut builder = BatchBuilder::new(Codec::None);
    for letter in letters {
        let mut alone = BatchBuilder::new(Codec::None);
        push(&mut alone, letter, id, source.name(), target, now)?;
        // Too large with its labels: the labels say where it lies.
        let bare = Letter {
            key: None,
            value: None,
            ..*letter
        };
        let letter = if alone.size_bytes() > bytes_max {
            &bare
        } else {
            letter
        };
        if builder.size_bytes() + alone.size_bytes() > bytes_max && !builder.is_empty() {
            let full = std::mem::replace(&mut builder, BatchBuilder::new(Codec::None));
            pending.push(send(broker, &topic, partition, full).await?);
        }
        push(&mut builder, letter, id, source.name(), target, now)?;
    }
    if !builder.is_empty() {
        pending.push(send(broker, &topic, partition, builder).await?);
    }
    for pending in pending {
        pending.durable().await?;
    }
    Ok(())
}

async fn send(
    broker: &Broker,
    topic: &Topic,
    partition: u32,
    builder: BatchBuilder,
) -> Result<crate::PendingAppend, Unwritten> {
    let batch = builder.finish()?;
    Ok(broker.append(topic, partition, batch.into_bytes()).await?)
}

fn push(
    builder: &mut BatchBuilder,
    letter: &Letter,
    id: &SubscriptionId,
    source: &str,
    target: &DeadLetters,
    now: TimestampMs,
) -> Result<(), batch::BatchError> {
    let labels = &target.labels;
    let (partition, offset) = (id.partition.to_string(), letter.offset.to_string());
    let deliveries = letter.deliveries.to_string();
    let reason = match letter.cause {
        Cause::Rejected => labels.rejected,
        Cause::Undelivered => labels.undelivered,
    };
    builder.push(&NewRecord {
        timestamp: now,
        key: letter.key.as_deref(),
        value: letter.value.as_deref(),
        headers: &[
            (labels.topic.as_bytes(), Some(source.as_bytes())),
            (labels.partition.as_bytes(), Some(partition.as_bytes())),
            (labels.offset.as_bytes(), Some(offset.as_bytes())),
            (labels.subscription.as_bytes(), Some(id.name.as_bytes())),
            (labels.deliveries.as_bytes(), Some(deliveries.as_bytes())),
            (labels.reason.as_bytes(), Some(reason.as_bytes())),
        ],
    })
}

async fn target_topic(broker: &Broker, target: &DeadLetters) -> Result<Arc<Topic>, Unwritten> {
    if let Some(topic) = broker.topic(&target.topic) {
        return Ok(topic);
    }
    let missing = || Unwritten::NoTopic(target.topic.clone());
    let configs = target.create.clone().ok_or_else(missing)?;
    let spec = TopicSpec {
        name: target.topic.clone(),
        partitions: None,
        configs,
    };
    match broker.create_topic(&spec, Dry::Run).await {
        Ok(_) | Err(TopicError::Exists(_)) => broker.topic(&target.topic).ok_or_else(missing),
        Err(error) => Err(error.into()),
    }
}
