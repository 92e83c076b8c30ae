//! Producing: records are collected into a batch for each partition, batches are sent in order with several in flight, and a batch
//! whose fate is unknown is sent again with the same sequence, so that it is stored once.

use super::cluster::{Cluster, Missing, Retry};
use super::connection::Sent;
use super::error::ClientError;
use super::partitioner::partition_of;
use bytes::Bytes;
use millstream_kafka_wire::produce::{PartitionProduceData, TopicProduceData};
use millstream_kafka_wire::{
    ErrorCode, InitProducerIdRequest, ProduceRequest, ProduceResponse, Records, Str,
};
use millstream_log::batch::{BatchBuilder, Codec, NewRecord};
use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Requests on their way at once. Five is what brokers remember of an idempotent producer's sequences.
const IN_FLIGHT_MAX: usize = 5;

/// How long the broker may take to make a batch durable.
const PRODUCE_TIMEOUT_MS: i32 = 30_000;

/// Versions in which topics have names (from 13 on they have ids).
const PRODUCE_VERSIONS: RangeInclusive<i16> = 3..=12;

/// What the broker promises before it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Acks {
    /// No answer: records may be lost without a word.
    #[value(name = "0")]
    None,
    /// As `all` with Millstream; with Kafka, only the leader has the records.
    #[value(name = "1")]
    Leader,
    /// Durable.
    #[value(name = "all", alias = "-1")]
    All,
}

impl Acks {
    fn code(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Leader => 1,
            Self::All => -1,
        }
    }
}

/// How to produce.
#[derive(Clone, Debug)]
pub struct ProducerOptions {
    /// Promise asked for.
    pub acks: Acks,
    /// Compression of the batches.
    pub codec: Codec,
    /// All records go to this partition; `None`: by key, and in turn without one.
    pub partition: Option<usize>,
    /// Bytes of records at which a batch is sent, before compression.
    pub batch_bytes: usize,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Records acknowledged; sent, with acks 0.
    pub records: u64,
    /// Bytes of keys and values in them.
    pub bytes: u64,
    /// Batches in which they were sent.
    pub batches: u64,
}

/// An idempotent producer's name and where its sequences stand.
struct Identity {
    producer_id: i64,
    producer_epoch: i16,
    next_sequences: Vec<i32>,
}

/// A batch that is being filled.
struct Filling {
    builder: BatchBuilder,
    payload_bytes: u64,
}

/// A batch that was sent and is not answered.
struct InFlight {
    partition: usize,
    leader: i32,
    batch: Bytes,
    records: u64,
    payload_bytes: u64,
    /// `None` once its connection is gone.
    sent: Option<Sent<ProduceRequest>>,
}

/// See the module.
pub struct Producer {
    cluster: Cluster,
    topic: String,
    leaders: Vec<i32>,
    options: ProducerOptions,
    identity: Option<Identity>,
    filling: Vec<Option<Filling>>,
    in_flight: VecDeque<InFlight>,
    next_keyless: usize,
    summary: Summary,
}

impl Producer {
    /// Looks the topic up (the broker may create it) and, with acks `all`, gets an idempotent identity.
    pub async fn new(
        mut cluster: Cluster,
        topic: &str,
        options: ProducerOptions,
    ) -> Result<Self, ClientError> {
        let layout = cluster.layout(topic, Missing::Create).await?;
        let partitions = layout.leaders.len();
        if let Some(wanted) = options.partition.filter(|wanted| *wanted >= partitions) {
            let what = format!(
                "topic {topic} has partitions 0 to {}, none {wanted}",
                partitions.saturating_sub(1)
            );
            return Err(ClientError::Unexpected(what));
        }
        let identity = match options.acks {
            Acks::All => Some(identity(&mut cluster, partitions).await?),
            Acks::None | Acks::Leader => None,
        };
        Ok(Self {
            cluster,
            topic: topic.to_owned(),
            leaders: layout.leaders,
            options,
            identity,
            filling: (0..partitions).map(|_| None).collect(),
            in_flight: VecDeque::new(),
            next_keyless: 0,
            summary: Summary::default(),
        })
    }

    /// Records acknowledged so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        self.summary
    }

    /// Puts a record into its batch, and sends the batch when it is full.
    pub async fn push(&mut self, record: &NewRecord<'_>) -> Result<(), ClientError> {
        let partition = self.partition_for(record);
        let codec = self.options.codec;
        let filling = self.filling[partition].get_or_insert_with(|| Filling {
            builder: BatchBuilder::new(codec),
            payload_bytes: 0,
        });
        let put = filling.builder.push(record);
        put.map_err(|error| ClientError::Unexpected(format!("a record does not fit into a batch: {error}")))?;
        let length = |bytes: Option<&[u8]>| bytes.map_or(0, |bytes| bytes.len() as u64);
        filling.payload_bytes += length(record.key) + length(record.value);
        if filling.builder.size_bytes() >= self.options.batch_bytes {
            self.send(partition).await?;
            if record.key.is_none() {
                self.next_keyless = self.next_keyless.wrapping_add(1);
            }
        }
        Ok(())
    }

    /// Sends what is collected and waits for every answer.
    pub async fn flush(&mut self) -> Result<(), ClientError> {
        for partition in 0..self.filling.len() {
            self.send(partition).await?;
        }
        while !self.in_flight.is_empty() {
            self.settle_oldest().await?;
        }
        Ok(())
    }

    /// Keyless records fill one batch after the other, in turn over the partitions: full batches cost least.
    fn partition_for(&self, record: &NewRecord<'_>) -> usize {
        match (self.options.partition, record.key) {
            (Some(fixed), _) => fixed,
            (None, Some(key)) => partition_of(key, self.leaders.len()),
            (None, None) => self.next_keyless % self.leaders.len(),
        }
    }

    async fn send(&mut self, partition: usize) -> Result<(), ClientError> {
        let Some(filling) = self.filling[partition].take() else {
            return Ok(());
        };
        while self.in_flight.len() >= IN_FLIGHT_MAX {
            self.settle_oldest().await?;
        }
        let records = filling.builder.len() as u64;
        let mut builder = filling.builder;
        if let Some(identity) = &mut self.identity {
            let sequence = &mut identity.next_sequences[partition];
            builder = builder.producer(identity.producer_id, identity.producer_epoch, *sequence);
            // Sequences go from 0 to 2^31 - 1 and wrap to 0.
            *sequence = ((*sequence as u64 + records) & i32::MAX as u64) as i32;
        }
        let batch = builder
            .finish()
            .map_err(|error| ClientError::Unexpected(error.to_string()))?;
        let mut one = InFlight {
            partition,
            leader: self.leaders[partition],
            batch: batch.into_bytes(),
            records,
            payload_bytes: filling.payload_bytes,
            sent: None,
        };
        match self.put_on_wire(&one).await {
            Ok(sent) => one.sent = Some(sent),
            Err(error) if self.options.acks == Acks::None => return Err(error),
            // The send is tried again, in its turn, when the batch is settled.
            Err(_) => self.cluster.forget(one.leader),
        }
        if self.options.acks == Acks::None {
            self.count(&one);
        } else {
            self.in_flight.push_back(one);
        }
        Ok(())
    }

    async fn put_on_wire(&mut self, one: &InFlight) -> Result<Sent<ProduceRequest>, ClientError> {
        let request = self.request(one);
        self.cluster
            .node(one.leader)
            .await?
            .send(&request, PRODUCE_VERSIONS)
            .await
    }

    fn request(&self, one: &InFlight) -> ProduceRequest {
        let data = PartitionProduceData {
            index: i32::try_from(one.partition).unwrap_or(i32::MAX),
            records: Some(Records::from(one.batch.clone())),
        };
        let topic = TopicProduceData {
            name: Str::from(self.topic.as_str()),
            partition_data: vec![data],
            ..Default::default()
        };
        ProduceRequest {
            acks: self.options.acks.code(),
            timeout_ms: PRODUCE_TIMEOUT_MS,
            topic_data: vec![topic],
            ..Default::default()
        }
    }

    /// Waits for the oldest batch's answer. When that fails in a way that a retry may mend, everything in flight is sent again,
    /// one by one in order: a later batch must not overtake an earlier one.
    async fn settle_oldest(&mut self) -> Result<(), ClientError> {
        let Some(mut oldest) = self.in_flight.pop_front() else {
            return Ok(());
        };
        let outcome = match oldest.sent.take() {
            Some(sent) => self.outcome(&oldest, sent).await,
            None => Err(lost_place(&self.topic)),
        };
        match outcome {
            Ok(()) => {
                self.count(&oldest);
                Ok(())
            }
            Err(error) if error.is_retriable() => {
                self.in_flight.push_front(oldest);
                self.send_again(error).await
            }
            Err(error) => Err(error),
        }
    }

    async fn outcome(&mut self, one: &InFlight, sent: Sent<ProduceRequest>) -> Result<(), ClientError> {
        let connection = self.cluster.node(one.leader).await?;
        let wait = Duration::from_millis(PRODUCE_TIMEOUT_MS as u64);
        let answer = connection.receive(sent, wait).await?;
        self.verdict(one, &answer)
    }

    fn verdict(&self, one: &InFlight, answer: &ProduceResponse) -> Result<(), ClientError> {
        let partitions = answer
            .responses
            .iter()
            .flat_map(|topic| &topic.partition_responses);
        let wanted = i32::try_from(one.partition).unwrap_or(i32::MAX);
        let mut partitions = partitions.filter(|partition| partition.index == wanted);
        let what = || format!("topic {}, partition {}", self.topic, one.partition);
        match partitions.next() {
            // An earlier attempt did arrive.
            Some(partition) if ErrorCode(partition.error_code) == ErrorCode::DUPLICATE_SEQUENCE_NUMBER => {
                Ok(())
            }
            Some(partition) => {
                ClientError::check(what, partition.error_code, partition.error_message.as_deref())
            }
            None => Err(ClientError::Unexpected(format!(
                "{}: the answer leaves it out",
                what()
            ))),
        }
    }

    /// Without idempotence this may store a batch twice; that is what acks 1 means with every client.
    async fn send_again(&mut self, first: ClientError) -> Result<(), ClientError> {
        let mut batches = std::mem::take(&mut self.in_flight);
        for one in &batches {
            self.cluster.forget(one.leader);
        }
        let mut why = Some(first);
        while let Some(mut one) = batches.pop_front() {
            let mut retry = Retry::default();
            loop {
                if let Some(error) = why.take() {
                    retry.after(error).await?;
                }
                match self.attempt(&mut one).await {
                    Ok(()) => break,
                    Err(error) => why = Some(error),
                }
                self.cluster.forget(one.leader);
            }
            self.count(&one);
        }
        Ok(())
    }

    /// Sends one batch to whoever leads its partition now, and waits for the answer.
    async fn attempt(&mut self, one: &mut InFlight) -> Result<(), ClientError> {
        let attempt = async {
            self.leaders = self.cluster.layout(&self.topic, Missing::Refuse).await?.leaders;
            one.leader = self.leaders[one.partition];
            let sent = self.put_on_wire(one).await?;
            self.outcome(one, sent).await
        };
        match attempt.await {
            // A broker that starts again cannot be reached for a while, which passes.
            Err(ClientError::Unreachable { .. }) => Err(lost_place(&self.topic)),
            outcome => outcome,
        }
    }

    fn count(&mut self, one: &InFlight) {
        self.summary.records += one.records;
        self.summary.bytes += one.payload_bytes;
        self.summary.batches += 1;
    }
}

/// A retriable stand-in for "this batch is not on any connection".
fn lost_place(topic: &str) -> ClientError {
    ClientError::refused(format!("topic {topic}"), ErrorCode::NOT_LEADER_OR_FOLLOWER)
}

async fn identity(cluster: &mut Cluster, partitions: usize) -> Result<Identity, ClientError> {
    let request = InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: PRODUCE_TIMEOUT_MS,
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    };
    let mut retry = Retry::default();
    loop {
        let answer = cluster.ask(&request, 0..=4).await?;
        match ClientError::check(|| "idempotent producer".to_owned(), answer.error_code, None) {
            Ok(()) => {
                return Ok(Identity {
                    producer_id: answer.producer_id,
                    producer_epoch: answer.producer_epoch,
                    next_sequences: vec![0; partitions],
                });
            }
            Err(error) => retry.after(error).await?,
        }
    }
}
