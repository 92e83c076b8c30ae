//! State of transactional ids.
//!
//! KIP-664.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of DescribeTransactions (API key 65), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeTransactionsRequest {
    /// All versions.
    pub transactional_ids: Vec<Str>,
}

impl Wire for DescribeTransactionsRequest {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            transactional_ids: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.transactional_ids, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeTransactionsRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for DescribeTransactionsRequest {
    const KEY: ApiKey = ApiKey::DescribeTransactions;
    type Response = DescribeTransactionsResponse;
}

/// The response of DescribeTransactions (API key 65), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeTransactionsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub transaction_states: Vec<TransactionState>,
}

impl Wire for DescribeTransactionsResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            transaction_states: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.array(&self.transaction_states, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeTransactionsResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactionState {
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub transactional_id: Str,
    /// All versions.
    pub transaction_state: Str,
    /// All versions.
    pub transaction_timeout_ms: i32,
    /// All versions.
    pub transaction_start_time_ms: i64,
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub producer_epoch: i16,
    /// All versions.
    pub topics: Vec<TopicData>,
}

impl Wire for TransactionState {
    const BYTES_MIN: usize = 28;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            error_code: reader.i16()?,
            transactional_id: reader.string(at)?,
            transaction_state: reader.string(at)?,
            transaction_timeout_ms: reader.i32()?,
            transaction_start_time_ms: reader.i64()?,
            producer_id: reader.i64()?,
            producer_epoch: reader.i16()?,
            topics: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i16(self.error_code);
        encoder.string(&self.transactional_id, at)?;
        encoder.string(&self.transaction_state, at)?;
        encoder.i32(self.transaction_timeout_ms);
        encoder.i64(self.transaction_start_time_ms);
        encoder.i64(self.producer_id);
        encoder.i16(self.producer_epoch);
        encoder.array(&self.topics, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`DescribeTransactionsResponse`], versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicData {
    /// All versions.
    pub topic: Str,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Wire for TopicData {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            topic: reader.string(at)?,
            partitions: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.topic, at)?;
        encoder.array(&self.partitions, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for DescribeTransactionsResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for DescribeTransactionsResponse {
    const KEY: ApiKey = ApiKey::DescribeTransactions;
}
