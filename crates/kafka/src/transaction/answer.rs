//! What the coordinator of transactions answers, and what it asks of its driver.
//!
//! Owns: the outputs of the state machine. Never: wire versions and error codes; `api/` maps them.

use super::error::TransactionError;
use super::name::{Partitions, TransactionalId};
use super::state::{Phase, ProducerEpoch};
use crate::state::{PersistToken, RequestId};
use millstream_broker::StateRecord;

/// What the driver has to do after a step, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Answer a request. Each request is answered exactly once.
    Reply(RequestId, Answer),
    /// Append this record, after all earlier ones, then report `Input::Persisted`. `None` only waits for the earlier ones.
    Persist(PersistToken, Option<StateRecord>),
    /// Write the markers, however often it has to be tried, then report `Input::Marked`.
    Mark(MarkerJob),
}

/// Markers to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkerJob {
    /// Whose transaction ends.
    pub id: TransactionalId,
    /// As the markers carry it.
    pub producer: ProducerEpoch,
    /// Commit, or else abort.
    pub commit: bool,
    /// Where.
    pub partitions: Partitions,
}

/// The answer to the request of the same name.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Who the producer is now.
    Init(Result<ProducerEpoch, TransactionError>),
    /// Added.
    Add(Result<(), TransactionError>),
    /// Those of the partitions asked about that are part of the transaction.
    Verify(Result<Partitions, TransactionError>),
    /// Who the producer is from now on.
    End(Result<ProducerEpoch, TransactionError>),
    /// One id.
    Describe(Result<DescribedTransaction, TransactionError>),
    /// Those that match.
    List(Vec<ListedTransaction>),
}

/// A transactional id in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedTransaction {
    /// Where its transaction stands.
    pub phase: Phase,
    /// Milliseconds.
    pub timeout_ms: i32,
    /// Wall time of its begin, milliseconds; -1: none was begun.
    pub started_ms: i64,
    /// Who has it.
    pub producer: ProducerEpoch,
    /// What its transaction covers.
    pub partitions: Partitions,
}

/// A transactional id in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTransaction {
    /// The id.
    pub id: TransactionalId,
    /// Who has it.
    pub producer_id: i64,
    /// Where its transaction stands.
    pub phase: Phase,
}
