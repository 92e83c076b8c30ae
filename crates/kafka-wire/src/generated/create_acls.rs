//! Adds access rules.
//!
//! KIP-140, KIP-290 patterns, KIP-373 user type.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of CreateAcls (API key 30), versions 1 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateAclsRequest {
    /// All versions.
    pub creations: Vec<AclCreation>,
}

impl Wire for CreateAclsRequest {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            creations: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.creations, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`CreateAclsRequest`], versions 1 to 3.
#[derive(Clone, Debug, PartialEq)]
pub struct AclCreation {
    /// All versions.
    pub resource_type: i8,
    /// All versions.
    pub resource_name: Str,
    /// All versions. Default: 3.
    pub resource_pattern_type: i8,
    /// All versions.
    pub principal: Str,
    /// All versions.
    pub host: Str,
    /// All versions.
    pub operation: i8,
    /// All versions.
    pub permission_type: i8,
}

impl Default for AclCreation {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: Str::new(),
            resource_pattern_type: 3,
            principal: Str::new(),
            host: Str::new(),
            operation: 0,
            permission_type: 0,
        }
    }
}

impl Wire for AclCreation {
    const BYTES_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            resource_type: reader.i8()?,
            resource_name: reader.string(at)?,
            resource_pattern_type: reader.i8()?,
            principal: reader.string(at)?,
            host: reader.string(at)?,
            operation: reader.i8()?,
            permission_type: reader.i8()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i8(self.resource_type);
        encoder.string(&self.resource_name, at)?;
        encoder.i8(self.resource_pattern_type);
        encoder.string(&self.principal, at)?;
        encoder.string(&self.host, at)?;
        encoder.i8(self.operation);
        encoder.i8(self.permission_type);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for CreateAclsRequest {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for CreateAclsRequest {
    const KEY: ApiKey = ApiKey::CreateAcls;
    type Response = CreateAclsResponse;
}

/// The response of CreateAcls (API key 30), versions 1 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateAclsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub results: Vec<AclCreationResult>,
}

impl Wire for CreateAclsResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            results: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.array(&self.results, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`CreateAclsResponse`], versions 1 to 3.
#[derive(Clone, Debug, PartialEq)]
pub struct AclCreationResult {
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
}

impl Default for AclCreationResult {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Str::new()),
        }
    }
}

impl Wire for AclCreationResult {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for CreateAclsResponse {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for CreateAclsResponse {
    const KEY: ApiKey = ApiKey::CreateAcls;
}
