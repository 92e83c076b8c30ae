//! Quotas that match a filter.
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

/// The request of DescribeClientQuotas (API key 48), versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeClientQuotasRequest {
    /// All versions.
    pub components: Vec<ComponentData>,
    /// All versions.
    pub strict: bool,
}

impl Wire for DescribeClientQuotasRequest {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            components: reader.array(at)?,
            strict: reader.boolean()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.components, at)?;
        encoder.boolean(self.strict);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeClientQuotasRequest`], versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentData {
    /// All versions.
    pub entity_type: Str,
    /// All versions.
    pub match_type: i8,
    /// All versions. May be null.
    pub match_value: Option<Str>,
}

impl Default for ComponentData {
    fn default() -> Self {
        Self {
            entity_type: Str::new(),
            match_type: 0,
            match_value: Some(Str::new()),
        }
    }
}

impl Wire for ComponentData {
    const BYTES_MIN: usize = 4;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            entity_type: reader.string(at)?,
            match_type: reader.i8()?,
            match_value: reader.opt_string(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.entity_type, at)?;
        encoder.i8(self.match_type);
        encoder.opt_string(&self.match_value, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeClientQuotasRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;
}

impl Request for DescribeClientQuotasRequest {
    const KEY: ApiKey = ApiKey::DescribeClientQuotas;
    type Response = DescribeClientQuotasResponse;
}

/// The response of DescribeClientQuotas (API key 48), versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClientQuotasResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
    /// All versions. May be null.
    pub entries: Option<Vec<EntryData>>,
}

impl Default for DescribeClientQuotasResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Str::new()),
            entries: Some(Vec::new()),
        }
    }
}

impl Wire for DescribeClientQuotasResponse {
    const BYTES_MIN: usize = 9;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            entries: reader.opt_array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.opt_array(&self.entries, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeClientQuotasResponse`], versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntryData {
    /// All versions.
    pub entity: Vec<EntityData>,
    /// All versions.
    pub values: Vec<ValueData>,
}

impl Wire for EntryData {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            entity: reader.array(at)?,
            values: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.entity, at)?;
        encoder.array(&self.values, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeClientQuotasResponse`], versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityData {
    /// All versions.
    pub entity_type: Str,
    /// All versions. May be null.
    pub entity_name: Option<Str>,
}

impl Default for EntityData {
    fn default() -> Self {
        Self {
            entity_type: Str::new(),
            entity_name: Some(Str::new()),
        }
    }
}

impl Wire for EntityData {
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

/// Part of [`DescribeClientQuotasResponse`], versions 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ValueData {
    /// All versions.
    pub key: Str,
    /// All versions.
    pub value: f64,
}

impl Wire for ValueData {
    const BYTES_MIN: usize = 10;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            key: reader.string(at)?,
            value: reader.f64()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.key, at)?;
        encoder.f64(self.value);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeClientQuotasResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 1;
    const FLEXIBLE_FROM: i16 = 1;
}

impl Response for DescribeClientQuotasResponse {
    const KEY: ApiKey = ApiKey::DescribeClientQuotas;
}
