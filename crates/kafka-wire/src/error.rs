//! What can go wrong between bytes and messages: two small enums, no allocation, no backtrace.
//!
//! Owns no text of a peer: an error never carries bytes from the wire, so that it can be logged as it is.

use std::fmt;

/// Why bytes are not the message they claim to be. The frame is lost; nothing else is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// A field, or the count of an array, needs more bytes than the frame still has.
    Truncated,
    /// Bytes are left after the last field.
    TrailingBytes,
    /// A length below -1, or a string's above 32,767.
    InvalidLength,
    /// Null where this version of the message does not allow it.
    UnexpectedNull,
    /// A string is not UTF-8.
    InvalidUtf8,
    /// A variable-length integer with more than 32 bits.
    VarintTooLong,
    /// The message would need more memory than its frame's length justifies (see [`crate::Reader::with_budget`]).
    OverBudget,
    /// The message does not exist at this version.
    UnsupportedVersion,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the frame ends inside a field",
            Self::TrailingBytes => "bytes are left after the last field",
            Self::InvalidLength => "a length is outside of its type's range",
            Self::UnexpectedNull => "a field is null that must not be",
            Self::InvalidUtf8 => "a string is not UTF-8",
            Self::VarintTooLong => "a variable-length integer has more than 32 bits",
            Self::OverBudget => "the message needs more memory than its length justifies",
            Self::UnsupportedVersion => "the message does not exist at this version",
        })
    }
}

impl std::error::Error for DecodeError {}

/// Why a message cannot be written at a version. Always a mistake of the caller; no byte may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// The message does not exist at this version.
    UnsupportedVersion,
    /// The field is set, and this version has no place for it.
    FieldNotInVersion {
        /// Name of the field.
        field: &'static str,
        /// The version.
        version: i16,
    },
    /// The field is null, and this version does not allow it.
    NullNotInVersion {
        /// Name of the field.
        field: &'static str,
        /// The version.
        version: i16,
    },
    /// A string, byte field, array or frame is longer than its length field can say.
    TooLong,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnsupportedVersion => f.write_str("the message does not exist at this version"),
            Self::FieldNotInVersion { field, version } => {
                write!(f, "field {field} is set but does not exist at version {version}")
            }
            Self::NullNotInVersion { field, version } => {
                write!(f, "field {field} is null, which version {version} does not allow")
            }
            Self::TooLong => f.write_str("a field is longer than its length can say"),
        }
    }
}

impl std::error::Error for EncodeError {}
