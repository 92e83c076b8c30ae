//! Finds an offset by timestamp or by a special position (earliest, latest, max timestamp, tiers).
//!
//! KIP-207, KIP-320, KIP-734, KIP-405.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of ListOffsets (API key 2), versions 1 to 11.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListOffsetsRequest {
    /// All versions.
    pub replica_id: i32,
    /// Version 2 and later. Must be left at its default at other versions.
    pub isolation_level: i8,
    /// All versions.
    pub topics: Vec<ListOffsetsTopic>,
    /// Version 10 and later.
    pub timeout_ms: i32,
}

impl Wire for ListOffsetsRequest {
    const BYTES_MIN: usize = 7;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            replica_id: reader.i32()?,
            isolation_level: if at.version >= 2 { reader.i8()? } else { 0 },
            topics: reader.array(at)?,
            timeout_ms: if at.version >= 10 { reader.i32()? } else { 0 },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.replica_id);
        if at.version >= 2 {
            encoder.i8(self.isolation_level);
        } else if self.isolation_level != 0 {
            return Err(at.no_field("isolation_level"));
        }
        encoder.array(&self.topics, at)?;
        if at.version >= 10 {
            encoder.i32(self.timeout_ms);
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ListOffsetsRequest`], versions 1 to 11.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListOffsetsTopic {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partitions: Vec<ListOffsetsPartition>,
}

impl Wire for ListOffsetsTopic {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            partitions: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.array(&self.partitions, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ListOffsetsRequest`], versions 1 to 11.
#[derive(Clone, Debug, PartialEq)]
pub struct ListOffsetsPartition {
    /// All versions.
    pub partition_index: i32,
    /// Version 4 and later. Default: -1.
    pub current_leader_epoch: i32,
    /// All versions.
    pub timestamp: i64,
}

impl Default for ListOffsetsPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            current_leader_epoch: -1,
            timestamp: 0,
        }
    }
}

impl Wire for ListOffsetsPartition {
    const BYTES_MIN: usize = 12;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            current_leader_epoch: if at.version >= 4 { reader.i32()? } else { -1 },
            timestamp: reader.i64()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        if at.version >= 4 {
            encoder.i32(self.current_leader_epoch);
        }
        encoder.i64(self.timestamp);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ListOffsetsRequest {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 11;
    const FLEXIBLE_FROM: i16 = 6;
}

impl Request for ListOffsetsRequest {
    const KEY: ApiKey = ApiKey::ListOffsets;
    type Response = ListOffsetsResponse;
}

/// The response of ListOffsets (API key 2), versions 1 to 11.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListOffsetsResponse {
    /// Version 2 and later.
    pub throttle_time_ms: i32,
    /// All versions.
    pub topics: Vec<ListOffsetsTopicResponse>,
}

impl Wire for ListOffsetsResponse {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: if at.version >= 2 { reader.i32()? } else { 0 },
            topics: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version >= 2 {
            encoder.i32(self.throttle_time_ms);
        }
        encoder.array(&self.topics, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ListOffsetsResponse`], versions 1 to 11.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListOffsetsTopicResponse {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partitions: Vec<ListOffsetsPartitionResponse>,
}

impl Wire for ListOffsetsTopicResponse {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            partitions: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.array(&self.partitions, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ListOffsetsResponse`], versions 1 to 11.
#[derive(Clone, Debug, PartialEq)]
pub struct ListOffsetsPartitionResponse {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. Default: -1.
    pub timestamp: i64,
    /// All versions. Default: -1.
    pub offset: i64,
    /// Version 4 and later. Default: -1. Must be left at its default at other versions.
    pub leader_epoch: i32,
}

impl Default for ListOffsetsPartitionResponse {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            timestamp: -1,
            offset: -1,
            leader_epoch: -1,
        }
    }
}

impl Wire for ListOffsetsPartitionResponse {
    const BYTES_MIN: usize = 22;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            error_code: reader.i16()?,
            timestamp: reader.i64()?,
            offset: reader.i64()?,
            leader_epoch: if at.version >= 4 { reader.i32()? } else { -1 },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.i16(self.error_code);
        encoder.i64(self.timestamp);
        encoder.i64(self.offset);
        if at.version >= 4 {
            encoder.i32(self.leader_epoch);
        } else if self.leader_epoch != -1 {
            return Err(at.no_field("leader_epoch"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ListOffsetsResponse {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 11;
    const FLEXIBLE_FROM: i16 = 6;
}

impl Response for ListOffsetsResponse {
    const KEY: ApiKey = ApiKey::ListOffsets;
}
