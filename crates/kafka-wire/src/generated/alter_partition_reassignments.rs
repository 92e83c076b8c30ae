//! Starts or cancels moves of partitions.
//!
//! KIP-455, KIP-860.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of AlterPartitionReassignments (API key 45), versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterPartitionReassignmentsRequest {
    /// All versions. Default: 60000.
    pub timeout_ms: i32,
    /// Version 1 and later. Default: true. Must be left at its default at other versions.
    pub allow_replication_factor_change: bool,
    /// All versions.
    pub topics: Vec<ReassignableTopic>,
}

impl Default for AlterPartitionReassignmentsRequest {
    fn default() -> Self {
        Self {
            timeout_ms: 60000,
            allow_replication_factor_change: true,
            topics: Vec::new(),
        }
    }
}

impl Wire for AlterPartitionReassignmentsRequest {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            timeout_ms: reader.i32()?,
            allow_replication_factor_change: if at.version >= 1 { reader.boolean()? } else { true },
            topics: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.timeout_ms);
        if at.version >= 1 {
            encoder.boolean(self.allow_replication_factor_change);
        } else if !self.allow_replication_factor_change {
            return Err(at.no_field("allow_replication_factor_change"));
        }
        encoder.array(&self.topics, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`AlterPartitionReassignmentsRequest`], versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReassignableTopic {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partitions: Vec<ReassignablePartition>,
}

impl Wire for ReassignableTopic {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            partitions: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.array(&self.partitions, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`AlterPartitionReassignmentsRequest`], versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReassignablePartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions. May be null. Default: null.
    pub replicas: Option<Vec<i32>>,
}

impl Wire for ReassignablePartition {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            replicas: reader.opt_array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.opt_array(&self.replicas, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for AlterPartitionReassignmentsRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for AlterPartitionReassignmentsRequest {
    const KEY: ApiKey = ApiKey::AlterPartitionReassignments;
    type Response = AlterPartitionReassignmentsResponse;
}

/// The response of AlterPartitionReassignments (API key 45), versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterPartitionReassignmentsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// Version 1 and later. Default: true.
    pub allow_replication_factor_change: bool,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
    /// All versions.
    pub responses: Vec<ReassignableTopicResponse>,
}

impl Default for AlterPartitionReassignmentsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            allow_replication_factor_change: true,
            error_code: 0,
            error_message: Some(Str::new()),
            responses: Vec::new(),
        }
    }
}

impl Wire for AlterPartitionReassignmentsResponse {
    const BYTES_MIN: usize = 9;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            allow_replication_factor_change: if at.version >= 1 { reader.boolean()? } else { true },
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            responses: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        if at.version >= 1 {
            encoder.boolean(self.allow_replication_factor_change);
        }
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.array(&self.responses, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`AlterPartitionReassignmentsResponse`], versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReassignableTopicResponse {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partitions: Vec<ReassignablePartitionResponse>,
}

impl Wire for ReassignableTopicResponse {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            partitions: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.array(&self.partitions, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`AlterPartitionReassignmentsResponse`], versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct ReassignablePartitionResponse {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
}

impl Default for ReassignablePartitionResponse {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            error_message: Some(Str::new()),
        }
    }
}

impl Wire for ReassignablePartitionResponse {
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

impl Message for AlterPartitionReassignmentsResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for AlterPartitionReassignmentsResponse {
    const KEY: ApiKey = ApiKey::AlterPartitionReassignments;
}
