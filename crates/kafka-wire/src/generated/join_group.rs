//! Classic group protocol: enters a group and learns the generation.
//!
//! KIP-345 static members, KIP-394 member id first, KIP-800 reasons.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};
use bytes::Bytes;

/// The request of JoinGroup (API key 11), versions 0 to 9.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupRequest {
    /// All versions.
    pub group_id: Str,
    /// All versions.
    pub session_timeout_ms: i32,
    /// Version 1 and later. Default: -1.
    pub rebalance_timeout_ms: i32,
    /// All versions.
    pub member_id: Str,
    /// Version 5 and later. May be null. Default: null. Must be left at its default at other versions.
    pub group_instance_id: Option<Str>,
    /// All versions.
    pub protocol_type: Str,
    /// All versions.
    pub protocols: Vec<JoinGroupRequestProtocol>,
    /// Version 8 and later. May be null. Default: null.
    pub reason: Option<Str>,
}

impl Default for JoinGroupRequest {
    fn default() -> Self {
        Self {
            group_id: Str::new(),
            session_timeout_ms: 0,
            rebalance_timeout_ms: -1,
            member_id: Str::new(),
            group_instance_id: None,
            protocol_type: Str::new(),
            protocols: Vec::new(),
            reason: None,
        }
    }
}

impl Wire for JoinGroupRequest {
    const BYTES_MIN: usize = 14;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_id: reader.string(at)?,
            session_timeout_ms: reader.i32()?,
            rebalance_timeout_ms: if at.version >= 1 { reader.i32()? } else { -1 },
            member_id: reader.string(at)?,
            group_instance_id: if at.version >= 5 {
                reader.opt_string(at)?
            } else {
                None
            },
            protocol_type: reader.string(at)?,
            protocols: reader.array(at)?,
            reason: if at.version >= 8 {
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
        encoder.i32(self.session_timeout_ms);
        if at.version >= 1 {
            encoder.i32(self.rebalance_timeout_ms);
        }
        encoder.string(&self.member_id, at)?;
        if at.version >= 5 {
            encoder.opt_string(&self.group_instance_id, at)?;
        } else if self.group_instance_id.is_some() {
            return Err(at.no_field("group_instance_id"));
        }
        encoder.string(&self.protocol_type, at)?;
        encoder.array(&self.protocols, at)?;
        if at.version >= 8 {
            encoder.opt_string(&self.reason, at)?;
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`JoinGroupRequest`], versions 0 to 9.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JoinGroupRequestProtocol {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub metadata: Bytes,
}

impl Wire for JoinGroupRequestProtocol {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            metadata: reader.bytes(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.bytes(&self.metadata, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for JoinGroupRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 9;
    const FLEXIBLE_FROM: i16 = 6;
}

impl Request for JoinGroupRequest {
    const KEY: ApiKey = ApiKey::JoinGroup;
    type Response = JoinGroupResponse;
}

/// The response of JoinGroup (API key 11), versions 0 to 9.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupResponse {
    /// Version 2 and later.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. Default: -1.
    pub generation_id: i32,
    /// Version 7 and later. May be null. Default: null.
    pub protocol_type: Option<Str>,
    /// All versions. May be null from version 7 on.
    pub protocol_name: Option<Str>,
    /// All versions.
    pub leader: Str,
    /// Version 9 and later. Must be left at its default at other versions.
    pub skip_assignment: bool,
    /// All versions.
    pub member_id: Str,
    /// All versions.
    pub members: Vec<JoinGroupResponseMember>,
}

impl Default for JoinGroupResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            generation_id: -1,
            protocol_type: None,
            protocol_name: Some(Str::new()),
            leader: Str::new(),
            skip_assignment: false,
            member_id: Str::new(),
            members: Vec::new(),
        }
    }
}

impl Wire for JoinGroupResponse {
    const BYTES_MIN: usize = 15;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: if at.version >= 2 { reader.i32()? } else { 0 },
            error_code: reader.i16()?,
            generation_id: reader.i32()?,
            protocol_type: if at.version >= 7 {
                reader.opt_string(at)?
            } else {
                None
            },
            protocol_name: if at.version >= 7 {
                reader.opt_string(at)?
            } else {
                Some(reader.string(at)?)
            },
            leader: reader.string(at)?,
            skip_assignment: if at.version >= 9 { reader.boolean()? } else { false },
            member_id: reader.string(at)?,
            members: reader.array(at)?,
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
        encoder.i16(self.error_code);
        encoder.i32(self.generation_id);
        if at.version >= 7 {
            encoder.opt_string(&self.protocol_type, at)?;
        }
        if self.protocol_name.is_none() && at.version < 7 {
            return Err(at.no_null("protocol_name"));
        }
        encoder.opt_string(&self.protocol_name, at)?;
        encoder.string(&self.leader, at)?;
        if at.version >= 9 {
            encoder.boolean(self.skip_assignment);
        } else if self.skip_assignment {
            return Err(at.no_field("skip_assignment"));
        }
        encoder.string(&self.member_id, at)?;
        encoder.array(&self.members, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`JoinGroupResponse`], versions 0 to 9.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JoinGroupResponseMember {
    /// All versions.
    pub member_id: Str,
    /// Version 5 and later. May be null. Default: null.
    pub group_instance_id: Option<Str>,
    /// All versions.
    pub metadata: Bytes,
}

impl Wire for JoinGroupResponseMember {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            member_id: reader.string(at)?,
            group_instance_id: if at.version >= 5 {
                reader.opt_string(at)?
            } else {
                None
            },
            metadata: reader.bytes(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.member_id, at)?;
        if at.version >= 5 {
            encoder.opt_string(&self.group_instance_id, at)?;
        }
        encoder.bytes(&self.metadata, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for JoinGroupResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 9;
    const FLEXIBLE_FROM: i16 = 6;
}

impl Response for JoinGroupResponse {
    const KEY: ApiKey = ApiKey::JoinGroup;
}
