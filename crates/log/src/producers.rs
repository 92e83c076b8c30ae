//! What a stream remembers of idempotent producers: Kafka's rules, as a pure state machine (no time, no IO of its own).
//!
//! Owns: the last sequences of each producer, as durable and as assigned. Never decides an offset.
//!
//! **Invariant**: the durable state is a function of the stream's batches (docs/ARCHITECTURE.md, invariant 6), and it changes in
//! the same step as the watermark (trap T2). `ahead` is `durable` plus the batches that wait for the write-ahead log.
//!
//! On the append path, under the partition's lock.

use crate::batch::{BatchHeader, ControlKind, ControlRecord};
use crate::clock::TimestampMs;
use crate::error::{AppendError, Fate};
use crate::ids::{AbortedTransaction, Offset, ProducerView, TransactionGuard};
use crate::manifest::record::{PRODUCER_BATCHES_MAX, ProducerBatch, ProducerSnapshot};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Producers that one stream remembers; beyond it the longest silent are forgotten (a client could draw ids without end).
pub(crate) const PRODUCERS_MAX: usize = 100_000;
/// What is forgotten at once then, so that the search for them costs little a batch.
const FORGOTTEN_AT_ONCE: usize = PRODUCERS_MAX / 10;
/// Kafka: no producer epoch.
const NO_EPOCH: i16 = -1;
/// No coordinator has written a marker.
pub(crate) const NO_COORDINATOR: i32 = -1;

/// What a batch is to the producer state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// To be appended.
    Fresh,
    /// Appended before, at these offsets; pending still if they lie at or above the watermark.
    Duplicate {
        /// Offset of the first record.
        base: Offset,
        /// Offset of the last record.
        last: Offset,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    epoch: i16,
    count: u8,
    /// Of the last marker.
    coordinator_epoch: i32,
    last_timestamp: TimestampMs,
    transaction_start: Option<Offset>,
    batches: [ProducerBatch; PRODUCER_BATCHES_MAX],
}

#[derive(Clone, Debug)]
struct Producer {
    durable: State,
    ahead: State,
    /// Its first batches were taken back: the sequence of the first one, which must come again before any later one. Without
    /// it the second of two batches in flight would count as a new producer's first, and the retry of the first as old.
    awaited: Option<(i16, i32)>,
    /// Markers given their offsets since it was first heard of: what a `TransactionGuard` compares. Not durable: no request
    /// outlives the process.
    markers: u32,
    /// Batches of its newest epoch were taken back, and none became durable since: what follows them has to wait for them.
    taken_back: bool,
}

/// All producers of one stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Producers {
    by_id: BTreeMap<i64, Producer>,
    /// Where the durable open transactions start: each at a batch of its own.
    open: BTreeSet<Offset>,
}

impl Producers {
    /// Restores what `snapshots` said.
    pub(crate) fn restore(snapshots: &[ProducerSnapshot]) -> Self {
        let mut producers = Self::default();
        for snapshot in snapshots {
            let mut state = State {
                epoch: snapshot.producer_epoch,
                coordinator_epoch: snapshot.coordinator_epoch,
                last_timestamp: snapshot.last_timestamp,
                transaction_start: snapshot.transaction_start,
                ..State::NONE
            };
            for batch in snapshot.batches.iter().take(PRODUCER_BATCHES_MAX) {
                state.push(*batch);
            }
            producers.open.extend(state.transaction_start);
            producers.by_id.insert(
                snapshot.producer_id,
                Producer {
                    durable: state,
                    ahead: state,
                    awaited: None,
                    markers: 0,
                    taken_back: false,
                },
            );
        }
        producers
    }

    /// Judges a batch that is about to be appended at `now`; `marker` is what it holds if it is a control batch.
    pub(crate) fn check(
        &self,
        header: &BatchHeader,
        marker: Option<&ControlRecord>,
        now: TimestampMs,
        expiry: Duration,
    ) -> Result<Verdict, AppendError> {
        let Some(producer) = self.by_id.get(&header.producer_id) else {
            return Ok(Verdict::Fresh);
        };
        if producer.is_expired(now, expiry) {
            return Ok(Verdict::Fresh);
        }
        let mut verdict = producer.ahead.check(header, marker);
        if verdict == Ok(Verdict::Fresh) && producer.leaves_out_the_awaited(header) {
            verdict = Err(AppendError::OutOfOrderSequence);
        }
        verdict.map_err(|error| match error {
            AppendError::OutOfOrderSequence if producer.taken_back => follows_what_was_taken_back(),
            error => error,
        })
    }

    /// What its transaction is now; see `TransactionGuard`.
    pub(crate) fn guard(&self, producer_id: i64, producer_epoch: i16) -> TransactionGuard {
        let known = self.by_id.get(&producer_id);
        TransactionGuard {
            is_open: known.is_some_and(|producer| {
                producer.ahead.epoch == producer_epoch && producer.ahead.transaction_start.is_some()
            }),
            markers: known.map_or(0, |producer| producer.markers),
        }
    }

    /// Notes a batch that was given its offsets and waits for the write-ahead log.
    pub(crate) fn assign(
        &mut self,
        header: &BatchHeader,
        marker: Option<&ControlRecord>,
        now: TimestampMs,
        expiry: Duration,
    ) {
        let producer = self.by_id.entry(header.producer_id).or_insert(Producer::NEW);
        if producer.is_expired(now, expiry) {
            *producer = Producer {
                markers: producer.markers,
                ..Producer::NEW
            };
        }
        if producer.ahead.epoch == NO_EPOCH && !header.is_control() {
            producer.awaited = Some((header.producer_epoch, header.base_sequence));
        }
        if marker.is_some() {
            producer.markers = producer.markers.wrapping_add(1);
        }
        producer.ahead.apply(header, marker, now);
    }

    /// Notes a batch that became durable, gathered at `wall_ms`. Returns the transaction that it aborted.
    pub(crate) fn publish(
        &mut self,
        header: &BatchHeader,
        marker: Option<&ControlRecord>,
        wall_ms: TimestampMs,
    ) -> Option<AbortedTransaction> {
        let producer = self.by_id.entry(header.producer_id).or_insert(Producer::NEW);
        let open_before = producer.durable.transaction_start;
        producer.durable.apply(header, marker, wall_ms);
        producer.awaited = None;
        producer.taken_back = false;
        producer.ahead.last_timestamp = producer.ahead.last_timestamp.max(wall_ms);
        let open_now = producer.durable.transaction_start;
        if open_now != open_before {
            if let Some(ended) = open_before {
                self.open.remove(&ended);
            }
            self.open.extend(open_now);
        }
        if self.by_id.len() > PRODUCERS_MAX {
            self.forget_longest_silent();
        }
        let is_abort = marker.is_some_and(|marker| marker.kind == ControlKind::Abort);
        open_before.filter(|_| is_abort).map(|first| AbortedTransaction {
            producer_id: header.producer_id,
            first,
            marker: header.base_offset,
            stable_after: self.first_open().unwrap_or_else(|| header.next_offset()),
        })
    }

    /// Notes a durable batch found by recovery: nothing is pending, so both states move.
    pub(crate) fn replay(
        &mut self,
        header: &BatchHeader,
        marker: Option<&ControlRecord>,
        wall_ms: TimestampMs,
    ) -> Option<AbortedTransaction> {
        let aborted = self.publish(header, marker, wall_ms);
        if let Some(producer) = self.by_id.get_mut(&header.producer_id) {
            producer.ahead = producer.durable;
        }
        aborted
    }

    /// Forgets everything that is not durable, but for what a producer without durable batches began with.
    pub(crate) fn roll_back(&mut self) {
        self.by_id.retain(|_, producer| {
            let last_timestamp = producer.ahead.last_timestamp;
            producer.taken_back |= producer.ahead.remembered() != producer.durable.remembered();
            producer.ahead = producer.durable;
            if producer.durable == State::NONE {
                producer.ahead.last_timestamp = last_timestamp;
            }
            producer.durable != State::NONE || producer.awaited.is_some()
        });
    }

    /// Whether the producer's last batch ends at `last`.
    pub(crate) fn ends_at(&self, producer_id: i64, last: Offset) -> bool {
        let producer = self.by_id.get(&producer_id);
        let newest = producer.and_then(|producer| producer.durable.remembered().last());
        newest.is_some_and(|batch| batch.last == last)
    }

    /// Forgets producers that were silent for `expiry`.
    pub(crate) fn expire(&mut self, now: TimestampMs, expiry: Duration) {
        self.by_id.retain(|_, producer| !producer.is_expired(now, expiry));
    }

    /// Whether no producer is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Start of the oldest open transaction: the last stable offset, if there is one.
    pub(crate) fn first_open(&self) -> Option<Offset> {
        self.open.first().copied()
    }

    /// The durable state of all.
    pub(crate) fn snapshot(&self) -> Vec<ProducerSnapshot> {
        let durable = self
            .by_id
            .iter()
            .filter(|(_, producer)| producer.durable != State::NONE);
        durable
            .map(|(id, producer)| ProducerSnapshot {
                producer_id: *id,
                producer_epoch: producer.durable.epoch,
                coordinator_epoch: producer.durable.coordinator_epoch,
                last_timestamp: producer.durable.last_timestamp,
                transaction_start: producer.durable.transaction_start,
                batches: producer.durable.remembered().to_vec(),
            })
            .collect()
    }

    /// Those that have written and are not expired.
    pub(crate) fn views(&self, now: TimestampMs, expiry: Duration) -> Vec<ProducerView> {
        let known = self
            .by_id
            .iter()
            .filter(|(_, producer)| producer.durable != State::NONE && !producer.is_expired(now, expiry));
        known
            .map(|(id, producer)| ProducerView {
                producer_id: *id,
                producer_epoch: producer.durable.epoch,
                last_sequence: producer.durable.last_sequence(),
                last_timestamp: producer.durable.last_timestamp,
                transaction_start: producer.durable.transaction_start,
                coordinator_epoch: producer.durable.coordinator_epoch,
            })
            .collect()
    }

    /// By (time, id), so that replay forgets the same ones. Never one with batches pending or a transaction open.
    fn forget_longest_silent(&mut self) {
        let idle = self.by_id.iter().filter(|(_, producer)| producer.is_idle());
        let mut order: Vec<(TimestampMs, i64)> = idle
            .map(|(id, producer)| (producer.last_timestamp(), *id))
            .collect();
        order.sort_unstable();
        for (_, id) in order.into_iter().take(FORGOTTEN_AT_ONCE) {
            self.by_id.remove(&id);
        }
    }
}

/// The hole is ours: the producer was told so, and sends what was taken back again. "Out of order" would be a fault of its own, which
/// librdkafka takes for the end of the producer when it hears it of a batch that failed before.
fn follows_what_was_taken_back() -> AppendError {
    AppendError::Storage {
        fate: Fate::NotDone,
        what: "an earlier batch of the producer was not stored, and has to come again before this one"
            .to_owned(),
    }
}

impl Producer {
    const NEW: Producer = Producer {
        durable: State::NONE,
        ahead: State::NONE,
        awaited: None,
        markers: 0,
        taken_back: false,
    };

    /// Nothing pending, no transaction open.
    fn is_idle(&self) -> bool {
        // Both: the marker that ends a transaction may be the batch that is pending.
        self.durable.remembered() == self.ahead.remembered()
            && self.ahead.transaction_start.is_none()
            && self.durable.transaction_start.is_none()
    }

    fn is_expired(&self, now: TimestampMs, expiry: Duration) -> bool {
        let expiry_ms = i64::try_from(expiry.as_millis()).unwrap_or(i64::MAX);
        self.is_idle() && now.saturating_sub(self.last_timestamp()) > expiry_ms
    }

    /// Of its last durable batch; of its last batch at all if none ever became durable.
    fn last_timestamp(&self) -> TimestampMs {
        if self.durable == State::NONE {
            self.ahead.last_timestamp
        } else {
            self.durable.last_timestamp
        }
    }

    /// Whether a batch comes after the one that was taken back, before that one has come again.
    fn leaves_out_the_awaited(&self, header: &BatchHeader) -> bool {
        self.ahead.epoch == NO_EPOCH
            && self.awaited.is_some_and(|(epoch, sequence)| {
                header.producer_epoch == epoch && is_before(sequence, header.base_sequence)
            })
    }
}

impl State {
    const NONE: State = State {
        epoch: NO_EPOCH,
        count: 0,
        coordinator_epoch: NO_COORDINATOR,
        last_timestamp: 0,
        transaction_start: None,
        batches: [ProducerBatch {
            first_sequence: 0,
            last_sequence: 0,
            base: Offset(0),
            last: Offset(0),
        }; PRODUCER_BATCHES_MAX],
    };

    fn remembered(&self) -> &[ProducerBatch] {
        &self.batches[..usize::from(self.count)]
    }

    /// -1 before the first batch of the epoch, so that its first sequence must be 0.
    fn last_sequence(&self) -> i32 {
        self.remembered().last().map_or(-1, |batch| batch.last_sequence)
    }

    fn check(&self, header: &BatchHeader, marker: Option<&ControlRecord>) -> Result<Verdict, AppendError> {
        if header.producer_epoch < self.epoch {
            return Err(AppendError::StaleProducerEpoch);
        }
        if marker.is_some_and(|marker| marker.coordinator_epoch < self.coordinator_epoch) {
            return Err(AppendError::StaleCoordinator);
        }
        // Markers carry no sequence; and of a producer without history any sequence is taken, as Kafka does since its
        // state may have been deleted with the records (KIP-360).
        if header.is_control() || self.epoch == NO_EPOCH {
            return Ok(Verdict::Fresh);
        }
        if header.producer_epoch > self.epoch {
            return if header.base_sequence == 0 {
                Ok(Verdict::Fresh)
            } else {
                Err(AppendError::OutOfOrderSequence)
            };
        }
        let (base, last) = (header.base_sequence, header.last_sequence());
        let known = self
            .remembered()
            .iter()
            .find(|batch| batch.first_sequence == base && batch.last_sequence == last);
        if let Some(batch) = known {
            return Ok(Verdict::Duplicate {
                base: batch.base,
                last: batch.last,
            });
        }
        if base == next_sequence(self.last_sequence()) {
            return Ok(Verdict::Fresh);
        }
        match self.remembered().first() {
            Some(oldest) if is_before(last, oldest.first_sequence) => Err(AppendError::DuplicateSequence),
            _ => Err(AppendError::OutOfOrderSequence),
        }
    }

    fn apply(&mut self, header: &BatchHeader, marker: Option<&ControlRecord>, wall_ms: TimestampMs) {
        if header.producer_epoch != self.epoch {
            self.epoch = header.producer_epoch;
            self.count = 0;
        }
        self.last_timestamp = self.last_timestamp.max(wall_ms);
        if header.is_control() {
            if let Some(marker) = marker.filter(|marker| marker.ends_transaction()) {
                self.transaction_start = None;
                self.coordinator_epoch = self.coordinator_epoch.max(marker.coordinator_epoch);
            }
            return;
        }
        if header.is_transactional() && self.transaction_start.is_none() {
            self.transaction_start = Some(header.base_offset);
        }
        self.push(ProducerBatch {
            first_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            base: header.base_offset,
            last: header.last_offset(),
        });
    }

    fn push(&mut self, batch: ProducerBatch) {
        if usize::from(self.count) == PRODUCER_BATCHES_MAX {
            self.batches.rotate_left(1);
            self.batches[PRODUCER_BATCHES_MAX - 1] = batch;
        } else {
            self.batches[usize::from(self.count)] = batch;
            self.count += 1;
        }
    }
}

/// Sequences wrap from 2^31 - 1 to 0.
fn next_sequence(last: i32) -> i32 {
    if last == i32::MAX { 0 } else { last + 1 }
}

/// Whether `a` lies before `b` on the circle of sequences, less than half of it away.
fn is_before(a: i32, b: i32) -> bool {
    let distance = (b.wrapping_sub(a) & i32::MAX).cast_unsigned();
    distance > 0 && distance < 1 << 30
}

#[cfg(test)]
mod tests;
