//! Coordinator to leader: writes commit and abort markers.
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

/// The request of WriteTxnMarkers (API key 27), versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WriteTxnMarkersRequest {
    /// All versions.
    pub markers: Vec<WritableTxnMarker>,
}

impl Wire for WriteTxnMarkersRequest {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            markers: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.markers, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`WriteTxnMarkersRequest`], versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WritableTxnMarker {
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub producer_epoch: i16,
    /// All versions.
    pub transaction_result: bool,
    /// All versions.
    pub topics: Vec<WritableTxnMarkerTopic>,
    /// All versions.
    pub coordinator_epoch: i32,
    /// Version 2 and later.
    pub transaction_version: i8,
}

impl Wire for WritableTxnMarker {
    const BYTES_MIN: usize = 17;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            producer_id: reader.i64()?,
            producer_epoch: reader.i16()?,
            transaction_result: reader.boolean()?,
            topics: reader.array(at)?,
            coordinator_epoch: reader.i32()?,
            transaction_version: if at.version >= 2 { reader.i8()? } else { 0 },
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i64(self.producer_id);
        encoder.i16(self.producer_epoch);
        encoder.boolean(self.transaction_result);
        encoder.array(&self.topics, at)?;
        encoder.i32(self.coordinator_epoch);
        if at.version >= 2 {
            encoder.i8(self.transaction_version);
        }
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`WriteTxnMarkersRequest`], versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WritableTxnMarkerTopic {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partition_indexes: Vec<i32>,
}

impl Wire for WritableTxnMarkerTopic {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            partition_indexes: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.array(&self.partition_indexes, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for WriteTxnMarkersRequest {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 1;
}

impl Request for WriteTxnMarkersRequest {
    const KEY: ApiKey = ApiKey::WriteTxnMarkers;
    type Response = WriteTxnMarkersResponse;
}

/// The response of WriteTxnMarkers (API key 27), versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WriteTxnMarkersResponse {
    /// All versions.
    pub markers: Vec<WritableTxnMarkerResult>,
}

impl Wire for WriteTxnMarkersResponse {
    const BYTES_MIN: usize = 2;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            markers: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.array(&self.markers, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`WriteTxnMarkersResponse`], versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WritableTxnMarkerResult {
    /// All versions.
    pub producer_id: i64,
    /// All versions.
    pub topics: Vec<WritableTxnMarkerTopicResult>,
}

impl Wire for WritableTxnMarkerResult {
    const BYTES_MIN: usize = 10;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            producer_id: reader.i64()?,
            topics: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i64(self.producer_id);
        encoder.array(&self.topics, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`WriteTxnMarkersResponse`], versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WritableTxnMarkerTopicResult {
    /// All versions.
    pub name: Str,
    /// All versions.
    pub partitions: Vec<WritableTxnMarkerPartitionResult>,
}

impl Wire for WritableTxnMarkerTopicResult {
    const BYTES_MIN: usize = 3;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            name: reader.string(at)?,
            partitions: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.string(&self.name, at)?;
        encoder.array(&self.partitions, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

/// Part of [`WriteTxnMarkersResponse`], versions 1 to 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WritableTxnMarkerPartitionResult {
    /// All versions.
    pub partition_index: i32,
    /// All versions.
    pub error_code: i16,
}

impl Wire for WritableTxnMarkerPartitionResult {
    const BYTES_MIN: usize = 7;

    fn read(reader: &mut Reader<'_>, _at: At) -> Result<Self, DecodeError> {
        let message = Self {
            partition_index: reader.i32()?,
            error_code: reader.i16()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, _at: At) -> Result<(), EncodeError> {
        encoder.i32(self.partition_index);
        encoder.i16(self.error_code);
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for WriteTxnMarkersResponse {
    const VERSION_MIN: i16 = 1;
    const VERSION_MAX: i16 = 2;
    const FLEXIBLE_FROM: i16 = 1;
}

impl Response for WriteTxnMarkersResponse {
    const KEY: ApiKey = ApiKey::WriteTxnMarkers;
}
