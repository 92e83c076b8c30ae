//! ShareFetch (78): takes acknowledgements, then acquires records for a member of a share group (KIP-932).
//!
//! Versions 1-2. v2 exact record limits (KIP-1206) and renewal of locks (KIP-1222). The batch size is a hint for how acquired ranges
//! are cut; here they are never cut: one range is the least that a client has to remember.
//!
//! Queue path: decode, settle, acquire, encode. The records are the log's own bytes.

use crate::access::{Operation, Resource};
use crate::api::share_acknowledge::{Answered, settle_all};
use crate::dispatch::{Api, Begun, Call, Order};
use crate::errors::{Coded, ErrorCode};
use crate::node::Kafka;
use crate::share::{AckBatch, Place, Renewal, SessionKey, SessionTurn, ShareAsk, settlements, subscription};
use millstream_broker::QuotaKind;
use millstream_broker::queue::{AcquireAsk, AcquireBudget, AcquireSlice, Acquired, Dispatch, Settlement};
use millstream_kafka_wire::share_fetch::{
    AcquiredRecords, FetchPartition, PartitionData, ShareFetchRequest, ShareFetchResponse,
    ShareFetchableTopicResponse,
};
use millstream_kafka_wire::{Records, Str};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct ShareFetch;

/// The longest that a fetch waits, whatever it asks for.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Acquire mode on the wire (KIP-1206): never more records than asked for.
const MODE_RECORD_LIMIT: i8 = 1;

/// What the request says of each partition, in order of the partitions.
type Acks = BTreeMap<Place, Result<Vec<Settlement>, ErrorCode>>;

impl Api for ShareFetch {
    type Request = ShareFetchRequest;
    const ORDER: Order = Order::AfterAnswers;

    async fn begin(
        kafka: Arc<Kafka>,
        mut call: Call,
        request: ShareFetchRequest,
    ) -> Begun<ShareFetchResponse> {
        // A fetch that waits must not keep large requests of others waiting.
        drop(call.memory.take());
        let key = match session_key(request.group_id.as_ref(), request.member_id.as_ref()) {
            Ok(key) => key,
            Err(code) => return Begun::Done(refused(code)),
        };
        if let Err(code) = kafka.need(&call, Operation::Read, Resource::Group(&key.group)) {
            return Begun::Done(refused(code));
        }
        let (added, acks) = match read(&kafka, &key, &request) {
            Ok(read) => read,
            Err(code) => return Begun::Done(refused(code)),
        };
        let forgotten = forgotten(&request);
        let ask = ShareAsk {
            epoch: request.share_session_epoch,
            added: &added,
            forgotten: &forgotten,
        };
        let turn = match kafka.shares.fetch(&key, &ask, &call.peer) {
            Ok(turn) => turn,
            Err(code) => return Begun::Done(refused(code)),
        };
        let answered = settle_all(&kafka, &call, &key.group, turn.holder, acks).await;
        let is_last = request.share_session_epoch < 0;
        let owes = call.toll.as_ref().is_some_and(|toll| toll.owes(QuotaKind::Fetch));
        let fetched = if is_last || request.is_renew_ack || owes {
            Vec::new()
        } else {
            acquire(&kafka, &call, &key, &turn, &request).await
        };
        if let Some(toll) = &call.toll {
            let slices = fetched.iter().filter_map(|(_, slice)| slice.as_ref().ok());
            let bytes: usize = slices.map(|slice| slice.bytes).sum();
            toll.charge(QuotaKind::Fetch, bytes as f64);
        }
        if is_last {
            kafka.shares.end(&key).await;
        }
        Begun::Done(encode(&kafka, &key, answered, fetched))
    }
}

/// Group and member; both must have names.
pub(super) fn session_key(group: Option<&Str>, member: Option<&Str>) -> Result<SessionKey, ErrorCode> {
    let named = |text: Option<&Str>| {
        let text = text.filter(|text| !text.as_str().is_empty());
        text.map(|text| Arc::from(text.as_str()))
            .ok_or(ErrorCode::INVALID_REQUEST)
    };
    Ok(SessionKey {
        group: named(group)?,
        member: named(member)?,
    })
}

/// The partitions that are named, and what is said of their records.
fn read(
    kafka: &Kafka,
    key: &SessionKey,
    request: &ShareFetchRequest,
) -> Result<(Vec<Place>, Acks), ErrorCode> {
    let wants = [
        request.max_wait_ms,
        request.min_bytes,
        request.max_bytes,
        request.max_records,
    ];
    if request.is_renew_ack && wants.iter().any(|wanted| *wanted != 0) {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    let renewal = renewal(kafka, key, request.is_renew_ack)?;
    let mut added = Vec::new();
    let mut acks = Acks::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            let place = Place {
                topic: topic.topic_id,
                // No partition has a negative number: this one is not found.
                partition: u32::try_from(partition.partition_index).unwrap_or(u32::MAX),
            };
            added.push(place);
            if !partition.acknowledgement_batches.is_empty() {
                acks.insert(place, settlements(batches(partition), renewal));
            }
        }
    }
    // A session that begins has nothing to acknowledge.
    if request.share_session_epoch == 0 && !acks.is_empty() {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    Ok((added, acks))
}

/// Whether renewals are in order; a group may forbid them.
pub(super) fn renewal(kafka: &Kafka, key: &SessionKey, is_renew_ack: bool) -> Result<Renewal, ErrorCode> {
    match is_renew_ack {
        false => Ok(Renewal::Absent),
        true if kafka.shares.may_renew(&key.group) => Ok(Renewal::Announced),
        true => Err(ErrorCode::INVALID_REQUEST),
    }
}

fn batches(partition: &FetchPartition) -> impl Iterator<Item = AckBatch<'_>> {
    partition.acknowledgement_batches.iter().map(|batch| AckBatch {
        first: batch.first_offset,
        last: batch.last_offset,
        types: &batch.acknowledge_types,
    })
}

fn forgotten(request: &ShareFetchRequest) -> Vec<Place> {
    let topics = request.forgotten_topics_data.iter();
    topics
        .flat_map(|topic| {
            topic.partitions.iter().map(|partition| Place {
                topic: topic.topic_id,
                partition: u32::try_from(*partition).unwrap_or(u32::MAX),
            })
        })
        .collect()
}

/// Acquires for every partition of the session that is there.
async fn acquire(
    kafka: &Kafka,
    call: &Call,
    key: &SessionKey,
    turn: &SessionTurn,
    request: &ShareFetchRequest,
) -> Vec<(Place, Result<AcquireSlice, ErrorCode>)> {
    let mut budget = budget(kafka, request);
    let mut asks = Vec::with_capacity(turn.places.len());
    let mut places = Vec::with_capacity(turn.places.len());
    let mut out = Vec::new();
    for &place in &turn.places {
        match ask(kafka, call, key, place) {
            Ok(ask) => {
                asks.push(ask);
                places.push(place);
            }
            Err(code) => out.push((place, Err(code))),
        }
    }
    if !out.is_empty() {
        // An error is told at once.
        budget.wait_max = Duration::ZERO;
    }
    let results = kafka
        .shares
        .queues
        .acquire(turn.holder, &asks, budget, call.leaving.clone().left())
        .await;
    let results = results
        .into_iter()
        .map(|result| result.map_err(|error| error.code()));
    out.extend(places.into_iter().zip(results));
    out
}

fn ask(kafka: &Kafka, call: &Call, key: &SessionKey, place: Place) -> Result<AcquireAsk, ErrorCode> {
    let topic = kafka.topic_by_id_for(call, Operation::Read, place.topic)?;
    if topic.stream(place.partition).is_none() {
        return Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    }
    Ok(AcquireAsk {
        subscription: subscription(&key.group, place),
        topic,
    })
}

fn budget(kafka: &Kafka, request: &ShareFetchRequest) -> AcquireBudget {
    let bytes_max = usize::try_from(request.max_bytes).unwrap_or(0);
    let bytes_max = bytes_max.min(kafka.broker.settings().fetch_bytes_max);
    AcquireBudget {
        bytes_max,
        // More than the answer may hold never comes.
        bytes_min: usize::try_from(request.min_bytes).unwrap_or(0).min(bytes_max),
        records_max: u64::try_from(request.max_records).unwrap_or(0),
        wait_max: Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)).min(WAIT_MAX),
        dispatch: if request.share_acquire_mode == MODE_RECORD_LIMIT {
            Dispatch::Records
        } else {
            Dispatch::Batches
        },
    }
}

fn refused(code: ErrorCode) -> ShareFetchResponse {
    ShareFetchResponse {
        error_code: code.0,
        ..Default::default()
    }
}

/// Partitions that have news: records, an error, or an acknowledgement's outcome.
fn encode(
    kafka: &Kafka,
    key: &SessionKey,
    answered: Answered,
    fetched: Vec<(Place, Result<AcquireSlice, ErrorCode>)>,
) -> ShareFetchResponse {
    let mut news: BTreeMap<Place, PartitionData> = BTreeMap::new();
    for (place, outcome) in answered {
        let data = data_of(&mut news, place);
        data.acknowledge_error_code = outcome.err().unwrap_or(ErrorCode::NONE).0;
    }
    for (place, result) in fetched {
        match result {
            Ok(slice) if slice.acquired.is_empty() => {}
            Ok(slice) => fill(data_of(&mut news, place), slice),
            Err(code) => data_of(&mut news, place).error_code = code.0,
        }
    }
    let mut response = ShareFetchResponse {
        acquisition_lock_timeout_ms: i32::try_from(kafka.shares.lock(&key.group).as_millis())
            .unwrap_or(i32::MAX),
        ..Default::default()
    };
    for (place, data) in news {
        match response.responses.last_mut() {
            Some(topic) if topic.topic_id == place.topic => topic.partitions.push(data),
            _ => response.responses.push(ShareFetchableTopicResponse {
                topic_id: place.topic,
                partitions: vec![data],
            }),
        }
    }
    response
}

fn data_of(news: &mut BTreeMap<Place, PartitionData>, place: Place) -> &mut PartitionData {
    news.entry(place).or_insert_with(|| PartitionData {
        partition_index: i32::try_from(place.partition).unwrap_or(-1),
        ..Default::default()
    })
}

fn fill(data: &mut PartitionData, slice: AcquireSlice) {
    let mut records = Records::default();
    for chunk in slice.chunks {
        records.push(chunk);
    }
    data.records = records;
    let ranges = slice
        .acquired
        .into_iter()
        .map(|Acquired { range, deliveries }| AcquiredRecords {
            first_offset: *range.start() as i64,
            last_offset: *range.end() as i64,
            delivery_count: i16::try_from(deliveries).unwrap_or(i16::MAX),
        });
    data.acquired_records = ranges.collect();
}
