//! Sets and removes SCRAM credentials.
//!
//! KIP-554.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};
use bytes::Bytes;

/// The request of AlterUserScramCredentials (API key 51), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterUserScramCredentialsRequest {
    /// All versions.
    pub deletions: Vec<ScramCredentialDeletion>,
    /// All versions.
    pub upsertions: Vec<ScramCredentialUpsertion>,
}

impl Wire for AlterUserScramCredentialsRequest {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            deletions: reader.array(at)?,
            upsertions: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.deletions, at)?;
        encoder.array(&self.upsertions, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`AlterUserScramCredentialsRequest`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScramCredentialDeletion {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub mechanism: i8,
}

impl Wire for ScramCredentialDeletion {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            mechanism: reader.i8()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.i8(self.mechanism);
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`AlterUserScramCredentialsRequest`], versions 0 to 0.
#[derive(Clone, Default, PartialEq)]
pub struct ScramCredentialUpsertion {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub mechanism: i8,
    /// All versions.
    pub iterations: i32,
    /// All versions.
    pub salt: Bytes,
    /// All versions.
    pub salted_password: Bytes,
}

impl std::fmt::Debug for ScramCredentialUpsertion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScramCredentialUpsertion")
            .field("name", &self.name)
            .field("mechanism", &self.mechanism)
            .field("iterations", &self.iterations)
            .field("salt", &"(secret)")
            .field("salted_password", &"(secret)")
            .finish()
    }
}

impl Wire for ScramCredentialUpsertion {
    const BYTES_MIN: usize = 9;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            mechanism: reader.i8()?,
            iterations: reader.i32()?,
            salt: reader.bytes(at)?,
            salted_password: reader.bytes(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.i8(self.mechanism);
        encoder.i32(self.iterations);
        encoder.bytes(&self.salt, at)?;
        encoder.bytes(&self.salted_password, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for AlterUserScramCredentialsRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for AlterUserScramCredentialsRequest {
    const KEY: ApiKey = ApiKey::AlterUserScramCredentials;
    type Response = AlterUserScramCredentialsResponse;
}

/// The response of AlterUserScramCredentials (API key 51), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterUserScramCredentialsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub results: Vec<AlterUserScramCredentialsResult>,
}

impl Wire for AlterUserScramCredentialsResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            results: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.array(&self.results, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`AlterUserScramCredentialsResponse`], versions 0 to 0.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterUserScramCredentialsResult {
    /// All versions.
    pub user: Str,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
}

impl Default for AlterUserScramCredentialsResult {
    fn default() -> Self {
        Self {
            user: Str::new(),
            error_code: 0,
            error_message: Some(Str::new()),
        }
    }
}

impl Wire for AlterUserScramCredentialsResult {
    const BYTES_MIN: usize = 5;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            user: reader.string(at)?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.user, at)?;
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for AlterUserScramCredentialsResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for AlterUserScramCredentialsResponse {
    const KEY: ApiKey = ApiKey::AlterUserScramCredentials;
}
