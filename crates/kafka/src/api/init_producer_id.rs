//! InitProducerId (22): an id for an idempotent producer (KIP-98), or a new epoch for one that it has (KIP-360).
//!
//! Versions 0-5. v2 flexible; v3 the producer names its id and epoch to have the epoch raised; v5 for transaction version 2.
//! Transactional ids are refused until transactions are served.

use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use millstream_kafka_wire::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use std::sync::Arc;

pub(crate) struct InitProducerId;

/// The producer has no id yet, and no epoch.
const NO_PRODUCER: i64 = -1;
const NO_EPOCH: i16 = -1;

impl Api for InitProducerId {
    type Request = InitProducerIdRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: InitProducerIdRequest,
    ) -> Begun<InitProducerIdResponse> {
        Begun::Done(match assign(&kafka, &call, &request).await {
            Ok((producer_id, producer_epoch)) => InitProducerIdResponse {
                producer_id,
                producer_epoch,
                ..Default::default()
            },
            Err(code) => InitProducerIdResponse {
                error_code: code.0,
                producer_id: -1,
                producer_epoch: -1,
                ..Default::default()
            },
        })
    }
}

async fn assign(
    kafka: &Kafka,
    call: &Call,
    request: &InitProducerIdRequest,
) -> Result<(i64, i16), ErrorCode> {
    if request
        .transactional_id
        .as_ref()
        .is_some_and(|id| id.as_str().is_empty())
    {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    if request.transactional_id.is_some() {
        return Err(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    }
    kafka.need_idempotent_write(call)?;
    if (request.producer_id == NO_PRODUCER) != (request.producer_epoch == NO_EPOCH) {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    // A producer without a transactional id raises its epoch by itself; what it names here has no owner to ask.
    let id = kafka.broker.new_producer_id().await;
    id.map(|id| (id, 0)).map_err(|error| error.code())
}
