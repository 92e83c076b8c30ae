//! What classic consumers put into the opaque bytes of JoinGroup and SyncGroup, after an int16 version.
//!
//! KIP-429 owned partitions, KIP-792 generation, KIP-881 racks.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Wire};
use bytes::Bytes;

/// Versions 0 to 3.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerProtocolSubscription {
    /// All versions.
    pub topics: Vec<Str>,
    /// All versions. May be null. Default: null.
    pub user_data: Option<Bytes>,
    /// Version 1 and later.
    pub owned_partitions: Vec<OwnedPartition>,
    /// Version 2 and later. Default: -1.
    pub generation_id: i32,
    /// Version 3 and later. May be null. Default: null.
    pub rack_id: Option<Str>,
}

impl Default for ConsumerProtocolSubscription {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            user_data: None,
            owned_partitions: Vec::new(),
            generation_id: -1,
            rack_id: None,
        }
    }
}

impl Wire for ConsumerProtocolSubscription {
    const BYTES_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        Ok(Self {
            topics: reader.array(at)?,
            user_data: reader.opt_bytes(at)?,
            owned_partitions: if at.version >= 1 {
                reader.array(at)?
            } else {
                Vec::new()
            },
            generation_id: if at.version >= 2 { reader.i32()? } else { -1 },
            rack_id: if at.version >= 3 {
                reader.opt_string(at)?
            } else {
                None
            },
        })
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.topics, at)?;
        encoder.opt_bytes(&self.user_data, at)?;
        if at.version >= 1 {
            encoder.array(&self.owned_partitions, at)?;
        }
        if at.version >= 2 {
            encoder.i32(self.generation_id);
        }
        if at.version >= 3 {
            encoder.opt_string(&self.rack_id, at)?;
        }
        Ok(())
    }
}

/// Part of [`ConsumerProtocolSubscription`], versions 1 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnedPartition {
    /// All versions.
    pub topic: Str,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Wire for OwnedPartition {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: reader.string(at)?,
            partitions: reader.array(at)?,
        })
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.topic, at)?;
        encoder.array(&self.partitions, at)?;
        Ok(())
    }
}

impl Message for ConsumerProtocolSubscription {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = i16::MAX;
}

/// Versions 0 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerProtocolAssignment {
    /// All versions.
    pub assigned_partitions: Vec<AssignedPartition>,
    /// All versions. May be null. Default: null.
    pub user_data: Option<Bytes>,
}

impl Wire for ConsumerProtocolAssignment {
    const BYTES_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        Ok(Self {
            assigned_partitions: reader.array(at)?,
            user_data: reader.opt_bytes(at)?,
        })
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.assigned_partitions, at)?;
        encoder.opt_bytes(&self.user_data, at)?;
        Ok(())
    }
}

/// Part of [`ConsumerProtocolAssignment`], versions 0 to 3.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AssignedPartition {
    /// All versions.
    pub topic: Str,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Wire for AssignedPartition {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        Ok(Self {
            topic: reader.string(at)?,
            partitions: reader.array(at)?,
        })
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.topic, at)?;
        encoder.array(&self.partitions, at)?;
        Ok(())
    }
}

impl Message for ConsumerProtocolAssignment {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 3;
    const FLEXIBLE_FROM: i16 = i16::MAX;
}
