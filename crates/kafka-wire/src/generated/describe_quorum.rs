//! State of the metadata quorum.
//!
//! KIP-595, KIP-836, KIP-853.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of DescribeQuorum (API key 55), versions 0 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeQuorumRequest {
    /// All versions.
    pub topics: Vec<RequestTopicData>,
}

impl Wire for DescribeQuorumRequest {
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

/// Part of [`DescribeQuorumRequest`], versions 0 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestTopicData {
    /// All versions.
    pub topic_name: Str,
    /// All versions.
    pub partitions: Vec<RequestPartitionData>,
}

impl Wire for RequestTopicData {
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

/// Part of [`DescribeQuorumRequest`], versions 0 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestPartitionData {
    /// All versions.
    pub partition_index: i32,
}

impl Wire for RequestPartitionData {
    const BYTES_MIN: usize = 5;

    fn read(reader: &mut Reader<'_>, _at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, _at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeQuorumRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for DescribeQuorumRequest {
    const KEY: ApiKey = ApiKey::DescribeQuorum;
    type Response = DescribeQuorumResponse;
}

/// The response of DescribeQuorum (API key 55), versions 0 to 2.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeQuorumResponse {
    /// All versions.
    pub error_code: i16,
    /// Version 2 and later. May be null.
    pub error_message: Option<Str>,
    /// All versions.
    pub topics: Vec<ResponseTopicData>,
    /// Version 2 and later. Must be left at its default at other versions.
    pub nodes: Vec<Node>,
}

impl Default for DescribeQuorumResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Str::new()),
            topics: Vec::new(),
            nodes: Vec::new(),
        }
    }
}

impl Wire for DescribeQuorumResponse {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            error_message: if at.version >= 2 {
                reader.opt_string(at)?
            } else {
                Some(Str::new())
            },
            topics: reader.array(at)?,
            nodes: if at.version >= 2 {
                reader.array(at)?
            } else {
                Vec::new()
            },
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        if at.version >= 2 {
            encoder.opt_string(&self.error_message, at)?;
        }
        encoder.array(&self.topics, at)?;
        if at.version >= 2 {
            encoder.array(&self.nodes, at)?;
        } else if !self.nodes.is_empty() {
            return Err(at.no_field("nodes"));
        }
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeQuorumResponse`], versions 0 to 2.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaState {
    /// All versions.
    pub replica_id: i32,
    /// Version 2 and later. Must be left at its default at other versions.
    pub replica_directory_id: Uuid,
    /// All versions.
    pub log_end_offset: i64,
    /// Version 1 and later. Default: -1.
    pub last_fetch_timestamp: i64,
    /// Version 1 and later. Default: -1.
    pub last_caught_up_timestamp: i64,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self {
            replica_id: 0,
            replica_directory_id: Uuid::ZERO,
            log_end_offset: 0,
            last_fetch_timestamp: -1,
            last_caught_up_timestamp: -1,
        }
    }
}

impl Wire for ReplicaState {
    const BYTES_MIN: usize = 13;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            replica_id: reader.i32()?,
            replica_directory_id: if at.version >= 2 {
                reader.uuid()?
            } else {
                Uuid::ZERO
            },
            log_end_offset: reader.i64()?,
            last_fetch_timestamp: if at.version >= 1 { reader.i64()? } else { -1 },
            last_caught_up_timestamp: if at.version >= 1 { reader.i64()? } else { -1 },
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.replica_id);
        if at.version >= 2 {
            encoder.uuid(self.replica_directory_id);
        } else if self.replica_directory_id != Uuid::ZERO {
            return Err(at.no_field("replica_directory_id"));
        }
        encoder.i64(self.log_end_offset);
        if at.version >= 1 {
            encoder.i64(self.last_fetch_timestamp);
        }
        if at.version >= 1 {
            encoder.i64(self.last_caught_up_timestamp);
        }
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeQuorumResponse`], versions 0 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseTopicData {
    /// All versions.
    pub topic_name: Str,
    /// All versions.
    pub partitions: Vec<ResponsePartitionData>,
}

impl Wire for ResponseTopicData {
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

/// Part of [`DescribeQuorumResponse`], versions 0 to 2.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponsePartitionData {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
    /// Version 2 and later. May be null.
    pub error_message: Option<Str>,
    /// All versions.
    pub leader_id: i32,
    /// All versions.
    pub leader_epoch: i32,
    /// All versions.
    pub high_watermark: i64,
    /// All versions.
    pub current_voters: Vec<ReplicaState>,
    /// All versions.
    pub observers: Vec<ReplicaState>,
}

impl Default for ResponsePartitionData {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            error_message: Some(Str::new()),
            leader_id: 0,
            leader_epoch: 0,
            high_watermark: 0,
            current_voters: Vec::new(),
            observers: Vec::new(),
        }
    }
}

impl Wire for ResponsePartitionData {
    const BYTES_MIN: usize = 25;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            error_code: reader.i16()?,
            error_message: if at.version >= 2 {
                reader.opt_string(at)?
            } else {
                Some(Str::new())
            },
            leader_id: reader.i32()?,
            leader_epoch: reader.i32()?,
            high_watermark: reader.i64()?,
            current_voters: reader.array(at)?,
            observers: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.i16(self.error_code);
        if at.version >= 2 {
            encoder.opt_string(&self.error_message, at)?;
        }
        encoder.i32(self.leader_id);
        encoder.i32(self.leader_epoch);
        encoder.i64(self.high_watermark);
        encoder.array(&self.current_voters, at)?;
        encoder.array(&self.observers, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeQuorumResponse`], versions 2 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// All versions.
    pub node_id: i32,
    /// All versions.
    pub listeners: Vec<Listener>,
}

impl Wire for Node {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            node_id: reader.i32()?,
            listeners: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.node_id);
        encoder.array(&self.listeners, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeQuorumResponse`], versions 2 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listener {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub host: Str,
    /// All versions.
    pub port: u16,
}

impl Wire for Listener {
    const BYTES_MIN: usize = 5;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            host: reader.string(at)?,
            port: reader.u16()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.string(&self.host, at)?;
        encoder.u16(self.port);
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeQuorumResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for DescribeQuorumResponse {
    const KEY: ApiKey = ApiKey::DescribeQuorum;
}
