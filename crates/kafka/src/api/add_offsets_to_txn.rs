//! AddOffsetsToTxn (25): makes a group's offsets part of a producer's transaction, before it commits any (KIP-98).
//!
//! Versions 0-4. v2 PRODUCER_FENCED (before: INVALID_PRODUCER_EPOCH); v3 flexible; v4 TRANSACTION_ABORTABLE (KIP-890). Clients of
//! transaction.version 2 do not send it: TxnOffsetCommit adds the group by itself.

use crate::access::{Operation, Resource};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::group::{TopicName, partition_of};
use crate::node::Kafka;
use crate::transaction::{
    AddRequest, EpochPolicy, Partitions, ProducerEpoch, TransactionError, TransactionalId,
};
use millstream_broker::OFFSETS_TOPIC;
use millstream_kafka_wire::add_offsets_to_txn::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};
use std::sync::Arc;

pub(crate) struct AddOffsetsToTxn;

/// The first version that tells a fenced producer as such.
const VERSION_FENCED: i16 = 2;

impl Api for AddOffsetsToTxn {
    type Request = AddOffsetsToTxnRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: AddOffsetsToTxnRequest,
    ) -> Begun<AddOffsetsToTxnResponse> {
        let added = add(&kafka, &call, &request).await;
        let code = match added {
            Err(ErrorCode::PRODUCER_FENCED) if call.version < VERSION_FENCED => {
                ErrorCode::INVALID_PRODUCER_EPOCH
            }
            Err(code) => code,
            Ok(()) => ErrorCode::NONE,
        };
        Begun::Done(AddOffsetsToTxnResponse {
            error_code: code.0,
            ..Default::default()
        })
    }
}

async fn add(kafka: &Kafka, call: &Call, request: &AddOffsetsToTxnRequest) -> Result<(), ErrorCode> {
    if request.transactional_id.is_empty() {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    let id = Resource::TransactionalId(request.transactional_id.as_str());
    kafka.need(call, Operation::Write, id)?;
    kafka.need(call, Operation::Read, Resource::Group(&request.group_id))?;
    let add = AddRequest {
        id: TransactionalId::from(request.transactional_id.as_str()),
        producer: ProducerEpoch {
            id: request.producer_id,
            epoch: request.producer_epoch,
        },
        partitions: offsets_of(kafka, &request.group_id).await?,
        policy: EpochPolicy::PerProducer,
    };
    let added = kafka.transactions.add(add).await;
    added.map_err(|error: TransactionError| error.code())
}

/// The offsets partition of a group.
pub(crate) async fn offsets_of(kafka: &Kafka, group: &str) -> Result<Partitions, ErrorCode> {
    if group.is_empty() {
        return Err(ErrorCode::INVALID_GROUP_ID);
    }
    kafka
        .groups
        .ensure_started()
        .await
        .map_err(|error| error.code())?;
    let count = kafka.groups.offsets_partitions().unwrap_or(1);
    let partition = partition_of(group, count);
    let partition = i32::try_from(partition).map_err(|_| ErrorCode::UNKNOWN_SERVER_ERROR)?;
    Ok(std::iter::once((TopicName::from(OFFSETS_TOPIC), partition)).collect())
}
