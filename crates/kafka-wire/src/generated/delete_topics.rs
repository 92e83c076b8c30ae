//! Deletes topics by name or id.
//!
//! KIP-516 topic ids, KIP-599 quota.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of DeleteTopics (API key 20), versions 1 to 6.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteTopicsRequest {
    /// Version 6 and later. Must be left at its default at other versions.
    pub topics: Vec<DeleteTopicState>,
    /// Versions 1 to 5.
    pub topic_names: Vec<Str>,
    /// All versions.
    pub timeout_ms: i32,
}

impl Wire for DeleteTopicsRequest {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topics: if at.version >= 6 {
                reader.array(at)?
            } else {
                Vec::new()
            },
            topic_names: if at.version <= 5 {
                reader.array(at)?
            } else {
                Vec::new()
            },
            timeout_ms: reader.i32()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version >= 6 {
            encoder.array(&self.topics, at)?;
        } else if !self.topics.is_empty() {
            return Err(at.no_field("topics"));
        }
        if at.version <= 5 {
            encoder.array(&self.topic_names, at)?;
        }
        encoder.i32(self.timeout_ms);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DeleteTopicsRequest`], versions 6 to 6.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteTopicState {
    /// All versions. May be null. Default: null.
    pub name: Option<Str>,
    /// All versions.
    pub topic_id: Uuid,
}

impl Wire for DeleteTopicState {
    const BYTES_MIN: usize = 18;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.opt_string(at)?,
            topic_id: reader.uuid()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.opt_string(&self.name, at)?;
        encoder.uuid(self.topic_id);
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for DeleteTopicsRequest {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 6;
    const FLEXIBLE_FROM: i16 = 4;
}

impl Request for DeleteTopicsRequest {
    const KEY: ApiKey = ApiKey::DeleteTopics;
    type Response = DeleteTopicsResponse;
}

/// The response of DeleteTopics (API key 20), versions 1 to 6.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteTopicsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub responses: Vec<DeletableTopicResult>,
}

impl Wire for DeleteTopicsResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            responses: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.array(&self.responses, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DeleteTopicsResponse`], versions 1 to 6.
#[derive(Clone, Debug, PartialEq)]
pub struct DeletableTopicResult {
    /// All versions. May be null from version 6 on.
    pub name: Option<Str>,
    /// Version 6 and later.
    pub topic_id: Uuid,
    /// All versions.
    pub error_code: i16,
    /// Version 5 and later. May be null. Default: null.
    pub error_message: Option<Str>,
}

impl Default for DeletableTopicResult {
    fn default() -> Self {
        Self {
            name: Some(Str::new()),
            topic_id: Uuid::ZERO,
            error_code: 0,
            error_message: None,
        }
    }
}

impl Wire for DeletableTopicResult {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: if at.version >= 6 {
                reader.opt_string(at)?
            } else {
                Some(reader.string(at)?)
            },
            topic_id: if at.version >= 6 {
                reader.uuid()?
            } else {
                Uuid::ZERO
            },
            error_code: reader.i16()?,
            error_message: if at.version >= 5 {
                reader.opt_string(at)?
            } else {
                None
            },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if self.name.is_none() && at.version < 6 {
            return Err(at.no_null("name"));
        }
        encoder.opt_string(&self.name, at)?;
        if at.version >= 6 {
            encoder.uuid(self.topic_id);
        }
        encoder.i16(self.error_code);
        if at.version >= 5 {
            encoder.opt_string(&self.error_message, at)?;
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DeleteTopicsResponse {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 6;
    const FLEXIBLE_FROM: i16 = 4;
}

impl Response for DeleteTopicsResponse {
    const KEY: ApiKey = ApiKey::DeleteTopics;
}
