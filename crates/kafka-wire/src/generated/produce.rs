//! Appends record batches to partitions.
//!
//! KIP-98 transactional id, KIP-467 record errors, KIP-951 current leader, KIP-516 topic ids (v13).
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::records::Records;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of Produce (API key 0), versions 3 to 13.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProduceRequest {
    /// All versions. May be null. Default: null.
    pub transactional_id: Option<Str>,
    /// All versions.
    pub acks: i16,
    /// All versions.
    pub timeout_ms: i32,
    /// All versions.
    pub topic_data: Vec<TopicProduceData>,
}

impl Wire for ProduceRequest {
    const BYTES_MIN: usize = 9;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            transactional_id: reader.opt_string(at)?,
            acks: reader.i16()?,
            timeout_ms: reader.i32()?,
            topic_data: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.opt_string(&self.transactional_id, at)?;
        encoder.i16(self.acks);
        encoder.i32(self.timeout_ms);
        encoder.array(&self.topic_data, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ProduceRequest`], versions 3 to 13.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicProduceData {
    /// Versions 3 to 12.
    pub name: Str,
    /// Version 13 and later.
    pub topic_id: Uuid,
    /// All versions.
    pub partition_data: Vec<PartitionProduceData>,
}

impl Wire for TopicProduceData {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: if at.version <= 12 {
                reader.string(at)?
            } else {
                Str::new()
            },
            topic_id: if at.version >= 13 {
                reader.uuid()?
            } else {
                Uuid::ZERO
            },
            partition_data: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version <= 12 {
            encoder.string(&self.name, at)?;
        }
        if at.version >= 13 {
            encoder.uuid(self.topic_id);
        }
        encoder.array(&self.partition_data, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ProduceRequest`], versions 3 to 13.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionProduceData {
    /// All versions.
    pub index: i32,
    /// All versions. May be null.
    pub records: Option<Records>,
}

impl Wire for PartitionProduceData {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            index: reader.i32()?,
            records: reader.opt_records(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.index);
        encoder.opt_records(&self.records, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ProduceRequest {
    const VERSION_MIN: i16 = 3;
    const VERSION_MAX: i16 = 13;
    const FLEXIBLE_FROM: i16 = 9;
}

impl Request for ProduceRequest {
    const KEY: ApiKey = ApiKey::Produce;
    type Response = ProduceResponse;
}

/// The response of Produce (API key 0), versions 3 to 13.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProduceResponse {
    /// All versions.
    pub responses: Vec<TopicProduceResponse>,
    /// All versions.
    pub throttle_time_ms: i32,
    /// Version 10 and later. Tag 0. Must be left at its default at other versions.
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl Wire for ProduceResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let mut message = Self {
            responses: reader.array(at)?,
            throttle_time_ms: reader.i32()?,
            node_endpoints: Vec::new(),
        };
        if at.flexible {
            reader.tags(|tag, reader| {
                match tag {
                    0 if at.version >= 10 => message.node_endpoints = reader.array(at)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.responses, at)?;
        encoder.i32(self.throttle_time_ms);
        if at.version < 10 && !self.node_endpoints.is_empty() {
            return Err(at.no_field("node_endpoints"));
        }
        if at.flexible {
            let has_node_endpoints = at.version >= 10 && !self.node_endpoints.is_empty();
            encoder.uvarint(u32::from(has_node_endpoints));
            if has_node_endpoints {
                encoder.tag(0, |encoder| encoder.array(&self.node_endpoints, at))?;
            }
        }
        Ok(())
    }
}

/// Part of [`ProduceResponse`], versions 3 to 13.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicProduceResponse {
    /// Versions 3 to 12.
    pub name: Str,
    /// Version 13 and later.
    pub topic_id: Uuid,
    /// All versions.
    pub partition_responses: Vec<PartitionProduceResponse>,
}

impl Wire for TopicProduceResponse {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: if at.version <= 12 {
                reader.string(at)?
            } else {
                Str::new()
            },
            topic_id: if at.version >= 13 {
                reader.uuid()?
            } else {
                Uuid::ZERO
            },
            partition_responses: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version <= 12 {
            encoder.string(&self.name, at)?;
        }
        if at.version >= 13 {
            encoder.uuid(self.topic_id);
        }
        encoder.array(&self.partition_responses, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ProduceResponse`], versions 3 to 13.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionProduceResponse {
    /// All versions.
    pub index: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub base_offset: i64,
    /// All versions. Default: -1.
    pub log_append_time_ms: i64,
    /// Version 5 and later. Default: -1.
    pub log_start_offset: i64,
    /// Version 8 and later.
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    /// Version 8 and later. May be null. Default: null.
    pub error_message: Option<Str>,
    /// Version 10 and later. Tag 0. Must be left at its default at other versions.
    pub current_leader: LeaderIdAndEpoch,
}

impl Default for PartitionProduceResponse {
    fn default() -> Self {
        Self {
            index: 0,
            error_code: 0,
            base_offset: 0,
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: Vec::new(),
            error_message: None,
            current_leader: LeaderIdAndEpoch::default(),
        }
    }
}

impl Wire for PartitionProduceResponse {
    const BYTES_MIN: usize = 22;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let mut message = Self {
            index: reader.i32()?,
            error_code: reader.i16()?,
            base_offset: reader.i64()?,
            log_append_time_ms: reader.i64()?,
            log_start_offset: if at.version >= 5 { reader.i64()? } else { -1 },
            record_errors: if at.version >= 8 {
                reader.array(at)?
            } else {
                Vec::new()
            },
            error_message: if at.version >= 8 {
                reader.opt_string(at)?
            } else {
                None
            },
            current_leader: LeaderIdAndEpoch::default(),
        };
        if at.flexible {
            reader.tags(|tag, reader| {
                match tag {
                    0 if at.version >= 10 => message.current_leader = Wire::read(reader, at)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.index);
        encoder.i16(self.error_code);
        encoder.i64(self.base_offset);
        encoder.i64(self.log_append_time_ms);
        if at.version >= 5 {
            encoder.i64(self.log_start_offset);
        }
        if at.version >= 8 {
            encoder.array(&self.record_errors, at)?;
        }
        if at.version >= 8 {
            encoder.opt_string(&self.error_message, at)?;
        }
        if at.version < 10 && self.current_leader != LeaderIdAndEpoch::default() {
            return Err(at.no_field("current_leader"));
        }
        if at.flexible {
            let has_current_leader = at.version >= 10 && self.current_leader != LeaderIdAndEpoch::default();
            encoder.uvarint(u32::from(has_current_leader));
            if has_current_leader {
                encoder.tag(0, |encoder| self.current_leader.write(encoder, at))?;
            }
        }
        Ok(())
    }
}

/// Part of [`ProduceResponse`], versions 8 to 13.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchIndexAndErrorMessage {
    /// All versions.
    pub batch_index: i32,
    /// All versions. May be null. Default: null.
    pub batch_index_error_message: Option<Str>,
}

impl Wire for BatchIndexAndErrorMessage {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            batch_index: reader.i32()?,
            batch_index_error_message: reader.opt_string(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.batch_index);
        encoder.opt_string(&self.batch_index_error_message, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ProduceResponse`], versions 10 to 13.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaderIdAndEpoch {
    /// All versions. Default: -1.
    pub leader_id: i32,
    /// All versions. Default: -1.
    pub leader_epoch: i32,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        Self {
            leader_id: -1,
            leader_epoch: -1,
        }
    }
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

/// Part of [`ProduceResponse`], versions 10 to 13.
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

impl Message for ProduceResponse {
    const VERSION_MIN: i16 = 3;
    const VERSION_MAX: i16 = 13;
    const FLEXIBLE_FROM: i16 = 9;
}

impl Response for ProduceResponse {
    const KEY: ApiKey = ApiKey::Produce;
}
