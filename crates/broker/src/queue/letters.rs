//! Dead letters as records: composed from what was given up, and written to their topic.
//!
//! Owns: what a letter says. Never: when it is written, how often that is tried, or what becomes of its record (`graves`).
//!
//! **Invariant**: a letter says where its record lies even if the record cannot be copied: it is too large, or cannot be read.

use super::id::SubscriptionId;
use super::ledger::Cause;
use super::policy::{DeadLetters, Labels};
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
    #[error("their records were not read in time")]
    Slow,
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

/// Rises whenever somebody asks to begin a subscription anew: what became of its records before says nothing of them after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Life(u64);

impl Life {
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Records of a subscription that wait for their letters.
pub(super) enum Doomed {
    /// None.
    Nobody,
    /// The first of them.
    These(Life, Vec<Condemned>),
    /// Whether they still are is known when a restart is written or has failed.
    Unknown,
}

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
    let (builder, count) = compose(letters, id, source.name(), target, now, bytes_max);
    match builder {
        Ok(builder) => (count, append(broker, &topic, partition, builder).await),
        Err(error) => (count, Err(error.into())),
    }
}

/// As many of the first letters as go into one batch of `bytes_max` bytes, at least one, and how many these are. An error is the first
/// letter's. Sizes are known before anything is encoded, so that each letter is encoded once.
fn compose(
    letters: &[Letter],
    id: &SubscriptionId,
    source: &str,
    target: &DeadLetters,
    now: TimestampMs,
    bytes_max: usize,
) -> (Result<BatchBuilder, batch::BatchError>, usize) {
    let mut builder = BatchBuilder::new(Codec::None);
    let empty = BatchBuilder::new(Codec::None);
    let mut count = 0;
    for letter in letters {
        let labels = LabelTexts::of(letter, id);
        let headers = labels.headers(letter, id, source, &target.labels);
        let mut record = NewRecord {
            timestamp: now,
            key: letter.key.as_deref(),
            value: letter.value.as_deref(),
            headers: &headers,
        };
        // Too large with its labels: the labels say where it lies.
        if !empty
            .size_bytes_with(&record)
            .is_ok_and(|bytes| bytes <= bytes_max)
        {
            (record.key, record.value) = (None, None);
        }
        let is_full = !builder
            .size_bytes_with(&record)
            .is_ok_and(|bytes| bytes <= bytes_max);
        if is_full && count > 0 {
            break;
        }
        match encode(&mut builder, &record) {
            Ok(()) => count += 1,
            Err(error) if count == 0 => return (Err(error), 1),
            // It is the first of the next call.
            Err(_) => break,
        }
    }
    (Ok(builder), count)
}

fn encode(builder: &mut BatchBuilder, record: &NewRecord<'_>) -> Result<(), batch::BatchError> {
    #[cfg(test)]
    ENCODED.with(|encoded| encoded.set(encoded.get() + 1));
    builder.push(record)
}

#[cfg(test)]
thread_local! {
    /// Letters that this thread has encoded, for the test that none is twice.
    static ENCODED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
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

/// The numbers of a letter as its headers spell them.
struct LabelTexts {
    partition: String,
    offset: String,
    deliveries: String,
}

impl LabelTexts {
    fn of(letter: &Letter, id: &SubscriptionId) -> Self {
        Self {
            partition: id.partition.to_string(),
            offset: letter.offset.to_string(),
            deliveries: letter.deliveries.to_string(),
        }
    }

    fn headers<'a>(
        &'a self,
        letter: &Letter,
        id: &'a SubscriptionId,
        source: &'a str,
        labels: &'a Labels,
    ) -> [(&'a [u8], Option<&'a [u8]>); 6] {
        let reason = match letter.cause {
            Cause::Rejected => labels.rejected,
            Cause::Undelivered => labels.undelivered,
        };
        let header = |name: &'a str, value: &'a str| (name.as_bytes(), Some(value.as_bytes()));
        [
            header(labels.topic, source),
            header(labels.partition, &self.partition),
            header(labels.offset, &self.offset),
            header(labels.subscription, &id.name),
            header(labels.deliveries, &self.deliveries),
            header(labels.reason, reason),
        ]
    }
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

#[cfg(test)]
mod tests {
    use super::super::id::Space;
    use super::super::tests::policy;
    use super::*;
    use millstream_meta::catalog::TopicId;

    const VALUE_BYTES: usize = 100;

    fn letters(count: u64) -> Vec<Letter> {
        let mut letters = bare(&[(0..=count - 1, 1, Cause::Rejected)]);
        for letter in &mut letters {
            letter.value = Some(Bytes::from(vec![b'x'; VALUE_BYTES]));
        }
        letters
    }

    fn composed(letters: &[Letter], bytes_max: usize) -> (BatchBuilder, usize) {
        let id = SubscriptionId {
            space: Space(1),
            name: Arc::from("g"),
            topic: TopicId([1; 16]),
            partition: 0,
        };
        let target = policy(1, 1, true).dead_letters.expect("it has a target");
        let (builder, count) = compose(letters, &id, "t", &target, 0, bytes_max);
        (builder.expect("they fit the format"), count)
    }

    #[test]
    fn a_letter_is_encoded_once_and_a_batch_takes_as_many_as_fit() {
        let letters = letters(10);
        let all = composed(&letters, usize::MAX).0.size_bytes();
        ENCODED.set(0);
        let mut rest = &letters[..];
        let mut batches = 0;
        while !rest.is_empty() {
            let (builder, count) = composed(rest, all / 2);
            assert!(builder.size_bytes() <= all / 2 && count > 0);
            batches += 1;
            rest = &rest[count..];
        }
        assert!(batches > 2);
        assert_eq!(ENCODED.get(), letters.len());
    }

    #[test]
    fn a_letter_that_is_too_large_with_its_record_bears_its_labels_only() {
        let letters = letters(1);
        let whole = composed(&letters, usize::MAX).0.size_bytes();
        let (builder, count) = composed(&letters, whole - 1);
        assert_eq!(count, 1);
        assert!(builder.size_bytes() <= whole - VALUE_BYTES);
        // Without room for the labels it is the topic that refuses it.
        assert_eq!(composed(&letters, 1).1, 1);
    }
}
