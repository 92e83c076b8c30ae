//! `millstream consume`: partitions by hand, or as a member of a group that commits what it has written out.

use super::format::Format;
use super::start_at::{StartAt, resolve};
use crate::cli::ConnectArgs;
use crate::client::cluster::Missing;
use crate::client::fetcher::{Chunk, Fetcher, Isolation};
use crate::client::member::{HEARTBEAT_INTERVAL, Member, Pulse};
use crate::client::offsets::{Place, TopicPartition, commit, committed, find_all};
use crate::client::{ClientError, Cluster};
use crate::config::value::Value as _;
use anyhow::bail;
use clap::Args;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::time::Duration;
use tokio::time::{Instant, interval, timeout_at};

/// The most that one batch may grow to when it is decompressed.
const BATCH_BYTES_MAX: usize = 1 << 30;

/// How often a member commits what it has written out.
const COMMIT_INTERVAL: Duration = Duration::from_secs(5);

/// Bytes collected before they go to the standard output, while more records are at hand.
const OUTPUT_BYTES: usize = 1 << 18;

/// Far enough away to stand for "for ever".
const FOREVER: Duration = Duration::from_secs(365 * 86_400);

/// `millstream consume`.
#[derive(Debug, Args)]
pub struct ConsumeArgs {
    /// Where to.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// Topics.
    #[arg(required = true)]
    pub topics: Vec<String>,
    /// Where to start: beginning, end, OFFSET, -N (before the end), a time (2026-11-21T10:00:00Z, @MILLISECONDS) or a duration ago
    /// (1h). For a group: only where it has committed nothing. The end if not given.
    #[arg(long, short, value_name = "PLACE", allow_hyphen_values = true)]
    pub from: Option<StartAt>,
    /// Only these partitions. May be repeated.
    #[arg(long, short, conflicts_with = "group")]
    pub partition: Vec<usize>,
    /// Read as a member of this group, and commit.
    #[arg(long, short)]
    pub group: Option<String>,
    /// Stop after so many records.
    #[arg(long, short = 'n', value_name = "N")]
    pub max_messages: Option<u64>,
    /// Stop at the ends that the partitions have at the start.
    #[arg(long, short = 'e', conflicts_with = "group")]
    pub until_end: bool,
    /// Stop when nothing has come for so long, e.g. 5s.
    #[arg(long, value_name = "DURATION", value_parser = Duration::parse)]
    pub idle: Option<Duration>,
    /// value, key-value, json, raw, or one with % in it: %t topic, %p partition, %o offset, %T timestamp, %k key, %s value, %K and %S
    /// their lengths, %h headers.
    #[arg(long, short = 'F', default_value = "value")]
    pub format: Format,
    /// What may be seen of transactions.
    #[arg(long, value_enum, default_value_t = Isolation::ReadUncommitted)]
    pub isolation: Isolation,
}

/// Entry.
pub async fn run(args: &ConsumeArgs) -> anyhow::Result<()> {
    let cluster = args.connect.cluster().await?;
    let mut sink = Sink::new(args);
    let outcome = match &args.group {
        Some(group) => as_member(args, group, cluster, &mut sink).await,
        None => by_hand(args, cluster, &mut sink).await,
    };
    sink.flush()?;
    outcome
}

/// Where records go, and when it is enough.
struct Sink {
    format: Format,
    out: BufWriter<io::Stdout>,
    left: u64,
    idle: Duration,
    last: Instant,
}

/// Whether to go on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Going {
    On,
    Enough,
}

impl Sink {
    fn new(args: &ConsumeArgs) -> Self {
        let format = if args.connect.json {
            Format::Json
        } else {
            args.format.clone()
        };
        Self {
            format,
            out: BufWriter::with_capacity(OUTPUT_BYTES, io::stdout()),
            left: args.max_messages.unwrap_or(u64::MAX),
            idle: args.idle.unwrap_or(FOREVER),
            last: Instant::now(),
        }
    }

    /// Writes the new records of a chunk; the offset after the last that was written, if any was.
    fn write(&mut self, chunk: &Chunk, below: i64) -> anyhow::Result<Option<i64>> {
        let mut next = None;
        for batch in &chunk.batches {
            let records = batch
                .records(BATCH_BYTES_MAX)
                .map_err(|error| damaged(chunk, &error))?;
            for record in records.iter() {
                let record = record.map_err(|error| damaged(chunk, &error))?;
                let offset = i64::try_from(record.offset.0).unwrap_or(i64::MAX);
                if offset < chunk.from || offset >= below {
                    continue;
                }
                if self.left == 0 {
                    return Ok(next);
                }
                self.format.write(&mut self.out, &chunk.place, &record)?;
                self.left -= 1;
                self.last = Instant::now();
                next = Some(offset + 1);
            }
        }
        Ok(next)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn going(&self) -> Going {
        match self.left == 0 || self.last.elapsed() >= self.idle {
            true => Going::Enough,
            false => Going::On,
        }
    }

    /// When to stop if nothing comes until then.
    fn deadline(&self) -> Instant {
        self.last + self.idle
    }
}

fn damaged(chunk: &Chunk, error: &millstream_log::batch::BatchError) -> anyhow::Error {
    let place = &chunk.place;
    anyhow::anyhow!(
        "topic {}, partition {}: a batch cannot be read: {error}",
        place.topic,
        place.partition
    )
}

async fn by_hand(args: &ConsumeArgs, mut cluster: Cluster, sink: &mut Sink) -> anyhow::Result<()> {
    let mut positions = BTreeMap::new();
    let mut ends: BTreeMap<TopicPartition, i64> = BTreeMap::new();
    let from = args.from.unwrap_or(StartAt::End);
    for topic in &args.topics {
        cluster.layout(topic, Missing::Refuse).await?;
        let starts = resolve(&mut cluster, topic, from).await?;
        if let Some(unknown) = args.partition.iter().find(|wanted| **wanted >= starts.len()) {
            bail!(
                "topic {topic} has partitions 0 to {}, none {unknown}",
                starts.len().saturating_sub(1)
            );
        }
        // Nobody is to wait at an end of which the isolation shows less.
        let latest = find_all(&mut cluster, topic, Place::Latest, args.isolation).await?;
        // A partition that was made in between has an end and no start: it was not there when the reading began.
        for (partition, (start, end)) in starts.into_iter().zip(latest).enumerate() {
            if !args.partition.is_empty() && !args.partition.contains(&partition) {
                continue;
            }
            let topic = topic.clone();
            let place = TopicPartition { topic, partition };
            if args.until_end && start >= end {
                continue;
            }
            ends.insert(place.clone(), if args.until_end { end } else { i64::MAX });
            positions.insert(place, start);
        }
    }
    let mut fetcher = Fetcher::new(cluster, args.isolation, positions);
    while !fetcher.positions().is_empty() && sink.going() == Going::On {
        let Ok(chunks) = timeout_at(sink.deadline(), fetcher.next()).await else {
            return Ok(());
        };
        for chunk in chunks? {
            sink.write(&chunk, ends.get(&chunk.place).copied().unwrap_or(i64::MAX))?;
        }
        sink.flush()?;
        let at_end = |(place, at): (&TopicPartition, &i64)| (*at >= ends[place]).then(|| place.clone());
        let done: Vec<TopicPartition> = fetcher.positions().iter().filter_map(at_end).collect();
        for place in done {
            fetcher.drop_partition(&place);
        }
    }
    Ok(())
}

/// What woke a member.
enum Event {
    Chunks(Result<Vec<Chunk>, ClientError>),
    Heartbeat,
    Commit,
    Interrupted,
    Idle,
}

/// A member's place in the group and what it has written out but not committed.
struct Reader {
    group: String,
    member: Member,
    fetcher: Fetcher,
    written: BTreeMap<TopicPartition, i64>,
    /// Coordination has connections of its own: a fetch that waits for data does not delay a heartbeat.
    cluster: Cluster,
}

async fn as_member(
    args: &ConsumeArgs,
    group: &str,
    mut cluster: Cluster,
    sink: &mut Sink,
) -> anyhow::Result<()> {
    let member = Member::join(&mut cluster, group, &args.topics).await?;
    let fetcher = start_fetching(args, group, &member, &mut cluster).await?;
    let mut reader = Reader {
        group: group.to_owned(),
        member,
        fetcher,
        written: BTreeMap::new(),
        cluster,
    };
    let outcome = reader.read(args, sink).await;
    sink.flush()?;
    // What was written out is committed even when the reading ended by an error.
    let committed = reader.commit().await;
    let left = reader.member.leave(&mut reader.cluster).await;
    outcome?;
    committed?;
    Ok(left?)
}

impl Reader {
    async fn read(&mut self, args: &ConsumeArgs, sink: &mut Sink) -> anyhow::Result<()> {
        let mut heartbeats = interval(HEARTBEAT_INTERVAL);
        let mut commits = interval(COMMIT_INTERVAL);
        while sink.going() == Going::On {
            let event = tokio::select! {
                biased;
                _ = tokio::signal::ctrl_c() => Event::Interrupted,
                _ = heartbeats.tick() => Event::Heartbeat,
                _ = commits.tick() => Event::Commit,
                chunks = self.fetcher.next() => Event::Chunks(chunks),
                () = tokio::time::sleep_until(sink.deadline()) => Event::Idle,
            };
            match event {
                Event::Interrupted | Event::Idle => return Ok(()),
                Event::Commit => self.commit().await?,
                Event::Heartbeat => {
                    if self.member.heartbeat(&mut self.cluster).await? == Pulse::Rebalance {
                        self.rejoin(args).await?;
                    }
                }
                Event::Chunks(chunks) => {
                    for chunk in chunks? {
                        if let Some(next) = sink.write(&chunk, i64::MAX)? {
                            self.written.insert(chunk.place.clone(), next);
                        }
                    }
                    sink.flush()?;
                }
            }
        }
        Ok(())
    }

    /// Commits what was written out. A generation that is over can commit nothing: those records are read again.
    async fn commit(&mut self) -> Result<(), ClientError> {
        if self.written.is_empty() {
            return Ok(());
        }
        commit(
            &mut self.cluster,
            &self.group,
            &self.member.committer(),
            &self.written,
        )
        .await?;
        self.written.clear();
        Ok(())
    }

    async fn rejoin(&mut self, args: &ConsumeArgs) -> Result<(), ClientError> {
        if let Err(error) = self.commit().await {
            tracing::debug!(%error, "the commit came after the rebalance");
            self.written.clear();
        }
        self.member.rejoin(&mut self.cluster).await?;
        self.fetcher = start_fetching(args, &self.group, &self.member, &mut self.cluster).await?;
        Ok(())
    }
}

/// Reads what was assigned, from what was committed, or from `--from` where nothing was.
async fn start_fetching(
    args: &ConsumeArgs,
    group: &str,
    member: &Member,
    cluster: &mut Cluster,
) -> Result<Fetcher, ClientError> {
    let committed = committed(cluster, group).await?;
    let mut starts: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut positions = BTreeMap::new();
    for place in &member.assigned {
        if let Some(at) = committed.get(place) {
            positions.insert(place.clone(), *at);
            continue;
        }
        if !starts.contains_key(&place.topic) {
            let of_topic = resolve(cluster, &place.topic, args.from.unwrap_or(StartAt::End)).await?;
            starts.insert(place.topic.clone(), of_topic);
        }
        let start = starts[&place.topic].get(place.partition).copied().unwrap_or(0);
        positions.insert(place.clone(), start);
    }
    let own = args.connect.cluster().await?;
    Ok(Fetcher::new(own, args.isolation, positions))
}
