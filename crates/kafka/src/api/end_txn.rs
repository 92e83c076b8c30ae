//! EndTxn (26): commits or aborts a producer's transaction (KIP-98).
//!
//! Versions 0-5. v2 PRODUCER_FENCED (before: INVALID_PRODUCER_EPOCH); v3 flexible; v4 TRANSACTION_ABORTABLE; v5 each transaction has an
//! epoch of its own: the answer names the producer's next one (KIP-890).
//!
//! Answered once the decision is durable. The markers follow; whoever begins the next transaction before they are all written waits, or is
//! told CONCURRENT_TRANSACTIONS.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use crate::transaction::{EndRequest, EpochPolicy, ProducerEpoch, TransactionalId};
use millstream_kafka_wire::end_txn::{EndTxnRequest, EndTxnResponse};
use std::sync::Arc;

pub(crate) struct EndTxn;

/// The first version that tells a fenced producer as such.
const VERSION_FENCED: i16 = 2;

/// The first version with an epoch for each transaction.
const VERSION_EPOCHS: i16 = 5;

/// Epochs from here on are near their end: the next transaction may need another producer id.
const EPOCHS_NEAR_END: i16 = i16::MAX - 1;

impl Api for EndTxn {
    type Request = EndTxnRequest;

    async fn begin(kafka: Arc<Kafka>, call: Call, request: EndTxnRequest) -> Begun<EndTxnResponse> {
        let ended = end(&kafka, &call, &request).await;
        Begun::Done(match ended {
            Ok(next) if call.version >= VERSION_EPOCHS => EndTxnResponse {
                producer_id: next.id,
                producer_epoch: next.epoch,
                ..Default::default()
            },
            Ok(_) => EndTxnResponse::default(),
            Err(code) => EndTxnResponse {
                error_code: match code {
                    ErrorCode::PRODUCER_FENCED if call.version < VERSION_FENCED => {
                        ErrorCode::INVALID_PRODUCER_EPOCH.0
                    }
                    code => code.0,
                },
                ..Default::default()
            },
        })
    }
}

async fn end(kafka: &Kafka, call: &Call, request: &EndTxnRequest) -> Result<ProducerEpoch, ErrorCode> {
    if request.transactional_id.is_empty() {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    let id = Resource::TransactionalId(request.transactional_id.as_str());
    kafka.need(call, Operation::Write, id)?;
    let policy = if call.version >= VERSION_EPOCHS {
        EpochPolicy::PerTransaction
    } else {
        EpochPolicy::PerProducer
    };
    let fresh_id = if request.producer_epoch >= EPOCHS_NEAR_END {
        let drawn = kafka.broker.new_producer_id().await;
        Some(drawn.map_err(|error| error.code())?)
    } else {
        None
    };
    let end = EndRequest {
        id: TransactionalId::from(request.transactional_id.as_str()),
        producer: ProducerEpoch {
            id: request.producer_id,
            epoch: request.producer_epoch,
        },
        commit: request.committed,
        policy,
        fresh_id,
    };
    kafka.transactions.end(end).await.map_err(|error| error.code())
}
