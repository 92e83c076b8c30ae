//! Adds partitions to topics.
//!
//! KIP-195, KIP-599 quota.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of CreatePartitions (API key 37), versions 0 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatePartitionsRequest {
    /// All versions.
    pub topics: Vec<CreatePartitionsTopic>,
    /// All versions.
    pub timeout_ms: i32,
    /// All versions.
    pub validate_only: bool,
}

impl Wire for CreatePartitionsRequest {
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

/// Part of [`CreatePartitionsRequest`], versions 0 to 3.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatePartitionsTopic {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub count: i32,
    /// All versions. May be null.
    pub assignments: Option<Vec<CreatePartitionsAssignment>>,
}

impl Default for CreatePartitionsTopic {
    fn default() -> Self {
        Self {
            name: Str::new(),
            count: 0,
            assignments: Some(Vec::new()),
        }
    }
}

impl Wire for CreatePartitionsTopic {
    const BYTES_MIN: usize = 7;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            count: reader.i32()?,
            assignments: reader.opt_array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.i32(self.count);
        encoder.opt_array(&self.assignments, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`CreatePartitionsRequest`], versions 0 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatePartitionsAssignment {
    /// All versions.
    pub broker_ids: Vec<i32>,
}

impl Wire for CreatePartitionsAssignment {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            broker_ids: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.broker_ids, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for CreatePartitionsRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for CreatePartitionsRequest {
    const KEY: ApiKey = ApiKey::CreatePartitions;
    type Response = CreatePartitionsResponse;
}

/// The response of CreatePartitions (API key 37), versions 0 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatePartitionsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub results: Vec<CreatePartitionsTopicResult>,
}

impl Wire for CreatePartitionsResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            results: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.array(&self.results, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`CreatePartitionsResponse`], versions 0 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatePartitionsTopicResult {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null. Default: null.
    pub error_message: Option<Str>,
}

impl Wire for CreatePartitionsTopicResult {
    const BYTES_MIN: usize = 5;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for CreatePartitionsResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for CreatePartitionsResponse {
    const KEY: ApiKey = ApiKey::CreatePartitions;
}
