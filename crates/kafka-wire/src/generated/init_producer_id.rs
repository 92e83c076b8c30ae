//! Hands out the producer id and epoch of an idempotent or transactional producer.
//!
//! KIP-98, KIP-360 epoch bump, KIP-890 part 2, KIP-939 two-phase commit (v6, not stable).
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of InitProducerId (API key 22), versions 0 to 6.
#[derive(Clone, Debug, PartialEq)]
pub struct InitProducerIdRequest {
    /// All versions. May be null.
    pub transactional_id: Option<Str>,
    /// All versions.
    pub transaction_timeout_ms: i32,
    /// Version 3 and later. Default: -1. Must be left at its default at other versions.
    pub producer_id: i64,
    /// Version 3 and later. Default: -1. Must be left at its default at other versions.
    pub producer_epoch: i16,
    /// Version 6 and later. Must be left at its default at other versions.
    pub enable2_pc: bool,
    /// Version 6 and later. Must be left at its default at other versions.
    pub keep_prepared_txn: bool,
}

impl Default for InitProducerIdRequest {
    fn default() -> Self {
        Self {
            transactional_id: Some(Str::new()),
            transaction_timeout_ms: 0,
            producer_id: -1,
            producer_epoch: -1,
            enable2_pc: false,
            keep_prepared_txn: false,
        }
    }
}

impl Wire for InitProducerIdRequest {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            transactional_id: reader.opt_string(at)?,
            transaction_timeout_ms: reader.i32()?,
            producer_id: if at.version >= 3 { reader.i64()? } else { -1 },
            producer_epoch: if at.version >= 3 { reader.i16()? } else { -1 },
            enable2_pc: if at.version >= 6 { reader.boolean()? } else { false },
            keep_prepared_txn: if at.version >= 6 { reader.boolean()? } else { false },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.opt_string(&self.transactional_id, at)?;
        encoder.i32(self.transaction_timeout_ms);
        if at.version >= 3 {
            encoder.i64(self.producer_id);
        } else if self.producer_id != -1 {
            return Err(at.no_field("producer_id"));
        }
        if at.version >= 3 {
            encoder.i16(self.producer_epoch);
        } else if self.producer_epoch != -1 {
            return Err(at.no_field("producer_epoch"));
        }
        if at.version >= 6 {
            encoder.boolean(self.enable2_pc);
        } else if self.enable2_pc {
            return Err(at.no_field("enable2_pc"));
        }
        if at.version >= 6 {
            encoder.boolean(self.keep_prepared_txn);
        } else if self.keep_prepared_txn {
            return Err(at.no_field("keep_prepared_txn"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for InitProducerIdRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 6;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Request for InitProducerIdRequest {
    const KEY: ApiKey = ApiKey::InitProducerId;
    type Response = InitProducerIdResponse;
}

/// The response of InitProducerId (API key 22), versions 0 to 6.
#[derive(Clone, Debug, PartialEq)]
pub struct InitProducerIdResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions. Default: -1.
    pub producer_id: i64,
    /// All versions.
    pub producer_epoch: i16,
    /// Version 6 and later. Default: -1. Must be left at its default at other versions.
    pub ongoing_txn_producer_id: i64,
    /// Version 6 and later. Default: -1. Must be left at its default at other versions.
    pub ongoing_txn_producer_epoch: i16,
}

impl Default for InitProducerIdResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            producer_id: -1,
            producer_epoch: 0,
            ongoing_txn_producer_id: -1,
            ongoing_txn_producer_epoch: -1,
        }
    }
}

impl Wire for InitProducerIdResponse {
    const BYTES_MIN: usize = 16;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: reader.i16()?,
            producer_id: reader.i64()?,
            producer_epoch: reader.i16()?,
            ongoing_txn_producer_id: if at.version >= 6 { reader.i64()? } else { -1 },
            ongoing_txn_producer_epoch: if at.version >= 6 { reader.i16()? } else { -1 },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.i16(self.error_code);
        encoder.i64(self.producer_id);
        encoder.i16(self.producer_epoch);
        if at.version >= 6 {
            encoder.i64(self.ongoing_txn_producer_id);
        } else if self.ongoing_txn_producer_id != -1 {
            return Err(at.no_field("ongoing_txn_producer_id"));
        }
        if at.version >= 6 {
            encoder.i16(self.ongoing_txn_producer_epoch);
        } else if self.ongoing_txn_producer_epoch != -1 {
            return Err(at.no_field("ongoing_txn_producer_epoch"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

impl Message for InitProducerIdResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 6;
    const FLEXIBLE_FROM: i16 = 2;
}

impl Response for InitProducerIdResponse {
    const KEY: ApiKey = ApiKey::InitProducerId;
}
