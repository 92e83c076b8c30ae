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

/// Endpoint type of brokers; 2 would be controllers, of which there are none.
const ENDPOINT_BROKERS: i8 = 1;

impl Api for DescribeCluster {
    type Request = DescribeClusterRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: DescribeClusterRequest,
    ) -> Begun<DescribeClusterResponse> {
        if call.version >= 1 && request.endpoint_type != ENDPOINT_BROKERS {
            return Begun::Done(DescribeClusterResponse {
                error_code: ErrorCode::UNSUPPORTED_ENDPOINT_TYPE.0,
                error_message: Some(Str::from_static("only broker endpoints exist")),
                endpoint_type: request.endpoint_type,
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
            ..Default::default()
        })
    }
}
