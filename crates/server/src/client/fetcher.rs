//! Fetching: every broker that leads some of the partitions is asked over a connection of its own, all at once, and whole batches
//! come back in offset order for each partition.

use super::cluster::{Cluster, Missing, Retry};
use super::connection::Connection;
use super::error::ClientError;
use super::offsets::TopicPartition;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use millstream_kafka_wire::fetch::{FetchPartition, FetchTopic, PartitionData};
use millstream_kafka_wire::{ErrorCode, FetchRequest, FetchResponse, Str};
use millstream_log::batch::{HEADER_BYTES, LENGTH_PREFIX_BYTES, StoredBatch, field};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::time::Duration;

/// How long a broker may wait for data before it answers without.
const WAIT_MS: i32 = 500;

/// Bytes of one answer.
const ANSWER_BYTES: i32 = 32 << 20;

/// Bytes of one partition in an answer.
const PARTITION_BYTES: i32 = 4 << 20;

/// Versions in which topics have names (from 13 on they have ids).
const FETCH_VERSIONS: RangeInclusive<i16> = 4..=12;

/// What a reader may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Isolation {
    /// Everything that is durable.
    ReadUncommitted,
    /// Nothing of transactions that are open or aborted.
    ReadCommitted,
}

impl Isolation {
    /// As requests spell it.
    #[must_use]
    pub fn level(self) -> i8 {
        i8::from(self == Self::ReadCommitted)
    }
}

/// Batches of one partition, in order, of which every record at or above `from` is new.
pub struct Chunk {
    /// Which partition.
    pub place: TopicPartition,
    /// Records below are to be skipped: a fetch returns whole batches.
    pub from: i64,
    /// The batches, verified.
    pub batches: Vec<StoredBatch>,
}

/// One broker's share of the work; travels into the request and comes back with the answer.
struct Session {
    node: i32,
    connection: Connection,
    request: FetchRequest,
}

type Answered = (Session, Result<FetchResponse, ClientError>);

/// See the module.
pub struct Fetcher {
    cluster: Cluster,
    isolation: Isolation,
    positions: BTreeMap<TopicPartition, i64>,
    asking: FuturesUnordered<BoxFuture<'static, Answered>>,
    retry: Retry,
}

impl Fetcher {
    /// Reads each partition from its offset.
    #[must_use]
    pub fn new(cluster: Cluster, isolation: Isolation, positions: BTreeMap<TopicPartition, i64>) -> Self {
        Self {
            cluster,
            isolation,
            positions,
            asking: FuturesUnordered::new(),
            retry: Retry::default(),
        }
    }

    /// The next offset of each partition.
    #[must_use]
    pub fn positions(&self) -> &BTreeMap<TopicPartition, i64> {
        &self.positions
    }

    /// The connections, for other questions in between.
    pub fn cluster(&mut self) -> &mut Cluster {
        &mut self.cluster
    }

    /// Stops reading a partition.
    pub fn drop_partition(&mut self, place: &TopicPartition) {
        self.positions.remove(place);
    }

    /// Waits for the next answer of any broker; empty when nobody has anything new. Positions stand behind what is returned.
    ///
    /// May be dropped while it waits: nothing is lost, as positions move only with what is returned.
    pub async fn next(&mut self) -> Result<Vec<Chunk>, ClientError> {
        loop {
            if self.asking.is_empty() {
                self.ask_all().await?;
            }
            let Some((session, answer)) = self.asking.next().await else {
                // No partitions at all (a group member without any): pace the caller's loop.
                tokio::time::sleep(Duration::from_millis(WAIT_MS as u64)).await;
                return Ok(Vec::new());
            };
            match answer.and_then(|answer| self.take(&answer)) {
                Ok(chunks) => {
                    self.retry = Retry::default();
                    self.ask_again(session);
                    return Ok(chunks);
                }
                Err(error) => {
                    // Leaders may have changed: forget every session, look them up anew.
                    self.asking.clear();
                    self.retry.after(error).await?;
                }
            }
        }
    }

    async fn ask_all(&mut self) -> Result<(), ClientError> {
        let mut by_leader: BTreeMap<i32, Vec<TopicPartition>> = BTreeMap::new();
        let topics: HashSet<String> = self.positions.keys().map(|place| place.topic.clone()).collect();
        let mut leaders: HashMap<String, Vec<i32>> = HashMap::new();
        for topic in topics {
            let layout = self.cluster.layout(&topic, Missing::Refuse).await?;
            leaders.insert(topic, layout.leaders);
        }
        for place in self.positions.keys() {
            let leader = leaders
                .get(&place.topic)
                .and_then(|leaders| leaders.get(place.partition));
            let unknown = || {
                ClientError::Unexpected(format!(
                    "topic {} has no partition {}",
                    place.topic, place.partition
                ))
            };
            by_leader
                .entry(*leader.ok_or_else(unknown)?)
                .or_default()
                .push(place.clone());
        }
        // All sessions or none: dropped in the middle, this would leave brokers out.
        let mut sessions = Vec::with_capacity(by_leader.len());
        for (node, places) in by_leader {
            let connection = self.cluster.open(node).await?;
            let request = self.request(&places);
            sessions.push(Session {
                node,
                connection,
                request,
            });
        }
        self.asking.extend(sessions.into_iter().map(ask));
        Ok(())
    }

    /// The same session with the positions that hold now; the order of partitions rotates, so that none starves behind another.
    fn ask_again(&mut self, session: Session) {
        let mut places: Vec<TopicPartition> = Vec::new();
        for topic in &session.request.topics {
            for partition in &topic.partitions {
                let place = TopicPartition {
                    topic: topic.topic.as_str().to_owned(),
                    partition: usize::try_from(partition.partition).unwrap_or(usize::MAX),
                };
                if self.positions.contains_key(&place) {
                    places.push(place);
                }
            }
        }
        if places.is_empty() {
            return;
        }
        places.rotate_left(1);
        let request = self.request(&places);
        self.asking.push(ask(Session { request, ..session }));
    }

    fn request(&self, places: &[TopicPartition]) -> FetchRequest {
        let mut topics: Vec<FetchTopic> = Vec::new();
        for place in places {
            let partition = FetchPartition {
                partition: i32::try_from(place.partition).unwrap_or(i32::MAX),
                current_leader_epoch: -1,
                fetch_offset: self.positions.get(place).copied().unwrap_or_default(),
                last_fetched_epoch: -1,
                log_start_offset: -1,
                partition_max_bytes: PARTITION_BYTES,
                ..Default::default()
            };
            match topics.last_mut() {
                Some(topic) if topic.topic == *place.topic.as_str() => topic.partitions.push(partition),
                _ => topics.push(FetchTopic {
                    topic: Str::from(place.topic.as_str()),
                    partitions: vec![partition],
                    ..Default::default()
                }),
            }
        }
        FetchRequest {
            replica_id: -1,
            max_wait_ms: WAIT_MS,
            min_bytes: 1,
            max_bytes: ANSWER_BYTES,
            isolation_level: self.isolation.level(),
            // No fetch session: each request stands for itself (KIP-227).
            session_id: 0,
            session_epoch: -1,
            topics,
            ..Default::default()
        }
    }

    fn take(&mut self, answer: &FetchResponse) -> Result<Vec<Chunk>, ClientError> {
        ClientError::check(|| "fetch".to_owned(), answer.error_code, None)?;
        let mut chunks = Vec::new();
        for topic in &answer.responses {
            for partition in &topic.partitions {
                let place = TopicPartition {
                    topic: topic.topic.as_str().to_owned(),
                    partition: usize::try_from(partition.partition_index).unwrap_or(usize::MAX),
                };
                let Some(from) = self.positions.get(&place).copied() else {
                    continue;
                };
                check_partition(&place, from, partition)?;
                let batches = whole_batches(&place, partition)?;
                if let Some(last) = batches.last() {
                    let next = i64::try_from(last.header().next_offset().0).unwrap_or(i64::MAX);
                    self.positions.insert(place.clone(), next.max(from));
                }
                let batches = match self.isolation {
                    Isolation::ReadUncommitted => batches,
                    Isolation::ReadCommitted => without_aborted(batches, partition),
                };
                let visible = |batch: &StoredBatch| !batch.header().is_control();
                let batches: Vec<StoredBatch> = batches.into_iter().filter(visible).collect();
                if !batches.is_empty() {
                    chunks.push(Chunk { place, from, batches });
                }
            }
        }
        Ok(chunks)
    }
}

fn ask(mut session: Session) -> BoxFuture<'static, Answered> {
    Box::pin(async move {
        let wait = Duration::from_millis(WAIT_MS as u64);
        let answer = session
            .connection
            .call_slow(&session.request, FETCH_VERSIONS, wait)
            .await;
        tracing::trace!(node = session.node, "fetch answered");
        (session, answer)
    })
}

fn check_partition(place: &TopicPartition, from: i64, partition: &PartitionData) -> Result<(), ClientError> {
    let what = || format!("topic {}, partition {}", place.topic, place.partition);
    match ErrorCode(partition.error_code) {
        ErrorCode::NONE => Ok(()),
        ErrorCode::OFFSET_OUT_OF_RANGE => {
            let message =
                format!("offset {from} is no longer, or not yet, there: choose another start with --from");
            Err(ClientError::refused_with(
                what(),
                ErrorCode::OFFSET_OUT_OF_RANGE,
                Some(&message),
            ))
        }
        // Right after a topic came into being, or while a partition moves.
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => {
            Err(ClientError::refused(what(), ErrorCode::NOT_LEADER_OR_FOLLOWER))
        }
        code => Err(ClientError::refused(what(), code)),
    }
}

/// The whole batches of an answer; what is cut off at its end comes with the next fetch.
fn whole_batches(place: &TopicPartition, partition: &PartitionData) -> Result<Vec<StoredBatch>, ClientError> {
    let mut rest = partition
        .records
        .clone()
        .map_or_else(Bytes::new, |records| records.into_contiguous());
    let mut batches = Vec::new();
    while rest.len() >= HEADER_BYTES {
        let length = rest[field::BATCH_LENGTH..LENGTH_PREFIX_BYTES]
            .try_into()
            .expect("four bytes");
        let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
        let whole = length.saturating_add(LENGTH_PREFIX_BYTES);
        if whole > rest.len() {
            break;
        }
        let batch = StoredBatch::verify(rest.split_to(whole)).map_err(|error| {
            let place = format!("topic {}, partition {}", place.topic, place.partition);
            ClientError::Unexpected(format!("{place}: a damaged batch arrived: {error}"))
        })?;
        batches.push(batch);
    }
    Ok(batches)
}

/// Leaves out the records of aborted transactions (KIP-98): the answer names each aborted producer and where its transaction
/// began; it ends at the producer's next marker.
fn without_aborted(batches: Vec<StoredBatch>, partition: &PartitionData) -> Vec<StoredBatch> {
    let mut aborted = partition.aborted_transactions.clone().unwrap_or_default();
    aborted.sort_unstable_by_key(|transaction| transaction.first_offset);
    let mut coming = aborted.into_iter().peekable();
    let mut open: HashSet<i64> = HashSet::new();
    let mut kept = Vec::with_capacity(batches.len());
    for batch in batches {
        let header = *batch.header();
        let last = i64::try_from(header.last_offset().0).unwrap_or(i64::MAX);
        while let Some(begun) = coming.next_if(|transaction| transaction.first_offset <= last) {
            open.insert(begun.producer_id);
        }
        if header.is_control() {
            open.remove(&header.producer_id);
        } else if header.is_transactional() && open.contains(&header.producer_id) {
            continue;
        }
        kept.push(batch);
    }
    kept
}
