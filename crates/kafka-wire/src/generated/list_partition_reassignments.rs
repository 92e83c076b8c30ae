//! Moves of partitions that are going on.
//!
//! KIP-455.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of ListPartitionReassignments (API key 46), versions 0 to 0.
#[derive(Clone, Debug, PartialEq)]
pub struct ListPartitionReassignmentsRequest {
    /// All versions. Default: 60000.
    pub timeout_ms: i32,
    /// All versions. May be null. Default: null.
    pub topics: Option<Vec<ListPartitionReassignmentsTopics>>,
}

impl Default for ListPartitionReassignmentsRequest {
    fn default() -> Self {
        Self {
            timeout_ms: 60000,
            topics: None,
        }
    }
}

impl Wire for ListPartitionReassignmentsRequest {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            timeout_ms: reader.i32()?,
            topics: reader.opt_array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.timeout_ms);
        encoder.opt_array(&self.topics, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`ListPartitionReassignmentsRequest`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListPartitionReassignmentsTopics {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partition_indexes: Vec<i32>,
}

impl Wire for ListPartitionReassignmentsTopics {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            partition_indexes: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.array(&self.partition_indexes, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for ListPartitionReassignmentsRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for ListPartitionReassignmentsRequest {
    const KEY: ApiKey = ApiKey::ListPartitionReassignments;
    type Response = ListPartitionReassignmentsResponse;
}

/// The response of ListPartitionReassignments (API key 46), versions 0 to 0.
#[derive(Clone, Debug, PartialEq)]
pub struct ListPartitionReassignmentsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
    /// All versions.
    pub topics: Vec<OngoingTopicReassignment>,
}

impl Default for ListPartitionReassignmentsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Str::new()),
            topics: Vec::new(),
        }
    }
}

impl Wire for ListPartitionReassignmentsResponse {
    const BYTES_MIN: usize = 9;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            topics: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.array(&self.topics, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`ListPartitionReassignmentsResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OngoingTopicReassignment {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partitions: Vec<OngoingPartitionReassignment>,
}

impl Wire for OngoingTopicReassignment {
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

/// Part of [`ListPartitionReassignmentsResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OngoingPartitionReassignment {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub replicas: Vec<i32>,
    /// All versions.
    pub adding_replicas: Vec<i32>,
    /// All versions.
    pub removing_replicas: Vec<i32>,
}

impl Wire for OngoingPartitionReassignment {
    const BYTES_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            replicas: reader.array(at)?,
            adding_replicas: reader.array(at)?,
            removing_replicas: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.array(&self.replicas, at)?;
        encoder.array(&self.adding_replicas, at)?;
        encoder.array(&self.removing_replicas, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for ListPartitionReassignmentsResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for ListPartitionReassignmentsResponse {
    const KEY: ApiKey = ApiKey::ListPartitionReassignments;
}
