//! UpdateFeatures (57): chooses the cluster's feature levels (KIP-584).
//!
//! Versions 0-2, all flexible. v1 kinds of change and validation only (KIP-778); v2 one outcome for all (KIP-1022). All changes or
//! none, in every version.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::features::{self, Direction, FeatureChange};
use crate::node::Kafka;
use millstream_broker::Dry;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::update_features::{
    FeatureUpdateKey, UpdatableFeatureResult, UpdateFeaturesRequest, UpdateFeaturesResponse,
};
use std::sync::Arc;

pub(crate) struct UpdateFeatures;

/// The first version that says which kind of change is meant.
const KINDS_FROM: i16 = 1;
/// The last version that tells an outcome for each feature.
const RESULTS_THROUGH: i16 = 1;

impl Api for UpdateFeatures {
    type Request = UpdateFeaturesRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: UpdateFeaturesRequest,
    ) -> Begun<UpdateFeaturesResponse> {
        if let Err(code) = kafka.need(&call, Operation::Alter, Resource::Cluster) {
            return Begun::Done(UpdateFeaturesResponse {
                error_code: code.0,
                error_message: Some(Str::from_static("Cluster authorization failed.")),
                ..Default::default()
            });
        }
        let dry = if request.validate_only {
            Dry::CheckOnly
        } else {
            Dry::Run
        };
        let updates = &request.feature_updates;
        let changes: Vec<FeatureChange> = updates
            .iter()
            .map(|update| change(update, call.version))
            .collect();
        let outcome = features::change(&kafka, &changes, dry).await;
        let (code, message) = outcome.err().map_or((ErrorCode::NONE, None), |error| {
            (
                error.code(),
                Some(Str::from(format!("Nothing was changed: {error}"))),
            )
        });
        let done = code == ErrorCode::NONE && call.version <= RESULTS_THROUGH;
        let results = updates
            .iter()
            .filter(|_| done)
            .map(|update| UpdatableFeatureResult {
                feature: update.feature.clone(),
                error_message: None,
                ..Default::default()
            });
        Begun::Done(UpdateFeaturesResponse {
            error_code: code.0,
            error_message: message,
            results: results.collect(),
            ..Default::default()
        })
    }
}

fn change(update: &FeatureUpdateKey, version: i16) -> FeatureChange {
    let direction = match update.upgrade_type {
        _ if version < KINDS_FROM && update.allow_downgrade => Some(Direction::Downgrade),
        _ if version < KINDS_FROM => Some(Direction::Upgrade),
        1 => Some(Direction::Upgrade),
        // Safe and unsafe: no level here loses anything.
        2 | 3 => Some(Direction::Downgrade),
        _ => None,
    };
    FeatureChange {
        name: update.feature.to_string(),
        level: update.max_version_level,
        direction,
    }
}
