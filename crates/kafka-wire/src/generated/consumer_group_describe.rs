//! State and members of groups of the new protocol.
//!
//! KIP-848, KIP-1099 member types.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of ConsumerGroupDescribe (API key 69), versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupDescribeRequest {
    /// All versions.
    pub group_ids: Vec<Str>,
    /// All versions.
    pub include_authorized_operations: bool,
}

impl Wire for ConsumerGroupDescribeRequest {
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

impl Message for ConsumerGroupDescribeRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for ConsumerGroupDescribeRequest {
    const KEY: ApiKey = ApiKey::ConsumerGroupDescribe;
    type Response = ConsumerGroupDescribeResponse;
}

/// The response of ConsumerGroupDescribe (API key 69), versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupDescribeResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub groups: Vec<DescribedGroup>,
}

impl Wire for ConsumerGroupDescribeResponse {
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

/// Part of [`ConsumerGroupDescribeResponse`], versions 0 to 1.
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

/// Part of [`ConsumerGroupDescribeResponse`], versions 0 to 1.
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

/// Part of [`ConsumerGroupDescribeResponse`], versions 0 to 1.
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

/// Part of [`ConsumerGroupDescribeResponse`], versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// All versions.
    pub member_id: Str,
    /// All versions. May be null. Default: null.
    pub instance_id: Option<Str>,
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
    /// All versions. May be null. Default: null.
    pub subscribed_topic_regex: Option<Str>,
    /// All versions.
    pub assignment: Assignment,
    /// All versions.
    pub target_assignment: Assignment,
    /// Version 1 and later. Default: -1.
    pub member_type: i8,
}

impl Default for Member {
    fn default() -> Self {
        Self {
            member_id: Str::new(),
            instance_id: None,
            rack_id: None,
            member_epoch: 0,
            client_id: Str::new(),
            client_host: Str::new(),
            subscribed_topic_names: Vec::new(),
            subscribed_topic_regex: None,
            assignment: Assignment::default(),
            target_assignment: Assignment::default(),
            member_type: -1,
        }
    }
}

impl Wire for Member {
    const BYTES_MIN: usize = 16;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            member_id: reader.string(at)?,
            instance_id: reader.opt_string(at)?,
            rack_id: reader.opt_string(at)?,
            member_epoch: reader.i32()?,
            client_id: reader.string(at)?,
            client_host: reader.string(at)?,
            subscribed_topic_names: reader.array(at)?,
            subscribed_topic_regex: reader.opt_string(at)?,
            assignment: Wire::read(reader, at)?,
            target_assignment: Wire::read(reader, at)?,
            member_type: if at.version >= 1 { reader.i8()? } else { -1 },
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.member_id, at)?;
        encoder.opt_string(&self.instance_id, at)?;
        encoder.opt_string(&self.rack_id, at)?;
        encoder.i32(self.member_epoch);
        encoder.string(&self.client_id, at)?;
        encoder.string(&self.client_host, at)?;
        encoder.array(&self.subscribed_topic_names, at)?;
        encoder.opt_string(&self.subscribed_topic_regex, at)?;
        self.assignment.write(encoder, at)?;
        self.target_assignment.write(encoder, at)?;
        if at.version >= 1 {
            encoder.i8(self.member_type);
        }
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for ConsumerGroupDescribeResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for ConsumerGroupDescribeResponse {
    const KEY: ApiKey = ApiKey::ConsumerGroupDescribe;
}
