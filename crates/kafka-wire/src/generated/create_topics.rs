//! Creates topics.
//!
//! KIP-195, KIP-464 defaults, KIP-525 resulting configs, KIP-516 topic ids, KIP-599 quota.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of CreateTopics (API key 19), versions 2 to 7.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTopicsRequest {
    /// All versions.
    pub topics: Vec<CreatableTopic>,
    /// All versions. Default: 60000.
    pub timeout_ms: i32,
    /// All versions.
    pub validate_only: bool,
}

impl Default for CreateTopicsRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            timeout_ms: 60000,
            validate_only: false,
        }
    }
}

impl Wire for CreateTopicsRequest {
    const BYTES_MIN: usize = 7;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topics: reader.array(at)?,
            timeout_ms: reader.i32()?,
            validate_only: reader.boolean()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.topics, at)?;
        encoder.i32(self.timeout_ms);
        encoder.boolean(self.validate_only);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`CreateTopicsRequest`], versions 2 to 7.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatableTopic {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub num_partitions: i32,
    /// All versions.
    pub replication_factor: i16,
    /// All versions.
    pub assignments: Vec<CreatableReplicaAssignment>,
    /// All versions.
    pub configs: Vec<CreatableTopicConfig>,
}

impl Wire for CreatableTopic {
    const BYTES_MIN: usize = 10;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            num_partitions: reader.i32()?,
            replication_factor: reader.i16()?,
            assignments: reader.array(at)?,
            configs: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.i32(self.num_partitions);
        encoder.i16(self.replication_factor);
        encoder.array(&self.assignments, at)?;
        encoder.array(&self.configs, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`CreateTopicsRequest`], versions 2 to 7.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatableReplicaAssignment {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub broker_ids: Vec<i32>,
}

impl Wire for CreatableReplicaAssignment {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            broker_ids: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.array(&self.broker_ids, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`CreateTopicsRequest`], versions 2 to 7.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicConfig {
    /// All versions.
    pub name: Str,
    /// All versions. May be null.
    pub value: Option<Str>,
}

impl Default for CreatableTopicConfig {
    fn default() -> Self {
        Self {
            name: Str::new(),
            value: Some(Str::new()),
        }
    }
}

impl Wire for CreatableTopicConfig {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            value: reader.opt_string(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.opt_string(&self.value, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for CreateTopicsRequest {
    const VERSION_MIN: i16 = 2;
    const VERSION_MAX: i16 = 7;
    const FLEXIBLE_FROM: i16 = 5;
}

impl Request for CreateTopicsRequest {
    const KEY: ApiKey = ApiKey::CreateTopics;
    type Response = CreateTopicsResponse;
}

/// The response of CreateTopics (API key 19), versions 2 to 7.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateTopicsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub topics: Vec<CreatableTopicResult>,
}

impl Wire for CreateTopicsResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            topics: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.array(&self.topics, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`CreateTopicsResponse`], versions 2 to 7.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicResult {
    /// All versions.
    pub name: Str,
    /// Version 7 and later.
    pub topic_id: Uuid,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
    /// Version 5 and later. Tag 0.
    pub topic_config_error_code: i16,
    /// Version 5 and later. Default: -1.
    pub num_partitions: i32,
    /// Version 5 and later. Default: -1.
    pub replication_factor: i16,
    /// Version 5 and later. May be null.
    pub configs: Option<Vec<CreatableTopicConfigs>>,
}

impl Default for CreatableTopicResult {
    fn default() -> Self {
        Self {
            name: Str::new(),
            topic_id: Uuid::ZERO,
            error_code: 0,
            error_message: Some(Str::new()),
            topic_config_error_code: 0,
            num_partitions: -1,
            replication_factor: -1,
            configs: Some(Vec::new()),
        }
    }
}

impl Wire for CreatableTopicResult {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let mut message = Self {
            name: reader.string(at)?,
            topic_id: if at.version >= 7 {
                reader.uuid()?
            } else {
                Uuid::ZERO
            },
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            topic_config_error_code: 0,
            num_partitions: if at.version >= 5 { reader.i32()? } else { -1 },
            replication_factor: if at.version >= 5 { reader.i16()? } else { -1 },
            configs: if at.version >= 5 {
                reader.opt_array(at)?
            } else {
                Some(Vec::new())
            },
        };
        if at.flexible {
            reader.tags(|tag, reader| {
                match tag {
                    0 => message.topic_config_error_code = reader.i16()?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        if at.version >= 7 {
            encoder.uuid(self.topic_id);
        }
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        if at.version >= 5 {
            encoder.i32(self.num_partitions);
        }
        if at.version >= 5 {
            encoder.i16(self.replication_factor);
        }
        if at.version >= 5 {
            encoder.opt_array(&self.configs, at)?;
        }
        if at.flexible {
            let has_topic_config_error_code = self.topic_config_error_code != 0;
            encoder.uvarint(u32::from(has_topic_config_error_code));
            if has_topic_config_error_code {
                encoder.tag(0, |encoder| {
                    encoder.i16(self.topic_config_error_code);
                    Ok(())
                })?;
            }
        }
        Ok(())
    }
}

/// Part of [`CreateTopicsResponse`], versions 5 to 7.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicConfigs {
    /// All versions.
    pub name: Str,
    /// All versions. May be null.
    pub value: Option<Str>,
    /// All versions.
    pub read_only: bool,
    /// All versions. Default: -1.
    pub config_source: i8,
    /// All versions.
    pub is_sensitive: bool,
}

impl Default for CreatableTopicConfigs {
    fn default() -> Self {
        Self {
            name: Str::new(),
            value: Some(Str::new()),
            read_only: false,
            config_source: -1,
            is_sensitive: false,
        }
    }
}

impl Wire for CreatableTopicConfigs {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            value: reader.opt_string(at)?,
            read_only: reader.boolean()?,
            config_source: reader.i8()?,
            is_sensitive: reader.boolean()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.opt_string(&self.value, at)?;
        encoder.boolean(self.read_only);
        encoder.i8(self.config_source);
        encoder.boolean(self.is_sensitive);
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for CreateTopicsResponse {
    const VERSION_MIN: i16 = 2;
    const VERSION_MAX: i16 = 7;
    const FLEXIBLE_FROM: i16 = 5;
}

impl Response for CreateTopicsResponse {
    const KEY: ApiKey = ApiKey::CreateTopics;
}
