//! Random messages of DescribeCluster.
//!
//! Written by `cargo xtask codegen` from crates/kafka-wire/schema; do not edit.

use super::super::describe_cluster::*;
use crate::testing::{Arbitrary, Rng};
use crate::wire::At;

impl Arbitrary for DescribeClusterRequest {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            include_cluster_authorized_operations: rng.boolean(),
            endpoint_type: if at.version >= 1 { rng.i8() } else { 1 },
            include_fenced_brokers: if at.version >= 2 { rng.boolean() } else { false },
        }
    }
}

impl Arbitrary for DescribeClusterResponse {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            throttle_time_ms: rng.i32(),
            error_code: rng.i16(),
            error_message: rng.present().then(|| rng.string()),
            endpoint_type: if at.version >= 1 { rng.i8() } else { 1 },
            cluster_id: rng.string(),
            controller_id: rng.i32(),
            brokers: rng.array(at),
            cluster_authorized_operations: rng.i32(),
        }
    }
}

impl Arbitrary for DescribeClusterBroker {
    fn arbitrary(rng: &mut Rng, at: At) -> Self {
        Self {
            broker_id: rng.i32(),
            host: rng.string(),
            port: rng.i32(),
            rack: rng.present().then(|| rng.string()),
            is_fenced: if at.version >= 2 { rng.boolean() } else { false },
        }
    }
}
