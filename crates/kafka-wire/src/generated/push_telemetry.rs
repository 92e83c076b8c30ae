//! Metrics of a client.
//!
//! KIP-714.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::uuid::Uuid;
use crate::wire::{At, Message, Request, Response, Wire};
use bytes::Bytes;

/// The request of PushTelemetry (API key 72), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PushTelemetryRequest {
    /// All versions.
    pub client_instance_id: Uuid,
    /// All versions.
    pub subscription_id: i32,
    /// All versions.
    pub terminating: bool,
    /// All versions.
    pub compression_type: i8,
    /// All versions.
    pub metrics: Bytes,
}

impl Wire for PushTelemetryRequest {
    const BYTES_MIN: usize = 24;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            client_instance_id: reader.uuid()?,
            subscription_id: reader.i32()?,
            terminating: reader.boolean()?,
            compression_type: reader.i8()?,
            metrics: reader.bytes(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.uuid(self.client_instance_id);
        encoder.i32(self.subscription_id);
        encoder.boolean(self.terminating);
        encoder.i8(self.compression_type);
        encoder.bytes(&self.metrics, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for PushTelemetryRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for PushTelemetryRequest {
    const KEY: ApiKey = ApiKey::PushTelemetry;
    type Response = PushTelemetryResponse;
}

/// The response of PushTelemetry (API key 72), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PushTelemetryResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
}

impl Wire for PushTelemetryResponse {
    const BYTES_MIN: usize = 7;

    fn read(reader: &mut Reader<'_>, _at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: reader.i16()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, _at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.i16(self.error_code);
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for PushTelemetryResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for PushTelemetryResponse {
    const KEY: ApiKey = ApiKey::PushTelemetry;
}
