//! Ends a delegation token.
//!
//! KIP-48.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::wire::{At, Message, Request, Response, Wire};
use bytes::Bytes;

/// The request of ExpireDelegationToken (API key 40), versions 1 to 2.
#[derive(Clone, Default, PartialEq)]
pub struct ExpireDelegationTokenRequest {
    /// All versions.
    pub hmac: Bytes,
    /// All versions.
    pub expiry_time_period_ms: i64,
}

impl std::fmt::Debug for ExpireDelegationTokenRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExpireDelegationTokenRequest")
            .field("hmac", &"(secret)")
            .field("expiry_time_period_ms", &self.expiry_time_period_ms)
            .finish()
    }
}

impl Wire for ExpireDelegationTokenRequest {
    const BYTES_MIN: usize = 10;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            hmac: reader.bytes(at)?,
            expiry_time_period_ms: reader.i64()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.bytes(&self.hmac, at)?;
        encoder.i64(self.expiry_time_period_ms);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ExpireDelegationTokenRequest {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for ExpireDelegationTokenRequest {
    const KEY: ApiKey = ApiKey::ExpireDelegationToken;
    type Response = ExpireDelegationTokenResponse;
}

/// The response of ExpireDelegationToken (API key 40), versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExpireDelegationTokenResponse {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub expiry_timestamp_ms: i64,
    /// All versions.
    pub throttle_time_ms: i32,
}

impl Wire for ExpireDelegationTokenResponse {
    const BYTES_MIN: usize = 14;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            expiry_timestamp_ms: reader.i64()?,
            throttle_time_ms: reader.i32()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        encoder.i64(self.expiry_timestamp_ms);
        encoder.i32(self.throttle_time_ms);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ExpireDelegationTokenResponse {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for ExpireDelegationTokenResponse {
    const KEY: ApiKey = ApiKey::ExpireDelegationToken;
}
