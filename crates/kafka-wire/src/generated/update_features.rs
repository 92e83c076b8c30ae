//! Raises or lowers the cluster's feature levels.
//!
//! KIP-584, KIP-778.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of UpdateFeatures (API key 57), versions 0 to 2.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateFeaturesRequest {
    /// All versions. Default: 60000.
    pub timeout_ms: i32,
    /// All versions.
    pub feature_updates: Vec<FeatureUpdateKey>,
    /// Version 1 and later. Must be left at its default at other versions.
    pub validate_only: bool,
}

impl Default for UpdateFeaturesRequest {
    fn default() -> Self {
        Self {
            timeout_ms: 60000,
            feature_updates: Vec::new(),
            validate_only: false,
        }
    }
}

impl Wire for UpdateFeaturesRequest {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            timeout_ms: reader.i32()?,
            feature_updates: reader.array(at)?,
            validate_only: if at.version >= 1 { reader.boolean()? } else { false },
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.timeout_ms);
        encoder.array(&self.feature_updates, at)?;
        if at.version >= 1 {
            encoder.boolean(self.validate_only);
        } else if self.validate_only {
            return Err(at.no_field("validate_only"));
        }
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`UpdateFeaturesRequest`], versions 0 to 2.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureUpdateKey {
    /// All versions.
    pub feature: Str,
    /// All versions.
    pub max_version_level: i16,
    /// Version 0 only. Must be left at its default at other versions.
    pub allow_downgrade: bool,
    /// Version 1 and later. Default: 1. Must be left at its default at other versions.
    pub upgrade_type: i8,
}

impl Default for FeatureUpdateKey {
    fn default() -> Self {
        Self {
            feature: Str::new(),
            max_version_level: 0,
            allow_downgrade: false,
            upgrade_type: 1,
        }
    }
}

impl Wire for FeatureUpdateKey {
    const BYTES_MIN: usize = 5;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            feature: reader.string(at)?,
            max_version_level: reader.i16()?,
            allow_downgrade: if at.version <= 0 { reader.boolean()? } else { false },
            upgrade_type: if at.version >= 1 { reader.i8()? } else { 1 },
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.feature, at)?;
        encoder.i16(self.max_version_level);
        if at.version <= 0 {
            encoder.boolean(self.allow_downgrade);
        } else if self.allow_downgrade {
            return Err(at.no_field("allow_downgrade"));
        }
        if at.version >= 1 {
            encoder.i8(self.upgrade_type);
        } else if self.upgrade_type != 1 {
            return Err(at.no_field("upgrade_type"));
        }
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for UpdateFeaturesRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for UpdateFeaturesRequest {
    const KEY: ApiKey = ApiKey::UpdateFeatures;
    type Response = UpdateFeaturesResponse;
}

/// The response of UpdateFeatures (API key 57), versions 0 to 2.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateFeaturesResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
    /// Versions 0 to 1.
    pub results: Vec<UpdatableFeatureResult>,
}

impl Default for UpdateFeaturesResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Str::new()),
            results: Vec::new(),
        }
    }
}

impl Wire for UpdateFeaturesResponse {
    const BYTES_MIN: usize = 8;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
            results: if at.version <= 1 {
                reader.array(at)?
            } else {
                Vec::new()
            },
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        if at.version <= 1 {
            encoder.array(&self.results, at)?;
        }
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`UpdateFeaturesResponse`], versions 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdatableFeatureResult {
    /// All versions.
    pub feature: Str,
    /// All versions.
    pub error_code: i16,
    /// All versions. May be null.
    pub error_message: Option<Str>,
}

impl Default for UpdatableFeatureResult {
    fn default() -> Self {
        Self {
            feature: Str::new(),
            error_code: 0,
            error_message: Some(Str::new()),
        }
    }
}

impl Wire for UpdatableFeatureResult {
    const BYTES_MIN: usize = 5;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            feature: reader.string(at)?,
            error_code: reader.i16()?,
            error_message: reader.opt_string(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.feature, at)?;
        encoder.i16(self.error_code);
        encoder.opt_string(&self.error_message, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for UpdateFeaturesResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for UpdateFeaturesResponse {
    const KEY: ApiKey = ApiKey::UpdateFeatures;
}
