//! Classic group protocol: says that a member is alive.
//!
//! KIP-345 static members.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of Heartbeat (API key 12), versions 0 to 4.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeartbeatRequest {
    /// All versions.
    pub group_id: Str,
    /// All versions.
    pub generation_id: i32,
    /// All versions.
    pub member_id: Str,
    /// Version 3 and later. May be null. Default: null. Must be left at its default at other versions.
    pub group_instance_id: Option<Str>,
}

impl Wire for HeartbeatRequest {
    const BYTES_MIN: usize = 8;

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
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for HeartbeatRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 4;
    const FLEXIBLE_FROM: i16 = 4;
}

impl Request for HeartbeatRequest {
    const KEY: ApiKey = ApiKey::Heartbeat;
    type Response = HeartbeatResponse;
}

/// The response of Heartbeat (API key 12), versions 0 to 4.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeartbeatResponse {
    /// Version 1 and later.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
}

impl Wire for HeartbeatResponse {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: if at.version >= 1 { reader.i32()? } else { 0 },
            error_code: reader.i16()?,
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
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for HeartbeatResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 4;
    const FLEXIBLE_FROM: i16 = 4;
}

impl Response for HeartbeatResponse {
    const KEY: ApiKey = ApiKey::Heartbeat;
}
