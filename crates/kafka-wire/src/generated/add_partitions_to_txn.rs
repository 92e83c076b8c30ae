//! Takes partitions into a transaction, or verifies that they are in it.
//!
//! KIP-98, KIP-890 batches for brokers (v4).
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of AddPartitionsToTxn (API key 24), versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnRequest {
    /// Version 4 and later. Must be left at its default at other versions.
    pub transactions: Vec<AddPartitionsToTxnTransaction>,
    /// Versions 0 to 3. Must be left at its default at other versions.
    pub v3_and_below_transactional_id: Str,
    /// Versions 0 to 3. Must be left at its default at other versions.
    pub v3_and_below_producer_id: i64,
    /// Versions 0 to 3. Must be left at its default at other versions.
    pub v3_and_below_producer_epoch: i16,
    /// Versions 0 to 3. Must be left at its default at other versions.
    pub v3_and_below_topics: Vec<AddPartitionsToTxnTopic>,
}

impl Wire for AddPartitionsToTxnRequest {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            transactions: if at.version >= 4 {
                reader.array(at)?
            } else {
                Vec::new()
            },
            v3_and_below_transactional_id: if at.version <= 3 {
                reader.string(at)?
            } else {
                Str::new()
            },
            v3_and_below_producer_id: if at.version <= 3 { reader.i64()? } else { 0 },
            v3_and_below_producer_epoch: if at.version <= 3 { reader.i16()? } else { 0 },
            v3_and_below_topics: if at.version <= 3 {
                reader.array(at)?
            } else {
                Vec::new()
            },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        if at.version >= 4 {
            encoder.array(&self.transactions, at)?;
        } else if !self.transactions.is_empty() {
            return Err(at.no_field("transactions"));
        }
        if at.version <= 3 {
            encoder.string(&self.v3_and_below_transactional_id, at)?;
        } else if !self.v3_and_below_transactional_id.is_empty() {
            return Err(at.no_field("v3_and_below_transactional_id"));
        }
        if at.version <= 3 {
            encoder.i64(self.v3_and_below_producer_id);
        } else if self.v3_and_below_producer_id != 0 {
            return Err(at.no_field("v3_and_below_producer_id"));
        }
        if at.version <= 3 {
            encoder.i16(self.v3_and_below_producer_epoch);
        } else if self.v3_and_below_producer_epoch != 0 {
            return Err(at.no_field("v3_and_below_producer_epoch"));
        }
        if at.version <= 3 {
            encoder.array(&self.v3_and_below_topics, at)?;
        } else if !self.v3_and_below_topics.is_empty() {
            return Err(at.no_field("v3_and_below_topics"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`AddPartitionsToTxnRequest`], versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnTopic {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partitions: Vec<i32>,
}

impl Wire for AddPartitionsToTxnTopic {
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

/// Part of [`AddPartitionsToTxnRequest`], versions 4 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnTransaction {
    /// All versions.
    pub transactional_id: Str,
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub producer_epoch: i16,
    /// All versions.
    pub verify_only: bool,
    /// All versions.
    pub topics: Vec<AddPartitionsToTxnTopic>,
}

impl Wire for AddPartitionsToTxnTransaction {
    const BYTES_MIN: usize = 14;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            transactional_id: reader.string(at)?,
            producer_id: reader.i64()?,
            producer_epoch: reader.i16()?,
            verify_only: reader.boolean()?,
            topics: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.transactional_id, at)?;
        encoder.i64(self.producer_id);
        encoder.i16(self.producer_epoch);
        encoder.boolean(self.verify_only);
        encoder.array(&self.topics, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for AddPartitionsToTxnRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Request for AddPartitionsToTxnRequest {
    const KEY: ApiKey = ApiKey::AddPartitionsToTxn;
    type Response = AddPartitionsToTxnResponse;
}

/// The response of AddPartitionsToTxn (API key 24), versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// Version 4 and later.
    pub error_code: i16,
    /// Version 4 and later. Must be left at its default at other versions.
    pub results_by_transaction: Vec<AddPartitionsToTxnResult>,
    /// Versions 0 to 3. Must be left at its default at other versions.
    pub results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>,
}

impl Wire for AddPartitionsToTxnResponse {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: if at.version >= 4 { reader.i16()? } else { 0 },
            results_by_transaction: if at.version >= 4 {
                reader.array(at)?
            } else {
                Vec::new()
            },
            results_by_topic_v3_and_below: if at.version <= 3 {
                reader.array(at)?
            } else {
                Vec::new()
            },
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        if at.version >= 4 {
            encoder.i16(self.error_code);
        }
        if at.version >= 4 {
            encoder.array(&self.results_by_transaction, at)?;
        } else if !self.results_by_transaction.is_empty() {
            return Err(at.no_field("results_by_transaction"));
        }
        if at.version <= 3 {
            encoder.array(&self.results_by_topic_v3_and_below, at)?;
        } else if !self.results_by_topic_v3_and_below.is_empty() {
            return Err(at.no_field("results_by_topic_v3_and_below"));
        }
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`AddPartitionsToTxnResponse`], versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnTopicResult {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
}

impl Wire for AddPartitionsToTxnTopicResult {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            results_by_partition: reader.array(at)?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.array(&self.results_by_partition, at)?;
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`AddPartitionsToTxnResponse`], versions 0 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnPartitionResult {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub partition_error_code: i16,
}

impl Wire for AddPartitionsToTxnPartitionResult {
    const BYTES_MIN: usize = 6;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            partition_error_code: reader.i16()?,
        };
        if at.flexible {
            reader.skip_tags()?;
        }
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.i16(self.partition_error_code);
        if at.flexible {
            encoder.uvarint(0);
        }
        Ok(())
    }
}

/// Part of [`AddPartitionsToTxnResponse`], versions 4 to 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnResult {
    /// All versions.
    pub transactional_id: Str,
    /// All versions.
    pub topic_results: Vec<AddPartitionsToTxnTopicResult>,
}

impl Wire for AddPartitionsToTxnResult {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            transactional_id: reader.string(at)?,
            topic_results: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.transactional_id, at)?;
        encoder.array(&self.topic_results, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for AddPartitionsToTxnResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 5;
    const FLEXIBLE_FROM: i16 = 3;
}

impl Response for AddPartitionsToTxnResponse {
    const KEY: ApiKey = ApiKey::AddPartitionsToTxn;
}
