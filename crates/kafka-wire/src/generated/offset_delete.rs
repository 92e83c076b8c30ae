//! Deletes stored positions of a group.
//!
//! KIP-496.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of OffsetDelete (API key 47), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteRequest {
    /// All versions.
    pub group_id: Str,
    /// All versions.
    pub topics: Vec<OffsetDeleteRequestTopic>,
}

impl Wire for OffsetDeleteRequest {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        Ok(Self {
            group_id: reader.string(at)?,
            topics: reader.array(at)?,
        })
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.group_id, at)?;
        encoder.array(&self.topics, at)?;
        Ok(())
    }
}

/// Part of [`OffsetDeleteRequest`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteRequestTopic {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

impl Wire for OffsetDeleteRequestTopic {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        Ok(Self {
            name: reader.string(at)?,
            partitions: reader.array(at)?,
        })
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.array(&self.partitions, at)?;
        Ok(())
    }
}

/// Part of [`OffsetDeleteRequest`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteRequestPartition {
    /// All versions.
    pub partition_index: i32,
}

impl Wire for OffsetDeleteRequestPartition {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, _at: At) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: reader.i32()?,
        })
    }

    fn write(&self, encoder: &mut Encoder, _at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        Ok(())
    }
}

impl Message for OffsetDeleteRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = i16::MAX;
}

impl Request for OffsetDeleteRequest {
    const KEY: ApiKey = ApiKey::OffsetDelete;
    type Response = OffsetDeleteResponse;
}

/// The response of OffsetDelete (API key 47), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteResponse {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub topics: Vec<OffsetDeleteResponseTopic>,
}

impl Wire for OffsetDeleteResponse {
    const BYTES_MIN: usize = 10;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        Ok(Self {
            error_code: reader.i16()?,
            throttle_time_ms: reader.i32()?,
            topics: reader.array(at)?,
        })
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        encoder.i32(self.throttle_time_ms);
        encoder.array(&self.topics, at)?;
        Ok(())
    }
}

/// Part of [`OffsetDeleteResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteResponseTopic {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

impl Wire for OffsetDeleteResponseTopic {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        Ok(Self {
            name: reader.string(at)?,
            partitions: reader.array(at)?,
        })
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.array(&self.partitions, at)?;
        Ok(())
    }
}

/// Part of [`OffsetDeleteResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteResponsePartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
}

impl Wire for OffsetDeleteResponsePartition {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, _at: At) -> Result<Self, DecodeError> {
        Ok(Self {
            partition_index: reader.i32()?,
            error_code: reader.i16()?,
        })
    }

    fn write(&self, encoder: &mut Encoder, _at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.i16(self.error_code);
        Ok(())
    }
}

impl Message for OffsetDeleteResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = i16::MAX;
}

impl Response for OffsetDeleteResponse {
    const KEY: ApiKey = ApiKey::OffsetDelete;
}
