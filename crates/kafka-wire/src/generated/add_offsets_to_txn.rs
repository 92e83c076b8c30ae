//! Takes a group's offsets into a transaction.
//!
//! KIP-98.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of AddOffsetsToTxn (API key 25), versions 0 to 4.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddOffsetsToTxnRequest {
    /// All versions.
    pub transactional_id: Str,
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub producer_epoch: i16,
    /// All versions.
    pub group_id: Str,
}

impl Wire for AddOffsetsToTxnRequest {
    const BYTES_MIN: usize = 13;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            transactional_id: reader.string(at)?,
            producer_id: reader.i64()?,
            producer_epoch: reader.i16()?,
            group_id: reader.string(at)?,
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
        encoder.string(&self.group_id, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for AddOffsetsToTxnRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 4;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for AddOffsetsToTxnRequest {
    const KEY: ApiKey = ApiKey::AddOffsetsToTxn;
    type Response = AddOffsetsToTxnResponse;
}

/// The response of AddOffsetsToTxn (API key 25), versions 0 to 4.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddOffsetsToTxnResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
}

impl Wire for AddOffsetsToTxnResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: reader.i16()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.i16(self.error_code);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for AddOffsetsToTxnResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 4;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Response for AddOffsetsToTxnResponse {
    const KEY: ApiKey = ApiKey::AddOffsetsToTxn;
}
