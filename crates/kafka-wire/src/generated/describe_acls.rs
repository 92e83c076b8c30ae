//! Lists access rules that match a filter.
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

/// The request of DescribeAcls (API key 29), versions 1 to 3.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeAclsRequest {
    /// All versions.
    pub resource_type_filter: i8,
    /// All versions. May be null.
    pub resource_name_filter: Option<Str>,
    /// All versions. Default: 3.
    pub pattern_type_filter: i8,
    /// All versions. May be null.
    pub principal_filter: Option<Str>,
    /// All versions. May be null.
    pub host_filter: Option<Str>,
    /// All versions.
    pub operation: i8,
    /// All versions.
    pub permission_type: i8,
}

impl Default for DescribeAclsRequest {
    fn default() -> Self {
        Self {
            resource_type_filter: 0,
            resource_name_filter: Some(Str::new()),
            pattern_type_filter: 3,
            principal_filter: Some(Str::new()),
            host_filter: Some(Str::new()),
            operation: 0,
            permission_type: 0,
        }
    }
}

impl Wire for DescribeAclsRequest {
    const BYTES_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            resource_type_filter: reader.i8()?,
            resource_name_filter: reader.opt_string(at)?,
            pattern_type_filter: reader.i8()?,
            principal_filter: reader.opt_string(at)?,
            host_filter: reader.opt_string(at)?,
            operation: reader.i8()?,
            permission_type: reader.i8()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i8(self.resource_type_filter);
        encoder.opt_string(&self.resource_name_filter, at)?;
        encoder.i8(self.pattern_type_filter);
        encoder.opt_string(&self.principal_filter, at)?;
        encoder.opt_string(&self.host_filter, at)?;
        encoder.i8(self.operation);
        encoder.i8(self.permission_type);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeAclsRequest {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for DescribeAclsRequest {
    const KEY: ApiKey = ApiKey::DescribeAcls;
    type Response = DescribeAclsResponse;
}

/// The response of DescribeAcls (API key 29), versions 1 to 3.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeAclsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
    /// All versions.
    pub resources: Vec<DescribeAclsResource>,
}

impl Default for DescribeAclsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Str::new()),
            resources: Vec::new(),
        }
    }
}

impl Wire for DescribeAclsResponse {
    const BYTES_MIN: usize = 9;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            resources: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.array(&self.resources, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeAclsResponse`], versions 1 to 3.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeAclsResource {
    /// All versions.
    pub resource_type: i8,
    /// All versions.
    pub resource_name: Str,
    /// All versions. Default: 3.
    pub pattern_type: i8,
    /// All versions.
    pub acls: Vec<AclDescription>,
}

impl Default for DescribeAclsResource {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: Str::new(),
            pattern_type: 3,
            acls: Vec::new(),
        }
    }
}

impl Wire for DescribeAclsResource {
    const BYTES_MIN: usize = 5;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            resource_type: reader.i8()?,
            resource_name: reader.string(at)?,
            pattern_type: reader.i8()?,
            acls: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i8(self.resource_type);
        encoder.string(&self.resource_name, at)?;
        encoder.i8(self.pattern_type);
        encoder.array(&self.acls, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeAclsResponse`], versions 1 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AclDescription {
    /// All versions.
    pub principal: Str,
    /// All versions.
    pub host: Str,
    /// All versions.
    pub operation: i8,
    /// All versions.
    pub permission_type: i8,
}

impl Wire for AclDescription {
    const BYTES_MIN: usize = 5;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
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

impl Message for DescribeAclsResponse {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for DescribeAclsResponse {
    const KEY: ApiKey = ApiKey::DescribeAcls;
}
