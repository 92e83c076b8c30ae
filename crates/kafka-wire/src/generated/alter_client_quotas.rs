//! Sets and removes quotas.
//!
//! KIP-546.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of AlterClientQuotas (API key 49), versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterClientQuotasRequest {
    /// All versions.
    pub entries: Vec<RequestEntryData>,
    /// All versions.
    pub validate_only: bool,
}

impl Wire for AlterClientQuotasRequest {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            entries: reader.array(at)?,
            validate_only: reader.boolean()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.entries, at)?;
        encoder.boolean(self.validate_only);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`AlterClientQuotasRequest`], versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestEntryData {
    /// All versions.
    pub entity: Vec<RequestEntityData>,
    /// All versions.
    pub ops: Vec<OpData>,
}

impl Wire for RequestEntryData {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            entity: reader.array(at)?,
            ops: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.entity, at)?;
        encoder.array(&self.ops, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`AlterClientQuotasRequest`], versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestEntityData {
    /// All versions.
    pub entity_type: Str,
    /// All versions. May be null.
    pub entity_name: Option<Str>,
}

impl Default for RequestEntityData {
    fn default() -> Self {
        Self {
            entity_type: Str::new(),
            entity_name: Some(Str::new()),
        }
    }
}

impl Wire for RequestEntityData {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            entity_type: reader.string(at)?,
            entity_name: reader.opt_string(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.entity_type, at)?;
        encoder.opt_string(&self.entity_name, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`AlterClientQuotasRequest`], versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpData {
    /// All versions.
    pub key: Str,
    /// All versions.
    pub value: f64,
    /// All versions.
    pub remove: bool,
}

impl Wire for OpData {
    const BYTES_MIN: usize = 11;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            key: reader.string(at)?,
            value: reader.f64()?,
            remove: reader.boolean()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.key, at)?;
        encoder.f64(self.value);
        encoder.boolean(self.remove);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for AlterClientQuotasRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;
}

impl Request for AlterClientQuotasRequest {
    const KEY: ApiKey = ApiKey::AlterClientQuotas;
    type Response = AlterClientQuotasResponse;
}

/// The response of AlterClientQuotas (API key 49), versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterClientQuotasResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub entries: Vec<ResponseEntryData>,
}

impl Wire for AlterClientQuotasResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            entries: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.array(&self.entries, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`AlterClientQuotasResponse`], versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseEntryData {
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
    /// All versions.
    pub entity: Vec<ResponseEntityData>,
}

impl Default for ResponseEntryData {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Str::new()),
            entity: Vec::new(),
        }
    }
}

impl Wire for ResponseEntryData {
    const BYTES_MIN: usize = 5;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            entity: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.array(&self.entity, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`AlterClientQuotasResponse`], versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponseEntityData {
    /// All versions.
    pub entity_type: Str,
    /// All versions. May be null.
    pub entity_name: Option<Str>,
}

impl Default for ResponseEntityData {
    fn default() -> Self {
        Self {
            entity_type: Str::new(),
            entity_name: Some(Str::new()),
        }
    }
}

impl Wire for ResponseEntityData {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            entity_type: reader.string(at)?,
            entity_name: reader.opt_string(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.entity_type, at)?;
        encoder.opt_string(&self.entity_name, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for AlterClientQuotasResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;
}

impl Response for AlterClientQuotasResponse {
    const KEY: ApiKey = ApiKey::AlterClientQuotas;
}
