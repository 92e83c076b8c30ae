//! ApiVersions (18): which APIs and versions this node serves, derived from the table of dispatch.
//!
//! Versions 0-4. v3 flexible, client name and version (KIP-511), features (KIP-584); v4 features that begin at 0. A version that is
//! not known is answered in version 0 with UNSUPPORTED_VERSION and the versions of this API, so that the client can step down.

use crate::dispatch::{Api, ApiRow, Begun, Call, CallError, TABLE, advertised};
use crate::errors::ErrorCode;
use crate::features;
use crate::node::Kafka;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::api_versions::{
    ApiVersion, ApiVersionsRequest, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};
use millstream_kafka_wire::{ApiKey, Frame, RequestHeader, encode_response};
use std::sync::Arc;

pub(crate) struct ApiVersions;

/// The first version that tells features.
const FEATURES_FROM: i16 = 3;
/// The first version that can tell a lowest level of 0.
const LOWEST_ZERO_FROM: i16 = 4;

impl Api for ApiVersions {
    type Request = ApiVersionsRequest;

    async fn begin(kafka: Arc<Kafka>, call: Call, request: ApiVersionsRequest) -> Begun<ApiVersionsResponse> {
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
        let mut response = ApiVersionsResponse {
            error_code: code.0,
            api_keys: listing,
            ..Default::default()
        };
        if named && call.version >= 3 {
            let (name, version) = (&request.client_software_name, &request.client_software_version);
            // What it said first holds.
            let _ = call.software.set((name.to_string(), version.to_string()));
        }
        if named && call.version >= FEATURES_FROM {
            tell_features(&kafka, call.version, &mut response);
        }
        Begun::Done(response)
    }
}

/// What can be chosen, and what is. Clients that ask below version 4 cannot read a lowest level of 0: such a feature is not told as
/// supported there.
fn tell_features(kafka: &Kafka, version: i16, response: &mut ApiVersionsResponse) {
    let (levels, epoch) = features::finalized(kafka);
    response.finalized_features_epoch = epoch;
    for (row, level) in levels {
        let name = Str::from_static(row.name);
        if row.min > 0 || version >= LOWEST_ZERO_FROM {
            response.supported_features.push(SupportedFeatureKey {
                name: name.clone(),
                min_version: row.min,
                max_version: row.max,
            });
        }
        if level > 0 {
            response.finalized_features.push(FinalizedFeatureKey {
                name,
                max_version_level: level,
                min_version_level: level,
            });
        }
    }
}

/// KIP-511: letters and digits, with dots and dashes inside.
fn is_name(text: &str) -> bool {
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let ends_well = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.iter().all(inner) && ends_well(bytes.first()) && ends_well(bytes.last())
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
