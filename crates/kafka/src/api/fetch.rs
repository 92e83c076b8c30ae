//! Fetch (1): reads record batches from partitions, waiting for data if asked to.
//!
//! Versions 4-18. v7 sessions (KIP-227); v9 leader epochs (KIP-320); v11 rack (KIP-392; one node, so no preferred replica);
//! v12 flexible, diverging epochs (KIP-595); v13 topic ids (KIP-516); v15 replica state, v16 node endpoints (KIP-951),
//! v17, v18 for replicas only.
//!
//! Fetch path: decode, ask, encode. The records are the log's own bytes.

use crate::access::Operation;
use crate::dispatch::{Api, Begun, Call, Leaving, Order};
use crate::errors::{Coded, ErrorCode};
use crate::fetch_session::{Ask, HasNews, Plan, SessionRequest, Told, TopicKey};
use crate::node::Kafka;
use millstream_broker::{
    Epoch, FetchBudget, FetchRead, FetchResult, FetchSlice, Isolation, Offset, QuotaKind, StreamBounds, Topic,
};
use millstream_kafka_wire::fetch::{
    AbortedTransaction, EpochEndOffset, FetchRequest, FetchResponse, FetchTopic, FetchableTopicResponse,
    ForgottenTopic, PartitionData,
};
use millstream_kafka_wire::{Records, Str, Uuid};
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Fetch;

/// The first version that names topics by id.
const TOPIC_IDS_FROM: i16 = 13;

/// The longest that a fetch waits, whatever it asks for.
const WAIT_MAX: Duration = Duration::from_secs(60);

impl Api for Fetch {
    type Request = FetchRequest;
    const ORDER: Order = Order::AfterAnswers;

    async fn begin(kafka: Arc<Kafka>, mut call: Call, request: FetchRequest) -> Begun<FetchResponse> {
        let mut budget = budget(&kafka, &request);
        let by_id = call.version >= TOPIC_IDS_FROM;
        let leaving = call.leaving.clone();
        let toll = call.toll.take();
        // A fetch that waits must not keep large requests of others waiting.
        drop(call.memory.take());
        let mut owes = false;
        if let Some(toll) = &toll {
            owes = toll.owes(QuotaKind::Fetch);
            // Nothing is read for a client that is to wait; a session that it wants to begin would be lost on it.
            if owes && request.session_epoch <= 0 {
                return Begun::Done(FetchResponse::default());
            }
            bound_by_quota(&mut budget, toll.burst(QuotaKind::Fetch));
        }
        let plan = match kafka
            .fetch_sessions
            .plan(session_request(request, by_id), kafka.monotonic())
        {
            Ok(plan) => plan,
            Err(code) => {
                return Begun::Done(FetchResponse {
                    error_code: code.0,
                    ..Default::default()
                });
            }
        };
        if owes {
            return Begun::Done(FetchResponse {
                session_id: plan.session_id,
                ..Default::default()
            });
        }
        let reads = resolve_all(&kafka, &call, &plan.asks);
        let results = read_all(&kafka, reads, budget, leaving).await;
        if let Some(toll) = &toll {
            let bytes: usize = results.iter().flatten().map(|slice| slice.bytes).sum();
            toll.charge(QuotaKind::Fetch, bytes as f64);
        }
        Begun::Done(encode(&plan, results, budget.isolation))
    }
}

fn budget(kafka: &Kafka, request: &FetchRequest) -> FetchBudget {
    let bytes_max = usize::try_from(request.max_bytes)
        .unwrap_or(0)
        .min(kafka.broker.settings().fetch_bytes_max);
    FetchBudget {
        bytes_max,
        bytes_min: usize::try_from(request.min_bytes).unwrap_or(0).min(bytes_max),
        wait_max: Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)).min(WAIT_MAX),
        isolation: if request.isolation_level == 1 {
            Isolation::ReadCommitted
        } else {
            Isolation::ReadUncommitted
        },
    }
}

/// An answer is no larger than what its client may take at once, but for the one batch that it gets in any case.
fn bound_by_quota(budget: &mut FetchBudget, burst: Option<f64>) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a burst is above 0, and what is above usize bounds nothing"
    )]
    let bytes_max = burst.map_or(usize::MAX, |burst| burst as usize);
    budget.bytes_max = budget.bytes_max.min(bytes_max);
    budget.bytes_min = budget.bytes_min.min(budget.bytes_max);
}

fn session_request(request: FetchRequest, by_id: bool) -> SessionRequest {
    let mut asks = Vec::new();
    for FetchTopic {
        topic,
        topic_id,
        partitions,
        ..
    } in request.topics
    {
        let key = topic_key(&topic, topic_id, by_id);
        asks.extend(partitions.into_iter().map(|partition| Ask {
            topic: key.clone(),
            partition: partition.partition,
            from: partition.fetch_offset,
            bytes_max: partition.partition_max_bytes,
            epoch: partition.current_leader_epoch,
            last_fetched_epoch: partition.last_fetched_epoch,
        }));
    }
    let mut forgotten = Vec::new();
    for ForgottenTopic {
        topic,
        topic_id,
        partitions,
    } in request.forgotten_topics_data
    {
        let key = topic_key(&topic, topic_id, by_id);
        forgotten.extend(partitions.into_iter().map(|partition| (key.clone(), partition)));
    }
    SessionRequest {
        id: request.session_id,
        epoch: request.session_epoch,
        asks,
        forgotten,
        by_id,
    }
}

/// A session outlives the frame, so the name is detached from it.
fn topic_key(name: &Str, id: Uuid, by_id: bool) -> TopicKey {
    if by_id {
        TopicKey::Id(id)
    } else {
        TopicKey::Name(name.detach())
    }
}

/// Partitions of a topic stand together as a rule: it is looked up once for them.
fn resolve_all(kafka: &Kafka, call: &Call, asks: &[Ask]) -> Vec<Result<FetchRead, ErrorCode>> {
    let mut held: Option<(&TopicKey, Result<Arc<Topic>, ErrorCode>)> = None;
    let mut reads = Vec::with_capacity(asks.len());
    for ask in asks {
        let topic = match held.take() {
            Some((last, topic)) if *last == ask.topic => topic,
            _ => find_topic(kafka, call, &ask.topic),
        };
        held = Some((&ask.topic, topic.clone()));
        reads.push(topic.and_then(|topic| read_of(topic, ask)));
    }
    reads
}

/// Asked at every fetch, in a session too: a right that was taken away ends with the next answer.
fn find_topic(kafka: &Kafka, call: &Call, key: &TopicKey) -> Result<Arc<Topic>, ErrorCode> {
    match key {
        TopicKey::Name(name) => kafka.topic_for(call, Operation::Read, name.as_str()),
        TopicKey::Id(id) => kafka.topic_by_id_for(call, Operation::Read, *id),
    }
}

fn read_of(topic: Arc<Topic>, ask: &Ask) -> Result<FetchRead, ErrorCode> {
    Ok(FetchRead {
        topic,
        partition: u32::try_from(ask.partition).map_err(|_| ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?,
        from: Offset(u64::try_from(ask.from).map_err(|_| ErrorCode::OFFSET_OUT_OF_RANGE)?),
        bytes_max: usize::try_from(ask.bytes_max).unwrap_or(0),
        epoch: epoch(ask.epoch),
        last_fetched_epoch: epoch(ask.last_fetched_epoch),
    })
}

/// -1 on the wire means that the client does not know.
pub(crate) fn epoch(on_wire: i32) -> Option<Epoch> {
    u32::try_from(on_wire).ok().map(Epoch)
}

/// Reads what resolved; a partition that did not resolve ends the wait, as any error does.
async fn read_all(
    kafka: &Kafka,
    reads: Vec<Result<FetchRead, ErrorCode>>,
    mut budget: FetchBudget,
    leaving: Leaving,
) -> Vec<Result<FetchSlice, ErrorCode>> {
    let resolved: Vec<FetchRead> = reads
        .iter()
        .filter_map(|read| read.as_ref().ok().cloned())
        .collect();
    if resolved.len() < reads.len() {
        budget.wait_max = Duration::ZERO;
    }
    let mut results = kafka
        .broker
        .fetch(&resolved, budget, leaving.left())
        .await
        .into_iter();
    let mut next = || -> FetchResult { results.next().expect("one result for each read") };
    reads
        .into_iter()
        .map(|read| match read {
            Ok(_) => next().map_err(|error| error.code()),
            Err(code) => Err(code),
        })
        .collect()
}

fn encode(plan: &Plan, results: Vec<Result<FetchSlice, ErrorCode>>, isolation: Isolation) -> FetchResponse {
    let mut response = FetchResponse {
        session_id: plan.session_id,
        ..Default::default()
    };
    let mut open: Option<&TopicKey> = None;
    plan.tell(|must_tell| {
        for (ask, result) in plan.asks.iter().zip(results) {
            let (told, has_news) = news(&result);
            if !must_tell(ask, told, has_news) {
                continue;
            }
            if open != Some(&ask.topic) {
                response.responses.push(topic_response(&ask.topic));
                open = Some(&ask.topic);
            }
            let topic = response.responses.last_mut().expect("pushed above");
            let data = encode_partition(ask.partition, result, isolation);
            topic.partitions.push(data);
        }
    });
    response
}

fn topic_response(key: &TopicKey) -> FetchableTopicResponse {
    match key {
        TopicKey::Name(name) => FetchableTopicResponse {
            topic: name.clone(),
            ..Default::default()
        },
        TopicKey::Id(id) => FetchableTopicResponse {
            topic_id: *id,
            ..Default::default()
        },
    }
}

fn news(result: &Result<FetchSlice, ErrorCode>) -> (Told, HasNews) {
    match result {
        Ok(slice) => {
            let StreamBounds { start, end, .. } = slice.bounds;
            let told = Told {
                high_watermark: end.0 as i64,
                log_start: start.0 as i64,
            };
            let has_news = match (slice.bytes, slice.diverging) {
                (_, Some(_)) => HasNews::Error,
                (0, None) => HasNews::No,
                _ => HasNews::Records,
            };
            (told, has_news)
        }
        Err(_) => (
            Told {
                high_watermark: -1,
                log_start: -1,
            },
            HasNews::Error,
        ),
    }
}

/// What a reader of committed records has to leave out. Readers look for the first offsets in order.
fn aborted(slice: &FetchSlice) -> Vec<AbortedTransaction> {
    let of = |aborted: &millstream_broker::AbortedTransaction| AbortedTransaction {
        producer_id: aborted.producer_id,
        first_offset: aborted.first.0 as i64,
    };
    let mut all: Vec<AbortedTransaction> = slice.aborted.iter().map(of).collect();
    all.sort_by_key(|aborted| aborted.first_offset);
    all
}

fn encode_partition(
    index: i32,
    result: Result<FetchSlice, ErrorCode>,
    isolation: Isolation,
) -> PartitionData {
    let mut data = PartitionData {
        partition_index: index,
        records: Some(Records::default()),
        ..Default::default()
    };
    let slice = match result {
        Ok(slice) => slice,
        Err(code) => {
            data.error_code = code.0;
            data.high_watermark = -1;
            return data;
        }
    };
    data.high_watermark = slice.bounds.end.0 as i64;
    data.last_stable_offset = slice.bounds.stable_end.0 as i64;
    data.log_start_offset = slice.bounds.start.0 as i64;
    data.aborted_transactions = (isolation == Isolation::ReadCommitted).then(|| aborted(&slice));
    if let Some((epoch, end)) = slice.diverging {
        let epoch = i32::try_from(epoch.0).unwrap_or(i32::MAX);
        data.diverging_epoch = EpochEndOffset {
            epoch,
            end_offset: end.0 as i64,
        };
    }
    let mut records = Records::default();
    for chunk in slice.chunks {
        records.push(chunk);
    }
    data.records = Some(records);
    data
}
