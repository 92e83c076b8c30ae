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

/// Bytes of copied records that are in memory at a time, one record more or less, beside the batch that they are copied from.
pub(super) const BURIAL_BYTES_MAX: usize = 1 << 20;

/// The most that the records of one batch may grow to when they are opened.
const OPENED_BYTES_MAX: usize = 64 << 20;

/// Why letters were not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unwritten {
    #[error("the topic {0} does not exist")]
    NoTopic(String),
    #[error("their records could not be read: {0}")]
    Unread(#[from] ReadError),
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

/// One record that is given up.
pub(super) struct Letter {
    pub offset: u64,
    deliveries: u16,
    cause: Cause,
    key: Option<Bytes>,
    value: Option<Bytes>,
}

#[cfg(test)]
impl Letter {
    pub fn value(&self) -> Option<&[u8]> {
        self.value.as_deref()
    }
}

/// Records that wait for their letters, how often they were delivered, and why they are given up.
pub(super) type Condemned = (Range, u16, Cause);

/// Letters with labels only.
pub(super) fn bare(condemned: &[Condemned]) -> Vec<Letter> {
    let letters = condemned.iter().flat_map(|(range, deliveries, cause)| {
        range.clone().map(|offset| Letter {
            offset,
            deliveries: *deliveries,
            cause: *cause,
            key: None,
            value: None,
        })
    });
    letters.collect()
}

/// The letters of the first condemned records, with copies of these: as many as fit into memory and can be read now, at least one.
///
/// What is damaged goes with its labels only: no other read brings it back. An error is one that another attempt may not meet.
pub(super) async fn collect(
    source: &Topic,
    partition: u32,
    condemned: &[Condemned],
) -> Result<Vec<Letter>, ReadError> {
    let Some(stream) = source.stream(partition) else {
        return Ok(bare(condemned));
    };
    let mut copies = Copies::default();
    for one in condemned {
        if copies.bytes >= BURIAL_BYTES_MAX {
            break;
        }
        let first = copies.letters.len();
        copies.letters.extend(bare(std::slice::from_ref(one)));
        match copies.fill(stream, first, &one.0).await {
            Ok(()) => {}
            Err(error) if copies.letters.is_empty() => return Err(error),
            Err(error) => {
                tracing::debug!(topic = source.name(), partition, %error, "records behind the first dead letters cannot be read yet");
                break;
            }
        }
    }
    Ok(copies.letters)
}

/// Letters that are being filled, and the bytes of records in them.
#[derive(Default)]
struct Copies {
    letters: Vec<Letter>,
    bytes: usize,
}

impl Copies {
    /// Puts keys and values into the letters of one range, which begin at index `first`. Those that have no room, or come after an
    /// error, are cut off. What the log no longer holds stays empty.
    async fn fill(&mut self, stream: &Stream, first: usize, range: &Range) -> Result<(), ReadError> {
        let bounds = stream.bounds();
        let below = bounds.end;
        let mut next = bounds.start.0.max(*range.start());
        while next <= *range.end() && next < below.0 {
            let limit = ReadLimit {
                bytes_max: BURIAL_BYTES_MAX,
                at_least_one: true,
                below,
            };
            let outcome = match stream.read(Offset(next), limit).await {
                Ok(outcome) => outcome,
                Err(ReadError::Corrupt(error)) => {
                    tracing::warn!(next, last = range.end(), %error, "dead letters go without their records");
                    return Ok(());
                }
                Err(error) => {
                    self.letters.truncate(first + (next - range.start()) as usize);
                    return Err(error);
                }
            };
            if outcome.next.0 <= next {
                break;
            }
            for split in outcome.chunks.into_iter().flat_map(batch::split) {
                let copied = split.and_then(|(header, chunk)| {
                    let is_wanted = !header.is_control() && header.base_offset.0 <= *range.end();
                    if is_wanted {
                        self.copy(chunk, first, range)
                    } else {
                        Ok(())
                    }
                });
                if let Err(error) = copied {
                    // The labels say where they lie; whoever wants them may have more luck.
                    tracing::warn!(next, last = range.end(), %error, "dead letters of a batch that does not open go without their records");
                }
                if self.bytes >= BURIAL_BYTES_MAX {
                    return Ok(());
                }
            }
            next = outcome.next.0;
        }
        Ok(())
    }

    /// Copies the records of one batch. At the one that fills the memory the letters end.
    fn copy(&mut self, chunk: Bytes, first: usize, range: &Range) -> Result<(), batch::BatchError> {
        let records = StoredBatch::verify(chunk)?.records(OPENED_BYTES_MAX)?;
        for record in &records {
            let record = record?;
            let Some(behind) = record.offset.0.checked_sub(*range.start()) else {
                continue;
            };
            let at = first + behind as usize;
            let Some(letter) = self.letters.get_mut(at) else {
                break;
            };
            letter.key = record.key.map(Bytes::copy_from_slice);
            letter.value = record.value.map(Bytes::copy_from_slice);
            self.bytes += record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
            if self.bytes >= BURIAL_BYTES_MAX {
                self.letters.truncate(at + 1);
                break;
            }
        }
        Ok(())
    }
}

/// Writes as many of the first letters as one batch of the target takes, `count_max` at the most, and waits until they are durable.
///
/// Returns how many letters the outcome is about, from the first on: they are durable, or the error is theirs.
pub(super) async fn write(
    broker: &Broker,
    id: &SubscriptionId,
    source: &Topic,
    target: &DeadLetters,
    letters: &[Letter],
    count_max: usize,
) -> (usize, Result<(), Unwritten>) {
    let letters = &letters[..letters.len().min(count_max)];
    let topic = match target_topic(broker, target).await {
        Ok(topic) => topic,
        Err(error) => return (letters.len(), Err(error)),
    };
    let partition = id.partition % topic.partitions();
    let bytes_max = topic.settings().batch_bytes_max;
    let now = broker.clock().wall_ms();
    let mut builder = BatchBuilder::new(Codec::None);
    let mut count = 0;
    for letter in letters {
        let mut alone = BatchBuilder::new(Codec::None);
        let pushed = push(&mut alone, letter, id, source.name(), target, now);
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
        if builder.size_bytes() + alone.size_bytes() > bytes_max && count > 0 {
            break;
        }
        match pushed.and_then(|()| push(&mut builder, letter, id, source.name(), target, now)) {
            Ok(()) => count += 1,
            Err(error) if count == 0 => return (1, Err(error.into())),
            // It is the first of the next call.
            Err(_) => break,
        }
    }
    (count, append(broker, &topic, partition, builder).await)
}

async fn append(
    broker: &Broker,
    topic: &Topic,
    partition: u32,
    builder: BatchBuilder,
) -> Result<(), Unwritten> {
    let batch = builder.finish()?;
    let pending = broker.append(topic, partition, batch.into_bytes()).await?;
    pending.durable().await?;
    Ok(())
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
