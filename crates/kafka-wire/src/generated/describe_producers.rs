//! Active producers of partitions.
//!
//! KIP-664.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of DescribeProducers (API key 61), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeProducersRequest {
    /// All versions.
    pub topics: Vec<TopicRequest>,
}

impl Wire for DescribeProducersRequest {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topics: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.topics, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeProducersRequest`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicRequest {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partition_indexes: Vec<i32>,
}

impl Wire for TopicRequest {
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

impl Message for DescribeProducersRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for DescribeProducersRequest {
    const KEY: ApiKey = ApiKey::DescribeProducers;
    type Response = DescribeProducersResponse;
}

/// The response of DescribeProducers (API key 61), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeProducersResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub topics: Vec<TopicResponse>,
}

impl Wire for DescribeProducersResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            topics: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.array(&self.topics, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeProducersResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicResponse {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partitions: Vec<PartitionResponse>,
}

impl Wire for TopicResponse {
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

/// Part of [`DescribeProducersResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionResponse {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null. Default: null.
    pub error_message: Option<Str>,
    /// All versions.
    pub active_producers: Vec<ProducerState>,
}

impl Wire for PartitionResponse {
    const BYTES_MIN: usize = 9;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            active_producers: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.array(&self.active_producers, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeProducersResponse`], versions 0 to 0.
#[derive(Clone, Debug, PartialEq)]
pub struct ProducerState {
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub producer_epoch: i32,
    /// All versions. Default: -1.
    pub last_sequence: i32,
    /// All versions. Default: -1.
    pub last_timestamp: i64,
    /// All versions.
    pub coordinator_epoch: i32,
    /// All versions. Default: -1.
    pub current_txn_start_offset: i64,
}

impl Default for ProducerState {
    fn default() -> Self {
        Self {
            producer_id: 0,
            producer_epoch: 0,
            last_sequence: -1,
            last_timestamp: -1,
            coordinator_epoch: 0,
            current_txn_start_offset: -1,
        }
    }
}

impl Wire for ProducerState {
    const BYTES_MIN: usize = 37;

    fn read(reader: &mut Reader<'_>, _at: At) -> Result<Self, DecodeError> {
        let message = Self {
            producer_id: reader.i64()?,
            producer_epoch: reader.i32()?,
            last_sequence: reader.i32()?,
            last_timestamp: reader.i64()?,
            coordinator_epoch: reader.i32()?,
            current_txn_start_offset: reader.i64()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, _at: At) -> Result<(), EncodeError> {
        encoder.i64(self.producer_id);
        encoder.i32(self.producer_epoch);
        encoder.i32(self.last_sequence);
        encoder.i64(self.last_timestamp);
        encoder.i32(self.coordinator_epoch);
        encoder.i64(self.current_txn_start_offset);
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeProducersResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for DescribeProducersResponse {
    const KEY: ApiKey = ApiKey::DescribeProducers;
}
