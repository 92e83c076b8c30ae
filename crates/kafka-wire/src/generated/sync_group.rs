//! Classic group protocol: the leader gives and each member gets its assignment.
//!
//! KIP-345 static members, KIP-559 protocol names.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};
use bytes::Bytes;

/// The request of SyncGroup (API key 14), versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncGroupRequest {
    /// All versions.
    pub group_id: Str,
    /// All versions.
    pub generation_id: i32,
    /// All versions.
    pub member_id: Str,
    /// Version 3 and later. May be null. Default: null. Must be left at its default at other versions.
    pub group_instance_id: Option<Str>,
    /// Version 5 and later. May be null. Default: null.
    pub protocol_type: Option<Str>,
    /// Version 5 and later. May be null. Default: null.
    pub protocol_name: Option<Str>,
    /// All versions.
    pub assignments: Vec<SyncGroupRequestAssignment>,
}

impl Wire for SyncGroupRequest {
    const BYTES_MIN: usize = 9;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_id: reader.string(at)?,
            generation_id: reader.i32()?,
            member_id: reader.string(at)?,
            group_instance_id: if at.version >= 3 {
                reader.opt_string(at)?
            } else {
                None
            },
            protocol_type: if at.version >= 5 {
                reader.opt_string(at)?
            } else {
                None
            },
            protocol_name: if at.version >= 5 {
                reader.opt_string(at)?
            } else {
                None
            },
            assignments: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.group_id, at)?;
        encoder.i32(self.generation_id);
        encoder.string(&self.member_id, at)?;
        if at.version >= 3 {
            encoder.opt_string(&self.group_instance_id, at)?;
        } else if self.group_instance_id.is_some() {
            return Err(at.no_field("group_instance_id"));
        }
        if at.version >= 5 {
            encoder.opt_string(&self.protocol_type, at)?;
        }
        if at.version >= 5 {
            encoder.opt_string(&self.protocol_name, at)?;
        }
        encoder.array(&self.assignments, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`SyncGroupRequest`], versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncGroupRequestAssignment {
    /// All versions.
    pub member_id: Str,
    /// All versions.
    pub assignment: Bytes,
}

impl Wire for SyncGroupRequestAssignment {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            member_id: reader.string(at)?,
            assignment: reader.bytes(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.member_id, at)?;
        encoder.bytes(&self.assignment, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for SyncGroupRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 4;
}

impl Request for SyncGroupRequest {
    const KEY: ApiKey = ApiKey::SyncGroup;
    type Response = SyncGroupResponse;
}

/// The response of SyncGroup (API key 14), versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncGroupResponse {
    /// Version 1 and later.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// Version 5 and later. May be null. Default: null.
    pub protocol_type: Option<Str>,
    /// Version 5 and later. May be null. Default: null.
    pub protocol_name: Option<Str>,
    /// All versions.
    pub assignment: Bytes,
}

impl Wire for SyncGroupResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: if at.version >= 1 { reader.i32()? } else { 0 },
            error_code: reader.i16()?,
            protocol_type: if at.version >= 5 {
                reader.opt_string(at)?
            } else {
                None
            },
            protocol_name: if at.version >= 5 {
                reader.opt_string(at)?
            } else {
                None
            },
            assignment: reader.bytes(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version >= 1 {
            encoder.i32(self.throttle_time_ms);
        }
        encoder.i16(self.error_code);
        if at.version >= 5 {
            encoder.opt_string(&self.protocol_type, at)?;
        }
        if at.version >= 5 {
            encoder.opt_string(&self.protocol_name, at)?;
        }
        encoder.bytes(&self.assignment, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for SyncGroupResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 4;
}

impl Response for SyncGroupResponse {
    const KEY: ApiKey = ApiKey::SyncGroup;
}
