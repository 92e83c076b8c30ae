//! Which APIs and versions a broker serves. Its response header never has tags.
//!
//! KIP-35, KIP-511 client name, KIP-584 features.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of ApiVersions (API key 18), versions 0 to 4.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiVersionsRequest {
    /// Version 3 and later.
    pub client_software_name: Str,
    /// Version 3 and later.
    pub client_software_version: Str,
}

impl Wire for ApiVersionsRequest {
    const BYTES_MIN: usize = 1;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            client_software_name: if at.version >= 3 {
                reader.string(at)?
            } else {
                Str::new()
            },
            client_software_version: if at.version >= 3 {
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
        if at.version >= 3 {
            encoder.string(&self.client_software_name, at)?;
        }
        if at.version >= 3 {
            encoder.string(&self.client_software_version, at)?;
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for ApiVersionsRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 4;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for ApiVersionsRequest {
    const KEY: ApiKey = ApiKey::ApiVersions;
    type Response = ApiVersionsResponse;
}

/// The response of ApiVersions (API key 18), versions 0 to 4.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiVersionsResponse {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub api_keys: Vec<ApiVersion>,
    /// Version 1 and later.
    pub throttle_time_ms: i32,
    /// Version 3 and later. Tag 0.
    pub supported_features: Vec<SupportedFeatureKey>,
    /// Version 3 and later. Tag 1. Default: -1.
    pub finalized_features_epoch: i64,
    /// Version 3 and later. Tag 2.
    pub finalized_features: Vec<FinalizedFeatureKey>,
    /// Version 3 and later. Tag 3.
    pub zk_migration_ready: bool,
}

impl Default for ApiVersionsResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            api_keys: Vec::new(),
            throttle_time_ms: 0,
            supported_features: Vec::new(),
            finalized_features_epoch: -1,
            finalized_features: Vec::new(),
            zk_migration_ready: false,
        }
    }
}

impl Wire for ApiVersionsResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let mut message = Self {
            error_code: reader.i16()?,
            api_keys: reader.array(at)?,
            throttle_time_ms: if at.version >= 1 { reader.i32()? } else { 0 },
            supported_features: Vec::new(),
            finalized_features_epoch: -1,
            finalized_features: Vec::new(),
            zk_migration_ready: false,
        };
        if at.flexible {
            reader.tags(|tag, reader| {
                match tag {
                    0 => message.supported_features = reader.array(at)?,
                    1 => message.finalized_features_epoch = reader.i64()?,
                    2 => message.finalized_features = reader.array(at)?,
                    3 => message.zk_migration_ready = reader.boolean()?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        encoder.array(&self.api_keys, at)?;
        if at.version >= 1 {
            encoder.i32(self.throttle_time_ms);
        }
        if at.flexible {
            let has_supported_features = !self.supported_features.is_empty();
            let has_finalized_features_epoch = self.finalized_features_epoch != -1;
            let has_finalized_features = !self.finalized_features.is_empty();
            let has_zk_migration_ready = self.zk_migration_ready;
            encoder.uvarint(
                u32::from(has_supported_features)
                    + u32::from(has_finalized_features_epoch)
                    + u32::from(has_finalized_features)
                    + u32::from(has_zk_migration_ready),
            );
            if has_supported_features {
                encoder.tag(0, |encoder| encoder.array(&self.supported_features, at))?;
            }
            if has_finalized_features_epoch {
                encoder.tag(1, |encoder| {
                    encoder.i64(self.finalized_features_epoch);
                    Ok(())
                })?;
            }
            if has_finalized_features {
                encoder.tag(2, |encoder| encoder.array(&self.finalized_features, at))?;
            }
            if has_zk_migration_ready {
                encoder.tag(3, |encoder| {
                    encoder.boolean(self.zk_migration_ready);
                    Ok(())
                })?;
            }
        }
        Ok(())
    }
}

/// Part of [`ApiVersionsResponse`], versions 0 to 4.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiVersion {
    /// All versions.
    pub api_key: i16,
    /// All versions.
    pub min_version: i16,
    /// All versions.
    pub max_version: i16,
}

impl Wire for ApiVersion {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            api_key: reader.i16()?,
            min_version: reader.i16()?,
            max_version: reader.i16()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.api_key);
        encoder.i16(self.min_version);
        encoder.i16(self.max_version);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`ApiVersionsResponse`], versions 3 to 4.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SupportedFeatureKey {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub min_version: i16,
    /// All versions.
    pub max_version: i16,
}

impl Wire for SupportedFeatureKey {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            min_version: reader.i16()?,
            max_version: reader.i16()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.i16(self.min_version);
        encoder.i16(self.max_version);
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`ApiVersionsResponse`], versions 3 to 4.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FinalizedFeatureKey {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub max_version_level: i16,
    /// All versions.
    pub min_version_level: i16,
}

impl Wire for FinalizedFeatureKey {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            max_version_level: reader.i16()?,
            min_version_level: reader.i16()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.i16(self.max_version_level);
        encoder.i16(self.min_version_level);
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for ApiVersionsResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 4;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Response for ApiVersionsResponse {
    const KEY: ApiKey = ApiKey::ApiVersions;
}
