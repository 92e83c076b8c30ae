//! Streams groups: the one call of a member, and its tasks.
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

/// The request of StreamsGroupHeartbeat (API key 88), versions 0 to 0.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamsGroupHeartbeatRequest {
    /// All versions.
    pub group_id: Str,
    /// All versions.
    pub member_id: Str,
    /// All versions.
    pub member_epoch: i32,
    /// All versions.
    pub endpoint_information_epoch: i32,
    /// All versions. May be null. Default: null.
    pub instance_id: Option<Str>,
    /// All versions. May be null. Default: null.
    pub rack_id: Option<Str>,
    /// All versions. Default: -1.
    pub rebalance_timeout_ms: i32,
    /// All versions. May be null. Default: null.
    pub topology: Option<Topology>,
    /// All versions. May be null. Default: null.
    pub active_tasks: Option<Vec<RequestTaskIds>>,
    /// All versions. May be null. Default: null.
    pub standby_tasks: Option<Vec<RequestTaskIds>>,
    /// All versions. May be null. Default: null.
    pub warmup_tasks: Option<Vec<RequestTaskIds>>,
    /// All versions. May be null. Default: null.
    pub process_id: Option<Str>,
    /// All versions. May be null. Default: null.
    pub user_endpoint: Option<RequestEndpoint>,
    /// All versions. May be null. Default: null.
    pub client_tags: Option<Vec<KeyValue>>,
    /// All versions. May be null. Default: null.
    pub task_offsets: Option<Vec<TaskOffset>>,
    /// All versions. May be null. Default: null.
    pub task_end_offsets: Option<Vec<TaskOffset>>,
    /// All versions.
    pub shutdown_application: bool,
}

impl Default for StreamsGroupHeartbeatRequest {
    fn default() -> Self {
        Self {
            group_id: Str::new(),
            member_id: Str::new(),
            member_epoch: 0,
            endpoint_information_epoch: 0,
            instance_id: None,
            rack_id: None,
            rebalance_timeout_ms: -1,
            topology: None,
            active_tasks: None,
            standby_tasks: None,
            warmup_tasks: None,
            process_id: None,
            user_endpoint: None,
            client_tags: None,
            task_offsets: None,
            task_end_offsets: None,
            shutdown_application: false,
        }
    }
}

impl Wire for StreamsGroupHeartbeatRequest {
    const BYTES_MIN: usize = 27;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_id: reader.string(at)?,
            member_id: reader.string(at)?,
            member_epoch: reader.i32()?,
            endpoint_information_epoch: reader.i32()?,
            instance_id: reader.opt_string(at)?,
            rack_id: reader.opt_string(at)?,
            rebalance_timeout_ms: reader.i32()?,
            topology: reader.opt_struct(at)?,
            active_tasks: reader.opt_array(at)?,
            standby_tasks: reader.opt_array(at)?,
            warmup_tasks: reader.opt_array(at)?,
            process_id: reader.opt_string(at)?,
            user_endpoint: reader.opt_struct(at)?,
            client_tags: reader.opt_array(at)?,
            task_offsets: reader.opt_array(at)?,
            task_end_offsets: reader.opt_array(at)?,
            shutdown_application: reader.boolean()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.group_id, at)?;
        encoder.string(&self.member_id, at)?;
        encoder.i32(self.member_epoch);
        encoder.i32(self.endpoint_information_epoch);
        encoder.opt_string(&self.instance_id, at)?;
        encoder.opt_string(&self.rack_id, at)?;
        encoder.i32(self.rebalance_timeout_ms);
        encoder.opt_struct(&self.topology, at)?;
        encoder.opt_array(&self.active_tasks, at)?;
        encoder.opt_array(&self.standby_tasks, at)?;
        encoder.opt_array(&self.warmup_tasks, at)?;
        encoder.opt_string(&self.process_id, at)?;
        encoder.opt_struct(&self.user_endpoint, at)?;
        encoder.opt_array(&self.client_tags, at)?;
        encoder.opt_array(&self.task_offsets, at)?;
        encoder.opt_array(&self.task_end_offsets, at)?;
        encoder.boolean(self.shutdown_application);
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupHeartbeatRequest`], versions 0 to 0.
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

/// Part of [`StreamsGroupHeartbeatRequest`], versions 0 to 0.
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

/// Part of [`StreamsGroupHeartbeatRequest`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestEndpoint {
    /// All versions.
    pub host: Str,
    /// All versions.
    pub port: u16,
}

impl Wire for RequestEndpoint {
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

/// Part of [`StreamsGroupHeartbeatRequest`], versions 0 to 0.
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

/// Part of [`StreamsGroupHeartbeatRequest`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestTaskIds {
    /// All versions.
    pub subtopology_id: Str,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Wire for RequestTaskIds {
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

/// Part of [`StreamsGroupHeartbeatRequest`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Topology {
    /// All versions.
    pub epoch: i32,
    /// All versions.
    pub subtopologies: Vec<Subtopology>,
}

impl Wire for Topology {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            epoch: reader.i32()?,
            subtopologies: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.epoch);
        encoder.array(&self.subtopologies, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupHeartbeatRequest`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subtopology {
    /// All versions.
    pub subtopology_id: Str,
    /// All versions.
    pub source_topics: Vec<Str>,
    /// All versions.
    pub source_topic_regex: Vec<Str>,
    /// All versions.
    pub state_changelog_topics: Vec<TopicInfo>,
    /// All versions.
    pub repartition_sink_topics: Vec<Str>,
    /// All versions.
    pub repartition_source_topics: Vec<TopicInfo>,
    /// All versions.
    pub copartition_groups: Vec<CopartitionGroup>,
}

impl Wire for Subtopology {
    const BYTES_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            subtopology_id: reader.string(at)?,
            source_topics: reader.array(at)?,
            source_topic_regex: reader.array(at)?,
            state_changelog_topics: reader.array(at)?,
            repartition_sink_topics: reader.array(at)?,
            repartition_source_topics: reader.array(at)?,
            copartition_groups: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.subtopology_id, at)?;
        encoder.array(&self.source_topics, at)?;
        encoder.array(&self.source_topic_regex, at)?;
        encoder.array(&self.state_changelog_topics, at)?;
        encoder.array(&self.repartition_sink_topics, at)?;
        encoder.array(&self.repartition_source_topics, at)?;
        encoder.array(&self.copartition_groups, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupHeartbeatRequest`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CopartitionGroup {
    /// All versions.
    pub source_topics: Vec<i16>,
    /// All versions.
    pub source_topic_regex: Vec<i16>,
    /// All versions.
    pub repartition_source_topics: Vec<i16>,
}

impl Wire for CopartitionGroup {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            source_topics: reader.array(at)?,
            source_topic_regex: reader.array(at)?,
            repartition_source_topics: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.source_topics, at)?;
        encoder.array(&self.source_topic_regex, at)?;
        encoder.array(&self.repartition_source_topics, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for StreamsGroupHeartbeatRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for StreamsGroupHeartbeatRequest {
    const KEY: ApiKey = ApiKey::StreamsGroupHeartbeat;
    type Response = StreamsGroupHeartbeatResponse;
}

/// The response of StreamsGroupHeartbeat (API key 88), versions 0 to 0.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamsGroupHeartbeatResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null. Default: null.
    pub error_message: Option<Str>,
    /// All versions.
    pub member_id: Str,
    /// All versions.
    pub member_epoch: i32,
    /// All versions.
    pub heartbeat_interval_ms: i32,
    /// All versions.
    pub acceptable_recovery_lag: i32,
    /// All versions.
    pub task_offset_interval_ms: i32,
    /// All versions. May be null.
    pub status: Option<Vec<Status>>,
    /// All versions. May be null. Default: null.
    pub active_tasks: Option<Vec<ResponseTaskIds>>,
    /// All versions. May be null. Default: null.
    pub standby_tasks: Option<Vec<ResponseTaskIds>>,
    /// All versions. May be null. Default: null.
    pub warmup_tasks: Option<Vec<ResponseTaskIds>>,
    /// All versions.
    pub endpoint_information_epoch: i32,
    /// All versions. May be null. Default: null.
    pub partitions_by_user_endpoint: Option<Vec<EndpointToPartitions>>,
}

impl Default for StreamsGroupHeartbeatResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: None,
            member_id: Str::new(),
            member_epoch: 0,
            heartbeat_interval_ms: 0,
            acceptable_recovery_lag: 0,
            task_offset_interval_ms: 0,
            status: Some(Vec::new()),
            active_tasks: None,
            standby_tasks: None,
            warmup_tasks: None,
            endpoint_information_epoch: 0,
            partitions_by_user_endpoint: None,
        }
    }
}

impl Wire for StreamsGroupHeartbeatResponse {
    const BYTES_MIN: usize = 34;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            member_id: reader.string(at)?,
            member_epoch: reader.i32()?,
            heartbeat_interval_ms: reader.i32()?,
            acceptable_recovery_lag: reader.i32()?,
            task_offset_interval_ms: reader.i32()?,
            status: reader.opt_array(at)?,
            active_tasks: reader.opt_array(at)?,
            standby_tasks: reader.opt_array(at)?,
            warmup_tasks: reader.opt_array(at)?,
            endpoint_information_epoch: reader.i32()?,
            partitions_by_user_endpoint: reader.opt_array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.string(&self.member_id, at)?;
        encoder.i32(self.member_epoch);
        encoder.i32(self.heartbeat_interval_ms);
        encoder.i32(self.acceptable_recovery_lag);
        encoder.i32(self.task_offset_interval_ms);
        encoder.opt_array(&self.status, at)?;
        encoder.opt_array(&self.active_tasks, at)?;
        encoder.opt_array(&self.standby_tasks, at)?;
        encoder.opt_array(&self.warmup_tasks, at)?;
        encoder.i32(self.endpoint_information_epoch);
        encoder.opt_array(&self.partitions_by_user_endpoint, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupHeartbeatResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    /// All versions.
    pub status_code: i8,
    /// All versions.
    pub status_detail: Str,
}

impl Wire for Status {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            status_code: reader.i8()?,
            status_detail: reader.string(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i8(self.status_code);
        encoder.string(&self.status_detail, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupHeartbeatResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicPartition {
    /// All versions.
    pub topic: Str,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Wire for TopicPartition {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic: reader.string(at)?,
            partitions: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.topic, at)?;
        encoder.array(&self.partitions, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`StreamsGroupHeartbeatResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseTaskIds {
    /// All versions.
    pub subtopology_id: Str,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Wire for ResponseTaskIds {
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

/// Part of [`StreamsGroupHeartbeatResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseEndpoint {
    /// All versions.
    pub host: Str,
    /// All versions.
    pub port: u16,
}

impl Wire for ResponseEndpoint {
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

/// Part of [`StreamsGroupHeartbeatResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointToPartitions {
    /// All versions.
    pub user_endpoint: ResponseEndpoint,
    /// All versions.
    pub active_partitions: Vec<TopicPartition>,
    /// All versions.
    pub standby_partitions: Vec<TopicPartition>,
}

impl Wire for EndpointToPartitions {
    const BYTES_MIN: usize = 7;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            user_endpoint: Wire::read(reader, at)?,
            active_partitions: reader.array(at)?,
            standby_partitions: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        self.user_endpoint.write(encoder, at)?;
        encoder.array(&self.active_partitions, at)?;
        encoder.array(&self.standby_partitions, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for StreamsGroupHeartbeatResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for StreamsGroupHeartbeatResponse {
    const KEY: ApiKey = ApiKey::StreamsGroupHeartbeat;
}
