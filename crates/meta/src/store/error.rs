//! What goes wrong at the metadata store, and what is then known of the data. One enum per kind of operation.
//!
//! Owns: the errors of the port. Never: a retry (the caller knows whether one is safe).
//! **Invariant**: whatever is not certain is `Fate::Unknown`.

use super::{Revision, SESSION_TTL_MAX, SESSION_TTL_MIN};
use millstream_log::Fate;
use std::fmt;

/// Why a read gave nothing. A read may always be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The revision is older than the history that is kept.
    Compacted {
        /// The oldest revision that can be read.
        oldest: Revision,
    },
    /// The revision lies in the future.
    NotYet {
        /// The present one.
        current: Revision,
    },
    /// The store cannot be reached, or has failed.
    Unavailable(String),
}

/// Which rule a transaction breaks. Nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TxnRefusal {
    /// More than `TXN_OPS_MAX` operations or `TXN_COMPARES_MAX` compares.
    TooManyOps,
    /// A key is empty, longer than `KEY_BYTES_MAX` or not printable ASCII.
    InvalidKey,
    /// Two operations touch the same key.
    OverlappingKeys,
    /// A value is larger than `VALUE_BYTES_MAX`.
    ValueTooLarge,
    /// All of it is larger than `TXN_BYTES_MAX`.
    TxnTooLarge,
}

/// Why a transaction was not answered with an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TxnError {
    /// It breaks a rule; nothing was done.
    Refused(TxnRefusal),
    /// It binds a key to a session that is gone; nothing was done.
    SessionGone,
    /// The store failed.
    Store {
        /// `Unknown`: it may have been carried out, or may still be.
        fate: Fate,
        /// What failed.
        what: String,
    },
}

/// Why a watch ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchError {
    /// Changes that were not delivered are no longer kept: read the range again and watch from there.
    Lagged {
        /// The oldest revision after which a watch can begin.
        oldest: Revision,
    },
    /// The store cannot be reached; a new watch after the last revision may go on.
    Unavailable(String),
}

/// Why a session was not opened, renewed or closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionError {
    /// It has expired; its keys are gone. Its holder must stop at once.
    Expired,
    /// The lifetime is outside of what a session may have.
    InvalidTtl,
    /// The store failed; the session may or may not have been opened, renewed or closed.
    Unavailable(String),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compacted { oldest } => write!(f, "history before {oldest} is no longer kept"),
            Self::NotYet { current } => write!(f, "the store is at {current}, before the one asked for"),
            Self::Unavailable(what) => write!(f, "the metadata store gave no answer: {what}"),
        }
    }
}

impl fmt::Display for TxnRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooManyOps => "too many operations in one transaction",
            Self::InvalidKey => "a key is empty, too long or not printable ASCII",
            Self::OverlappingKeys => "two operations of one transaction touch the same key",
            Self::ValueTooLarge => "a value is too large",
            Self::TxnTooLarge => "the transaction is too large",
        })
    }
}

impl fmt::Display for TxnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::SessionGone => write!(f, "the session is gone"),
            Self::Store { fate, what } => write!(f, "{what} ({fate:?})"),
        }
    }
}

impl fmt::Display for WatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lagged { oldest } => write!(f, "changes up to {oldest} are no longer kept"),
            Self::Unavailable(what) => write!(f, "the watch broke: {what}"),
        }
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => write!(f, "the session has expired"),
            Self::InvalidTtl => write!(f, "a session lives {SESSION_TTL_MIN:?} to {SESSION_TTL_MAX:?}"),
            Self::Unavailable(what) => write!(f, "the metadata store gave no answer: {what}"),
        }
    }
}

impl std::error::Error for ReadError {}
impl std::error::Error for TxnRefusal {}
impl std::error::Error for TxnError {}
impl std::error::Error for WatchError {}
impl std::error::Error for SessionError {}
