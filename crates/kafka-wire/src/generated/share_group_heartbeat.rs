//! Share groups: the one call of a member, and its assignment.
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

/// The request of ShareGroupHeartbeat (API key 76), versions 1 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareGroupHeartbeatRequest {
    /// All versions.
    pub group_id: Str,
    /// All versions.
    pub member_id: Str,
    /// All versions.
    pub member_epoch: i32,
    /// All versions. May be null. Default: null.
    pub rack_id: Option<Str>,
    /// All versions. May be null. Default: null.
    pub subscribed_topic_names: Option<Vec<Str>>,
}

impl Wire for ShareGroupHeartbeatRequest {
    const BYTES_MIN: usize = 9;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_id: reader.string(at)?,
            member_id: reader.string(at)?,
            member_epoch: reader.i32()?,
            rack_id: reader.opt_string(at)?,
            subscribed_topic_names: reader.opt_array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.group_id, at)?;
        encoder.string(&self.member_id, at)?;
        encoder.i32(self.member_epoch);
        encoder.opt_string(&self.rack_id, at)?;
        encoder.opt_array(&self.subscribed_topic_names, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for ShareGroupHeartbeatRequest {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;
}

impl Request for ShareGroupHeartbeatRequest {
    const KEY: ApiKey = ApiKey::ShareGroupHeartbeat;
    type Response = ShareGroupHeartbeatResponse;
}

/// The response of ShareGroupHeartbeat (API key 76), versions 1 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareGroupHeartbeatResponse {
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

impl Wire for ShareGroupHeartbeatResponse {
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

/// Part of [`ShareGroupHeartbeatResponse`], versions 1 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicPartitions {
    /// All versions.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Wire for TopicPartitions {
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

/// Part of [`ShareGroupHeartbeatResponse`], versions 1 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assignment {
    /// All versions.
    pub topic_partitions: Vec<TopicPartitions>,
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

impl Message for ShareGroupHeartbeatResponse {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;
}

impl Response for ShareGroupHeartbeatResponse {
    const KEY: ApiKey = ApiKey::ShareGroupHeartbeat;
}
