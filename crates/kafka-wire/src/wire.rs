//! The traits that generated messages implement, and the implementations for the protocol's primitive types.

use crate::api::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::uuid::Uuid;
use bytes::Bytes;
use std::fmt::Debug;

/// The version at which a message is read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// The API version.
    pub version: i16,
    /// Whether lengths are compact and tagged fields follow each struct (KIP-482).
    pub flexible: bool,
}

impl At {
    /// The error for a field that is set although this version has no place for it.
    #[cold]
    #[must_use]
    pub fn no_field(self, field: &'static str) -> EncodeError {
        EncodeError::FieldNotInVersion {
            field,
            version: self.version,
        }
    }

    /// The error for a field that is null although this version does not allow it.
    #[cold]
    #[must_use]
    pub fn no_null(self, field: &'static str) -> EncodeError {
        EncodeError::NullNotInVersion {
            field,
            version: self.version,
        }
    }
}

/// A value inside a message: a primitive or a generated struct.
pub trait Wire: Sized {
    /// Fewest bytes that one value takes, at any version; at least 1. The bound on an array's count is made from it.
    const BYTES_MIN: usize;
    /// Takes one value off the reader.
    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError>;
    /// Appends the value.
    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError>;
}

/// A whole message with its versions.
pub trait Message: Wire + Clone + Default + PartialEq + Debug + Send + Sync + 'static {
    /// Lowest version that can be read and written.
    const VERSION_MIN: i16;
    /// Highest version that can be read and written.
    const VERSION_MAX: i16;
    /// First flexible version (KIP-482); `i16::MAX` when there is none.
    const FLEXIBLE_FROM: i16;

    /// How the message looks at `version`, when it exists there.
    #[must_use]
    fn at(version: i16) -> Option<At> {
        (Self::VERSION_MIN..=Self::VERSION_MAX)
            .contains(&version)
            .then_some(At {
                version,
                flexible: version >= Self::FLEXIBLE_FROM,
            })
    }

    /// Reads the message; the reader stands behind it afterwards. Callers that own the whole frame call [`Reader::finish`] next.
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, DecodeError> {
        let at = Self::at(version).ok_or(DecodeError::UnsupportedVersion)?;
        Self::read(reader, at)
    }

    /// Appends the message.
    fn encode(&self, encoder: &mut Encoder, version: i16) -> Result<(), EncodeError> {
        let at = Self::at(version).ok_or(EncodeError::UnsupportedVersion)?;
        self.write(encoder, at)
    }

    /// Reads a message that is exactly `bytes`.
    fn decode_exact(bytes: &Bytes, version: i16) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let message = Self::decode(&mut reader, version)?;
        reader.finish()?;
        Ok(message)
    }

    /// The message alone, in one piece, without header and length.
    fn encode_to_bytes(&self, version: i16) -> Result<Bytes, EncodeError> {
        let mut encoder = Encoder::new();
        self.encode(&mut encoder, version)?;
        Ok(encoder.into_contiguous())
    }
}

/// A message that asks.
pub trait Request: Message {
    /// Its API.
    const KEY: ApiKey;
    /// What answers it, at the same version.
    type Response: Response;
}

/// A message that answers.
pub trait Response: Message {
    /// Its API.
    const KEY: ApiKey;
    /// Notes for how long the client will not be read (KIP-124, KIP-219), where the message can say so.
    fn throttle(&mut self, time_ms: i32) {
        let _ = time_ms;
    }
    /// The answer to a request of which nothing was looked at, where the message has a place for its error at that version.
    fn refused(error_code: i16, version: i16) -> Option<Self> {
        let _ = (error_code, version);
        None
    }
}

macro_rules! fixed {
    ($($type:ty, $method:ident, $bytes:literal;)*) => {$(
        impl Wire for $type {
            const BYTES_MIN: usize = $bytes;
            #[inline]
            fn read(reader: &mut Reader<'_>, _at: At) -> Result<Self, DecodeError> {
                reader.$method()
            }
            #[inline]
            fn write(&self, encoder: &mut Encoder, _at: At) -> Result<(), EncodeError> {
                encoder.$method(*self);
                Ok(())
            }
        }
    )*};
}

fixed! {
    bool, boolean, 1;
    i8, i8, 1;
    i16, i16, 2;
    u16, u16, 2;
    i32, i32, 4;
    i64, i64, 8;
    f64, f64, 8;
    Uuid, uuid, 16;
}

impl Wire for Str {
    const BYTES_MIN: usize = 1;
    #[inline]
    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        reader.string(at)
    }
    #[inline]
    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(self, at)
    }
}
