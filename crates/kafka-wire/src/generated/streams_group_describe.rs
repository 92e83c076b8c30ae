//! State and members of streams groups.
//!
//! KIP-1071.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of StreamsGroupDescribe (API key 89), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamsGroupDescribeRequest {
    /// All versions.
    pub group_ids: Vec<Str>,
    /// All versions.
    pub include_authorized_operations: bool,
}

impl Wire for StreamsGroupDescribeRequest {
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

impl Message for StreamsGroupDescribeRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for StreamsGroupDescribeRequest {
    const KEY: ApiKey = ApiKey::StreamsGroupDescribe;
    type Response = StreamsGroupDescribeResponse;
}

/// The response of StreamsGroupDescribe (API key 89), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamsGroupDescribeResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub groups: Vec<DescribedGroup>,
}

impl Wire for StreamsGroupDescribeResponse {
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

/// Part of [`StreamsGroupDescribeResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Endpoint {
    /// All versions.
    pub host: Str,
    /// All versions.
    pub port: u16,
}

impl Wire for Endpoint {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            host: reader.string(at)?,
            port: reader.u16()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.host, at)?;
        encoder.u16(self.port);
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupDescribeResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskOffset {
    /// All versions.
    pub subtopology_id: Str,
    /// All versions.
    pub partition: i32,
    /// All versions.
    pub offset: i64,
}

impl Wire for TaskOffset {
    const BYTES_MIN: usize = 14;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            subtopology_id: reader.string(at)?,
            partition: reader.i32()?,
            offset: reader.i64()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.subtopology_id, at)?;
        encoder.i32(self.partition);
        encoder.i64(self.offset);
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupDescribeResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assignment {
    /// All versions.
    pub active_tasks: Vec<TaskIds>,
    /// All versions.
    pub standby_tasks: Vec<TaskIds>,
    /// All versions.
    pub warmup_tasks: Vec<TaskIds>,
}

impl Wire for Assignment {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            active_tasks: reader.array(at)?,
            standby_tasks: reader.array(at)?,
            warmup_tasks: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.active_tasks, at)?;
        encoder.array(&self.standby_tasks, at)?;
        encoder.array(&self.warmup_tasks, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupDescribeResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskIds {
    /// All versions.
    pub subtopology_id: Str,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Wire for TaskIds {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            subtopology_id: reader.string(at)?,
            partitions: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.subtopology_id, at)?;
        encoder.array(&self.partitions, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupDescribeResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyValue {
    /// All versions.
    pub key: Str,
    /// All versions.
    pub value: Str,
}

impl Wire for KeyValue {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            key: reader.string(at)?,
            value: reader.string(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.key, at)?;
        encoder.string(&self.value, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupDescribeResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicInfo {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partitions: i32,
    /// All versions.
    pub replication_factor: i16,
    /// All versions.
    pub topic_configs: Vec<KeyValue>,
}

impl Wire for TopicInfo {
    const BYTES_MIN: usize = 9;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            partitions: reader.i32()?,
            replication_factor: reader.i16()?,
            topic_configs: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.i32(self.partitions);
        encoder.i16(self.replication_factor);
        encoder.array(&self.topic_configs, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupDescribeResponse`], versions 0 to 0.
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
    /// All versions. May be null. Default: null.
    pub topology: Option<Topology>,
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
            topology: None,
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
            topology: reader.opt_struct(at)?,
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
        encoder.opt_struct(&self.topology, at)?;
        encoder.array(&self.members, at)?;
        encoder.i32(self.authorized_operations);
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupDescribeResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Topology {
    /// All versions.
    pub epoch: i32,
    /// All versions. May be null. Default: null.
    pub subtopologies: Option<Vec<Subtopology>>,
}

impl Wire for Topology {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            epoch: reader.i32()?,
            subtopologies: reader.opt_array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.epoch);
        encoder.opt_array(&self.subtopologies, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupDescribeResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subtopology {
    /// All versions.
    pub subtopology_id: Str,
    /// All versions.
    pub source_topics: Vec<Str>,
    /// All versions.
    pub repartition_sink_topics: Vec<Str>,
    /// All versions.
    pub state_changelog_topics: Vec<TopicInfo>,
    /// All versions.
    pub repartition_source_topics: Vec<TopicInfo>,
}

impl Wire for Subtopology {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            subtopology_id: reader.string(at)?,
            source_topics: reader.array(at)?,
            repartition_sink_topics: reader.array(at)?,
            state_changelog_topics: reader.array(at)?,
            repartition_source_topics: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.subtopology_id, at)?;
        encoder.array(&self.source_topics, at)?;
        encoder.array(&self.repartition_sink_topics, at)?;
        encoder.array(&self.state_changelog_topics, at)?;
        encoder.array(&self.repartition_source_topics, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupDescribeResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Member {
    /// All versions.
    pub member_id: Str,
    /// All versions.
    pub member_epoch: i32,
    /// All versions. May be null. Default: null.
    pub instance_id: Option<Str>,
    /// All versions. May be null. Default: null.
    pub rack_id: Option<Str>,
    /// All versions.
    pub client_id: Str,
    /// All versions.
    pub client_host: Str,
    /// All versions.
    pub topology_epoch: i32,
    /// All versions.
    pub process_id: Str,
    /// All versions. May be null. Default: null.
    pub user_endpoint: Option<Endpoint>,
    /// All versions.
    pub client_tags: Vec<KeyValue>,
    /// All versions.
    pub task_offsets: Vec<TaskOffset>,
    /// All versions.
    pub task_end_offsets: Vec<TaskOffset>,
    /// All versions.
    pub assignment: Assignment,
    /// All versions.
    pub target_assignment: Assignment,
    /// All versions.
    pub is_classic: bool,
}

impl Wire for Member {
    const BYTES_MIN: usize = 28;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            member_id: reader.string(at)?,
            member_epoch: reader.i32()?,
            instance_id: reader.opt_string(at)?,
            rack_id: reader.opt_string(at)?,
            client_id: reader.string(at)?,
            client_host: reader.string(at)?,
            topology_epoch: reader.i32()?,
            process_id: reader.string(at)?,
            user_endpoint: reader.opt_struct(at)?,
            client_tags: reader.array(at)?,
            task_offsets: reader.array(at)?,
            task_end_offsets: reader.array(at)?,
            assignment: Wire::read(reader, at)?,
            target_assignment: Wire::read(reader, at)?,
            is_classic: reader.boolean()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.member_id, at)?;
        encoder.i32(self.member_epoch);
        encoder.opt_string(&self.instance_id, at)?;
        encoder.opt_string(&self.rack_id, at)?;
        encoder.string(&self.client_id, at)?;
        encoder.string(&self.client_host, at)?;
        encoder.i32(self.topology_epoch);
        encoder.string(&self.process_id, at)?;
        encoder.opt_struct(&self.user_endpoint, at)?;
        encoder.array(&self.client_tags, at)?;
        encoder.array(&self.task_offsets, at)?;
        encoder.array(&self.task_end_offsets, at)?;
        self.assignment.write(encoder, at)?;
        self.target_assignment.write(encoder, at)?;
        encoder.boolean(self.is_classic);
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for StreamsGroupDescribeResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for StreamsGroupDescribeResponse {
    const KEY: ApiKey = ApiKey::StreamsGroupDescribe;
}
