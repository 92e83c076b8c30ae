//! GetTelemetrySubscriptions (71): which metrics a client is to push, and how often (KIP-714).
//!
//! Version 0, flexible. A client without an id of its instance is given one.

use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_kafka_wire::get_telemetry_subscriptions::{
    GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse,
};
use millstream_kafka_wire::{Str, Uuid};
use std::sync::Arc;

pub(crate) struct GetTelemetrySubscriptions;

/// Codecs of a push, the preferred first: zstd, lz4, gzip, snappy. Plain is always taken.
const CODECS: [i8; 4] = [4, 3, 1, 2];

impl Api for GetTelemetrySubscriptions {
    type Request = GetTelemetrySubscriptionsRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: GetTelemetrySubscriptionsRequest,
    ) -> Begun<GetTelemetrySubscriptionsResponse> {
        let id = match request.client_instance_id {
            Uuid::ZERO => Uuid(kafka.broker.draw_id()),
            known => known,
        };
        let mut response = GetTelemetrySubscriptionsResponse::default();
        match kafka
            .telemetry
            .subscribe(id, call.client_facts(id), kafka.monotonic())
        {
            Ok(wanted) => {
                response.client_instance_id = id;
                response.subscription_id = wanted.id;
                response.accepted_compression_types = CODECS.to_vec();
                response.push_interval_ms = i32::try_from(wanted.interval_ms).unwrap_or(i32::MAX);
                let bytes_max = kafka.broker.settings().telemetry_bytes_max;
                response.telemetry_max_bytes = i32::try_from(bytes_max).unwrap_or(i32::MAX);
                response.delta_temporality = true;
                response.requested_metrics = wanted.metrics.into_iter().map(Str::from).collect();
            }
            Err(error) => response.error_code = error.code().0,
        }
        debug_assert!(response.error_code == ErrorCode::NONE.0 || response.requested_metrics.is_empty());
        Begun::Done(response)
    }
}
