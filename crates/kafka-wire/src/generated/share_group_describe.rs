//! State and members of share groups.
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

/// The request of ShareGroupDescribe (API key 77), versions 1 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareGroupDescribeRequest {
    /// All versions.
    pub group_ids: Vec<Str>,
    /// All versions.
    pub include_authorized_operations: bool,
}

impl Wire for ShareGroupDescribeRequest {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_ids: reader.array(at)?,
            include_authorized_operations: reader.boolean()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.group_ids, at)?;
        encoder.boolean(self.include_authorized_operations);
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for ShareGroupDescribeRequest {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;
}

impl Request for ShareGroupDescribeRequest {
    const KEY: ApiKey = ApiKey::ShareGroupDescribe;
    type Response = ShareGroupDescribeResponse;
}

/// The response of ShareGroupDescribe (API key 77), versions 1 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareGroupDescribeResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub groups: Vec<DescribedGroup>,
}

impl Wire for ShareGroupDescribeResponse {
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

/// Part of [`ShareGroupDescribeResponse`], versions 1 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicPartitions {
    /// All versions.
    pub topic_id: Uuid,
    /// All versions.
    pub topic_name: Str,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Wire for TopicPartitions {
    const BYTES_MIN: usize = 19;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic_id: reader.uuid()?,
            topic_name: reader.string(at)?,
            partitions: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.uuid(self.topic_id);
        encoder.string(&self.topic_name, at)?;
        encoder.array(&self.partitions, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`ShareGroupDescribeResponse`], versions 1 to 1.
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

/// Part of [`ShareGroupDescribeResponse`], versions 1 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null. Default: null.
    pub error_message: Option<Str>,
    /// All versions.
    pub group_id: Str,
    /// All versions.
    pub group_state: Str,
    /// All versions.
    pub group_epoch: i32,
    /// All versions.
    pub assignment_epoch: i32,
    /// All versions.
    pub assignor_name: Str,
    /// All versions.
    pub members: Vec<Member>,
    /// All versions. Default: -2147483648.
    pub authorized_operations: i32,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: None,
            group_id: Str::new(),
            group_state: Str::new(),
            group_epoch: 0,
            assignment_epoch: 0,
            assignor_name: Str::new(),
            members: Vec::new(),
            authorized_operations: i32::MIN,
        }
    }
}

impl Wire for DescribedGroup {
    const BYTES_MIN: usize = 20;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            group_id: reader.string(at)?,
            group_state: reader.string(at)?,
            group_epoch: reader.i32()?,
            assignment_epoch: reader.i32()?,
            assignor_name: reader.string(at)?,
            members: reader.array(at)?,
            authorized_operations: reader.i32()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.string(&self.group_id, at)?;
        encoder.string(&self.group_state, at)?;
        encoder.i32(self.group_epoch);
        encoder.i32(self.assignment_epoch);
        encoder.string(&self.assignor_name, at)?;
        encoder.array(&self.members, at)?;
        encoder.i32(self.authorized_operations);
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`ShareGroupDescribeResponse`], versions 1 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Member {
    /// All versions.
    pub member_id: Str,
    /// All versions. May be null. Default: null.
    pub rack_id: Option<Str>,
    /// All versions.
    pub member_epoch: i32,
    /// All versions.
    pub client_id: Str,
    /// All versions.
    pub client_host: Str,
    /// All versions.
    pub subscribed_topic_names: Vec<Str>,
    /// All versions.
    pub assignment: Assignment,
}

impl Wire for Member {
    const BYTES_MIN: usize = 12;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            member_id: reader.string(at)?,
            rack_id: reader.opt_string(at)?,
            member_epoch: reader.i32()?,
            client_id: reader.string(at)?,
            client_host: reader.string(at)?,
            subscribed_topic_names: reader.array(at)?,
            assignment: Wire::read(reader, at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.member_id, at)?;
        encoder.opt_string(&self.rack_id, at)?;
        encoder.i32(self.member_epoch);
        encoder.string(&self.client_id, at)?;
        encoder.string(&self.client_host, at)?;
        encoder.array(&self.subscribed_topic_names, at)?;
        self.assignment.write(encoder, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for ShareGroupDescribeResponse {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;
}

impl Response for ShareGroupDescribeResponse {
    const KEY: ApiKey = ApiKey::ShareGroupDescribe;
}
