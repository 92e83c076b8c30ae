//! Sets, deletes, appends to or subtracts from single settings.
//!
//! KIP-339.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of IncrementalAlterConfigs (API key 44), versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IncrementalAlterConfigsRequest {
    /// All versions.
    pub resources: Vec<AlterConfigsResource>,
    /// All versions.
    pub validate_only: bool,
}

impl Wire for IncrementalAlterConfigsRequest {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            resources: reader.array(at)?,
            validate_only: reader.boolean()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.resources, at)?;
        encoder.boolean(self.validate_only);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`IncrementalAlterConfigsRequest`], versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterConfigsResource {
    /// All versions.
    pub resource_type: i8,
    /// All versions.
    pub resource_name: Str,
    /// All versions.
    pub configs: Vec<AlterableConfig>,
}

impl Wire for AlterConfigsResource {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            resource_type: reader.i8()?,
            resource_name: reader.string(at)?,
            configs: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i8(self.resource_type);
        encoder.string(&self.resource_name, at)?;
        encoder.array(&self.configs, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`IncrementalAlterConfigsRequest`], versions 0 to 1.
#[derive(Clone, PartialEq)]
pub struct AlterableConfig {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub config_operation: i8,
    /// All versions. May be null.
    pub value: Option<Str>,
}

impl Default for AlterableConfig {
    fn default() -> Self {
        Self {
            name: Str::new(),
            config_operation: 0,
            value: Some(Str::new()),
        }
    }
}

impl std::fmt::Debug for AlterableConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AlterableConfig")
            .field("name", &self.name)
            .field("config_operation", &self.config_operation)
            .field("value", &"(secret)")
            .finish()
    }
}

impl Wire for AlterableConfig {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            config_operation: reader.i8()?,
            value: reader.opt_string(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.i8(self.config_operation);
        encoder.opt_string(&self.value, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for IncrementalAlterConfigsRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;
}

impl Request for IncrementalAlterConfigsRequest {
    const KEY: ApiKey = ApiKey::IncrementalAlterConfigs;
    type Response = IncrementalAlterConfigsResponse;
}

/// The response of IncrementalAlterConfigs (API key 44), versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IncrementalAlterConfigsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub responses: Vec<AlterConfigsResourceResponse>,
}

impl Wire for IncrementalAlterConfigsResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            responses: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.array(&self.responses, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`IncrementalAlterConfigsResponse`], versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterConfigsResourceResponse {
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
    /// All versions.
    pub resource_type: i8,
    /// All versions.
    pub resource_name: Str,
}

impl Default for AlterConfigsResourceResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Str::new()),
            resource_type: 0,
            resource_name: Str::new(),
        }
    }
}

impl Wire for AlterConfigsResourceResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            resource_type: reader.i8()?,
            resource_name: reader.string(at)?,
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
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for IncrementalAlterConfigsResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;
}

impl Response for IncrementalAlterConfigsResponse {
    const KEY: ApiKey = ApiKey::IncrementalAlterConfigs;
}
