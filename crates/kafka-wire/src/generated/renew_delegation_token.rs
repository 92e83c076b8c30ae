//! Prolongs a delegation token.
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

/// The request of RenewDelegationToken (API key 39), versions 1 to 2.
#[derive(Clone, Default, PartialEq)]
pub struct RenewDelegationTokenRequest {
    /// All versions.
    pub hmac: Bytes,
    /// All versions.
    pub renew_period_ms: i64,
}

impl std::fmt::Debug for RenewDelegationTokenRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RenewDelegationTokenRequest")
            .field("hmac", &"(secret)")
            .field("renew_period_ms", &self.renew_period_ms)
            .finish()
    }
}

impl Wire for RenewDelegationTokenRequest {
    const BYTES_MIN: usize = 10;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            hmac: reader.bytes(at)?,
            renew_period_ms: reader.i64()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.bytes(&self.hmac, at)?;
        encoder.i64(self.renew_period_ms);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for RenewDelegationTokenRequest {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for RenewDelegationTokenRequest {
    const KEY: ApiKey = ApiKey::RenewDelegationToken;
    type Response = RenewDelegationTokenResponse;
}

/// The response of RenewDelegationToken (API key 39), versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RenewDelegationTokenResponse {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub expiry_timestamp_ms: i64,
    /// All versions.
    pub throttle_time_ms: i32,
}

impl Wire for RenewDelegationTokenResponse {
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

impl Message for RenewDelegationTokenResponse {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for RenewDelegationTokenResponse {
    const KEY: ApiKey = ApiKey::RenewDelegationToken;
}
