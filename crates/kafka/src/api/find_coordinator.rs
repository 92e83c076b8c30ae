//! FindCoordinator (10): which broker coordinates a group, a transactional id or a share partition.
//!
//! Versions 0-6. v1 key types; v3 flexible; v4 many keys (KIP-699); v6 share partitions (KIP-932).
//! This broker coordinates every group and every transaction. Share groups are not served yet: their keys are refused.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_kafka_wire::Str;
use millstream_kafka_wire::find_coordinator::{Coordinator, FindCoordinatorRequest, FindCoordinatorResponse};
use std::sync::Arc;

pub(crate) struct FindCoordinator;

/// Key type of a group; from version 6 on there is a third, a share partition (2).
const KEY_TYPE_GROUP: i8 = 0;
/// Key type of a transactional id.
const KEY_TYPE_TRANSACTION: i8 = 1;

/// The first version with many keys.
const VERSION_MANY_KEYS: i16 = 4;

impl Api for FindCoordinator {
    type Request = FindCoordinatorRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: FindCoordinatorRequest,
    ) -> Begun<FindCoordinatorResponse> {
        if call.version >= VERSION_MANY_KEYS {
            let mut coordinators = Vec::with_capacity(request.coordinator_keys.len());
            for key in request.coordinator_keys {
                coordinators.push(find(&kafka, &call, request.key_type, key).await);
            }
            return Begun::Done(FindCoordinatorResponse {
                coordinators,
                ..Default::default()
            });
        }
        let found = find(&kafka, &call, request.key_type, request.key).await;
        Begun::Done(FindCoordinatorResponse {
            error_code: found.error_code,
            error_message: found.error_message,
            node_id: found.node_id,
            host: found.host,
            port: found.port,
            ..Default::default()
        })
    }
}

async fn find(kafka: &Kafka, call: &Call, key_type: i8, key: Str) -> Coordinator {
    let started = match key_type {
        KEY_TYPE_GROUP => {
            if let Err(code) = kafka.need(call, Operation::Describe, Resource::Group(key.as_str())) {
                return refused(key, code, "Group authorization failed.");
            }
            kafka.groups.ensure_started().await.map_err(|error| error.code())
        }
        KEY_TYPE_TRANSACTION => {
            if let Err(code) = kafka.need(call, Operation::Describe, Resource::TransactionalId(key.as_str()))
            {
                return refused(key, code, "Transactional id authorization failed.");
            }
            let started = kafka.transactions.ensure_started().await;
            started.map_err(|error| error.code())
        }
        _ => {
            let what = "Only groups and transactions have a coordinator here; share groups are not served.";
            return refused(key, ErrorCode::INVALID_REQUEST, what);
        }
    };
    if let Err(code) = started {
        return refused(key, code, "The coordinator is not available.");
    }
    match kafka.advertised(&call.peer) {
        Some(address) => Coordinator {
            key,
            node_id: kafka.node_id(),
            host: Str::from(address.host.clone()),
            port: i32::from(address.port),
            error_code: ErrorCode::NONE.0,
            error_message: None,
        },
        None => refused(
            key,
            ErrorCode::COORDINATOR_NOT_AVAILABLE,
            "No listener is advertised.",
        ),
    }
}

fn refused(key: Str, code: ErrorCode, message: &'static str) -> Coordinator {
    Coordinator {
        key,
        node_id: -1,
        host: Str::new(),
        port: -1,
        error_code: code.0,
        error_message: Some(Str::from_static(message)),
    }
}
