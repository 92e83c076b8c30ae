//! The parts that records of state are made of, little-endian.
//!
//! Owns: numbers, texts and byte strings. Never: what they mean. **Invariant**: a length is compared with the bytes that remain
//! before anything is taken.

use std::fmt;

/// Bytes that are no record of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// Ends too early, holds too much, or holds text that is not UTF-8.
    Malformed,
    /// Written by a later version.
    UnknownVersion(u8),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => write!(f, "a record is malformed"),
            Self::UnknownVersion(version) => write!(f, "a record has the unknown version or kind {version}"),
        }
    }
}

impl std::error::Error for RecordError {}

/// First byte of every value. A reader refuses what it does not know.
pub(crate) const VALUE_VERSION: u8 = 1;
/// Length that stands for "no text".
const NO_TEXT: u32 = u32::MAX;

pub(crate) fn put_length(out: &mut Vec<u8>, length: usize) {
    let length = u32::try_from(length).expect("a frame, and so every part of it, is below 4 GiB");
    out.extend_from_slice(&length.to_le_bytes());
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

pub(crate) fn put_optional_text(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        Some(text) => put_text(out, text),
        None => out.extend_from_slice(&NO_TEXT.to_le_bytes()),
    }
}

/// A value: its version, and what `write` adds.
pub(crate) fn value_of(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = vec![VALUE_VERSION];
    write(&mut out);
    out
}

/// What `read` takes from a value of version 1, all of it.
pub(crate) fn read_value<T>(
    value: &[u8],
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, RecordError>,
) -> Result<T, RecordError> {
    let mut reader = Reader::new(value);
    reader.version()?;
    let found = read(&mut reader)?;
    reader.finish()?;
    Ok(found)
}

/// What is left to read.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], RecordError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(RecordError::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        Ok(self.take(N)?.try_into().expect("exactly N bytes were taken"))
    }

    pub fn u8(&mut self) -> Result<u8, RecordError> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u32(&mut self) -> Result<u32, RecordError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn i16(&mut self) -> Result<i16, RecordError> {
        Ok(i16::from_le_bytes(self.array()?))
    }

    pub fn i32(&mut self) -> Result<i32, RecordError> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    pub fn i64(&mut self) -> Result<i64, RecordError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    pub fn version(&mut self) -> Result<(), RecordError> {
        match self.u8()? {
            VALUE_VERSION => Ok(()),
            other => Err(RecordError::UnknownVersion(other)),
        }
    }

    pub fn length(&mut self) -> Result<usize, RecordError> {
        Ok(self.u32()? as usize)
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], RecordError> {
        let length = self.length()?;
        self.take(length)
    }

    pub fn text(&mut self) -> Result<&'a str, RecordError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| RecordError::Malformed)
    }

    pub fn optional_text(&mut self) -> Result<Option<&'a str>, RecordError> {
        let mut ahead = Reader(self.0);
        if ahead.u32()? == NO_TEXT {
            *self = ahead;
            return Ok(None);
        }
        self.text().map(Some)
    }

    pub fn finish(self) -> Result<(), RecordError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(RecordError::Malformed)
        }
    }
}
