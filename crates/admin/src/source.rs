//! Port: what the admin side wants to know. The server implements it over the broker and the front ends; tests make numbers up.

use futures_util::future::BoxFuture;
use serde::Serialize;
use utoipa::ToSchema;

/// Everything that can be asked. Called at each HTTP request: cheap, and never blocking the data path.
pub trait Source: Send + Sync + 'static {
    /// This broker.
    fn broker(&self) -> BrokerInfo;
    /// The broker's settings in force.
    fn configs(&self) -> Vec<ConfigInfo>;
    /// All topics, sorted by name.
    fn topics(&self) -> Vec<TopicInfo>;
    /// One topic.
    fn topic(&self, name: &str) -> Option<TopicDetail>;
    /// All groups, sorted by id.
    fn groups(&self) -> BoxFuture<'_, Vec<GroupInfo>>;
    /// One group.
    fn group<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Option<GroupDetail>>;
    /// Counters and gauges.
    fn measures(&self) -> Measures;
}

/// A broker.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BrokerInfo {
    /// Version of the program.
    pub version: String,
    /// Number of the broker in the cluster.
    pub broker_id: i32,
    /// Id of the cluster.
    pub cluster_id: String,
    /// Addresses on which Kafka clients are accepted.
    pub kafka_listeners: Vec<String>,
    /// Where data is kept.
    pub data_dir: String,
    /// Seconds since the start.
    pub uptime_seconds: u64,
}

/// A topic in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TopicInfo {
    /// Name.
    pub name: String,
    /// Id (KIP-516), as Kafka writes it.
    pub id: String,
    /// Whether it belongs to the broker itself.
    pub internal: bool,
    /// Partitions.
    pub partitions: u32,
    /// Records kept, all partitions together: end offset less start offset.
    pub records: u64,
    /// Sum of the end offsets: grows with each record appended, never falls.
    pub appended_records: u64,
    /// Bytes kept.
    pub bytes: u64,
}

/// A topic with everything that is known of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TopicDetail {
    /// As in the list.
    #[serde(flatten)]
    pub topic: TopicInfo,
    /// Its partitions, by number.
    pub partition_list: Vec<PartitionInfo>,
    /// Its settings.
    pub configs: Vec<ConfigInfo>,
}

/// A partition.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PartitionInfo {
    /// Number.
    pub partition: u32,
    /// Broker that owns it.
    pub owner: i32,
    /// Epoch of that ownership.
    pub epoch: u32,
    /// First offset kept.
    pub start_offset: u64,
    /// One past the last durable offset (high watermark).
    pub end_offset: u64,
    /// One past the last offset that no open transaction holds back.
    pub stable_offset: u64,
    /// First offset that is not only in objects.
    pub local_offset: u64,
    /// Bytes kept.
    pub bytes: u64,
}

/// A setting in force.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConfigInfo {
    /// Name.
    pub name: String,
    /// Value; none where nothing is set.
    pub value: Option<String>,
    /// Where it comes from, e.g. `default` or `topic`.
    pub source: String,
}

/// A group in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GroupInfo {
    /// Id.
    pub id: String,
    /// Kind: classic, consumer, share.
    pub kind: String,
    /// State, as Kafka names it.
    pub state: String,
    /// Members.
    pub members: u32,
    /// Records between the committed offsets and the ends; none while nothing is committed.
    pub lag: Option<u64>,
}

/// A group with everything that is known of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GroupDetail {
    /// As in the list.
    #[serde(flatten)]
    pub group: GroupInfo,
    /// Name of the assignment strategy.
    pub assignor: String,
    /// Members.
    pub member_list: Vec<MemberInfo>,
    /// Committed offsets.
    pub offsets: Vec<GroupOffset>,
}

/// A member of a group.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MemberInfo {
    /// Id that the coordinator gave.
    pub id: String,
    /// Name that the client gave itself.
    pub client_id: String,
    /// Address of the client.
    pub host: String,
}

/// What a group committed for one partition.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GroupOffset {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: u32,
    /// Next offset that the group reads.
    pub committed_offset: u64,
    /// The partition's end.
    pub end_offset: u64,
    /// Records in between.
    pub lag: u64,
}

/// Counters and gauges at one moment.
#[derive(Clone, Debug, Default)]
pub struct Measures {
    /// Those without labels.
    pub readings: Vec<Reading>,
    /// One for each API that was called.
    pub apis: Vec<ApiMeasure>,
    /// What clients pushed of themselves, in a stable order.
    pub clients: Vec<ClientMeasure>,
}

/// One number that a client pushed (KIP-714).
#[derive(Clone, Debug)]
pub struct ClientMeasure {
    /// Id of the client instance.
    pub instance: String,
    /// The client's own name for itself.
    pub client: String,
    /// Its name of the number.
    pub metric: String,
    /// What tells it from others of that name.
    pub attributes: String,
    /// The number.
    pub value: f64,
}

/// One number without labels.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Name without prefix and without `_total`, unit last: `wal_written_bytes`.
    pub name: &'static str,
    /// What it counts, a sentence without its full stop.
    pub help: &'static str,
    /// Whether it may fall.
    pub kind: ReadingKind,
    /// The number.
    pub value: u64,
}

/// Whether a number may fall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadingKind {
    /// Rises only, from 0 at the start.
    Counter,
    /// Rises and falls.
    Gauge,
}

/// Requests of one API.
#[derive(Clone, Debug)]
pub struct ApiMeasure {
    /// Name of the API, e.g. `Produce`.
    pub api: &'static str,
    /// From the frame's last byte read to the answer's first byte written.
    pub latencies: Latencies,
}

/// A histogram.
#[derive(Clone, Debug)]
pub struct Latencies {
    /// Upper bound in seconds and count for each bucket, not cumulative, bounds rising; the last bound is infinity.
    pub buckets: Vec<(f64, u64)>,
    /// Sum of all, in seconds.
    pub sum_seconds: f64,
}

impl Latencies {
    /// How many were measured.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum()
    }
}
