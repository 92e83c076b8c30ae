//! Commits or aborts a transaction.
//!
//! KIP-98, KIP-890 part 2 answers with the next epoch (v5).
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of EndTxn (API key 26), versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndTxnRequest {
    /// All versions.
    pub transactional_id: Str,
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub producer_epoch: i16,
    /// All versions.
    pub committed: bool,
}

impl Wire for EndTxnRequest {
    const BYTES_MIN: usize = 13;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            transactional_id: reader.string(at)?,
            producer_id: reader.i64()?,
            producer_epoch: reader.i16()?,
            committed: reader.boolean()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.transactional_id, at)?;
        encoder.i64(self.producer_id);
        encoder.i16(self.producer_epoch);
        encoder.boolean(self.committed);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for EndTxnRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for EndTxnRequest {
    const KEY: ApiKey = ApiKey::EndTxn;
    type Response = EndTxnResponse;
}

/// The response of EndTxn (API key 26), versions 0 to 5.
#[derive(Clone, Debug, PartialEq)]
pub struct EndTxnResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// Version 5 and later. Default: -1.
    pub producer_id: i64,
    /// Version 5 and later. Default: -1.
    pub producer_epoch: i16,
}

impl Default for EndTxnResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            producer_id: -1,
            producer_epoch: -1,
        }
    }
}

impl Wire for EndTxnResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: reader.i16()?,
            producer_id: if at.version >= 5 { reader.i64()? } else { -1 },
            producer_epoch: if at.version >= 5 { reader.i16()? } else { -1 },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.i16(self.error_code);
        if at.version >= 5 {
            encoder.i64(self.producer_id);
        }
        if at.version >= 5 {
            encoder.i16(self.producer_epoch);
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for EndTxnResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Response for EndTxnResponse {
    const KEY: ApiKey = ApiKey::EndTxn;
}
