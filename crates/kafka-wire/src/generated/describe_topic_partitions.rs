//! Partitions of topics page by page.
//!
//! KIP-966.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of DescribeTopicPartitions (API key 75), versions 0 to 0.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsRequest {
    /// All versions.
    pub topics: Vec<TopicRequest>,
    /// All versions. Default: 2000.
    pub response_partition_limit: i32,
    /// All versions. May be null. Default: null.
    pub cursor: Option<RequestCursor>,
}

impl Default for DescribeTopicPartitionsRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            response_partition_limit: 2000,
            cursor: None,
        }
    }
}

impl Wire for DescribeTopicPartitionsRequest {
    const BYTES_MIN: usize = 7;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topics: reader.array(at)?,
            response_partition_limit: reader.i32()?,
            cursor: reader.opt_struct(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.topics, at)?;
        encoder.i32(self.response_partition_limit);
        encoder.opt_struct(&self.cursor, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeTopicPartitionsRequest`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicRequest {
    /// All versions.
    pub name: Str,
}

impl Wire for TopicRequest {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeTopicPartitionsRequest`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestCursor {
    /// All versions.
    pub topic_name: Str,
    /// All versions.
    pub partition_index: i32,
}

impl Wire for RequestCursor {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic_name: reader.string(at)?,
            partition_index: reader.i32()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.topic_name, at)?;
        encoder.i32(self.partition_index);
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeTopicPartitionsRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for DescribeTopicPartitionsRequest {
    const KEY: ApiKey = ApiKey::DescribeTopicPartitions;
    type Response = DescribeTopicPartitionsResponse;
}

/// The response of DescribeTopicPartitions (API key 75), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeTopicPartitionsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub topics: Vec<DescribeTopicPartitionsResponseTopic>,
    /// All versions. May be null. Default: null.
    pub next_cursor: Option<ResponseCursor>,
}

impl Wire for DescribeTopicPartitionsResponse {
    const BYTES_MIN: usize = 7;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            topics: reader.array(at)?,
            next_cursor: reader.opt_struct(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.array(&self.topics, at)?;
        encoder.opt_struct(&self.next_cursor, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeTopicPartitionsResponse`], versions 0 to 0.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsResponseTopic {
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub name: Option<Str>,
    /// All versions.
    pub topic_id: Uuid,
    /// All versions.
    pub is_internal: bool,
    /// All versions.
    pub partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    /// All versions. Default: -2147483648.
    pub topic_authorized_operations: i32,
}

impl Default for DescribeTopicPartitionsResponseTopic {
    fn default() -> Self {
        Self {
            error_code: 0,
            name: Some(Str::new()),
            topic_id: Uuid::ZERO,
            is_internal: false,
            partitions: Vec::new(),
            topic_authorized_operations: i32::MIN,
        }
    }
}

impl Wire for DescribeTopicPartitionsResponseTopic {
    const BYTES_MIN: usize = 26;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            name: reader.opt_string(at)?,
            topic_id: reader.uuid()?,
            is_internal: reader.boolean()?,
            partitions: reader.array(at)?,
            topic_authorized_operations: reader.i32()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        encoder.opt_string(&self.name, at)?;
        encoder.uuid(self.topic_id);
        encoder.boolean(self.is_internal);
        encoder.array(&self.partitions, at)?;
        encoder.i32(self.topic_authorized_operations);
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeTopicPartitionsResponse`], versions 0 to 0.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsResponsePartition {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub leader_id: i32,
    /// All versions. Default: -1.
    pub leader_epoch: i32,
    /// All versions.
    pub replica_nodes: Vec<i32>,
    /// All versions.
    pub isr_nodes: Vec<i32>,
    /// All versions. May be null. Default: null.
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// All versions. May be null. Default: null.
    pub last_known_elr: Option<Vec<i32>>,
    /// All versions.
    pub offline_replicas: Vec<i32>,
}

impl Default for DescribeTopicPartitionsResponsePartition {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition_index: 0,
            leader_id: 0,
            leader_epoch: -1,
            replica_nodes: Vec::new(),
            isr_nodes: Vec::new(),
            eligible_leader_replicas: None,
            last_known_elr: None,
            offline_replicas: Vec::new(),
        }
    }
}

impl Wire for DescribeTopicPartitionsResponsePartition {
    const BYTES_MIN: usize = 20;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            partition_index: reader.i32()?,
            leader_id: reader.i32()?,
            leader_epoch: reader.i32()?,
            replica_nodes: reader.array(at)?,
            isr_nodes: reader.array(at)?,
            eligible_leader_replicas: reader.opt_array(at)?,
            last_known_elr: reader.opt_array(at)?,
            offline_replicas: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        encoder.i32(self.partition_index);
        encoder.i32(self.leader_id);
        encoder.i32(self.leader_epoch);
        encoder.array(&self.replica_nodes, at)?;
        encoder.array(&self.isr_nodes, at)?;
        encoder.opt_array(&self.eligible_leader_replicas, at)?;
        encoder.opt_array(&self.last_known_elr, at)?;
        encoder.array(&self.offline_replicas, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeTopicPartitionsResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseCursor {
    /// All versions.
    pub topic_name: Str,
    /// All versions.
    pub partition_index: i32,
}

impl Wire for ResponseCursor {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic_name: reader.string(at)?,
            partition_index: reader.i32()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.topic_name, at)?;
        encoder.i32(self.partition_index);
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeTopicPartitionsResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for DescribeTopicPartitionsResponse {
    const KEY: ApiKey = ApiKey::DescribeTopicPartitions;
}
