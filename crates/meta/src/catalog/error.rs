//! What goes wrong with a change of the catalog. The broker maps each to its own terms in one place.
//!
//! Owns: the errors of every operation. Never: the settings' rules (the broker's).
//! **Invariant**: every error but `Store` means that nothing was changed.

use super::{
    CONFIG_BYTES_MAX, CONFIG_ENTRIES_MAX, CONFIG_NAME_BYTES_MAX, CONFIG_VALUE_BYTES_MAX,
    NAMED_SPELLING_BYTES_MAX, NameError, PARTITIONS_PER_TOPIC_MAX,
};
use crate::settle::StoreFailure;
use std::fmt;

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CatalogError {
    /// There is a topic of this name.
    TopicExists(String),
    /// There is no such topic.
    UnknownTopic,
    /// No topic can have this name.
    InvalidName(NameError),
    /// No topic can have this many partitions, or not this one.
    InvalidPartitions(PartitionCountError),
    /// The settings are larger than one resource may have.
    ConfigsTooLarge,
    /// No key can hold the name.
    NameTooLong,
    /// The caller's edit refused what it was given.
    Refused(String),
    /// Others changed the same thing again and again; nothing was changed.
    Contended,
    /// The store failed; it says what is known of the change.
    Store(StoreFailure),
}

/// Why a topic cannot have a number of partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionCountError {
    /// None at all.
    Zero,
    /// More than `PARTITIONS_PER_TOPIC_MAX`.
    TooMany,
    /// Not more than there are: partitions are never taken away.
    NotMore {
        /// How many there are.
        present: u32,
    },
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TopicExists(name) => write!(f, "Topic '{name}' already exists."),
            Self::UnknownTopic => write!(f, "there is no such topic"),
            Self::InvalidName(error) => error.fmt(f),
            Self::InvalidPartitions(error) => error.fmt(f),
            Self::ConfigsTooLarge => write!(
                f,
                "one resource has at most {CONFIG_ENTRIES_MAX} settings of {CONFIG_NAME_BYTES_MAX} bytes for the name and \
                 {CONFIG_VALUE_BYTES_MAX} for the value, {CONFIG_BYTES_MAX} in all"
            ),
            Self::NameTooLong => write!(
                f,
                "the name is empty, or longer than {NAMED_SPELLING_BYTES_MAX} bytes with every special character as three"
            ),
            Self::Refused(why) => f.write_str(why),
            Self::Contended => write!(f, "others change the same thing at the same time; try again"),
            Self::Store(failure) => failure.fmt(f),
        }
    }
}

impl fmt::Display for PartitionCountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero => write!(f, "a topic has at least one partition"),
            Self::TooMany => write!(f, "a topic has at most {PARTITIONS_PER_TOPIC_MAX} partitions"),
            Self::NotMore { present } => write!(f, "the topic has {present} partitions already"),
        }
    }
}

impl std::error::Error for CatalogError {}
impl std::error::Error for PartitionCountError {}

impl From<StoreFailure> for CatalogError {
    fn from(failure: StoreFailure) -> Self {
        Self::Store(failure)
    }
}

impl From<NameError> for CatalogError {
    fn from(error: NameError) -> Self {
        Self::InvalidName(error)
    }
}

impl From<PartitionCountError> for CatalogError {
    fn from(error: PartitionCountError) -> Self {
        Self::InvalidPartitions(error)
    }
}
