//! Stores a group's positions inside a transaction.
//!
//! KIP-98, KIP-447 group metadata, KIP-890.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of TxnOffsetCommit (API key 28), versions 0 to 5.
#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequest {
    /// All versions.
    pub transactional_id: Str,
    /// All versions.
    pub group_id: Str,
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub producer_epoch: i16,
    /// Version 3 and later. Default: -1. Must be left at its default at other versions.
    pub generation_id: i32,
    /// Version 3 and later. Must be left at its default at other versions.
    pub member_id: Str,
    /// Version 3 and later. May be null. Default: null. Must be left at its default at other versions.
    pub group_instance_id: Option<Str>,
    /// All versions.
    pub topics: Vec<TxnOffsetCommitRequestTopic>,
}

impl Default for TxnOffsetCommitRequest {
    fn default() -> Self {
        Self {
            transactional_id: Str::new(),
            group_id: Str::new(),
            producer_id: 0,
            producer_epoch: 0,
            generation_id: -1,
            member_id: Str::new(),
            group_instance_id: None,
            topics: Vec::new(),
        }
    }
}

impl Wire for TxnOffsetCommitRequest {
    const BYTES_MIN: usize = 18;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            transactional_id: reader.string(at)?,
            group_id: reader.string(at)?,
            producer_id: reader.i64()?,
            producer_epoch: reader.i16()?,
            generation_id: if at.version >= 3 { reader.i32()? } else { -1 },
            member_id: if at.version >= 3 {
                reader.string(at)?
            } else {
                Str::new()
            },
            group_instance_id: if at.version >= 3 {
                reader.opt_string(at)?
            } else {
                None
            },
            topics: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.transactional_id, at)?;
        encoder.string(&self.group_id, at)?;
        encoder.i64(self.producer_id);
        encoder.i16(self.producer_epoch);
        if at.version >= 3 {
            encoder.i32(self.generation_id);
        } else if self.generation_id != -1 {
            return Err(at.no_field("generation_id"));
        }
        if at.version >= 3 {
            encoder.string(&self.member_id, at)?;
        } else if !self.member_id.is_empty() {
            return Err(at.no_field("member_id"));
        }
        if at.version >= 3 {
            encoder.opt_string(&self.group_instance_id, at)?;
        } else if self.group_instance_id.is_some() {
            return Err(at.no_field("group_instance_id"));
        }
        encoder.array(&self.topics, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`TxnOffsetCommitRequest`], versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TxnOffsetCommitRequestTopic {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partitions: Vec<TxnOffsetCommitRequestPartition>,
}

impl Wire for TxnOffsetCommitRequestTopic {
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

/// Part of [`TxnOffsetCommitRequest`], versions 0 to 5.
#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequestPartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub committed_offset: i64,
    /// Version 2 and later. Default: -1.
    pub committed_leader_epoch: i32,
    /// All versions. May be null.
    pub committed_metadata: Option<Str>,
}

impl Default for TxnOffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            committed_metadata: Some(Str::new()),
        }
    }
}

impl Wire for TxnOffsetCommitRequestPartition {
    const BYTES_MIN: usize = 14;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            committed_offset: reader.i64()?,
            committed_leader_epoch: if at.version >= 2 { reader.i32()? } else { -1 },
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
        if at.version >= 2 {
            encoder.i32(self.committed_leader_epoch);
        }
        encoder.opt_string(&self.committed_metadata, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for TxnOffsetCommitRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for TxnOffsetCommitRequest {
    const KEY: ApiKey = ApiKey::TxnOffsetCommit;
    type Response = TxnOffsetCommitResponse;
}

/// The response of TxnOffsetCommit (API key 28), versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TxnOffsetCommitResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub topics: Vec<TxnOffsetCommitResponseTopic>,
}

impl Wire for TxnOffsetCommitResponse {
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

/// Part of [`TxnOffsetCommitResponse`], versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TxnOffsetCommitResponseTopic {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partitions: Vec<TxnOffsetCommitResponsePartition>,
}

impl Wire for TxnOffsetCommitResponseTopic {
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

/// Part of [`TxnOffsetCommitResponse`], versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TxnOffsetCommitResponsePartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
}

impl Wire for TxnOffsetCommitResponsePartition {
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

impl Message for TxnOffsetCommitResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Response for TxnOffsetCommitResponse {
    const KEY: ApiKey = ApiKey::TxnOffsetCommit;
}
