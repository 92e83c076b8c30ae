//! The groups that a broker coordinates.
//!
//! KIP-518 state filter, KIP-848 type filter.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of ListGroups (API key 16), versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListGroupsRequest {
    /// Version 4 and later. Must be left at its default at other versions.
    pub states_filter: Vec<Str>,
    /// Version 5 and later. Must be left at its default at other versions.
    pub types_filter: Vec<Str>,
}

impl Wire for ListGroupsRequest {
    const BYTES_MIN: usize = 1;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            states_filter: if at.version >= 4 {
                reader.array(at)?
            } else {
                Vec::new()
            },
            types_filter: if at.version >= 5 {
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
        if at.version >= 4 {
            encoder.array(&self.states_filter, at)?;
        } else if !self.states_filter.is_empty() {
            return Err(at.no_field("states_filter"));
        }
        if at.version >= 5 {
            encoder.array(&self.types_filter, at)?;
        } else if !self.types_filter.is_empty() {
            return Err(at.no_field("types_filter"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ListGroupsRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for ListGroupsRequest {
    const KEY: ApiKey = ApiKey::ListGroups;
    type Response = ListGroupsResponse;
}

/// The response of ListGroups (API key 16), versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListGroupsResponse {
    /// Version 1 and later.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub groups: Vec<ListedGroup>,
}

impl Wire for ListGroupsResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: if at.version >= 1 { reader.i32()? } else { 0 },
            error_code: reader.i16()?,
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
        encoder.i16(self.error_code);
        encoder.array(&self.groups, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ListGroupsResponse`], versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListedGroup {
    /// All versions.
    pub group_id: Str,
    /// All versions.
    pub protocol_type: Str,
    /// Version 4 and later.
    pub group_state: Str,
    /// Version 5 and later.
    pub group_type: Str,
}

impl Wire for ListedGroup {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            group_id: reader.string(at)?,
            protocol_type: reader.string(at)?,
            group_state: if at.version >= 4 {
                reader.string(at)?
            } else {
                Str::new()
            },
            group_type: if at.version >= 5 {
                reader.string(at)?
            } else {
                Str::new()
            },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.group_id, at)?;
        encoder.string(&self.protocol_type, at)?;
        if at.version >= 4 {
            encoder.string(&self.group_state, at)?;
        }
        if at.version >= 5 {
            encoder.string(&self.group_type, at)?;
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ListGroupsResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Response for ListGroupsResponse {
    const KEY: ApiKey = ApiKey::ListGroups;
}
