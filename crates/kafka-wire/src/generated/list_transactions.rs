//! Transactions that a broker coordinates.
//!
//! KIP-664, KIP-994 duration filter, KIP-1152 pattern filter.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of ListTransactions (API key 66), versions 0 to 2.
#[derive(Clone, Debug, PartialEq)]
pub struct ListTransactionsRequest {
    /// All versions.
    pub state_filters: Vec<Str>,
    /// All versions.
    pub producer_id_filters: Vec<i64>,
    /// Version 1 and later. Default: -1. Must be left at its default at other versions.
    pub duration_filter: i64,
    /// Version 2 and later. May be null. Default: null. Must be left at its default at other versions.
    pub transactional_id_pattern: Option<Str>,
}

impl Default for ListTransactionsRequest {
    fn default() -> Self {
        Self {
            state_filters: Vec::new(),
            producer_id_filters: Vec::new(),
            duration_filter: -1,
            transactional_id_pattern: None,
        }
    }
}

impl Wire for ListTransactionsRequest {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            state_filters: reader.array(at)?,
            producer_id_filters: reader.array(at)?,
            duration_filter: if at.version >= 1 { reader.i64()? } else { -1 },
            transactional_id_pattern: if at.version >= 2 {
                reader.opt_string(at)?
            } else {
                None
            },
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.state_filters, at)?;
        encoder.array(&self.producer_id_filters, at)?;
        if at.version >= 1 {
            encoder.i64(self.duration_filter);
        } else if self.duration_filter != -1 {
            return Err(at.no_field("duration_filter"));
        }
        if at.version >= 2 {
            encoder.opt_string(&self.transactional_id_pattern, at)?;
        } else if self.transactional_id_pattern.is_some() {
            return Err(at.no_field("transactional_id_pattern"));
        }
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for ListTransactionsRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for ListTransactionsRequest {
    const KEY: ApiKey = ApiKey::ListTransactions;
    type Response = ListTransactionsResponse;
}

/// The response of ListTransactions (API key 66), versions 0 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListTransactionsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub unknown_state_filters: Vec<Str>,
    /// All versions.
    pub transaction_states: Vec<TransactionState>,
}

impl Wire for ListTransactionsResponse {
    const BYTES_MIN: usize = 9;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: reader.i16()?,
            unknown_state_filters: reader.array(at)?,
            transaction_states: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.i16(self.error_code);
        encoder.array(&self.unknown_state_filters, at)?;
        encoder.array(&self.transaction_states, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`ListTransactionsResponse`], versions 0 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactionState {
    /// All versions.
    pub transactional_id: Str,
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub transaction_state: Str,
}

impl Wire for TransactionState {
    const BYTES_MIN: usize = 11;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            transactional_id: reader.string(at)?,
            producer_id: reader.i64()?,
            transaction_state: reader.string(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.transactional_id, at)?;
        encoder.i64(self.producer_id);
        encoder.string(&self.transaction_state, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for ListTransactionsResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for ListTransactionsResponse {
    const KEY: ApiKey = ApiKey::ListTransactions;
}
