//! Why bytes are not a batch. Owns that one enum; a front end maps it in one `match`.
//!
//! Never carries bytes of the batch: an error of a hostile batch stays small.
//!
//! **Invariant**: nothing was stored or changed when it is returned. Both paths meet it before anything else happens.

use std::fmt;

/// Why bytes are not a batch that may be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchError {
    /// Fewer bytes than a header, or than the header says (Kafka: CORRUPT_MESSAGE).
    Truncated,
    /// Magic below 2 (Kafka: UNSUPPORTED_FOR_MESSAGE_FORMAT).
    OldMagic(u8),
    /// Magic above 2.
    UnknownMagic(u8),
    /// CRC-32C does not match (Kafka: CORRUPT_MESSAGE).
    BadCrc,
    /// A count, delta or length contradicts the rest (Kafka: INVALID_RECORD).
    Inconsistent(&'static str),
    /// Compression bits 5 to 7 (Kafka: UNSUPPORTED_COMPRESSION_TYPE).
    UnknownCodec(u8),
    /// Records do not decompress (Kafka: CORRUPT_MESSAGE).
    BadCompression,
    /// Decompressed size above the caller's cap, or more bytes than a batch can have (Kafka: RECORD_LIST_TOO_LARGE).
    TooLarge,
}

impl fmt::Display for BatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => write!(f, "the batch is shorter than its header says"),
            Self::OldMagic(magic) => write!(f, "message format {magic} is older than record batches (2)"),
            Self::UnknownMagic(magic) => write!(f, "message format {magic} is not known"),
            Self::BadCrc => write!(f, "the batch does not match its checksum"),
            Self::Inconsistent(what) => write!(f, "{what}"),
            Self::UnknownCodec(bits) => write!(f, "compression type {bits} is not known"),
            Self::BadCompression => write!(f, "the records do not decompress"),
            Self::TooLarge => write!(f, "the records are larger than allowed"),
        }
    }
}

impl std::error::Error for BatchError {}
