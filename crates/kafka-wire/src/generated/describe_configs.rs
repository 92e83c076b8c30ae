//! Effective settings of resources with their sources.
//!
//! KIP-133, KIP-226 synonyms, KIP-569 types and documentation.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of DescribeConfigs (API key 32), versions 1 to 4.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeConfigsRequest {
    /// All versions.
    pub resources: Vec<DescribeConfigsResource>,
    /// All versions.
    pub include_synonyms: bool,
    /// Version 3 and later. Must be left at its default at other versions.
    pub include_documentation: bool,
}

impl Wire for DescribeConfigsRequest {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            resources: reader.array(at)?,
            include_synonyms: reader.boolean()?,
            include_documentation: if at.version >= 3 { reader.boolean()? } else { false },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.resources, at)?;
        encoder.boolean(self.include_synonyms);
        if at.version >= 3 {
            encoder.boolean(self.include_documentation);
        } else if self.include_documentation {
            return Err(at.no_field("include_documentation"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeConfigsRequest`], versions 1 to 4.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResource {
    /// All versions.
    pub resource_type: i8,
    /// All versions.
    pub resource_name: Str,
    /// All versions. May be null.
    pub configuration_keys: Option<Vec<Str>>,
}

impl Default for DescribeConfigsResource {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: Str::new(),
            configuration_keys: Some(Vec::new()),
        }
    }
}

impl Wire for DescribeConfigsResource {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            resource_type: reader.i8()?,
            resource_name: reader.string(at)?,
            configuration_keys: reader.opt_array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i8(self.resource_type);
        encoder.string(&self.resource_name, at)?;
        encoder.opt_array(&self.configuration_keys, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeConfigsRequest {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 4;
    const FLEXIBLE_FROM: i16 = 4;
}

impl Request for DescribeConfigsRequest {
    const KEY: ApiKey = ApiKey::DescribeConfigs;
    type Response = DescribeConfigsResponse;
}

/// The response of DescribeConfigs (API key 32), versions 1 to 4.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeConfigsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub results: Vec<DescribeConfigsResult>,
}

impl Wire for DescribeConfigsResponse {
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

/// Part of [`DescribeConfigsResponse`], versions 1 to 4.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResult {
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
    /// All versions.
    pub resource_type: i8,
    /// All versions.
    pub resource_name: Str,
    /// All versions.
    pub configs: Vec<DescribeConfigsResourceResult>,
}

impl Default for DescribeConfigsResult {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Str::new()),
            resource_type: 0,
            resource_name: Str::new(),
            configs: Vec::new(),
        }
    }
}

impl Wire for DescribeConfigsResult {
    const BYTES_MIN: usize = 7;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
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
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.i8(self.resource_type);
        encoder.string(&self.resource_name, at)?;
        encoder.array(&self.configs, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeConfigsResponse`], versions 1 to 4.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResourceResult {
    /// All versions.
    pub name: Str,
    /// All versions. May be null.
    pub value: Option<Str>,
    /// All versions.
    pub read_only: bool,
    /// All versions. Default: -1.
    pub config_source: i8,
    /// All versions.
    pub is_sensitive: bool,
    /// All versions.
    pub synonyms: Vec<DescribeConfigsSynonym>,
    /// Version 3 and later.
    pub config_type: i8,
    /// Version 3 and later. May be null.
    pub documentation: Option<Str>,
}

impl Default for DescribeConfigsResourceResult {
    fn default() -> Self {
        Self {
            name: Str::new(),
            value: Some(Str::new()),
            read_only: false,
            config_source: -1,
            is_sensitive: false,
            synonyms: Vec::new(),
            config_type: 0,
            documentation: Some(Str::new()),
        }
    }
}

impl Wire for DescribeConfigsResourceResult {
    const BYTES_MIN: usize = 9;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            value: reader.opt_string(at)?,
            read_only: reader.boolean()?,
            config_source: reader.i8()?,
            is_sensitive: reader.boolean()?,
            synonyms: reader.array(at)?,
            config_type: if at.version >= 3 { reader.i8()? } else { 0 },
            documentation: if at.version >= 3 {
                reader.opt_string(at)?
            } else {
                Some(Str::new())
            },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.opt_string(&self.value, at)?;
        encoder.boolean(self.read_only);
        encoder.i8(self.config_source);
        encoder.boolean(self.is_sensitive);
        encoder.array(&self.synonyms, at)?;
        if at.version >= 3 {
            encoder.i8(self.config_type);
        }
        if at.version >= 3 {
            encoder.opt_string(&self.documentation, at)?;
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeConfigsResponse`], versions 1 to 4.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsSynonym {
    /// All versions.
    pub name: Str,
    /// All versions. May be null.
    pub value: Option<Str>,
    /// All versions.
    pub source: i8,
}

impl Default for DescribeConfigsSynonym {
    fn default() -> Self {
        Self {
            name: Str::new(),
            value: Some(Str::new()),
            source: 0,
        }
    }
}

impl Wire for DescribeConfigsSynonym {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            value: reader.opt_string(at)?,
            source: reader.i8()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.opt_string(&self.value, at)?;
        encoder.i8(self.source);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeConfigsResponse {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 4;
    const FLEXIBLE_FROM: i16 = 4;
}

impl Response for DescribeConfigsResponse {
    const KEY: ApiKey = ApiKey::DescribeConfigs;
}
