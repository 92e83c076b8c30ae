//! Which metrics a client is to push.
//!
//! KIP-714.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::ApiKey;
use crate::encoder::Encoder;
use crate::error::{DecodeError, EncodeError};
use crate::reader::Reader;
use crate::text::Str;
use crate::uuid::Uuid;
use crate::wire::{At, Message, Request, Response, Wire};

/// The request of GetTelemetrySubscriptions (API key 71), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetTelemetrySubscriptionsRequest {
    /// All versions.
    pub client_instance_id: Uuid,
}

impl Wire for GetTelemetrySubscriptionsRequest {
    const BYTES_MIN: usize = 17;

    fn read(reader: &mut Reader<'_>, _at: At) -> Result<Self, DecodeError> {
        let message = Self {
            client_instance_id: reader.uuid()?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, _at: At) -> Result<(), EncodeError> {
        encoder.uuid(self.client_instance_id);
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for GetTelemetrySubscriptionsRequest {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Request for GetTelemetrySubscriptionsRequest {
    const KEY: ApiKey = ApiKey::GetTelemetrySubscriptions;
    type Response = GetTelemetrySubscriptionsResponse;
}

/// The response of GetTelemetrySubscriptions (API key 71), versions 0 to 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetTelemetrySubscriptionsResponse {
    /// All versions.
    pub throttle_time_ms: i32,
    /// All versions.
    pub error_code: i16,
    /// All versions.
    pub client_instance_id: Uuid,
    /// All versions.
    pub subscription_id: i32,
    /// All versions.
    pub accepted_compression_types: Vec<i8>,
    /// All versions.
    pub push_interval_ms: i32,
    /// All versions.
    pub telemetry_max_bytes: i32,
    /// All versions.
    pub delta_temporality: bool,
    /// All versions.
    pub requested_metrics: Vec<Str>,
}

impl Wire for GetTelemetrySubscriptionsResponse {
    const BYTES_MIN: usize = 38;

    fn read(reader: &mut Reader<'_>, at: At) -> Result<Self, DecodeError> {
        let message = Self {
            throttle_time_ms: reader.i32()?,
            error_code: reader.i16()?,
            client_instance_id: reader.uuid()?,
            subscription_id: reader.i32()?,
            accepted_compression_types: reader.array(at)?,
            push_interval_ms: reader.i32()?,
            telemetry_max_bytes: reader.i32()?,
            delta_temporality: reader.boolean()?,
            requested_metrics: reader.array(at)?,
        };
        reader.skip_tags()?;
        Ok(message)
    }

    fn write(&self, encoder: &mut Encoder, at: At) -> Result<(), EncodeError> {
        encoder.i32(self.throttle_time_ms);
        encoder.i16(self.error_code);
        encoder.uuid(self.client_instance_id);
        encoder.i32(self.subscription_id);
        encoder.array(&self.accepted_compression_types, at)?;
        encoder.i32(self.push_interval_ms);
        encoder.i32(self.telemetry_max_bytes);
        encoder.boolean(self.delta_temporality);
        encoder.array(&self.requested_metrics, at)?;
        encoder.uvarint(0);
        Ok(())
    }
}

impl Message for GetTelemetrySubscriptionsResponse {
    const VERSION_MIN: i16 = 0;
    const VERSION_MAX: i16 = 0;
    const FLEXIBLE_FROM: i16 = 0;
}

impl Response for GetTelemetrySubscriptionsResponse {
    const KEY: ApiKey = ApiKey::GetTelemetrySubscriptions;
}
