//! Produce (0): appends record batches to partitions.
//!
//! Versions 3-13, advertised from 0 on: librdkafka turns compression off when 0 is missing (KAFKA-18659); a request below 3
//! ends the connection, as with Kafka 4. v5 log start offset; v8 record errors (KIP-467); v9 flexible; v10 current leader
//! (KIP-951); v12 transactions without AddPartitions (KIP-890); v13 topic ids (KIP-516).
//!
//! acks=0 has no answer; when a batch is refused the connection ends, so that the producer learns of it and looks again. A
//! partition that is named twice is appended to twice and answered twice, in the order of the request. Transactions:
//! `produce_transaction.rs`.
//!
//! Append path: decode, ask, encode. `Sequenced`: batches of one connection take their places in the order of its requests,
//! and the flushes are pipelined.

use crate::access::{Operation, Resource};
use crate::api::produce_transaction::{Standing, standings};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use futures_util::future::BoxFuture;
use millstream_broker::{PendingAppend, ProduceError, Produced, QuotaKind, RecordsRefused, Topic};
use millstream_kafka_wire::Str;
use millstream_kafka_wire::produce::{
    BatchIndexAndErrorMessage, PartitionProduceData, PartitionProduceResponse, ProduceRequest,
    ProduceResponse, TopicProduceData, TopicProduceResponse,
};
use std::collections::VecDeque;
use std::sync::Arc;

pub(crate) struct Produce;

/// One partition on its way to its answer.
enum Waiting {
    Pending(PendingAppend),
    Refused(ErrorCode, Option<ProduceError>),
}

struct WaitingTopic {
    name: Str,
    id: millstream_kafka_wire::Uuid,
    partitions: Vec<(i32, Waiting)>,
}

impl Api for Produce {
    type Request = ProduceRequest;
    const ORDER: Order = Order::Sequenced;

    async fn begin(kafka: Arc<Kafka>, call: Call, request: ProduceRequest) -> Begun<ProduceResponse> {
        let acks = request.acks;
        if !matches!(acks, -1..=1) {
            return Begun::Done(refuse_all(request, ErrorCode::INVALID_REQUIRED_ACKS));
        }
        if let Some(id) = &request.transactional_id
            && let Err(code) = kafka.need(&call, Operation::Write, Resource::TransactionalId(id.as_str()))
        {
            return match acks {
                0 => Begun::HangUp(code),
                _ => Begun::Done(refuse_all(request, code)),
            };
        }
        if call.toll.is_some() {
            call.charge(QuotaKind::Produce, record_bytes(&request) as f64);
        }
        let found: Vec<_> = request
            .topic_data
            .iter()
            .map(|data| find(&kafka, &call, data))
            .collect();
        kafka.broker.pace().await;
        let mut standings = match request.transactional_id {
            Some(_) => standings(&kafka, &call, &request, &found).await,
            None => VecDeque::new(),
        };
        let mut topics = Vec::with_capacity(request.topic_data.len());
        for (data, found) in request.topic_data.into_iter().zip(found) {
            topics.push(begin_topic(&kafka, data, found, &mut standings).await);
        }
        if acks == 0 {
            return first_refusal(&topics).map_or(Begun::Silent, Begun::HangUp);
        }
        let pending: BoxFuture<'static, ProduceResponse> = Box::pin(async move {
            let response = finish(topics).await;
            // The frame's memory is the log's until here.
            drop(call);
            response
        });
        Begun::Pending(pending)
    }
}

/// What counts under a quota of bytes, taken or refused.
fn record_bytes(request: &ProduceRequest) -> usize {
    let partitions = request.topic_data.iter().flat_map(|topic| &topic.partition_data);
    partitions
        .filter_map(|data| Some(data.records.as_ref()?.len()))
        .sum()
}

fn find(kafka: &Kafka, call: &Call, data: &TopicProduceData) -> Result<Arc<Topic>, ErrorCode> {
    if call.version >= 13 {
        kafka.topic_by_id_for(call, Operation::Write, data.topic_id)
    } else {
        kafka.topic_for(call, Operation::Write, data.name.as_str())
    }
}

/// `standings`: one for each partition of a request with a transactional id, else none.
async fn begin_topic(
    kafka: &Kafka,
    data: TopicProduceData,
    found: Result<Arc<Topic>, ErrorCode>,
    standings: &mut VecDeque<Standing>,
) -> WaitingTopic {
    let mut partitions = Vec::with_capacity(data.partition_data.len());
    for PartitionProduceData { index, records, .. } in data.partition_data {
        let standing = standings.pop_front().unwrap_or(Standing::Plain);
        let waiting = match &found {
            Err(code) => Waiting::Refused(*code, None),
            Ok(topic) => {
                let records = records
                    .map(millstream_kafka_wire::Records::into_contiguous)
                    .unwrap_or_default();
                begin_partition(kafka, topic, index, records, standing).await
            }
        };
        partitions.push((index, waiting));
    }
    WaitingTopic {
        name: data.name,
        id: data.topic_id,
        partitions,
    }
}

async fn begin_partition(
    kafka: &Kafka,
    topic: &Topic,
    index: i32,
    records: bytes::Bytes,
    standing: Standing,
) -> Waiting {
    let Ok(partition) = u32::try_from(index) else {
        return Waiting::Refused(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, None);
    };
    let begun = match standing {
        Standing::Plain => kafka.broker.append(topic, partition, records).await,
        Standing::Guarded(guard) => {
            let broker = &kafka.broker;
            broker
                .append_in_transaction(topic, partition, records, guard)
                .await
        }
        Standing::Refused(code) => return Waiting::Refused(code, None),
    };
    match begun {
        Ok(pending) => Waiting::Pending(pending),
        Err(error) => Waiting::Refused(error.code(), Some(error)),
    }
}

fn first_refusal(topics: &[WaitingTopic]) -> Option<ErrorCode> {
    let partitions = topics.iter().flat_map(|topic| &topic.partitions);
    partitions.into_iter().find_map(|(_, waiting)| match waiting {
        Waiting::Refused(code, _) => Some(*code),
        Waiting::Pending(_) => None,
    })
}

async fn finish(topics: Vec<WaitingTopic>) -> ProduceResponse {
    let mut response = ProduceResponse::default();
    for topic in topics {
        let mut partition_responses = Vec::with_capacity(topic.partitions.len());
        for (index, waiting) in topic.partitions {
            let answer = match waiting {
                Waiting::Pending(pending) => pending.durable().await.map_err(|e| (e.code(), Some(e))),
                Waiting::Refused(code, error) => Err((code, error)),
            };
            partition_responses.push(encode_partition(index, answer));
        }
        response.responses.push(TopicProduceResponse {
            name: topic.name,
            topic_id: topic.id,
            partition_responses,
        });
    }
    response
}

fn encode_partition(
    index: i32,
    answer: Result<Produced, (ErrorCode, Option<ProduceError>)>,
) -> PartitionProduceResponse {
    let mut response = PartitionProduceResponse {
        index,
        ..Default::default()
    };
    match answer {
        Ok(produced) => {
            response.base_offset = produced.base.0 as i64;
            response.log_append_time_ms = produced.log_append_time.unwrap_or(-1);
            response.log_start_offset = produced.log_start.0 as i64;
        }
        Err((code, error)) => {
            response.error_code = code.0;
            response.base_offset = -1;
            response.log_append_time_ms = -1;
            response.log_start_offset = -1;
            if let Some(error) = error {
                response.record_errors = record_errors(&error);
                response.error_message = Some(Str::from(error.to_string()));
            }
        }
    }
    response
}

/// Which records are to blame (KIP-467).
fn record_errors(error: &ProduceError) -> Vec<BatchIndexAndErrorMessage> {
    let ProduceError::Refused(RecordsRefused::Invalid { reason, records }) = error else {
        return Vec::new();
    };
    let blamed = records.iter().map(|record| BatchIndexAndErrorMessage {
        batch_index: i32::try_from(*record).unwrap_or(i32::MAX),
        batch_index_error_message: Some(Str::from_static(reason)),
    });
    blamed.collect()
}

fn refuse_all(request: ProduceRequest, code: ErrorCode) -> ProduceResponse {
    let responses = request.topic_data.into_iter().map(|topic| TopicProduceResponse {
        name: topic.name,
        topic_id: topic.topic_id,
        partition_responses: topic
            .partition_data
            .iter()
            .map(|data| encode_partition(data.index, Err((code, None))))
            .collect(),
    });
    ProduceResponse {
        responses: responses.collect(),
        ..Default::default()
    }
}
