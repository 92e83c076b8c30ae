//! Makes a delegation token.
//!
//! KIP-48, KIP-373 owners.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};
use bytes::Bytes;

/// The request of CreateDelegationToken (API key 38), versions 1 to 3.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateDelegationTokenRequest {
    /// Version 3 and later. May be null. Must be left at its default at other versions.
    pub owner_principal_type: Option<Str>,
    /// Version 3 and later. May be null. Must be left at its default at other versions.
    pub owner_principal_name: Option<Str>,
    /// All versions.
    pub renewers: Vec<CreatableRenewers>,
    /// All versions.
    pub max_lifetime_ms: i64,
}

impl Default for CreateDelegationTokenRequest {
    fn default() -> Self {
        Self {
            owner_principal_type: Some(Str::new()),
            owner_principal_name: Some(Str::new()),
            renewers: Vec::new(),
            max_lifetime_ms: 0,
        }
    }
}

impl Wire for CreateDelegationTokenRequest {
    const BYTES_MIN: usize = 10;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            owner_principal_type: if at.version >= 3 {
                reader.opt_string(at)?
            } else {
                Some(Str::new())
            },
            owner_principal_name: if at.version >= 3 {
                reader.opt_string(at)?
            } else {
                Some(Str::new())
            },
            renewers: reader.array(at)?,
            max_lifetime_ms: reader.i64()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version >= 3 {
            encoder.opt_string(&self.owner_principal_type, at)?;
        } else if self
            .owner_principal_type
            .as_ref()
            .is_none_or(|value| !value.is_empty())
        {
            return Err(at.no_field("owner_principal_type"));
        }
        if at.version >= 3 {
            encoder.opt_string(&self.owner_principal_name, at)?;
        } else if self
            .owner_principal_name
            .as_ref()
            .is_none_or(|value| !value.is_empty())
        {
            return Err(at.no_field("owner_principal_name"));
        }
        encoder.array(&self.renewers, at)?;
        encoder.i64(self.max_lifetime_ms);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`CreateDelegationTokenRequest`], versions 1 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatableRenewers {
    /// All versions.
    pub principal_type: Str,
    /// All versions.
    pub principal_name: Str,
}

impl Wire for CreatableRenewers {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            principal_type: reader.string(at)?,
            principal_name: reader.string(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.principal_type, at)?;
        encoder.string(&self.principal_name, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for CreateDelegationTokenRequest {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for CreateDelegationTokenRequest {
    const KEY: ApiKey = ApiKey::CreateDelegationToken;
    type Response = CreateDelegationTokenResponse;
}

/// The response of CreateDelegationToken (API key 38), versions 1 to 3.
#[derive(Clone, Default, PartialEq)]
pub struct CreateDelegationTokenResponse {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub principal_type: Str,
    /// All versions.
    pub principal_name: Str,
    /// Version 3 and later. Must be left at its default at other versions.
    pub token_requester_principal_type: Str,
    /// Version 3 and later. Must be left at its default at other versions.
    pub token_requester_principal_name: Str,
    /// All versions.
    pub issue_timestamp_ms: i64,
    /// All versions.
    pub expiry_timestamp_ms: i64,
    /// All versions.
    pub max_timestamp_ms: i64,
    /// All versions.
    pub token_id: Str,
    /// All versions.
    pub hmac: Bytes,
    /// All versions.
    pub throttle_time_ms: i32,
}

impl std::fmt::Debug for CreateDelegationTokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreateDelegationTokenResponse")
            .field("error_code", &self.error_code)
            .field("principal_type", &self.principal_type)
            .field("principal_name", &self.principal_name)
            .field(
                "token_requester_principal_type",
                &self.token_requester_principal_type,
            )
            .field(
                "token_requester_principal_name",
                &self.token_requester_principal_name,
            )
            .field("issue_timestamp_ms", &self.issue_timestamp_ms)
            .field("expiry_timestamp_ms", &self.expiry_timestamp_ms)
            .field("max_timestamp_ms", &self.max_timestamp_ms)
            .field("token_id", &self.token_id)
            .field("hmac", &"(secret)")
            .field("throttle_time_ms", &self.throttle_time_ms)
            .finish()
    }
}

impl Wire for CreateDelegationTokenResponse {
    const BYTES_MIN: usize = 35;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            principal_type: reader.string(at)?,
            principal_name: reader.string(at)?,
            token_requester_principal_type: if at.version >= 3 {
                reader.string(at)?
            } else {
                Str::new()
            },
            token_requester_principal_name: if at.version >= 3 {
                reader.string(at)?
            } else {
                Str::new()
            },
            issue_timestamp_ms: reader.i64()?,
            expiry_timestamp_ms: reader.i64()?,
            max_timestamp_ms: reader.i64()?,
            token_id: reader.string(at)?,
            hmac: reader.bytes(at)?,
            throttle_time_ms: reader.i32()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        encoder.string(&self.principal_type, at)?;
        encoder.string(&self.principal_name, at)?;
        if at.version >= 3 {
            encoder.string(&self.token_requester_principal_type, at)?;
        } else if !self.token_requester_principal_type.is_empty() {
            return Err(at.no_field("token_requester_principal_type"));
        }
        if at.version >= 3 {
            encoder.string(&self.token_requester_principal_name, at)?;
        } else if !self.token_requester_principal_name.is_empty() {
            return Err(at.no_field("token_requester_principal_name"));
        }
        encoder.i64(self.issue_timestamp_ms);
        encoder.i64(self.expiry_timestamp_ms);
        encoder.i64(self.max_timestamp_ms);
        encoder.string(&self.token_id, at)?;
        encoder.bytes(&self.hmac, at)?;
        encoder.i32(self.throttle_time_ms);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for CreateDelegationTokenResponse {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for CreateDelegationTokenResponse {
    const KEY: ApiKey = ApiKey::CreateDelegationToken;
}
