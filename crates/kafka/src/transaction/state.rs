//! The durable state of one transactional id, and its transitions.
//!
//! Owns: what a restart finds, and every change of it as a function of state and input. Never: who may ask (`machine`), bytes
//! (`record`), time but as a number that is passed in.
//!
//! **Invariant**: epochs of one producer id only rise; a transaction that was prepared one way never ends the other.

use super::error::TransactionError;
use super::name::Partitions;

/// No producer id.
pub const NO_PRODUCER: i64 = -1;
/// No epoch.
pub const NO_EPOCH: i16 = -1;
/// No time.
pub const NO_TIME: i64 = -1;

/// The highest epoch that a client is given. One more is kept for the marker that ends its last transaction.
const EPOCH_MAX: i16 = i16::MAX - 1;

/// Who writes: a producer id and its epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerEpoch {
    /// Kafka: producer id.
    pub id: i64,
    /// Kafka: producer epoch.
    pub epoch: i16,
}

/// Where a transaction stands; the names are Kafka's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// A producer, no transaction.
    Empty,
    /// Partitions were added.
    Ongoing,
    /// To be committed; markers are being written.
    PrepareCommit,
    /// To be aborted; markers are being written.
    PrepareAbort,
    /// All markers are written.
    CompleteCommit,
    /// All markers are written.
    CompleteAbort,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Phase; 6] = [
        Phase::Empty,
        Phase::Ongoing,
        Phase::PrepareCommit,
        Phase::PrepareAbort,
        Phase::CompleteCommit,
        Phase::CompleteAbort,
    ];

    /// As clients see it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::Ongoing => "Ongoing",
            Self::PrepareCommit => "PrepareCommit",
            Self::PrepareAbort => "PrepareAbort",
            Self::CompleteCommit => "CompleteCommit",
            Self::CompleteAbort => "CompleteAbort",
        }
    }

    /// Whether markers are being written.
    #[must_use]
    pub fn is_prepared(self) -> bool {
        matches!(self, Self::PrepareCommit | Self::PrepareAbort)
    }

    /// Whether there is no transaction.
    #[must_use]
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Empty | Self::CompleteCommit | Self::CompleteAbort)
    }
}

/// When the epoch rises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpochPolicy {
    /// With each new producer of the id (transaction.version 0 and 1).
    PerProducer,
    /// With each transaction, too (transaction.version 2, KIP-890): what is left over of one can never get into the next.
    PerTransaction,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionState {
    /// Who has the id now.
    pub producer: ProducerEpoch,
    /// The epoch before, if a retry may still name it; -1: none.
    pub last_epoch: i16,
    /// The producer id before the present one; -1: none.
    pub previous_id: i64,
    /// The producer id that takes over when the transaction is complete, as this one has no epochs left; -1: none.
    pub next_id: i64,
    /// Milliseconds from the first partition to an abort by the broker.
    pub timeout_ms: i32,
    /// Where the transaction stands.
    pub phase: Phase,
    /// How its epochs rise.
    pub policy: EpochPolicy,
    /// What it covers.
    pub partitions: Partitions,
    /// Wall time of its begin, milliseconds; -1: none was begun.
    pub started_ms: i64,
    /// Wall time of the last change, milliseconds.
    pub updated_ms: i64,
}

impl TransactionState {
    /// A new transactional id; the first `bump` gives it epoch 0.
    #[must_use]
    pub fn new(producer_id: i64, timeout_ms: i32, now_ms: i64) -> Self {
        Self {
            producer: ProducerEpoch {
                id: producer_id,
                epoch: NO_EPOCH,
            },
            last_epoch: NO_EPOCH,
            previous_id: NO_PRODUCER,
            next_id: NO_PRODUCER,
            timeout_ms,
            phase: Phase::Empty,
            policy: EpochPolicy::PerProducer,
            partitions: Partitions::default(),
            started_ms: NO_TIME,
            updated_ms: now_ms,
        }
    }

    /// Whether no further epoch can be given under this producer id.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.producer.epoch >= EPOCH_MAX
    }

    /// Whether a client that names `expected` may have a new epoch (KIP-360): it is the present producer, or repeats what it
    /// asked before its epoch was raised, or before its id was replaced.
    #[must_use]
    pub fn knows(&self, expected: ProducerEpoch) -> bool {
        if self.producer.epoch == NO_EPOCH {
            return true;
        }
        let same = expected.id == self.producer.id;
        let replaced = expected.id == self.previous_id && expected.epoch >= EPOCH_MAX;
        (same && (expected.epoch == self.producer.epoch || expected.epoch == self.last_epoch))
            || (replaced && expected.epoch == self.last_epoch)
    }

    /// A producer comes, or comes back (InitProducerId). `fresh_id` is taken if the present id has no epochs left.
    #[must_use]
    pub fn bumped(
        &self,
        expected: Option<ProducerEpoch>,
        fresh_id: i64,
        timeout_ms: i32,
        now_ms: i64,
    ) -> TransactionState {
        assert!(self.phase.is_settled(), "only between transactions");
        let mut next = TransactionState {
            phase: Phase::Empty,
            partitions: Partitions::default(),
            started_ms: NO_TIME,
            updated_ms: now_ms,
            timeout_ms,
            ..self.clone()
        };
        let is_new = self.producer.epoch == NO_EPOCH;
        // A retry of a request whose answer was lost gets the same answer.
        let is_retry = !is_new && expected.is_some_and(|expected| expected != self.producer);
        if is_retry {
            return next;
        }
        next.last_epoch = match expected {
            Some(_) if !is_new => self.producer.epoch,
            _ => NO_EPOCH,
        };
        if self.is_exhausted() {
            next.previous_id = self.producer.id;
            next.producer = ProducerEpoch {
                id: fresh_id,
                epoch: 0,
            };
        } else {
            next.producer.epoch = self.producer.epoch + 1;
        }
        next
    }

    /// Partitions are added; the first ones begin the transaction.
    pub fn with_partitions(
        &self,
        more: &Partitions,
        policy: EpochPolicy,
        now_ms: i64,
        partitions_max: usize,
    ) -> Result<TransactionState, TransactionError> {
        assert!(!self.phase.is_prepared(), "nothing joins what is being ended");
        let mut next = self.clone();
        if self.phase != Phase::Ongoing {
            next.partitions = Partitions::default();
            next.started_ms = now_ms;
            next.policy = policy;
            next.phase = Phase::Ongoing;
        }
        next.partitions.extend(more);
        if next.partitions.len() > partitions_max {
            return Err(TransactionError::TooManyPartitions);
        }
        next.updated_ms = now_ms;
        Ok(next)
    }

    /// The transaction is to end, as its producer asks. Under `PerTransaction` the markers carry the next epoch; `fresh_id` takes
    /// over if there is none left.
    #[must_use]
    pub fn prepared(
        &self,
        commit: bool,
        policy: EpochPolicy,
        fresh_id: Option<i64>,
        now_ms: i64,
    ) -> TransactionState {
        let mut next = self.ending(commit, now_ms);
        next.policy = policy;
        if policy == EpochPolicy::PerTransaction {
            next.last_epoch = self.producer.epoch;
            next.next_id = fresh_id.filter(|_| self.is_exhausted()).unwrap_or(NO_PRODUCER);
            next.producer.epoch = self.producer.epoch.saturating_add(1);
        }
        next
    }

    /// The transaction is aborted against its producer's will: it took too long, or a newer producer came. The old epoch is
    /// fenced. `may_return`: the producer may take up the new epoch by asking for an abort, or for a new epoch, itself.
    #[must_use]
    pub fn fenced(&self, may_return: bool, now_ms: i64) -> TransactionState {
        let mut next = self.ending(false, now_ms);
        next.last_epoch = if may_return { self.producer.epoch } else { NO_EPOCH };
        next.producer.epoch = self.producer.epoch.saturating_add(1);
        next
    }

    fn ending(&self, commit: bool, now_ms: i64) -> TransactionState {
        assert!(!self.phase.is_prepared(), "a transaction ends once");
        let mut next = self.clone();
        next.phase = if commit {
            Phase::PrepareCommit
        } else {
            Phase::PrepareAbort
        };
        if self.phase != Phase::Ongoing {
            // KIP-890: an abort before anything was written.
            next.started_ms = now_ms;
            next.partitions = Partitions::default();
        }
        next.updated_ms = now_ms;
        next
    }

    /// Every marker is durable.
    #[must_use]
    pub fn completed(&self, now_ms: i64) -> TransactionState {
        let mut next = self.clone();
        next.phase = match self.phase {
            Phase::PrepareCommit => Phase::CompleteCommit,
            Phase::PrepareAbort => Phase::CompleteAbort,
            other => unreachable!("{} has no markers", other.name()),
        };
        next.partitions = Partitions::default();
        next.updated_ms = now_ms;
        if self.next_id != NO_PRODUCER {
            next.previous_id = self.producer.id;
            next.producer = ProducerEpoch {
                id: self.next_id,
                epoch: 0,
            };
            next.next_id = NO_PRODUCER;
        }
        next
    }

    /// What the producer goes on with once this transaction has ended.
    #[must_use]
    pub fn successor(&self) -> ProducerEpoch {
        if self.next_id == NO_PRODUCER {
            self.producer
        } else {
            ProducerEpoch {
                id: self.next_id,
                epoch: 0,
            }
        }
    }

    /// Whether `asked` names the producer as it was before the end of its last transaction was answered: a retry (KIP-890).
    #[must_use]
    pub fn is_retry_of_end(&self, asked: ProducerEpoch) -> bool {
        if self.policy != EpochPolicy::PerTransaction || self.last_epoch != asked.epoch {
            return false;
        }
        let raised = asked.id == self.producer.id && asked.epoch.checked_add(1) == Some(self.producer.epoch);
        let replaced = asked.id == self.previous_id && asked.epoch == EPOCH_MAX && self.producer.epoch == 0;
        raised || replaced
    }
}
