//! DescribeCluster (60): the nodes of the cluster (KIP-700).
//!
//! Versions 0-2. v1 endpoint type (KIP-919: only brokers here); v2 fenced brokers (KIP-1073).

use crate::dispatch::{Api, Begun, Call};
use crate::errors::ErrorCode;
use crate::node::Kafka;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::describe_cluster::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse,
};
use std::sync::Arc;

pub(crate) struct DescribeCluster;

/// Endpoint types (KIP-919). Versions that cannot name one mean brokers.
const ENDPOINT_BROKERS: i8 = 1;
const ENDPOINT_CONTROLLERS: i8 = 2;

impl Api for DescribeCluster {
    type Request = DescribeClusterRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DescribeClusterRequest,
    ) -> Begun<DescribeClusterResponse> {
        if request.endpoint_type != ENDPOINT_BROKERS {
            let code = match request.endpoint_type {
                ENDPOINT_CONTROLLERS => ErrorCode::MISMATCHED_ENDPOINT_TYPE,
                _ => ErrorCode::UNSUPPORTED_ENDPOINT_TYPE,
            };
            return Begun::Done(DescribeClusterResponse {
                error_code: code.0,
                error_message: Some(Str::from_static("This endpoint is a broker's.")),
                ..Default::default()
            });
        }
        let address = kafka.advertised(&call.peer);
        let brokers = address.map(|address| DescribeClusterBroker {
            broker_id: kafka.node_id(),
            host: Str::from(address.host),
            port: i32::from(address.port),
            rack: kafka.config.rack.clone().map(Str::from),
            is_fenced: false,
        });
        Begun::Done(DescribeClusterResponse {
            endpoint_type: ENDPOINT_BROKERS,
            cluster_id: Str::from(kafka.broker.cluster_id()),
            controller_id: kafka.node_id(),
            brokers: brokers.into_iter().collect(),
            cluster_authorized_operations: kafka
                .cluster_operations(&call, request.include_cluster_authorized_operations),
            ..Default::default()
        })
    }
}
