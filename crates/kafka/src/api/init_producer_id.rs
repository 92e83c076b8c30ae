//! InitProducerId (22): an id for an idempotent producer (KIP-98), or a new epoch for one that it has (KIP-360).
//!
//! Versions 0-5. v2 flexible; v3 the producer names its id and epoch to have the epoch raised; v5 for transaction version 2.
//! A transactional id has one producer at a time: a newer one fences the older, whose transaction is aborted first. v4 PRODUCER_FENCED
//! (before: INVALID_PRODUCER_EPOCH).

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use crate::transaction::{InitRequest, ProducerEpoch, TransactionalId};
use millstream_kafka_wire::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use std::sync::Arc;

pub(crate) struct InitProducerId;

/// The producer has no id yet, and no epoch.
const NO_PRODUCER: i64 = -1;
const NO_EPOCH: i16 = -1;

/// The first version that tells a fenced producer as such.
const VERSION_FENCED: i16 = 4;

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
                error_code: match code {
                    ErrorCode::PRODUCER_FENCED if call.version < VERSION_FENCED => {
                        ErrorCode::INVALID_PRODUCER_EPOCH.0
                    }
                    code => code.0,
                },
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
    match &request.transactional_id {
        Some(id) => kafka.need(call, Operation::Write, Resource::TransactionalId(id.as_str()))?,
        None => kafka.need_idempotent_write(call)?,
    }
    if (request.producer_id == NO_PRODUCER) != (request.producer_epoch == NO_EPOCH) {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    let fresh_id = kafka
        .broker
        .new_producer_id()
        .await
        .map_err(|error| error.code())?;
    let Some(transactional_id) = &request.transactional_id else {
        // A producer without a transactional id raises its epoch by itself; what it names here has no owner to ask.
        return Ok((fresh_id, 0));
    };
    let expected = (request.producer_id != NO_PRODUCER).then_some(ProducerEpoch {
        id: request.producer_id,
        epoch: request.producer_epoch,
    });
    let init = InitRequest {
        id: TransactionalId::from(transactional_id.as_str()),
        timeout_ms: request.transaction_timeout_ms,
        expected,
        fresh_id,
    };
    let given = kafka
        .transactions
        .init(init)
        .await
        .map_err(|error| error.code())?;
    Ok((given.id, given.epoch))
}
