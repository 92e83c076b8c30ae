//! Starts leader elections.
//!
//! KIP-183, KIP-460.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of ElectLeaders (API key 43), versions 0 to 2.
#[derive(Clone, Debug, PartialEq)]
pub struct ElectLeadersRequest {
    /// Version 1 and later. Must be left at its default at other versions.
    pub election_type: i8,
    /// All versions. May be null.
    pub topic_partitions: Option<Vec<TopicPartitions>>,
    /// All versions. Default: 60000.
    pub timeout_ms: i32,
}

impl Default for ElectLeadersRequest {
    fn default() -> Self {
        Self {
            election_type: 0,
            topic_partitions: Some(Vec::new()),
            timeout_ms: 60000,
        }
    }
}

impl Wire for ElectLeadersRequest {
    const BYTES_MIN: usize = 7;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            election_type: if at.version >= 1 { reader.i8()? } else { 0 },
            topic_partitions: reader.opt_array(at)?,
            timeout_ms: reader.i32()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version >= 1 {
            encoder.i8(self.election_type);
        } else if self.election_type != 0 {
            return Err(at.no_field("election_type"));
        }
        encoder.opt_array(&self.topic_partitions, at)?;
        encoder.i32(self.timeout_ms);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ElectLeadersRequest`], versions 0 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicPartitions {
    /// All versions.
    pub topic: Str,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Wire for TopicPartitions {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic: reader.string(at)?,
            partitions: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.topic, at)?;
        encoder.array(&self.partitions, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ElectLeadersRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for ElectLeadersRequest {
    const KEY: ApiKey = ApiKey::ElectLeaders;
    type Response = ElectLeadersResponse;
}

/// The response of ElectLeaders (API key 43), versions 0 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ElectLeadersResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// Version 1 and later. Must be left at its default at other versions.
    pub error_code: i16,
    /// All versions.
    pub replica_election_results: Vec<ReplicaElectionResult>,
}

impl Wire for ElectLeadersResponse {
    const BYTES_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: if at.version >= 1 { reader.i16()? } else { 0 },
            replica_election_results: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        if at.version >= 1 {
            encoder.i16(self.error_code);
        } else if self.error_code != 0 {
            return Err(at.no_field("error_code"));
        }
        encoder.array(&self.replica_election_results, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ElectLeadersResponse`], versions 0 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplicaElectionResult {
    /// All versions.
    pub topic: Str,
    /// All versions.
    pub partition_result: Vec<PartitionResult>,
}

impl Wire for ReplicaElectionResult {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic: reader.string(at)?,
            partition_result: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.topic, at)?;
        encoder.array(&self.partition_result, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ElectLeadersResponse`], versions 0 to 2.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionResult {
    /// All versions.
    pub partition_id: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
}

impl Default for PartitionResult {
    fn default() -> Self {
        Self {
            partition_id: 0,
            error_code: 0,
            error_message: Some(Str::new()),
        }
    }
}

impl Wire for PartitionResult {
    const BYTES_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_id: reader.i32()?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_id);
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ElectLeadersResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for ElectLeadersResponse {
    const KEY: ApiKey = ApiKey::ElectLeaders;
}
