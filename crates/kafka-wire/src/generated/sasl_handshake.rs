//! Chooses the SASL mechanism of a connection.
//!
//! KIP-43, KIP-152.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of SaslHandshake (API key 17), versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SaslHandshakeRequest {
    /// All versions.
    pub mechanism: Str,
}

impl Wire for SaslHandshakeRequest {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        Ok(Self {
            mechanism: reader.string(at)?,
        })
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.mechanism, at)?;
        Ok(())
    }
}

impl Message for SaslHandshakeRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = i16::MAX;
}

impl Request for SaslHandshakeRequest {
    const KEY: ApiKey = ApiKey::SaslHandshake;
    type Response = SaslHandshakeResponse;
}

/// The response of SaslHandshake (API key 17), versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SaslHandshakeResponse {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub mechanisms: Vec<Str>,
}

impl Wire for SaslHandshakeResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        Ok(Self {
            error_code: reader.i16()?,
            mechanisms: reader.array(at)?,
        })
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        encoder.array(&self.mechanisms, at)?;
        Ok(())
    }
}

impl Message for SaslHandshakeResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = i16::MAX;
}

impl Response for SaslHandshakeResponse {
    const KEY: ApiKey = ApiKey::SaslHandshake;
}
