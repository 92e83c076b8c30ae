//! Which broker coordinates a group, a transactional id or a share partition.
//!
//! KIP-699 several keys, KIP-932 share partitions.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of FindCoordinator (API key 10), versions 0 to 6.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FindCoordinatorRequest {
    /// Versions 0 to 3. Must be left at its default at other versions.
    pub key: Str,
    /// Version 1 and later. Must be left at its default at other versions.
    pub key_type: i8,
    /// Version 4 and later. Must be left at its default at other versions.
    pub coordinator_keys: Vec<Str>,
}

impl Wire for FindCoordinatorRequest {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            key: if at.version <= 3 {
                reader.string(at)?
            } else {
                Str::new()
            },
            key_type: if at.version >= 1 { reader.i8()? } else { 0 },
            coordinator_keys: if at.version >= 4 {
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
        if at.version <= 3 {
            encoder.string(&self.key, at)?;
        } else if !self.key.is_empty() {
            return Err(at.no_field("key"));
        }
        if at.version >= 1 {
            encoder.i8(self.key_type);
        } else if self.key_type != 0 {
            return Err(at.no_field("key_type"));
        }
        if at.version >= 4 {
            encoder.array(&self.coordinator_keys, at)?;
        } else if !self.coordinator_keys.is_empty() {
            return Err(at.no_field("coordinator_keys"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for FindCoordinatorRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 6;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for FindCoordinatorRequest {
    const KEY: ApiKey = ApiKey::FindCoordinator;
    type Response = FindCoordinatorResponse;
}

/// The response of FindCoordinator (API key 10), versions 0 to 6.
#[derive(Clone, Debug, PartialEq)]
pub struct FindCoordinatorResponse {
    /// Version 1 and later.
    pub throttle_time_ms: i32,
    /// Versions 0 to 3. Must be left at its default at other versions.
    pub error_code: i16,
    /// Versions 1 to 3. May be null.
    pub error_message: Option<Str>,
    /// Versions 0 to 3. Must be left at its default at other versions.
    pub node_id: i32,
    /// Versions 0 to 3. Must be left at its default at other versions.
    pub host: Str,
    /// Versions 0 to 3. Must be left at its default at other versions.
    pub port: i32,
    /// Version 4 and later. Must be left at its default at other versions.
    pub coordinators: Vec<Coordinator>,
}

impl Default for FindCoordinatorResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Str::new()),
            node_id: 0,
            host: Str::new(),
            port: 0,
            coordinators: Vec::new(),
        }
    }
}

impl Wire for FindCoordinatorResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: if at.version >= 1 { reader.i32()? } else { 0 },
            error_code: if at.version <= 3 { reader.i16()? } else { 0 },
            error_message: if (1..=3).contains(&at.version) {
                reader.opt_string(at)?
            } else {
                Some(Str::new())
            },
            node_id: if at.version <= 3 { reader.i32()? } else { 0 },
            host: if at.version <= 3 {
                reader.string(at)?
            } else {
                Str::new()
            },
            port: if at.version <= 3 { reader.i32()? } else { 0 },
            coordinators: if at.version >= 4 {
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
        if at.version <= 3 {
            encoder.i16(self.error_code);
        } else if self.error_code != 0 {
            return Err(at.no_field("error_code"));
        }
        if (1..=3).contains(&at.version) {
            encoder.opt_string(&self.error_message, at)?;
        }
        if at.version <= 3 {
            encoder.i32(self.node_id);
        } else if self.node_id != 0 {
            return Err(at.no_field("node_id"));
        }
        if at.version <= 3 {
            encoder.string(&self.host, at)?;
        } else if !self.host.is_empty() {
            return Err(at.no_field("host"));
        }
        if at.version <= 3 {
            encoder.i32(self.port);
        } else if self.port != 0 {
            return Err(at.no_field("port"));
        }
        if at.version >= 4 {
            encoder.array(&self.coordinators, at)?;
        } else if !self.coordinators.is_empty() {
            return Err(at.no_field("coordinators"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`FindCoordinatorResponse`], versions 4 to 6.
#[derive(Clone, Debug, PartialEq)]
pub struct Coordinator {
    /// All versions.
    pub key: Str,
    /// All versions.
    pub node_id: i32,
    /// All versions.
    pub host: Str,
    /// All versions.
    pub port: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
}

impl Default for Coordinator {
    fn default() -> Self {
        Self {
            key: Str::new(),
            node_id: 0,
            host: Str::new(),
            port: 0,
            error_code: 0,
            error_message: Some(Str::new()),
        }
    }
}

impl Wire for Coordinator {
    const BYTES_MIN: usize = 14;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            key: reader.string(at)?,
            node_id: reader.i32()?,
            host: reader.string(at)?,
            port: reader.i32()?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.key, at)?;
        encoder.i32(self.node_id);
        encoder.string(&self.host, at)?;
        encoder.i32(self.port);
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for FindCoordinatorResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 6;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Response for FindCoordinatorResponse {
    const KEY: ApiKey = ApiKey::FindCoordinator;
}
