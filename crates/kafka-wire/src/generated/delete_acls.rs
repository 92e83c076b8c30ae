//! Removes access rules that match filters.
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

/// The request of DeleteAcls (API key 31), versions 1 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteAclsRequest {
    /// All versions.
    pub filters: Vec<DeleteAclsFilter>,
}

impl Wire for DeleteAclsRequest {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            filters: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.filters, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DeleteAclsRequest`], versions 1 to 3.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteAclsFilter {
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

impl Default for DeleteAclsFilter {
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

impl Wire for DeleteAclsFilter {
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

impl Message for DeleteAclsRequest {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for DeleteAclsRequest {
    const KEY: ApiKey = ApiKey::DeleteAcls;
    type Response = DeleteAclsResponse;
}

/// The response of DeleteAcls (API key 31), versions 1 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteAclsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub filter_results: Vec<DeleteAclsFilterResult>,
}

impl Wire for DeleteAclsResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            filter_results: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.array(&self.filter_results, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DeleteAclsResponse`], versions 1 to 3.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteAclsFilterResult {
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
    /// All versions.
    pub matching_acls: Vec<DeleteAclsMatchingAcl>,
}

impl Default for DeleteAclsFilterResult {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Str::new()),
            matching_acls: Vec::new(),
        }
    }
}

impl Wire for DeleteAclsFilterResult {
    const BYTES_MIN: usize = 5;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            matching_acls: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.array(&self.matching_acls, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DeleteAclsResponse`], versions 1 to 3.
#[derive(Clone, Debug, PartialEq)]
pub struct DeleteAclsMatchingAcl {
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
    /// All versions.
    pub resource_type: i8,
    /// All versions.
    pub resource_name: Str,
    /// All versions. Default: 3.
    pub pattern_type: i8,
    /// All versions.
    pub principal: Str,
    /// All versions.
    pub host: Str,
    /// All versions.
    pub operation: i8,
    /// All versions.
    pub permission_type: i8,
}

impl Default for DeleteAclsMatchingAcl {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Str::new()),
            resource_type: 0,
            resource_name: Str::new(),
            pattern_type: 3,
            principal: Str::new(),
            host: Str::new(),
            operation: 0,
            permission_type: 0,
        }
    }
}

impl Wire for DeleteAclsMatchingAcl {
    const BYTES_MIN: usize = 11;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            resource_type: reader.i8()?,
            resource_name: reader.string(at)?,
            pattern_type: reader.i8()?,
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
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.i8(self.resource_type);
        encoder.string(&self.resource_name, at)?;
        encoder.i8(self.pattern_type);
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

impl Message for DeleteAclsResponse {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for DeleteAclsResponse {
    const KEY: ApiKey = ApiKey::DeleteAcls;
}
