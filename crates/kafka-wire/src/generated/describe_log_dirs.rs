//! Directories of a broker and what they hold.
//!
//! KIP-113, KIP-784 errors, KIP-827 volume sizes, KIP-1066 cordoned directories (v5).
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of DescribeLogDirs (API key 35), versions 1 to 5.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeLogDirsRequest {
    /// All versions. May be null.
    pub topics: Option<Vec<DescribableLogDirTopic>>,
}

impl Default for DescribeLogDirsRequest {
    fn default() -> Self {
        Self {
            topics: Some(Vec::new()),
        }
    }
}

impl Wire for DescribeLogDirsRequest {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topics: reader.opt_array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.opt_array(&self.topics, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeLogDirsRequest`], versions 1 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribableLogDirTopic {
    /// All versions.
    pub topic: Str,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Wire for DescribableLogDirTopic {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic: reader.string(at)?,
            partitions: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.topic, at)?;
        encoder.array(&self.partitions, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeLogDirsRequest {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for DescribeLogDirsRequest {
    const KEY: ApiKey = ApiKey::DescribeLogDirs;
    type Response = DescribeLogDirsResponse;
}

/// The response of DescribeLogDirs (API key 35), versions 1 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeLogDirsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// Version 3 and later.
    pub error_code: i16,
    /// All versions.
    pub results: Vec<DescribeLogDirsResult>,
}

impl Wire for DescribeLogDirsResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: if at.version >= 3 { reader.i16()? } else { 0 },
            results: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        if at.version >= 3 {
            encoder.i16(self.error_code);
        }
        encoder.array(&self.results, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeLogDirsResponse`], versions 1 to 5.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribeLogDirsResult {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub log_dir: Str,
    /// All versions.
    pub topics: Vec<DescribeLogDirsTopic>,
    /// Version 4 and later. Default: -1.
    pub total_bytes: i64,
    /// Version 4 and later. Default: -1.
    pub usable_bytes: i64,
    /// Version 5 and later.
    pub is_cordoned: bool,
}

impl Default for DescribeLogDirsResult {
    fn default() -> Self {
        Self {
            error_code: 0,
            log_dir: Str::new(),
            topics: Vec::new(),
            total_bytes: -1,
            usable_bytes: -1,
            is_cordoned: false,
        }
    }
}

impl Wire for DescribeLogDirsResult {
    const BYTES_MIN: usize = 5;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            log_dir: reader.string(at)?,
            topics: reader.array(at)?,
            total_bytes: if at.version >= 4 { reader.i64()? } else { -1 },
            usable_bytes: if at.version >= 4 { reader.i64()? } else { -1 },
            is_cordoned: if at.version >= 5 { reader.boolean()? } else { false },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        encoder.string(&self.log_dir, at)?;
        encoder.array(&self.topics, at)?;
        if at.version >= 4 {
            encoder.i64(self.total_bytes);
        }
        if at.version >= 4 {
            encoder.i64(self.usable_bytes);
        }
        if at.version >= 5 {
            encoder.boolean(self.is_cordoned);
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeLogDirsResponse`], versions 1 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeLogDirsTopic {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partitions: Vec<DescribeLogDirsPartition>,
}

impl Wire for DescribeLogDirsTopic {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            partitions: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.array(&self.partitions, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`DescribeLogDirsResponse`], versions 1 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeLogDirsPartition {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub partition_size: i64,
    /// All versions.
    pub offset_lag: i64,
    /// All versions.
    pub is_future_key: bool,
}

impl Wire for DescribeLogDirsPartition {
    const BYTES_MIN: usize = 21;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            partition_size: reader.i64()?,
            offset_lag: reader.i64()?,
            is_future_key: reader.boolean()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.i64(self.partition_size);
        encoder.i64(self.offset_lag);
        encoder.boolean(self.is_future_key);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for DescribeLogDirsResponse {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for DescribeLogDirsResponse {
    const KEY: ApiKey = ApiKey::DescribeLogDirs;
}
