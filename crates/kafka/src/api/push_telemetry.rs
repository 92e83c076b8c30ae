//! PushTelemetry (72): metrics of a client, in OpenTelemetry's protobuf (KIP-714).
//!
//! Version 0, flexible. What is pushed is bounded before and after it is opened (telemetry.max.bytes, `OPENED_BYTES_MAX`).

use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use crate::telemetry::{PushHead, otlp};
use millstream_broker::compression::{Unopened, open};
use millstream_kafka_wire::Uuid;
use millstream_kafka_wire::push_telemetry::{PushTelemetryRequest, PushTelemetryResponse};
use std::sync::Arc;

pub(crate) struct PushTelemetry;

/// The most that a push is opened to. Text of metrics compresses well; a bomb is refused here.
const OPENED_BYTES_MAX: usize = 8 << 20;

impl Api for PushTelemetry {
    type Request = PushTelemetryRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: PushTelemetryRequest,
    ) -> Begun<PushTelemetryResponse> {
        let code = push(&kafka, &call, &request).err().unwrap_or(ErrorCode::NONE);
        Begun::Done(PushTelemetryResponse {
            error_code: code.0,
            ..Default::default()
        })
    }
}

fn push(kafka: &Kafka, call: &Call, request: &PushTelemetryRequest) -> Result<(), ErrorCode> {
    let instance = request.client_instance_id;
    if instance == Uuid::ZERO {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    let head = PushHead {
        instance,
        subscription: request.subscription_id,
        is_last: request.terminating,
    };
    kafka
        .telemetry
        .admit(&head, call.client_facts(instance), kafka.monotonic())
        .map_err(|error| error.code())?;
    if request.metrics.len() > kafka.broker.settings().telemetry_bytes_max {
        return Err(ErrorCode::TELEMETRY_TOO_LARGE);
    }
    let opened = open(request.compression_type, &request.metrics, OPENED_BYTES_MAX);
    let opened = opened.map_err(|error| match error {
        Unopened::UnknownCodec => {
            kafka.telemetry.let_ask(instance);
            ErrorCode::UNSUPPORTED_COMPRESSION_TYPE
        }
        Unopened::TooLarge => ErrorCode::TELEMETRY_TOO_LARGE,
        Unopened::Malformed => ErrorCode::INVALID_RECORD,
    })?;
    let samples = otlp::samples(&opened).map_err(|otlp::Malformed| ErrorCode::INVALID_RECORD)?;
    kafka.telemetry.take(&head, samples);
    Ok(())
}
