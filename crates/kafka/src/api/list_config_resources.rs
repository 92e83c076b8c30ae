//! ListConfigResources (74): what has settings that can be described (KIP-1142).
//!
//! Versions 0-1, both flexible. v0 is ListClientMetricsResources (KIP-714): subscriptions of client metrics only. v1 types; none
//! means all.

use crate::access::{Operation, Resource};
use crate::api::describe_configs::resource;
use crate::dispatch::{Api, Begun, Call};
use crate::errors::ErrorCode;
use crate::node::Kafka;
use millstream_broker::NamedKind;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::list_config_resources::{
    ConfigResource, ListConfigResourcesRequest, ListConfigResourcesResponse,
};
use std::sync::Arc;

pub(crate) struct ListConfigResources;

/// Every type that is listed.
const ALL: [i8; 5] = [
    resource::TOPIC,
    resource::BROKER,
    resource::BROKER_LOGGER,
    resource::CLIENT_METRICS,
    resource::GROUP,
];

impl Api for ListConfigResources {
    type Request = ListConfigResourcesRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: ListConfigResourcesRequest,
    ) -> Begun<ListConfigResourcesResponse> {
        if let Err(code) = kafka.need(&call, Operation::DescribeConfigs, Resource::Cluster) {
            return Begun::Done(ListConfigResourcesResponse {
                error_code: code.0,
                ..Default::default()
            });
        }
        let mut types = match call.version {
            0 => vec![resource::CLIENT_METRICS],
            _ if request.resource_types.is_empty() => ALL.to_vec(),
            _ => request.resource_types,
        };
        types.sort_unstable();
        types.dedup();
        if types.iter().any(|kind| !ALL.contains(kind)) {
            return Begun::Done(ListConfigResourcesResponse {
                error_code: ErrorCode::UNSUPPORTED_VERSION.0,
                ..Default::default()
            });
        }
        let listed = types.into_iter().flat_map(|resource_type| {
            names(&kafka, resource_type)
                .into_iter()
                .map(move |name| ConfigResource {
                    resource_name: Str::from(name),
                    resource_type,
                })
        });
        Begun::Done(ListConfigResourcesResponse {
            config_resources: listed.collect(),
            ..Default::default()
        })
    }
}

fn names(kafka: &Kafka, resource_type: i8) -> Vec<String> {
    let named = |kind| {
        let all = kafka.broker.named_all(kind).into_iter();
        all.map(|(name, _)| name).collect()
    };
    match resource_type {
        resource::TOPIC => {
            let topics = kafka.broker.topics();
            topics.iter().map(|topic| topic.name().to_owned()).collect()
        }
        resource::BROKER => vec![kafka.node_id().to_string()],
        resource::CLIENT_METRICS => named(NamedKind::ClientMetrics),
        resource::GROUP => named(NamedKind::Group),
        // Levels of tracing are set at start only: no logger is described.
        _ => Vec::new(),
    }
}
