//! Reads the stored positions of consumer groups.
//!
//! KIP-447 stable offsets, KIP-709 many groups, KIP-848 member epochs and topic ids (v10).
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of OffsetFetch (API key 9), versions 1 to 10.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequest {
    /// Versions 1 to 7. Must be left at its default at other versions.
    pub group_id: Str,
    /// Versions 1 to 7. May be null from version 2 on. Must be left at its default at other versions.
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    /// Version 8 and later. Must be left at its default at other versions.
    pub groups: Vec<OffsetFetchRequestGroup>,
    /// Version 7 and later. Must be left at its default at other versions.
    pub require_stable: bool,
}

impl Default for OffsetFetchRequest {
    fn default() -> Self {
        Self {
            group_id: Str::new(),
            topics: Some(Vec::new()),
            groups: Vec::new(),
            require_stable: false,
        }
    }
}

impl Wire for OffsetFetchRequest {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_id: if at.version <= 7 {
                reader.string(at)?
            } else {
                Str::new()
            },
            topics: if at.version <= 7 {
                if at.version >= 2 {
                    reader.opt_array(at)?
                } else {
                    Some(reader.array(at)?)
                }
            } else {
                Some(Vec::new())
            },
            groups: if at.version >= 8 {
                reader.array(at)?
            } else {
                Vec::new()
            },
            require_stable: if at.version >= 7 { reader.boolean()? } else { false },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version <= 7 {
            encoder.string(&self.group_id, at)?;
        } else if !self.group_id.is_empty() {
            return Err(at.no_field("group_id"));
        }
        if at.version <= 7 {
            if self.topics.is_none() && at.version < 2 {
                return Err(at.no_null("topics"));
            }
            encoder.opt_array(&self.topics, at)?;
        } else if self.topics.as_ref().is_none_or(|value| !value.is_empty()) {
            return Err(at.no_field("topics"));
        }
        if at.version >= 8 {
            encoder.array(&self.groups, at)?;
        } else if !self.groups.is_empty() {
            return Err(at.no_field("groups"));
        }
        if at.version >= 7 {
            encoder.boolean(self.require_stable);
        } else if self.require_stable {
            return Err(at.no_field("require_stable"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`OffsetFetchRequest`], versions 1 to 7.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchRequestTopic {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partition_indexes: Vec<i32>,
}

impl Wire for OffsetFetchRequestTopic {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            partition_indexes: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.array(&self.partition_indexes, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`OffsetFetchRequest`], versions 8 to 10.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequestGroup {
    /// All versions.
    pub group_id: Str,
    /// Version 9 and later. May be null. Default: null.
    pub member_id: Option<Str>,
    /// Version 9 and later. Default: -1.
    pub member_epoch: i32,
    /// All versions. May be null.
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
}

impl Default for OffsetFetchRequestGroup {
    fn default() -> Self {
        Self {
            group_id: Str::new(),
            member_id: None,
            member_epoch: -1,
            topics: Some(Vec::new()),
        }
    }
}

impl Wire for OffsetFetchRequestGroup {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_id: reader.string(at)?,
            member_id: if at.version >= 9 {
                reader.opt_string(at)?
            } else {
                None
            },
            member_epoch: if at.version >= 9 { reader.i32()? } else { -1 },
            topics: reader.opt_array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.group_id, at)?;
        if at.version >= 9 {
            encoder.opt_string(&self.member_id, at)?;
        }
        if at.version >= 9 {
            encoder.i32(self.member_epoch);
        }
        encoder.opt_array(&self.topics, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`OffsetFetchRequest`], versions 8 to 10.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchRequestTopics {
    /// Versions 8 to 9.
    pub name: Str,
    /// Version 10 and later.
    pub topic_id: Uuid,
    /// All versions.
    pub partition_indexes: Vec<i32>,
}

impl Wire for OffsetFetchRequestTopics {
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
            partition_indexes: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version <= 9 {
            encoder.string(&self.name, at)?;
        }
        if at.version >= 10 {
            encoder.uuid(self.topic_id);
        }
        encoder.array(&self.partition_indexes, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for OffsetFetchRequest {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 10;
    const FLEXIBLE_FROM: i16 = 6;
}

impl Request for OffsetFetchRequest {
    const KEY: ApiKey = ApiKey::OffsetFetch;
    type Response = OffsetFetchResponse;
}

/// The response of OffsetFetch (API key 9), versions 1 to 10.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchResponse {
    /// Version 3 and later.
    pub throttle_time_ms: i32,
    /// Versions 1 to 7. Must be left at its default at other versions.
    pub topics: Vec<OffsetFetchResponseTopic>,
    /// Versions 2 to 7.
    pub error_code: i16,
    /// Version 8 and later. Must be left at its default at other versions.
    pub groups: Vec<OffsetFetchResponseGroup>,
}

impl Wire for OffsetFetchResponse {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: if at.version >= 3 { reader.i32()? } else { 0 },
            topics: if at.version <= 7 {
                reader.array(at)?
            } else {
                Vec::new()
            },
            error_code: if (2..=7).contains(&at.version) {
                reader.i16()?
            } else {
                0
            },
            groups: if at.version >= 8 {
                reader.array(at)?
            } else {
                Vec::new()
            },
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
        if at.version <= 7 {
            encoder.array(&self.topics, at)?;
        } else if !self.topics.is_empty() {
            return Err(at.no_field("topics"));
        }
        if (2..=7).contains(&at.version) {
            encoder.i16(self.error_code);
        }
        if at.version >= 8 {
            encoder.array(&self.groups, at)?;
        } else if !self.groups.is_empty() {
            return Err(at.no_field("groups"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`OffsetFetchResponse`], versions 1 to 7.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchResponseTopic {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partitions: Vec<OffsetFetchResponsePartition>,
}

impl Wire for OffsetFetchResponseTopic {
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

/// Part of [`OffsetFetchResponse`], versions 1 to 7.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponsePartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub committed_offset: i64,
    /// Version 5 and later. Default: -1.
    pub committed_leader_epoch: i32,
    /// All versions. May be null.
    pub metadata: Option<Str>,
    /// All versions.
    pub error_code: i16,
}

impl Default for OffsetFetchResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            metadata: Some(Str::new()),
            error_code: 0,
        }
    }
}

impl Wire for OffsetFetchResponsePartition {
    const BYTES_MIN: usize = 16;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            committed_offset: reader.i64()?,
            committed_leader_epoch: if at.version >= 5 { reader.i32()? } else { -1 },
            metadata: reader.opt_string(at)?,
            error_code: reader.i16()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.i64(self.committed_offset);
        if at.version >= 5 {
            encoder.i32(self.committed_leader_epoch);
        }
        encoder.opt_string(&self.metadata, at)?;
        encoder.i16(self.error_code);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`OffsetFetchResponse`], versions 8 to 10.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchResponseGroup {
    /// All versions.
    pub group_id: Str,
    /// All versions.
    pub topics: Vec<OffsetFetchResponseTopics>,
    /// All versions.
    pub error_code: i16,
}

impl Wire for OffsetFetchResponseGroup {
    const BYTES_MIN: usize = 5;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_id: reader.string(at)?,
            topics: reader.array(at)?,
            error_code: reader.i16()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.group_id, at)?;
        encoder.array(&self.topics, at)?;
        encoder.i16(self.error_code);
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`OffsetFetchResponse`], versions 8 to 10.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchResponseTopics {
    /// Versions 8 to 9.
    pub name: Str,
    /// Version 10 and later.
    pub topic_id: Uuid,
    /// All versions.
    pub partitions: Vec<OffsetFetchResponsePartitions>,
}

impl Wire for OffsetFetchResponseTopics {
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
        reader.skip_tags()?;
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
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`OffsetFetchResponse`], versions 8 to 10.
#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponsePartitions {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub committed_offset: i64,
    /// All versions. Default: -1.
    pub committed_leader_epoch: i32,
    /// All versions. May be null.
    pub metadata: Option<Str>,
    /// All versions.
    pub error_code: i16,
}

impl Default for OffsetFetchResponsePartitions {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            metadata: Some(Str::new()),
            error_code: 0,
        }
    }
}

impl Wire for OffsetFetchResponsePartitions {
    const BYTES_MIN: usize = 20;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            committed_offset: reader.i64()?,
            committed_leader_epoch: reader.i32()?,
            metadata: reader.opt_string(at)?,
            error_code: reader.i16()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.i64(self.committed_offset);
        encoder.i32(self.committed_leader_epoch);
        encoder.opt_string(&self.metadata, at)?;
        encoder.i16(self.error_code);
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for OffsetFetchResponse {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 10;
    const FLEXIBLE_FROM: i16 = 6;
}

impl Response for OffsetFetchResponse {
    const KEY: ApiKey = ApiKey::OffsetFetch;
}
