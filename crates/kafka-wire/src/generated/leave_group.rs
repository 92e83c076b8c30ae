//! Classic group protocol: takes members out of a group.
//!
//! KIP-345 several members, KIP-800 reasons.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of LeaveGroup (API key 13), versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeaveGroupRequest {
    /// All versions.
    pub group_id: Str,
    /// Versions 0 to 2. Must be left at its default at other versions.
    pub member_id: Str,
    /// Version 3 and later. Must be left at its default at other versions.
    pub members: Vec<MemberIdentity>,
}

impl Wire for LeaveGroupRequest {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_id: reader.string(at)?,
            member_id: if at.version <= 2 {
                reader.string(at)?
            } else {
                Str::new()
            },
            members: if at.version >= 3 {
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
        encoder.string(&self.group_id, at)?;
        if at.version <= 2 {
            encoder.string(&self.member_id, at)?;
        } else if !self.member_id.is_empty() {
            return Err(at.no_field("member_id"));
        }
        if at.version >= 3 {
            encoder.array(&self.members, at)?;
        } else if !self.members.is_empty() {
            return Err(at.no_field("members"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`LeaveGroupRequest`], versions 3 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemberIdentity {
    /// All versions.
    pub member_id: Str,
    /// All versions. May be null. Default: null.
    pub group_instance_id: Option<Str>,
    /// Version 5 and later. May be null. Default: null.
    pub reason: Option<Str>,
}

impl Wire for MemberIdentity {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            member_id: reader.string(at)?,
            group_instance_id: reader.opt_string(at)?,
            reason: if at.version >= 5 {
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
        encoder.string(&self.member_id, at)?;
        encoder.opt_string(&self.group_instance_id, at)?;
        if at.version >= 5 {
            encoder.opt_string(&self.reason, at)?;
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for LeaveGroupRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 4;
}

impl Request for LeaveGroupRequest {
    const KEY: ApiKey = ApiKey::LeaveGroup;
    type Response = LeaveGroupResponse;
}

/// The response of LeaveGroup (API key 13), versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeaveGroupResponse {
    /// Version 1 and later.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// Version 3 and later. Must be left at its default at other versions.
    pub members: Vec<MemberResponse>,
}

impl Wire for LeaveGroupResponse {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: if at.version >= 1 { reader.i32()? } else { 0 },
            error_code: reader.i16()?,
            members: if at.version >= 3 {
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
        if at.version >= 1 {
            encoder.i32(self.throttle_time_ms);
        }
        encoder.i16(self.error_code);
        if at.version >= 3 {
            encoder.array(&self.members, at)?;
        } else if !self.members.is_empty() {
            return Err(at.no_field("members"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`LeaveGroupResponse`], versions 3 to 5.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberResponse {
    /// All versions.
    pub member_id: Str,
    /// All versions. May be null.
    pub group_instance_id: Option<Str>,
    /// All versions.
    pub error_code: i16,
}

impl Default for MemberResponse {
    fn default() -> Self {
        Self {
            member_id: Str::new(),
            group_instance_id: Some(Str::new()),
            error_code: 0,
        }
    }
}

impl Wire for MemberResponse {
    const BYTES_MIN: usize = 5;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            member_id: reader.string(at)?,
            group_instance_id: reader.opt_string(at)?,
            error_code: reader.i16()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.member_id, at)?;
        encoder.opt_string(&self.group_instance_id, at)?;
        encoder.i16(self.error_code);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for LeaveGroupResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 4;
}

impl Response for LeaveGroupResponse {
    const KEY: ApiKey = ApiKey::LeaveGroup;
}
