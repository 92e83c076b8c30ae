//! Stores the positions of a consumer group.
//!
//! KIP-345 static members, KIP-848 member epochs and topic ids (v10).
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of OffsetCommit (API key 8), versions 2 to 10.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequest {
    /// All versions.
    pub group_id: Str,
    /// All versions. Default: -1.
    pub generation_id_or_member_epoch: i32,
    /// All versions.
    pub member_id: Str,
    /// Version 7 and later. May be null. Default: null. Must be left at its default at other versions.
    pub group_instance_id: Option<Str>,
    /// Versions 2 to 4. Default: -1.
    pub retention_time_ms: i64,
    /// All versions.
    pub topics: Vec<OffsetCommitRequestTopic>,
}

impl Default for OffsetCommitRequest {
    fn default() -> Self {
        Self {
            group_id: Str::new(),
            generation_id_or_member_epoch: -1,
            member_id: Str::new(),
            group_instance_id: None,
            retention_time_ms: -1,
            topics: Vec::new(),
        }
    }
}

impl Wire for OffsetCommitRequest {
    const BYTES_MIN: usize = 9;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_id: reader.string(at)?,
            generation_id_or_member_epoch: reader.i32()?,
            member_id: reader.string(at)?,
            group_instance_id: if at.version >= 7 {
                reader.opt_string(at)?
            } else {
                None
            },
            retention_time_ms: if at.version <= 4 { reader.i64()? } else { -1 },
            topics: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.group_id, at)?;
        encoder.i32(self.generation_id_or_member_epoch);
        encoder.string(&self.member_id, at)?;
        if at.version >= 7 {
            encoder.opt_string(&self.group_instance_id, at)?;
        } else if self.group_instance_id.is_some() {
            return Err(at.no_field("group_instance_id"));
        }
        if at.version <= 4 {
            encoder.i64(self.retention_time_ms);
        }
        encoder.array(&self.topics, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`OffsetCommitRequest`], versions 2 to 10.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetCommitRequestTopic {
    /// Versions 2 to 9.
    pub name: Str,
    /// Version 10 and later.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<OffsetCommitRequestPartition>,
}

impl Wire for OffsetCommitRequestTopic {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: if at.version <= 9 {
                reader.string(at)?
            } else {
                Str::new()
            },
            topic_id: if at.version >= 10 {
                reader.uuid()?
            } else {
                Uuid::ZERO
            },
            partitions: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version <= 9 {
            encoder.string(&self.name, at)?;
        }
        if at.version >= 10 {
            encoder.uuid(self.topic_id);
        }
        encoder.array(&self.partitions, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`OffsetCommitRequest`], versions 2 to 10.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequestPartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub committed_offset: i64,
    /// Version 6 and later. Default: -1.
    pub committed_leader_epoch: i32,
    /// All versions. May be null.
    pub committed_metadata: Option<Str>,
}

impl Default for OffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            committed_metadata: Some(Str::new()),
        }
    }
}

impl Wire for OffsetCommitRequestPartition {
    const BYTES_MIN: usize = 14;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            committed_offset: reader.i64()?,
            committed_leader_epoch: if at.version >= 6 { reader.i32()? } else { -1 },
            committed_metadata: reader.opt_string(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.i64(self.committed_offset);
        if at.version >= 6 {
            encoder.i32(self.committed_leader_epoch);
        }
        encoder.opt_string(&self.committed_metadata, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for OffsetCommitRequest {
    const VERSION_MIN: i16 = 2;
    const VERSION_MAX: i16 = 10;
    const FLEXIBLE_FROM: i16 = 8;
}

impl Request for OffsetCommitRequest {
    const KEY: ApiKey = ApiKey::OffsetCommit;
    type Response = OffsetCommitResponse;
}

/// The response of OffsetCommit (API key 8), versions 2 to 10.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetCommitResponse {
    /// Version 3 and later.
    pub throttle_time_ms: i32,
    /// All versions.
    pub topics: Vec<OffsetCommitResponseTopic>,
}

impl Wire for OffsetCommitResponse {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: if at.version >= 3 { reader.i32()? } else { 0 },
            topics: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version >= 3 {
            encoder.i32(self.throttle_time_ms);
        }
        encoder.array(&self.topics, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`OffsetCommitResponse`], versions 2 to 10.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetCommitResponseTopic {
    /// Versions 2 to 9.
    pub name: Str,
    /// Version 10 and later.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<OffsetCommitResponsePartition>,
}

impl Wire for OffsetCommitResponseTopic {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: if at.version <= 9 {
                reader.string(at)?
            } else {
                Str::new()
            },
            topic_id: if at.version >= 10 {
                reader.uuid()?
            } else {
                Uuid::ZERO
            },
            partitions: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version <= 9 {
            encoder.string(&self.name, at)?;
        }
        if at.version >= 10 {
            encoder.uuid(self.topic_id);
        }
        encoder.array(&self.partitions, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`OffsetCommitResponse`], versions 2 to 10.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetCommitResponsePartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
}

impl Wire for OffsetCommitResponsePartition {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            error_code: reader.i16()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.i16(self.error_code);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for OffsetCommitResponse {
    const VERSION_MIN: i16 = 2;
    const VERSION_MAX: i16 = 10;
    const FLEXIBLE_FROM: i16 = 8;
}

impl Response for OffsetCommitResponse {
    const KEY: ApiKey = ApiKey::OffsetCommit;
}
