//! Dead letters: records that were given up are written to another topic before they are done.
//!
//! Owns: the list of subscriptions with such records, and the one task that works it off. Never: who is given up (`subscription`).
//!
//! **Invariant**: a record is marked done only after its dead letter is durable. A crash between the two writes it twice; none is lost.
//! While the target takes nothing, condemned records stay condemned, and count as unsettled: consumers are held up, not cheated.

use super::cell::{Cell, answered};
use super::id::SubscriptionId;
use super::ledger::Cause;
use super::policy::{DeadLetters, PolicySource};
use super::runs::Range;
use crate::topics::{Topic, TopicError, TopicSpec};
use crate::{Broker, Dry};
use bytes::Bytes;
use millstream_log::batch::{self, BatchBuilder, Codec, NewRecord, StoredBatch};
use millstream_log::{Offset, ReadError, ReadLimit, Stream, TimestampMs};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Records that are read and buried at a time.
const BURIAL_RECORDS_MAX: u64 = 500;

/// Bytes of source records that are in memory at a time, one batch more or less.
const BURIAL_BYTES_MAX: usize = 1 << 20;

/// The most that the records of one batch may grow to when they are opened.
const OPENED_BYTES_MAX: usize = 64 << 20;

/// Pauses before a burial that failed is tried again.
const RETRY_WAIT_MIN: Duration = Duration::from_millis(100);
const RETRY_WAIT_MAX: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Graves {
    /// Subscriptions with dead letters, each at most once.
    open: Mutex<VecDeque<Arc<Cell>>>,
    bell: Notify,
}

/// Why the dead letters of a subscription are not buried yet.
#[derive(Debug, thiserror::Error)]
enum Unburied {
    #[error("the records could not be read: {0}")]
    Read(#[from] ReadError),
    #[error("a stored batch does not open: {0}")]
    Damaged(#[from] batch::BatchError),
    #[error("the topic {0} does not exist")]
    NoTopic(String),
    #[error("the topic could not be made: {0}")]
    Topic(#[from] TopicError),
    #[error("the topic did not take them: {0}")]
    Append(#[from] crate::ProduceError),
    #[error("their end was not kept: {0}")]
    State(#[from] super::QueueError),
}

/// One record that is given up.
struct Letter {
    offset: u64,
    deliveries: u16,
    cause: Cause,
    key: Option<Bytes>,
    value: Option<Bytes>,
}

impl Graves {
    /// `cell` has condemned records.
    pub fn dig(&self, cell: &Arc<Cell>) {
        let mut open = self.open.lock();
        if !open.iter().any(|held| Arc::ptr_eq(held, cell)) {
            open.push_back(cell.clone());
            self.bell.notify_one();
        }
    }

    /// Until `closing` turns true.
    pub async fn run(
        self: Arc<Self>,
        broker: Broker,
        policies: Arc<dyn PolicySource>,
        mut closing: watch::Receiver<bool>,
    ) {
        let mut pause = RETRY_WAIT_MIN;
        loop {
            let Some(cell) = self.open.lock().pop_front() else {
                tokio::select! {
                    biased;
                    _ = closing.wait_for(|closing| *closing) => return,
                    () = self.bell.notified() => {}
                }
                continue;
            };
            let Err(error) = bury_all(&broker, &*policies, &cell).await else {
                pause = RETRY_WAIT_MIN;
                continue;
            };
            tracing::warn!(subscription = &*cell.id.name, partition = cell.id.partition, %error, "dead letters wait");
            self.dig(&cell);
            tokio::select! {
                biased;
                _ = closing.wait_for(|closing| *closing) => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(RETRY_WAIT_MAX);
        }
    }
}

async fn bury_all(broker: &Broker, policies: &dyn PolicySource, cell: &Arc<Cell>) -> Result<(), Unburied> {
    loop {
        let condemned = cell.condemned(BURIAL_RECORDS_MAX);
        if condemned.is_empty() {
            return Ok(());
        }
        let policy = policies.policy(&cell.id);
        // Exactly these: what is condemned meanwhile has no letter yet.
        let buried = match (&policy.dead_letters, broker.topic_by_id(&cell.id.topic)) {
            (Some(target), Some(source)) => {
                let letters = collect(&source, cell.id.partition, condemned, target.copies_record).await?;
                write(broker, &cell.id, &source, target, &letters).await?;
                letters
                    .iter()
                    .map(|letter| letter.offset..=letter.offset)
                    .collect()
            }
            // Nobody wants them any more.
            _ => condemned.into_iter().map(|(range, ..)| range).collect(),
        };
        answered(cell.buried(buried)).await?;
    }
}

/// The letters of condemned records, as many as fit into memory: at least one.
async fn collect(
    source: &Topic,
    partition: u32,
    condemned: Vec<(Range, u16, Cause)>,
    copies: bool,
) -> Result<Vec<Letter>, Unburied> {
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
            bytes += fill(stream, &range, &mut letters[at..]).await?;
        }
    }
    Ok(letters)
}

/// Puts keys and values into the letters of one range. What the log no longer holds stays empty.
async fn fill(stream: &Stream, range: &Range, letters: &mut [Letter]) -> Result<usize, Unburied> {
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
async fn write(
    broker: &Broker,
    id: &SubscriptionId,
    source: &Topic,
    target: &DeadLetters,
    letters: &[Letter],
) -> Result<(), Unburied> {
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
) -> Result<crate::PendingAppend, Unburied> {
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

async fn target_topic(broker: &Broker, target: &DeadLetters) -> Result<Arc<Topic>, Unburied> {
    if let Some(topic) = broker.topic(&target.topic) {
        return Ok(topic);
    }
    let missing = || Unburied::NoTopic(target.topic.clone());
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
