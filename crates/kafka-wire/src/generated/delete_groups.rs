//! Deletes empty groups.
//!
//! KIP-229.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of DeleteGroups (API key 42), versions 0 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteGroupsRequest {
    /// All versions.
    pub groups_names: Vec<Str>,
}

impl Wire for DeleteGroupsRequest {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            groups_names: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.groups_names, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DeleteGroupsRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for DeleteGroupsRequest {
    const KEY: ApiKey = ApiKey::DeleteGroups;
    type Response = DeleteGroupsResponse;
}

/// The response of DeleteGroups (API key 42), versions 0 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteGroupsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub results: Vec<DeletableGroupResult>,
}

impl Wire for DeleteGroupsResponse {
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

/// Part of [`DeleteGroupsResponse`], versions 0 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeletableGroupResult {
    /// All versions.
    pub group_id: Str,
    /// All versions.
    pub error_code: i16,
}

impl Wire for DeletableGroupResult {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_id: reader.string(at)?,
            error_code: reader.i16()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.group_id, at)?;
        encoder.i16(self.error_code);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DeleteGroupsResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for DeleteGroupsResponse {
    const KEY: ApiKey = ApiKey::DeleteGroups;
}
