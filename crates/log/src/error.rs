//! What went wrong, and what happened to the data. One enum per operation; a front end maps each in one `match`.

use crate::ids::{Epoch, Offset};
use std::fmt;

/// What is known of a write that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Certainly not written: a retry cannot duplicate.
    NotDone,
    /// May or may not be durable; only reading back or recovery tells.
    Unknown,
}

/// Why an append was not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// The stream was deleted, or never existed.
    StreamGone,
    /// The stream is owned under another epoch.
    Fenced {
        /// The epoch that holds now.
        current: Epoch,
    },
    /// The producer's sequence leaves a hole (Kafka: OUT_OF_ORDER_SEQUENCE_NUMBER).
    OutOfOrderSequence,
    /// The sequence was written before, but so long ago that its offset is forgotten (Kafka: DUPLICATE_SEQUENCE_NUMBER).
    DuplicateSequence,
    /// The producer's epoch is older than the newest seen (Kafka: INVALID_PRODUCER_EPOCH).
    StaleProducerEpoch,
    /// Non-zero sequence from a producer of which the stream knows nothing, where that is not allowed.
    UnknownProducer,
    /// The producer has no transaction here that the batch could belong to, or one that it does not belong to
    /// (Kafka: INVALID_TXN_STATE).
    NotInTransaction,
    /// A marker of a coordinator that was replaced (Kafka: TRANSACTION_COORDINATOR_FENCED).
    StaleCoordinator,
    /// The stream remembers as many aborted transactions as it may; retention lets go of them.
    TooManyAborted,
    /// No room: disk full or the un-uploaded bound reached for too long.
    StorageFull,
    /// The medium failed.
    Storage {
        /// Whether the batch may be there after all.
        fate: Fate,
        /// What failed, for the log.
        what: String,
    },
    /// The log is shutting down; nothing was written.
    Closed,
}

/// Why a read gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// Outside of `[start, end]`.
    OffsetOutOfRange {
        /// First offset that is still kept.
        start: Offset,
        /// One past the last readable offset.
        end: Offset,
    },
    /// The stream was deleted.
    StreamGone,
    /// The medium failed; nothing is lost, the read may be tried again.
    Storage(String),
    /// Stored bytes do not match their checksum.
    Corrupt(String),
}

/// Why an operation on a stream (trim, policy, delete) was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamError {
    /// The stream was deleted.
    StreamGone,
    /// The offset lies above the high watermark.
    OffsetOutOfRange,
    /// The change is not durable, or not known to be.
    Storage {
        /// Whether it may have happened after all.
        fate: Fate,
        /// What failed.
        what: String,
    },
}

/// Why the log could not be opened. Nothing was changed on the media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Another process holds the data directory.
    InUse(String),
    /// Bytes that were acknowledged are damaged: a person must decide.
    Corrupt(String),
    /// A format of a later version.
    UnknownVersion(String),
    /// The medium failed.
    Storage(String),
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StreamGone => write!(f, "the stream no longer exists"),
            Self::Fenced { current } => write!(f, "the stream is owned under epoch {current}"),
            Self::OutOfOrderSequence => write!(f, "the producer's sequence leaves a hole"),
            Self::DuplicateSequence => write!(f, "the sequence was written before"),
            Self::StaleProducerEpoch => write!(f, "a newer epoch of this producer has written"),
            Self::UnknownProducer => write!(f, "nothing is known of this producer"),
            Self::NotInTransaction => write!(f, "the batch belongs to no transaction that is open here"),
            Self::StaleCoordinator => write!(f, "a newer coordinator has written"),
            Self::TooManyAborted => write!(f, "the stream remembers too many aborted transactions"),
            Self::StorageFull => write!(f, "no room is left for the write-ahead log"),
            Self::Storage { fate, what } => write!(f, "{what} ({fate:?})"),
            Self::Closed => write!(f, "the log is shutting down"),
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OffsetOutOfRange { start, end } => write!(f, "the stream holds [{start}, {end})"),
            Self::StreamGone => write!(f, "the stream no longer exists"),
            Self::Storage(what) => write!(f, "{what}"),
            Self::Corrupt(what) => write!(f, "stored bytes are damaged: {what}"),
        }
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StreamGone => write!(f, "the stream no longer exists"),
            Self::OffsetOutOfRange => write!(f, "the offset lies above the high watermark"),
            Self::Storage { fate, what } => write!(f, "{what} ({fate:?})"),
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(what) => write!(f, "in use by another process: {what}"),
            Self::Corrupt(what) => write!(f, "acknowledged data is damaged: {what}"),
            Self::UnknownVersion(what) => write!(f, "written by a later version: {what}"),
            Self::Storage(what) => write!(f, "{what}"),
        }
    }
}

impl std::error::Error for AppendError {}
impl std::error::Error for ReadError {}
impl std::error::Error for StreamError {}
impl std::error::Error for OpenError {}
