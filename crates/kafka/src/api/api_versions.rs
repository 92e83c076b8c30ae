//! ApiVersions (18): which APIs and versions this node serves, derived from the table of dispatch.
//!
//! Versions 0-4. v3 flexible, client name and version (KIP-511), features (KIP-584); v4 features that begin at 0. A version that is
//! not known is answered in version 0 with UNSUPPORTED_VERSION and the versions of this API, so that the client can step down.

use crate::dispatch::{Api, ApiRow, Begun, Call, CallError, TABLE, advertised};
use crate::errors::ErrorCode;
use crate::features::{FEATURES, FEATURES_EPOCH, Feature};
use crate::node::Kafka;
use millstream_kafka_wire::api_versions::{
    ApiVersion, ApiVersionsRequest, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};
use millstream_kafka_wire::{ApiKey, Frame, RequestHeader, Str, encode_response};
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
        let listing = if named {
            TABLE.iter().map(entry).collect()
        } else {
            Vec::new()
        };
        Begun::Done(ApiVersionsResponse {
            error_code: code.0,
            api_keys: listing,
            supported_features: FEATURES.iter().map(|row| supported(row, call.version)).collect(),
            finalized_features_epoch: FEATURES_EPOCH,
            finalized_features: FEATURES.iter().map(finalized).collect(),
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

/// Clients of versions below 4 do not understand levels that begin at 0.
fn supported(row: &Feature, version: i16) -> SupportedFeatureKey {
    let lowest = if version < 4 {
        row.levels.start().max(&1)
    } else {
        row.levels.start()
    };
    SupportedFeatureKey {
        name: Str::from_static(row.name),
        min_version: *lowest,
        max_version: *row.levels.end(),
    }
}

fn finalized(row: &Feature) -> FinalizedFeatureKey {
    FinalizedFeatureKey {
        name: Str::from_static(row.name),
        max_version_level: row.level,
        min_version_level: row.level,
    }
}

fn entry(row: &ApiRow) -> ApiVersion {
    let versions = advertised(row);
    ApiVersion {
        api_key: row.key.code(),
        min_version: *versions.start(),
        max_version: *versions.end(),
    }
}

/// The answer to a request whose version is outside the table: only ApiVersions has one, and it names only itself (KIP-511).
pub(crate) fn answer_unknown_version(header: &RequestHeader) -> Result<Frame, CallError> {
    let own = TABLE.iter().filter(|row| row.key == ApiKey::ApiVersions);
    if header.api_key != ApiKey::ApiVersions.code() {
        return Err(CallError::Unsupported {
            key: header.api_key,
            version: header.api_version,
        });
    }
    let response = ApiVersionsResponse {
        error_code: ErrorCode::UNSUPPORTED_VERSION.0,
        api_keys: own.map(entry).collect(),
        ..Default::default()
    };
    encode_response(&response, 0, header.correlation_id).map_err(CallError::Unencodable)
}
