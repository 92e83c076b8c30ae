//! Names of resources that have settings; version 0 lists client metrics subscriptions only.
//!
//! KIP-714, KIP-1142.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of ListConfigResources (API key 74), versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListConfigResourcesRequest {
    /// Version 1 and later. Must be left at its default at other versions.
    pub resource_types: Vec<i8>,
}

impl Wire for ListConfigResourcesRequest {
    const BYTES_MIN: usize = 1;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            resource_types: if at.version >= 1 {
                reader.array(at)?
            } else {
                Vec::new()
            },
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version >= 1 {
            encoder.array(&self.resource_types, at)?;
        } else if !self.resource_types.is_empty() {
            return Err(at.no_field("resource_types"));
        }
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for ListConfigResourcesRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for ListConfigResourcesRequest {
    const KEY: ApiKey = ApiKey::ListConfigResources;
    type Response = ListConfigResourcesResponse;
}

/// The response of ListConfigResources (API key 74), versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListConfigResourcesResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub config_resources: Vec<ConfigResource>,
}

impl Wire for ListConfigResourcesResponse {
    const BYTES_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: reader.i16()?,
            config_resources: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.i16(self.error_code);
        encoder.array(&self.config_resources, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`ListConfigResourcesResponse`], versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigResource {
    /// All versions.
    pub resource_name: Str,
    /// Version 1 and later. Default: 16.
    pub resource_type: i8,
}

impl Default for ConfigResource {
    fn default() -> Self {
        Self {
            resource_name: Str::new(),
            resource_type: 16,
        }
    }
}

impl Wire for ConfigResource {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            resource_name: reader.string(at)?,
            resource_type: if at.version >= 1 { reader.i8()? } else { 16 },
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.resource_name, at)?;
        if at.version >= 1 {
            encoder.i8(self.resource_type);
        }
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for ListConfigResourcesResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for ListConfigResourcesResponse {
    const KEY: ApiKey = ApiKey::ListConfigResources;
}
