//! `millstream topic`.

use super::show::{self, Output};
use crate::cli::ConnectArgs;
use crate::client::admin::{self, TopicConfig};
use crate::client::cluster::Missing;
use crate::client::fetcher::Isolation;
use crate::client::offsets::{Place, find_all};
use crate::client::{ClientError, Cluster};
use anyhow::bail;
use clap::{Args, Subcommand};
use millstream_kafka_wire::ErrorCode;
use serde::Serialize;

/// `millstream topic`.
#[derive(Debug, Args)]
pub struct TopicArgs {
    /// Where to.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: TopicCommand,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum TopicCommand {
    /// Create a topic.
    Create {
        /// Its name.
        name: String,
        /// Partitions; the broker's num.partitions if not given.
        #[arg(long, short, value_parser = clap::value_parser!(i32).range(1..))]
        partitions: Option<i32>,
        /// A setting, e.g. retention.ms=3600000. May be repeated.
        #[arg(long, short, value_name = "NAME=VALUE", value_parser = super::name_and_value)]
        config: Vec<(String, String)>,
        /// An existing topic of that name is as good.
        #[arg(long)]
        if_not_exists: bool,
    },
    /// List topics.
    List {
        /// Those of the broker itself, too.
        #[arg(long)]
        internal: bool,
    },
    /// Show partitions with their offsets, and settings.
    Describe {
        /// Its name.
        name: String,
        /// Settings that nobody set, too.
        #[arg(long)]
        all_configs: bool,
    },
    /// Raise the number of partitions, change settings.
    Alter {
        /// Its name.
        name: String,
        /// The new number of partitions; it can only rise.
        #[arg(long, short, value_parser = clap::value_parser!(i32).range(1..))]
        partitions: Option<i32>,
        /// A setting. May be repeated.
        #[arg(long, short, value_name = "NAME=VALUE", value_parser = super::name_and_value)]
        config: Vec<(String, String)>,
        /// A setting that goes back to the broker's default. May be repeated.
        #[arg(long, value_name = "NAME")]
        unset: Vec<String>,
    },
    /// Delete topics and all that is in them.
    Delete {
        /// Their names.
        #[arg(required = true)]
        names: Vec<String>,
        /// A topic that does not exist is as good as deleted.
        #[arg(long)]
        if_exists: bool,
    },
}

/// Entry.
pub async fn run(args: &TopicArgs) -> anyhow::Result<()> {
    let mut cluster = args.connect.cluster().await?;
    let output = args.connect.output();
    match &args.command {
        TopicCommand::Create {
            name,
            partitions,
            config,
            if_not_exists,
        } => {
            let created = admin::create_topic(&mut cluster, name, *partitions, config).await;
            let exists =
                matches!(&created, Err(error) if error.code() == Some(ErrorCode::TOPIC_ALREADY_EXISTS));
            match created {
                Err(_) if exists && *if_not_exists => output.done("exists", "topic", name),
                created => {
                    created?;
                    output.done("created", "topic", name)
                }
            }
        }
        TopicCommand::List { internal } => list(&mut cluster, Extent::of(*internal), output).await,
        TopicCommand::Describe { name, all_configs } => {
            describe(&mut cluster, name, Extent::of(*all_configs), output).await
        }
        TopicCommand::Alter {
            name,
            partitions,
            config,
            unset,
        } => {
            alter(&mut cluster, name, *partitions, config, unset).await?;
            output.done("altered", "topic", name)
        }
        TopicCommand::Delete { names, if_exists } => {
            for name in names {
                match admin::delete_topic(&mut cluster, name).await {
                    Err(error)
                        if *if_exists && error.code() == Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION) => {}
                    outcome => outcome?,
                }
                output.done("deleted", "topic", name)?;
            }
            Ok(())
        }
    }
}

async fn alter(
    cluster: &mut Cluster,
    name: &str,
    partitions: Option<i32>,
    set: &[(String, String)],
    unset: &[String],
) -> anyhow::Result<()> {
    if partitions.is_none() && set.is_empty() && unset.is_empty() {
        bail!("nothing to alter: give --partitions, --config or --unset");
    }
    let set = set
        .iter()
        .map(|(name, value)| (name.clone(), Some(value.clone())));
    let changes: Vec<_> = set.chain(unset.iter().map(|name| (name.clone(), None))).collect();
    if !changes.is_empty() {
        admin::alter_topic_configs(cluster, name, &changes).await?;
    }
    if let Some(count) = partitions {
        admin::add_partitions(cluster, name, count).await?;
    }
    Ok(())
}

/// How much is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// What the user made.
    Own,
    /// What the broker adds, too.
    All,
}

impl Extent {
    fn of(all: bool) -> Self {
        if all { Self::All } else { Self::Own }
    }
}

/// A topic in the list.
#[derive(Serialize)]
struct Listed {
    name: String,
    partitions: usize,
    internal: bool,
}

async fn list(cluster: &mut Cluster, extent: Extent, output: Output) -> anyhow::Result<()> {
    let answer = cluster.metadata(None, Missing::Refuse).await?;
    let mut topics: Vec<Listed> = answer
        .topics
        .iter()
        .filter(|topic| extent == Extent::All || !topic.is_internal)
        .map(|topic| Listed {
            name: topic.name.as_deref().unwrap_or_default().to_owned(),
            partitions: topic.partitions.len(),
            internal: topic.is_internal,
        })
        .collect();
    topics.sort_by(|a, b| a.name.cmp(&b.name));
    if output == Output::Json {
        return show::json(&topics);
    }
    let rows: Vec<Vec<String>> = topics
        .iter()
        .map(|topic| vec![topic.name.clone(), topic.partitions.to_string()])
        .collect();
    show::table(&["TOPIC", "PARTITIONS"], &rows)
}

/// Everything about a topic.
#[derive(Serialize)]
struct Described {
    name: String,
    id: String,
    internal: bool,
    partitions: Vec<DescribedPartition>,
    configs: Vec<TopicConfig>,
}

#[derive(Serialize)]
struct DescribedPartition {
    partition: usize,
    leader: i32,
    epoch: i32,
    start_offset: i64,
    end_offset: i64,
}

async fn describe(cluster: &mut Cluster, name: &str, extent: Extent, output: Output) -> anyhow::Result<()> {
    let described = gather(cluster, name, extent).await?;
    if output == Output::Json {
        return show::json(&described);
    }
    let records: i64 = described
        .partitions
        .iter()
        .map(|one| one.end_offset - one.start_offset)
        .sum();
    show::line(&format!(
        "topic {name}  id {}  partitions {}  records {records}\n",
        described.id,
        described.partitions.len()
    ))?;
    let rows: Vec<Vec<String>> = described
        .partitions
        .iter()
        .map(|one| {
            let numbers = [
                one.epoch.into(),
                one.start_offset,
                one.end_offset,
                one.end_offset - one.start_offset,
            ];
            let numbers = numbers.iter().map(ToString::to_string);
            [one.partition.to_string(), one.leader.to_string()]
                .into_iter()
                .chain(numbers)
                .collect()
        })
        .collect();
    show::table(&["PARTITION", "OWNER", "EPOCH", "START", "END", "RECORDS"], &rows)?;
    if described.configs.is_empty() {
        return Ok(());
    }
    show::line("")?;
    let value = |config: &TopicConfig| config.value.clone().unwrap_or_else(|| "null".to_owned());
    let rows: Vec<Vec<String>> = described
        .configs
        .iter()
        .map(|config| vec![config.name.clone(), value(config)])
        .collect();
    show::table(&["SETTING", "VALUE"], &rows)
}

async fn gather(cluster: &mut Cluster, name: &str, extent: Extent) -> Result<Described, ClientError> {
    cluster.layout(name, Missing::Refuse).await?;
    let answer = cluster.metadata(Some(&[name]), Missing::Refuse).await?;
    let starts = find_all(cluster, name, Place::Earliest, Isolation::ReadUncommitted).await?;
    let ends = find_all(cluster, name, Place::Latest, Isolation::ReadUncommitted).await?;
    let configs = admin::topic_configs(cluster, name).await?;
    let topic = answer.topics.first().cloned().unwrap_or_default();
    let mut partitions: Vec<DescribedPartition> = topic
        .partitions
        .iter()
        .filter_map(|one| {
            let partition = usize::try_from(one.partition_index).ok()?;
            Some(DescribedPartition {
                partition,
                leader: one.leader_id,
                epoch: one.leader_epoch,
                // Made after the topic was described otherwise: it is shown the next time.
                start_offset: *starts.get(partition)?,
                end_offset: *ends.get(partition)?,
            })
        })
        .collect();
    partitions.sort_unstable_by_key(|one| one.partition);
    Ok(Described {
        name: name.to_owned(),
        id: topic.topic_id.to_string(),
        internal: topic.is_internal,
        partitions,
        configs: configs
            .into_iter()
            .filter(|config| extent == Extent::All || config.set_on_topic)
            .collect(),
    })
}
