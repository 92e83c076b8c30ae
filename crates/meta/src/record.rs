//! The frame around every value in the metadata store, and the fields inside (docs/format/meta.md).
//!
//! Owns: magic, kind, version, checksum, bounds. Never: what a record means.
//! **Invariant**: decoding never panics and never allocates more than the value's own length suggests.
//!
//! ```text
//! "Mm"  kind u8  version u8  fields ...  crc32c u32     integers little-endian; the checksum is of everything before it
//! ```

use bytes::Bytes;
use std::fmt;

const MAGIC: [u8; 2] = *b"Mm";
const HEADER_BYTES: usize = 4;
const CHECKSUM_BYTES: usize = 4;

/// What a value is. The number is stored: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Cluster = 1,
    Counter = 2,
    Topic = 3,
    Partitions = 4,
    Configs = 5,
    ManifestRecord = 6,
    ManifestSnapshot = 7,
    Acl = 8,
    Scram = 9,
    Token = 10,
}

/// Why a value could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// Shorter than its frame, or than its fields say.
    TooShort,
    /// Bytes left over after the last field.
    TooLong,
    /// Not one of our values, or not the kind that belongs under its key.
    NotThisKind,
    /// Written by a later version.
    UnknownVersion(u8),
    /// Damaged.
    Checksum,
    /// A field holds what it never may.
    Field(&'static str),
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => write!(f, "the value is too short"),
            Self::TooLong => write!(f, "the value is too long"),
            Self::NotThisKind => write!(f, "the value is of another kind"),
            Self::UnknownVersion(version) => write!(f, "the value has the unknown version {version}"),
            Self::Checksum => write!(f, "the value does not match its checksum"),
            Self::Field(name) => write!(f, "the value's field {name} is impossible"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Builds a value.
pub(crate) struct Encoder(Vec<u8>);

impl Encoder {
    pub(crate) fn new(kind: Kind, version: u8) -> Self {
        let [m0, m1] = MAGIC;
        Self(vec![m0, m1, kind as u8, version])
    }

    pub(crate) fn u16(mut self, number: u16) -> Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    pub(crate) fn u32(mut self, number: u32) -> Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    pub(crate) fn u64(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    /// Bytes without a length: of a fixed size, or the last field.
    pub(crate) fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn finish(self) -> Bytes {
        let checksum = crc32c::crc32c(&self.0);
        self.u32(checksum).0.into()
    }
}

/// Reads a value's fields in order.
#[derive(Debug)]
pub(crate) struct Decoder {
    fields: Bytes,
}

impl Decoder {
    /// Checks the frame. `version` is the newest that is known; there are no older ones yet.
    pub(crate) fn new(value: &Bytes, kind: Kind, version: u8) -> Result<Self, DecodeError> {
        let fields_end = value
            .len()
            .checked_sub(CHECKSUM_BYTES)
            .ok_or(DecodeError::TooShort)?;
        let (framed, checksum) = value.split_at(fields_end);
        let [m0, m1, found_kind, found_version, ..] = *framed else {
            return Err(DecodeError::TooShort);
        };
        if [m0, m1] != MAGIC || found_kind != kind as u8 {
            return Err(DecodeError::NotThisKind);
        }
        if found_version != version {
            return Err(DecodeError::UnknownVersion(found_version));
        }
        if crc32c::crc32c(framed).to_le_bytes() != checksum {
            return Err(DecodeError::Checksum);
        }
        let fields = value.slice(HEADER_BYTES..fields_end);
        Ok(Self { fields })
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let bytes = self.bytes(N)?;
        Ok(*bytes.first_chunk().expect("that many were taken"))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(crate) fn u64(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub(crate) fn id(&mut self) -> Result<[u8; 16], DecodeError> {
        self.array()
    }

    /// The next `len` bytes, shared with the value.
    pub(crate) fn bytes(&mut self, len: usize) -> Result<Bytes, DecodeError> {
        if len > self.fields.len() {
            return Err(DecodeError::TooShort);
        }
        Ok(self.fields.split_to(len))
    }

    pub(crate) fn text(&mut self, len: usize, field: &'static str) -> Result<String, DecodeError> {
        let bytes = self.bytes(len)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| DecodeError::Field(field))?;
        Ok(text.to_owned())
    }

    /// Whatever is left.
    pub(crate) fn rest(self) -> Bytes {
        self.fields
    }

    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        if self.fields.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::TooLong)
        }
    }
}
