//! Lists delegation tokens.
//!
//! KIP-48, KIP-373 requesters.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};
use bytes::Bytes;

/// The request of DescribeDelegationToken (API key 41), versions 1 to 3.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeDelegationTokenRequest {
    /// All versions. May be null.
    pub owners: Option<Vec<DescribeDelegationTokenOwner>>,
}

impl Default for DescribeDelegationTokenRequest {
    fn default() -> Self {
        Self {
            owners: Some(Vec::new()),
        }
    }
}

impl Wire for DescribeDelegationTokenRequest {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            owners: reader.opt_array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.opt_array(&self.owners, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeDelegationTokenRequest`], versions 1 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeDelegationTokenOwner {
    /// All versions.
    pub principal_type: Str,
    /// All versions.
    pub principal_name: Str,
}

impl Wire for DescribeDelegationTokenOwner {
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

impl Message for DescribeDelegationTokenRequest {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for DescribeDelegationTokenRequest {
    const KEY: ApiKey = ApiKey::DescribeDelegationToken;
    type Response = DescribeDelegationTokenResponse;
}

/// The response of DescribeDelegationToken (API key 41), versions 1 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeDelegationTokenResponse {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub tokens: Vec<DescribedDelegationToken>,
    /// All versions.
    pub throttle_time_ms: i32,
}

impl Wire for DescribeDelegationTokenResponse {
    const BYTES_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            tokens: reader.array(at)?,
            throttle_time_ms: reader.i32()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        encoder.array(&self.tokens, at)?;
        encoder.i32(self.throttle_time_ms);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeDelegationTokenResponse`], versions 1 to 3.
#[derive(Clone, Default, PartialEq)]
pub struct DescribedDelegationToken {
    /// All versions.
    pub principal_type: Str,
    /// All versions.
    pub principal_name: Str,
    /// Version 3 and later. Must be left at its default at other versions.
    pub token_requester_principal_type: Str,
    /// Version 3 and later. Must be left at its default at other versions.
    pub token_requester_principal_name: Str,
    /// All versions.
    pub issue_timestamp: i64,
    /// All versions.
    pub expiry_timestamp: i64,
    /// All versions.
    pub max_timestamp: i64,
    /// All versions.
    pub token_id: Str,
    /// All versions.
    pub hmac: Bytes,
    /// All versions.
    pub renewers: Vec<DescribedDelegationTokenRenewer>,
}

impl std::fmt::Debug for DescribedDelegationToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DescribedDelegationToken")
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
            .field("issue_timestamp", &self.issue_timestamp)
            .field("expiry_timestamp", &self.expiry_timestamp)
            .field("max_timestamp", &self.max_timestamp)
            .field("token_id", &self.token_id)
            .field("hmac", &"(secret)")
            .field("renewers", &self.renewers)
            .finish()
    }
}

impl Wire for DescribedDelegationToken {
    const BYTES_MIN: usize = 30;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
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
            issue_timestamp: reader.i64()?,
            expiry_timestamp: reader.i64()?,
            max_timestamp: reader.i64()?,
            token_id: reader.string(at)?,
            hmac: reader.bytes(at)?,
            renewers: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
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
        encoder.i64(self.issue_timestamp);
        encoder.i64(self.expiry_timestamp);
        encoder.i64(self.max_timestamp);
        encoder.string(&self.token_id, at)?;
        encoder.bytes(&self.hmac, at)?;
        encoder.array(&self.renewers, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeDelegationTokenResponse`], versions 1 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribedDelegationTokenRenewer {
    /// All versions.
    pub principal_type: Str,
    /// All versions.
    pub principal_name: Str,
}

impl Wire for DescribedDelegationTokenRenewer {
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

impl Message for DescribeDelegationTokenResponse {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for DescribeDelegationTokenResponse {
    const KEY: ApiKey = ApiKey::DescribeDelegationToken;
}
