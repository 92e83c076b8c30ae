//! Start offsets of share groups.
//!
//! KIP-932, KIP-1226 lag (v1).
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of DescribeShareGroupOffsets (API key 90), versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeShareGroupOffsetsRequest {
    /// All versions.
    pub groups: Vec<DescribeShareGroupOffsetsRequestGroup>,
}

impl Wire for DescribeShareGroupOffsetsRequest {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            groups: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.groups, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeShareGroupOffsetsRequest`], versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeShareGroupOffsetsRequestGroup {
    /// All versions.
    pub group_id: Str,
    /// All versions. May be null.
    pub topics: Option<Vec<DescribeShareGroupOffsetsRequestTopic>>,
}

impl Default for DescribeShareGroupOffsetsRequestGroup {
    fn default() -> Self {
        Self {
            group_id: Str::new(),
            topics: Some(Vec::new()),
        }
    }
}

impl Wire for DescribeShareGroupOffsetsRequestGroup {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_id: reader.string(at)?,
            topics: reader.opt_array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.group_id, at)?;
        encoder.opt_array(&self.topics, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeShareGroupOffsetsRequest`], versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeShareGroupOffsetsRequestTopic {
    /// All versions.
    pub topic_name: Str,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Wire for DescribeShareGroupOffsetsRequestTopic {
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

impl Message for DescribeShareGroupOffsetsRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for DescribeShareGroupOffsetsRequest {
    const KEY: ApiKey = ApiKey::DescribeShareGroupOffsets;
    type Response = DescribeShareGroupOffsetsResponse;
}

/// The response of DescribeShareGroupOffsets (API key 90), versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeShareGroupOffsetsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub groups: Vec<DescribeShareGroupOffsetsResponseGroup>,
}

impl Wire for DescribeShareGroupOffsetsResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            groups: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.array(&self.groups, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeShareGroupOffsetsResponse`], versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeShareGroupOffsetsResponseGroup {
    /// All versions.
    pub group_id: Str,
    /// All versions.
    pub topics: Vec<DescribeShareGroupOffsetsResponseTopic>,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null. Default: null.
    pub error_message: Option<Str>,
}

impl Wire for DescribeShareGroupOffsetsResponseGroup {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_id: reader.string(at)?,
            topics: reader.array(at)?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.group_id, at)?;
        encoder.array(&self.topics, at)?;
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeShareGroupOffsetsResponse`], versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeShareGroupOffsetsResponseTopic {
    /// All versions.
    pub topic_name: Str,
    /// All versions.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<DescribeShareGroupOffsetsResponsePartition>,
}

impl Wire for DescribeShareGroupOffsetsResponseTopic {
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

/// Part of [`DescribeShareGroupOffsetsResponse`], versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeShareGroupOffsetsResponsePartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub start_offset: i64,
    /// All versions.
    pub leader_epoch: i32,
    /// Version 1 and later. Default: -1.
    pub lag: i64,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null. Default: null.
    pub error_message: Option<Str>,
}

impl Default for DescribeShareGroupOffsetsResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            start_offset: 0,
            leader_epoch: 0,
            lag: -1,
            error_code: 0,
            error_message: None,
        }
    }
}

impl Wire for DescribeShareGroupOffsetsResponsePartition {
    const BYTES_MIN: usize = 20;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            start_offset: reader.i64()?,
            leader_epoch: reader.i32()?,
            lag: if at.version >= 1 { reader.i64()? } else { -1 },
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.i64(self.start_offset);
        encoder.i32(self.leader_epoch);
        if at.version >= 1 {
            encoder.i64(self.lag);
        }
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeShareGroupOffsetsResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for DescribeShareGroupOffsetsResponse {
    const KEY: ApiKey = ApiKey::DescribeShareGroupOffsets;
}
