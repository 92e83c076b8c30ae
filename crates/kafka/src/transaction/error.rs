//! Why the coordinator of transactions refuses, and what became of a write that failed.
//!
//! Owns: the two enums. Never: numbers of the wire; `errors.rs` maps each variant to its Kafka code in one `match`.

use std::fmt;

/// A refusal, named as Kafka names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionError {
    /// Another broker, or nobody yet, coordinates the id: look the coordinator up again.
    NotCoordinator,
    /// Cannot be served now; nothing was changed. Retry.
    CoordinatorNotAvailable,
    /// The state is still being read from its stream. Retry.
    CoordinatorLoadInProgress,
    /// The transaction before this one is still being ended. Retry.
    ConcurrentTransactions,
    /// The id is unknown, or belongs to another producer id.
    InvalidProducerIdMapping,
    /// A newer producer has the transactional id.
    ProducerFenced,
    /// The operation does not fit the state of the transaction.
    InvalidTransactionState,
    /// The timeout is negative, zero, or larger than allowed.
    InvalidTimeout,
    /// No such transactional id.
    TransactionalIdNotFound,
    /// The transaction covers more partitions than it may.
    TooManyPartitions,
    /// Our own fault.
    UnknownServerError,
}

/// Why records did not become durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersistError {
    /// The stream is owned elsewhere, or closing.
    NotOwner,
    /// Certainly not written: no room, or the medium refused.
    Unavailable,
}

impl fmt::Display for TransactionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotCoordinator => "this broker does not coordinate the transactional id",
            Self::CoordinatorNotAvailable => "the coordinator cannot serve the transactional id now",
            Self::CoordinatorLoadInProgress => "the state of transactions is being loaded",
            Self::ConcurrentTransactions => "the transaction before is still being ended",
            Self::InvalidProducerIdMapping => "the producer id is not that of the transactional id",
            Self::ProducerFenced => "a newer producer has the transactional id",
            Self::InvalidTransactionState => "the operation does not fit the state of the transaction",
            Self::InvalidTimeout => "the transaction timeout lies outside the allowed range",
            Self::TransactionalIdNotFound => "no such transactional id",
            Self::TooManyPartitions => "the transaction covers too many partitions",
            Self::UnknownServerError => "the coordinator failed",
        })
    }
}

impl std::error::Error for TransactionError {}
