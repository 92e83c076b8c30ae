//! Share groups: accepts, releases or rejects acquired records.
//!
//! KIP-932, KIP-1222 renewals (v2).
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of ShareAcknowledge (API key 79), versions 1 to 2.
#[derive(Clone, Debug, PartialEq)]
pub struct ShareAcknowledgeRequest {
    /// All versions. May be null. Default: null.
    pub group_id: Option<Str>,
    /// All versions. May be null.
    pub member_id: Option<Str>,
    /// All versions.
    pub share_session_epoch: i32,
    /// Version 2 and later. Must be left at its default at other versions.
    pub is_renew_ack: bool,
    /// All versions.
    pub topics: Vec<AcknowledgeTopic>,
}

impl Default for ShareAcknowledgeRequest {
    fn default() -> Self {
        Self {
            group_id: None,
            member_id: Some(Str::new()),
            share_session_epoch: 0,
            is_renew_ack: false,
            topics: Vec::new(),
        }
    }
}

impl Wire for ShareAcknowledgeRequest {
    const BYTES_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_id: reader.opt_string(at)?,
            member_id: reader.opt_string(at)?,
            share_session_epoch: reader.i32()?,
            is_renew_ack: if at.version >= 2 { reader.boolean()? } else { false },
            topics: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.opt_string(&self.group_id, at)?;
        encoder.opt_string(&self.member_id, at)?;
        encoder.i32(self.share_session_epoch);
        if at.version >= 2 {
            encoder.boolean(self.is_renew_ack);
        } else if self.is_renew_ack {
            return Err(at.no_field("is_renew_ack"));
        }
        encoder.array(&self.topics, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`ShareAcknowledgeRequest`], versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AcknowledgeTopic {
    /// All versions.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<AcknowledgePartition>,
}

impl Wire for AcknowledgeTopic {
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

/// Part of [`ShareAcknowledgeRequest`], versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AcknowledgePartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub acknowledgement_batches: Vec<AcknowledgementBatch>,
}

impl Wire for AcknowledgePartition {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            acknowledgement_batches: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.array(&self.acknowledgement_batches, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`ShareAcknowledgeRequest`], versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AcknowledgementBatch {
    /// All versions.
    pub first_offset: i64,
    /// All versions.
    pub last_offset: i64,
    /// All versions.
    pub acknowledge_types: Vec<i8>,
}

impl Wire for AcknowledgementBatch {
    const BYTES_MIN: usize = 18;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            first_offset: reader.i64()?,
            last_offset: reader.i64()?,
            acknowledge_types: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i64(self.first_offset);
        encoder.i64(self.last_offset);
        encoder.array(&self.acknowledge_types, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for ShareAcknowledgeRequest {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 1;
}

impl Request for ShareAcknowledgeRequest {
    const KEY: ApiKey = ApiKey::ShareAcknowledge;
    type Response = ShareAcknowledgeResponse;
}

/// The response of ShareAcknowledge (API key 79), versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareAcknowledgeResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null. Default: null.
    pub error_message: Option<Str>,
    /// Version 2 and later.
    pub acquisition_lock_timeout_ms: i32,
    /// All versions.
    pub responses: Vec<ShareAcknowledgeTopicResponse>,
    /// All versions.
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Wire for ShareAcknowledgeResponse {
    const BYTES_MIN: usize = 10;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            acquisition_lock_timeout_ms: if at.version >= 2 { reader.i32()? } else { 0 },
            responses: reader.array(at)?,
            node_endpoints: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        if at.version >= 2 {
            encoder.i32(self.acquisition_lock_timeout_ms);
        }
        encoder.array(&self.responses, at)?;
        encoder.array(&self.node_endpoints, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`ShareAcknowledgeResponse`], versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareAcknowledgeTopicResponse {
    /// All versions.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<PartitionData>,
}

impl Wire for ShareAcknowledgeTopicResponse {
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

/// Part of [`ShareAcknowledgeResponse`], versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionData {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null. Default: null.
    pub error_message: Option<Str>,
    /// All versions.
    pub current_leader: LeaderIdAndEpoch,
}

impl Wire for PartitionData {
    const BYTES_MIN: usize = 17;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            current_leader: Wire::read(reader, at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        self.current_leader.write(encoder, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`ShareAcknowledgeResponse`], versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeaderIdAndEpoch {
    /// All versions.
    pub leader_id: i32,
    /// All versions.
    pub leader_epoch: i32,
}

impl Wire for LeaderIdAndEpoch {
    const BYTES_MIN: usize = 9;

    fn read(reader: &mut Reader<'_>, _at: At) -> Result<Self, DecodeError> {
        let message = Self {
            leader_id: reader.i32()?,
            leader_epoch: reader.i32()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, _at: At) -> Result<(), EncodeError> {
        encoder.i32(self.leader_id);
        encoder.i32(self.leader_epoch);
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`ShareAcknowledgeResponse`], versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeEndpoint {
    /// All versions.
    pub node_id: i32,
    /// All versions.
    pub host: Str,
    /// All versions.
    pub port: i32,
    /// All versions. May be null. Default: null.
    pub rack: Option<Str>,
}

impl Wire for NodeEndpoint {
    const BYTES_MIN: usize = 11;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            node_id: reader.i32()?,
            host: reader.string(at)?,
            port: reader.i32()?,
            rack: reader.opt_string(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.node_id);
        encoder.string(&self.host, at)?;
        encoder.i32(self.port);
        encoder.opt_string(&self.rack, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for ShareAcknowledgeResponse {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 1;
}

impl Response for ShareAcknowledgeResponse {
    const KEY: ApiKey = ApiKey::ShareAcknowledge;
}
