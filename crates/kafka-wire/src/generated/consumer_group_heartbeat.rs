//! New group protocol: the one call of a member, and its assignment.
//!
//! KIP-848, KIP-1082 member id made by the client.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of ConsumerGroupHeartbeat (API key 68), versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerGroupHeartbeatRequest {
    /// All versions.
    pub group_id: Str,
    /// All versions.
    pub member_id: Str,
    /// All versions.
    pub member_epoch: i32,
    /// All versions. May be null. Default: null.
    pub instance_id: Option<Str>,
    /// All versions. May be null. Default: null.
    pub rack_id: Option<Str>,
    /// All versions. Default: -1.
    pub rebalance_timeout_ms: i32,
    /// All versions. May be null. Default: null.
    pub subscribed_topic_names: Option<Vec<Str>>,
    /// Version 1 and later. May be null. Default: null. Must be left at its default at other versions.
    pub subscribed_topic_regex: Option<Str>,
    /// All versions. May be null. Default: null.
    pub server_assignor: Option<Str>,
    /// All versions. May be null. Default: null.
    pub topic_partitions: Option<Vec<RequestTopicPartitions>>,
}

impl Default for ConsumerGroupHeartbeatRequest {
    fn default() -> Self {
        Self {
            group_id: Str::new(),
            member_id: Str::new(),
            member_epoch: 0,
            instance_id: None,
            rack_id: None,
            rebalance_timeout_ms: -1,
            subscribed_topic_names: None,
            subscribed_topic_regex: None,
            server_assignor: None,
            topic_partitions: None,
        }
    }
}

impl Wire for ConsumerGroupHeartbeatRequest {
    const BYTES_MIN: usize = 16;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_id: reader.string(at)?,
            member_id: reader.string(at)?,
            member_epoch: reader.i32()?,
            instance_id: reader.opt_string(at)?,
            rack_id: reader.opt_string(at)?,
            rebalance_timeout_ms: reader.i32()?,
            subscribed_topic_names: reader.opt_array(at)?,
            subscribed_topic_regex: if at.version >= 1 {
                reader.opt_string(at)?
            } else {
                None
            },
            server_assignor: reader.opt_string(at)?,
            topic_partitions: reader.opt_array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.group_id, at)?;
        encoder.string(&self.member_id, at)?;
        encoder.i32(self.member_epoch);
        encoder.opt_string(&self.instance_id, at)?;
        encoder.opt_string(&self.rack_id, at)?;
        encoder.i32(self.rebalance_timeout_ms);
        encoder.opt_array(&self.subscribed_topic_names, at)?;
        if at.version >= 1 {
            encoder.opt_string(&self.subscribed_topic_regex, at)?;
        } else if self.subscribed_topic_regex.is_some() {
            return Err(at.no_field("subscribed_topic_regex"));
        }
        encoder.opt_string(&self.server_assignor, at)?;
        encoder.opt_array(&self.topic_partitions, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`ConsumerGroupHeartbeatRequest`], versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestTopicPartitions {
    /// All versions.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Wire for RequestTopicPartitions {
    const BYTES_MIN: usize = 18;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic_id: reader.uuid()?,
            partitions: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.uuid(self.topic_id);
        encoder.array(&self.partitions, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for ConsumerGroupHeartbeatRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for ConsumerGroupHeartbeatRequest {
    const KEY: ApiKey = ApiKey::ConsumerGroupHeartbeat;
    type Response = ConsumerGroupHeartbeatResponse;
}

/// The response of ConsumerGroupHeartbeat (API key 68), versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupHeartbeatResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null. Default: null.
    pub error_message: Option<Str>,
    /// All versions. May be null. Default: null.
    pub member_id: Option<Str>,
    /// All versions.
    pub member_epoch: i32,
    /// All versions.
    pub heartbeat_interval_ms: i32,
    /// All versions. May be null. Default: null.
    pub assignment: Option<Assignment>,
}

impl Wire for ConsumerGroupHeartbeatResponse {
    const BYTES_MIN: usize = 18;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            member_id: reader.opt_string(at)?,
            member_epoch: reader.i32()?,
            heartbeat_interval_ms: reader.i32()?,
            assignment: reader.opt_struct(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.opt_string(&self.member_id, at)?;
        encoder.i32(self.member_epoch);
        encoder.i32(self.heartbeat_interval_ms);
        encoder.opt_struct(&self.assignment, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`ConsumerGroupHeartbeatResponse`], versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseTopicPartitions {
    /// All versions.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Wire for ResponseTopicPartitions {
    const BYTES_MIN: usize = 18;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic_id: reader.uuid()?,
            partitions: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.uuid(self.topic_id);
        encoder.array(&self.partitions, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`ConsumerGroupHeartbeatResponse`], versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assignment {
    /// All versions.
    pub topic_partitions: Vec<ResponseTopicPartitions>,
}

impl Wire for Assignment {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic_partitions: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.topic_partitions, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for ConsumerGroupHeartbeatResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for ConsumerGroupHeartbeatResponse {
    const KEY: ApiKey = ApiKey::ConsumerGroupHeartbeat;
}
