//! Sets start offsets of a share group.
//!
//! KIP-932.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of AlterShareGroupOffsets (API key 91), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterShareGroupOffsetsRequest {
    /// All versions.
    pub group_id: Str,
    /// All versions.
    pub topics: Vec<AlterShareGroupOffsetsRequestTopic>,
}

impl Wire for AlterShareGroupOffsetsRequest {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_id: reader.string(at)?,
            topics: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.group_id, at)?;
        encoder.array(&self.topics, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`AlterShareGroupOffsetsRequest`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterShareGroupOffsetsRequestTopic {
    /// All versions.
    pub topic_name: Str,
    /// All versions.
    pub partitions: Vec<AlterShareGroupOffsetsRequestPartition>,
}

impl Wire for AlterShareGroupOffsetsRequestTopic {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic_name: reader.string(at)?,
            partitions: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.topic_name, at)?;
        encoder.array(&self.partitions, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`AlterShareGroupOffsetsRequest`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterShareGroupOffsetsRequestPartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub start_offset: i64,
}

impl Wire for AlterShareGroupOffsetsRequestPartition {
    const BYTES_MIN: usize = 13;

    fn read(reader: &mut Reader<'_>, _at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            start_offset: reader.i64()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, _at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.i64(self.start_offset);
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for AlterShareGroupOffsetsRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for AlterShareGroupOffsetsRequest {
    const KEY: ApiKey = ApiKey::AlterShareGroupOffsets;
    type Response = AlterShareGroupOffsetsResponse;
}

/// The response of AlterShareGroupOffsets (API key 91), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterShareGroupOffsetsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null. Default: null.
    pub error_message: Option<Str>,
    /// All versions.
    pub responses: Vec<AlterShareGroupOffsetsResponseTopic>,
}

impl Wire for AlterShareGroupOffsetsResponse {
    const BYTES_MIN: usize = 9;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            responses: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.array(&self.responses, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`AlterShareGroupOffsetsResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterShareGroupOffsetsResponseTopic {
    /// All versions.
    pub topic_name: Str,
    /// All versions.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<AlterShareGroupOffsetsResponsePartition>,
}

impl Wire for AlterShareGroupOffsetsResponseTopic {
    const BYTES_MIN: usize = 19;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic_name: reader.string(at)?,
            topic_id: reader.uuid()?,
            partitions: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.topic_name, at)?;
        encoder.uuid(self.topic_id);
        encoder.array(&self.partitions, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`AlterShareGroupOffsetsResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterShareGroupOffsetsResponsePartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null. Default: null.
    pub error_message: Option<Str>,
}

impl Wire for AlterShareGroupOffsetsResponsePartition {
    const BYTES_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for AlterShareGroupOffsetsResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for AlterShareGroupOffsetsResponse {
    const KEY: ApiKey = ApiKey::AlterShareGroupOffsets;
}
