//! Little-endian fields of the stored formats: a bounded reader over bytes that may be damaged, and the writer beside it.
//!
//! Never allocates on the word of a length that it has not compared with the bytes that remain.
//! Used by objects, manifest records and snapshots; the layouts are in docs/format.

use bytes::{BufMut, BytesMut};
use std::fmt;

/// Why stored bytes were not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatError {
    /// Fewer bytes than the format needs.
    Truncated,
    /// Not this format at all.
    BadMagic,
    /// Written by a later version.
    UnknownVersion(u16),
    /// The named part does not match its checksum.
    BadChecksum(&'static str),
    /// A field contradicts the rest.
    Inconsistent(&'static str),
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => write!(f, "bytes are missing"),
            Self::BadMagic => write!(f, "the magic number is not ours"),
            Self::UnknownVersion(version) => write!(f, "version {version} is not known here"),
            Self::BadChecksum(part) => write!(f, "the checksum of the {part} does not match"),
            Self::Inconsistent(what) => write!(f, "{what}"),
        }
    }
}

impl std::error::Error for FormatError {}

/// Takes fields from the front of a slice.
pub(crate) struct LeReader<'a> {
    rest: &'a [u8],
}

impl<'a> LeReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], FormatError> {
        let (head, tail) = self.rest.split_at_checked(len).ok_or(FormatError::Truncated)?;
        self.rest = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let (head, tail) = self.rest.split_first_chunk::<N>().ok_or(FormatError::Truncated)?;
        self.rest = tail;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, FormatError> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16, FormatError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, FormatError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, FormatError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn i16(&mut self) -> Result<i16, FormatError> {
        self.array().map(i16::from_le_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, FormatError> {
        self.array().map(i32::from_le_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, FormatError> {
        self.array().map(i64::from_le_bytes)
    }

    /// A count of elements that take `element_bytes_min` each: more than can follow is refused before anything is allocated.
    pub(crate) fn count(&mut self, element_bytes_min: usize) -> Result<usize, FormatError> {
        let count = self.u32()? as usize;
        if count.saturating_mul(element_bytes_min) > self.rest.len() {
            return Err(FormatError::Truncated);
        }
        Ok(count)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

/// Writes a count; our own state never holds 2^32 elements of anything.
pub(crate) fn put_count(out: &mut BytesMut, count: usize) {
    out.put_u32_le(u32::try_from(count).expect("counts of the log's own state fit 32 bits"));
}

/// The checksum of every stored format of ours.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}
