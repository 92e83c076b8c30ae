//! State and members of classic groups.
//!
//! KIP-345 static members, KIP-430 authorised operations, KIP-1043 error messages.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};
use bytes::Bytes;

/// The request of DescribeGroups (API key 15), versions 0 to 6.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeGroupsRequest {
    /// All versions.
    pub groups: Vec<Str>,
    /// Version 3 and later. Must be left at its default at other versions.
    pub include_authorized_operations: bool,
}

impl Wire for DescribeGroupsRequest {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            groups: reader.array(at)?,
            include_authorized_operations: if at.version >= 3 { reader.boolean()? } else { false },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.groups, at)?;
        if at.version >= 3 {
            encoder.boolean(self.include_authorized_operations);
        } else if self.include_authorized_operations {
            return Err(at.no_field("include_authorized_operations"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeGroupsRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 6;
    const FLEXIBLE_FROM: i16 = 5;
}

impl Request for DescribeGroupsRequest {
    const KEY: ApiKey = ApiKey::DescribeGroups;
    type Response = DescribeGroupsResponse;
}

/// The response of DescribeGroups (API key 15), versions 0 to 6.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeGroupsResponse {
    /// Version 1 and later.
    pub throttle_time_ms: i32,
    /// All versions.
    pub groups: Vec<DescribedGroup>,
}

impl Wire for DescribeGroupsResponse {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: if at.version >= 1 { reader.i32()? } else { 0 },
            groups: reader.array(at)?,
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
        encoder.array(&self.groups, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeGroupsResponse`], versions 0 to 6.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    /// All versions.
    pub error_code: i16,
    /// Version 6 and later. May be null. Default: null. Must be left at its default at other versions.
    pub error_message: Option<Str>,
    /// All versions.
    pub group_id: Str,
    /// All versions.
    pub group_state: Str,
    /// All versions.
    pub protocol_type: Str,
    /// All versions.
    pub protocol_data: Str,
    /// All versions.
    pub members: Vec<DescribedGroupMember>,
    /// Version 3 and later. Default: -2147483648. Must be left at its default at other versions.
    pub authorized_operations: i32,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: None,
            group_id: Str::new(),
            group_state: Str::new(),
            protocol_type: Str::new(),
            protocol_data: Str::new(),
            members: Vec::new(),
            authorized_operations: i32::MIN,
        }
    }
}

impl Wire for DescribedGroup {
    const BYTES_MIN: usize = 12;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            error_message: if at.version >= 6 {
                reader.opt_string(at)?
            } else {
                None
            },
            group_id: reader.string(at)?,
            group_state: reader.string(at)?,
            protocol_type: reader.string(at)?,
            protocol_data: reader.string(at)?,
            members: reader.array(at)?,
            authorized_operations: if at.version >= 3 { reader.i32()? } else { i32::MIN },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        if at.version >= 6 {
            encoder.opt_string(&self.error_message, at)?;
        } else if self.error_message.is_some() {
            return Err(at.no_field("error_message"));
        }
        encoder.string(&self.group_id, at)?;
        encoder.string(&self.group_state, at)?;
        encoder.string(&self.protocol_type, at)?;
        encoder.string(&self.protocol_data, at)?;
        encoder.array(&self.members, at)?;
        if at.version >= 3 {
            encoder.i32(self.authorized_operations);
        } else if self.authorized_operations != i32::MIN {
            return Err(at.no_field("authorized_operations"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeGroupsResponse`], versions 0 to 6.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribedGroupMember {
    /// All versions.
    pub member_id: Str,
    /// Version 4 and later. May be null. Default: null.
    pub group_instance_id: Option<Str>,
    /// All versions.
    pub client_id: Str,
    /// All versions.
    pub client_host: Str,
    /// All versions.
    pub member_metadata: Bytes,
    /// All versions.
    pub member_assignment: Bytes,
}

impl Wire for DescribedGroupMember {
    const BYTES_MIN: usize = 7;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            member_id: reader.string(at)?,
            group_instance_id: if at.version >= 4 {
                reader.opt_string(at)?
            } else {
                None
            },
            client_id: reader.string(at)?,
            client_host: reader.string(at)?,
            member_metadata: reader.bytes(at)?,
            member_assignment: reader.bytes(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.member_id, at)?;
        if at.version >= 4 {
            encoder.opt_string(&self.group_instance_id, at)?;
        }
        encoder.string(&self.client_id, at)?;
        encoder.string(&self.client_host, at)?;
        encoder.bytes(&self.member_metadata, at)?;
        encoder.bytes(&self.member_assignment, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeGroupsResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 6;
    const FLEXIBLE_FROM: i16 = 5;
}

impl Response for DescribeGroupsResponse {
    const KEY: ApiKey = ApiKey::DescribeGroups;
}
