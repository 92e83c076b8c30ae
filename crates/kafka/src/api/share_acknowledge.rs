//! ShareAcknowledge (79): a member of a share group says what became of records that it holds (KIP-932).
//!
//! Versions 1-2. v2 renews locks (KIP-1222). Answered when the outcomes are durable.

use crate::access::{Operation, Resource};
use crate::api::share_fetch::{renewal, session_key};
use crate::dispatch::{Api, Begun, Call};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use crate::share::{AckBatch, Place, SessionKey, settlements};
use futures_util::future::join_all;
use millstream_broker::queue::{Holder, Settlement};
use millstream_kafka_wire::share_acknowledge::{
    AcknowledgePartition, PartitionData, ShareAcknowledgeRequest, ShareAcknowledgeResponse,
    ShareAcknowledgeTopicResponse,
};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) struct ShareAcknowledge;

/// One outcome a partition.
pub(super) type Answered = Vec<(Place, Result<(), ErrorCode>)>;

impl Api for ShareAcknowledge {
    type Request = ShareAcknowledgeRequest;

    async fn begin(
        kafka: Arc<Kafka>,
        call: Call,
        request: ShareAcknowledgeRequest,
    ) -> Begun<ShareAcknowledgeResponse> {
        match acknowledge(&kafka, &call, &request).await {
            Ok(response) => Begun::Done(response),
            Err(code) => Begun::Done(ShareAcknowledgeResponse {
                error_code: code.0,
                ..Default::default()
            }),
        }
    }
}

async fn acknowledge(
    kafka: &Kafka,
    call: &Call,
    request: &ShareAcknowledgeRequest,
) -> Result<ShareAcknowledgeResponse, ErrorCode> {
    let key = session_key(request.group_id.as_ref(), request.member_id.as_ref())?;
    kafka.need(call, Operation::Read, Resource::Group(&key.group))?;
    let acks = read(kafka, &key, request)?;
    let turn = kafka.shares.acknowledge(&key, request.share_session_epoch)?;
    let answered = settle_all(kafka, call, &key.group, turn.holder, acks).await;
    if request.share_session_epoch < 0 {
        kafka.shares.end(&key).await;
    }
    Ok(encode(kafka, &key, request.is_renew_ack, answered))
}

fn read(
    kafka: &Kafka,
    key: &SessionKey,
    request: &ShareAcknowledgeRequest,
) -> Result<BTreeMap<Place, Result<Vec<Settlement>, ErrorCode>>, ErrorCode> {
    let renewal = renewal(kafka, key, request.is_renew_ack)?;
    let mut acks = BTreeMap::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            let place = Place {
                topic: topic.topic_id,
                partition: u32::try_from(partition.partition_index).unwrap_or(u32::MAX),
            };
            acks.insert(place, settlements(batches(partition), renewal));
        }
    }
    Ok(acks)
}

fn batches(partition: &AcknowledgePartition) -> impl Iterator<Item = AckBatch<'_>> {
    partition.acknowledgement_batches.iter().map(|batch| AckBatch {
        first: batch.first_offset,
        last: batch.last_offset,
        types: &batch.acknowledge_types,
    })
}

/// Takes all answers of a request; those of one partition are taken together or not at all. They become durable together.
pub(super) async fn settle_all(
    kafka: &Kafka,
    call: &Call,
    group: &str,
    holder: Holder,
    acks: BTreeMap<Place, Result<Vec<Settlement>, ErrorCode>>,
) -> Answered {
    let settled = acks.into_iter().map(|(place, acks)| async move {
        let outcome = match kafka
            .topic_by_id_for(call, Operation::Read, place.topic)
            .and(acks)
        {
            Ok(answer) => {
                let settled = kafka.shares.settle(group, place, holder, &answer).await;
                settled.map_err(|error| error.code())
            }
            Err(code) => Err(code),
        };
        (place, outcome)
    });
    join_all(settled).await
}

fn encode(kafka: &Kafka, key: &SessionKey, renews: bool, answered: Answered) -> ShareAcknowledgeResponse {
    let mut response = ShareAcknowledgeResponse::default();
    if renews {
        // The field came with the renewal, in version 2.
        response.acquisition_lock_timeout_ms =
            i32::try_from(kafka.shares.lock(&key.group).as_millis()).unwrap_or(i32::MAX);
    }
    for (place, outcome) in answered {
        let data = PartitionData {
            partition_index: i32::try_from(place.partition).unwrap_or(-1),
            error_code: outcome.err().unwrap_or(ErrorCode::NONE).0,
            ..Default::default()
        };
        match response.responses.last_mut() {
            Some(topic) if topic.topic_id == place.topic => topic.partitions.push(data),
            _ => response.responses.push(ShareAcknowledgeTopicResponse {
                topic_id: place.topic,
                partitions: vec![data],
            }),
        }
    }
    response
}
