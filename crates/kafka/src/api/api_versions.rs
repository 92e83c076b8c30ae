//! ApiVersions (18): which APIs and versions this node serves, derived from the table of dispatch.
//!
//! Versions 0-4. v3 flexible, client name and version (KIP-511), features (KIP-584); v4 features that begin at 0. A version that is
//! not known is answered in version 0 with UNSUPPORTED_VERSION and the list, so that the client can step down.

use crate::dispatch::{Api, Begun, Call, CallError, TABLE};
use crate::errors::ErrorCode;
use crate::node::Kafka;
use millstream_kafka_wire::api_versions::{ApiVersion, ApiVersionsRequest, ApiVersionsResponse};
use millstream_kafka_wire::{ApiKey, Frame, RequestHeader, encode_response};
use std::sync::Arc;

pub(crate) struct ApiVersions;

impl Api for ApiVersions {
    type Request = ApiVersionsRequest;

    async fn begin(
        _kafka: Arc<Kafka>,
        call: Call,
        request: ApiVersionsRequest,
    ) -> Begun<ApiVersionsResponse> {
        let named = call.version < 3
            || is_name(&request.client_software_name) && is_name(&request.client_software_version);
        let code = if named {
            ErrorCode::NONE
        } else {
            ErrorCode::INVALID_REQUEST
        };
        Begun::Done(ApiVersionsResponse {
            error_code: code.0,
            api_keys: listing(),
            ..Default::default()
        })
    }
}

/// KIP-511: letters and digits, with dots and dashes inside.
fn is_name(text: &str) -> bool {
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let ends_well = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.iter().all(inner) && ends_well(bytes.first()) && ends_well(bytes.last())
}

fn listing() -> Vec<ApiVersion> {
    let rows = TABLE.iter().map(|row| ApiVersion {
        api_key: row.key.code(),
        min_version: advertised_from(row.key, *row.versions.start()),
        max_version: *row.versions.end(),
    });
    rows.collect()
}

/// Produce is advertised from 0: librdkafka turns compression off when it is not (KAFKA-18659). Such requests are refused.
fn advertised_from(key: ApiKey, decodes_from: i16) -> i16 {
    if key == ApiKey::Produce { 0 } else { decodes_from }
}

/// The answer to a request whose version is outside the table: only ApiVersions has one.
pub(crate) fn answer_unknown_version(header: &RequestHeader) -> Result<Frame, CallError> {
    if header.api_key != ApiKey::ApiVersions.code() {
        return Err(CallError::Unsupported {
            key: header.api_key,
            version: header.api_version,
        });
    }
    let response = ApiVersionsResponse {
        error_code: ErrorCode::UNSUPPORTED_VERSION.0,
        api_keys: listing(),
        ..Default::default()
    };
    encode_response(&response, 0, header.correlation_id).map_err(CallError::Unencodable)
}
