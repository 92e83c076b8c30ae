//! `millstream group`.

use super::show::{self, Output, Unit};
use super::start_at::{StartAt, resolve};
use crate::cli::ConnectArgs;
use crate::client::offsets::{Committer, Place, TopicPartition, commit, committed, find};
use crate::client::{ClientError, Cluster, admin};
use anyhow::bail;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Partitions whose offsets one commit request carries.
const COMMIT_PARTITIONS: usize = 1_000;

/// `millstream group`.
#[derive(Debug, Args)]
pub struct GroupArgs {
    /// Where to.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: GroupCommand,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum GroupCommand {
    /// List groups.
    List,
    /// Show members, committed offsets and lag.
    Describe {
        /// Its id.
        group: String,
    },
    /// Set the committed offsets of a group that nobody is a member of.
    Reset {
        /// Its id.
        group: String,
        /// beginning, end, OFFSET, -N (before the end), a time (2026-11-21T10:00:00Z, @MILLISECONDS) or a duration ago (1h).
        #[arg(long, value_name = "PLACE", allow_hyphen_values = true)]
        to: StartAt,
        /// Topics; those that the group has committed for, if not given. May be repeated.
        #[arg(long, short)]
        topic: Vec<String>,
        /// Only show what would be set.
        #[arg(long)]
        dry_run: bool,
    },
    /// Delete groups and what they have committed.
    Delete {
        /// Their ids.
        #[arg(required = true)]
        groups: Vec<String>,
    },
}

/// Entry.
pub async fn run(args: &GroupArgs) -> anyhow::Result<()> {
    let mut cluster = args.connect.cluster().await?;
    let output = args.connect.output();
    match &args.command {
        GroupCommand::List => list(&mut cluster, output).await,
        GroupCommand::Describe { group } => describe(&mut cluster, group, output).await,
        GroupCommand::Reset {
            group,
            to,
            topic,
            dry_run,
        } => {
            let plan = plan_reset(&mut cluster, group, *to, topic).await?;
            if !dry_run {
                carry_out(&mut cluster, group, &plan).await?;
            }
            show_reset(&plan, output)?;
            if *dry_run && output == Output::Text {
                show::line("\nnothing was changed (--dry-run)")?;
            }
            Ok(())
        }
        GroupCommand::Delete { groups } => {
            for group in groups {
                admin::delete_group(&mut cluster, group).await?;
                output.done("deleted", "group", group)?;
            }
            Ok(())
        }
    }
}

async fn list(cluster: &mut Cluster, output: Output) -> anyhow::Result<()> {
    let groups = admin::list_groups(cluster).await?;
    if output == Output::Json {
        return show::json(&groups);
    }
    let rows: Vec<Vec<String>> = groups
        .into_iter()
        .map(|group| vec![group.id, group.kind, group.state])
        .collect();
    show::table(&["GROUP", "KIND", "STATE"], &rows)
}

/// Everything about a group.
#[derive(Serialize)]
struct Described {
    group: String,
    state: String,
    assignor: String,
    lag: i64,
    members: Vec<DescribedMember>,
    offsets: Vec<DescribedOffset>,
}

#[derive(Serialize)]
struct DescribedMember {
    id: String,
    client_id: String,
    host: String,
}

#[derive(Serialize)]
struct DescribedOffset {
    topic: String,
    partition: usize,
    committed: i64,
    end: i64,
    lag: i64,
}

async fn describe(cluster: &mut Cluster, group: &str, output: Output) -> anyhow::Result<()> {
    let described = gather(cluster, group).await?;
    if output == Output::Json {
        return show::json(&described);
    }
    show::line(&format!(
        "group {group}  state {}  lag {}\n",
        described.state, described.lag
    ))?;
    let rows: Vec<Vec<String>> = described
        .offsets
        .iter()
        .map(|one| {
            let numbers = [one.committed, one.end, one.lag].map(|number| number.to_string());
            [one.topic.clone(), one.partition.to_string()]
                .into_iter()
                .chain(numbers)
                .collect()
        })
        .collect();
    show::table(&["TOPIC", "PARTITION", "COMMITTED", "END", "LAG"], &rows)?;
    if described.members.is_empty() {
        return Ok(());
    }
    show::line("")?;
    let rows: Vec<Vec<String>> = described
        .members
        .into_iter()
        .map(|member| vec![member.id, member.client_id, member.host])
        .collect();
    show::table(&["MEMBER", "CLIENT", "HOST"], &rows)
}

async fn gather(cluster: &mut Cluster, group: &str) -> anyhow::Result<Described> {
    let found = admin::describe_group(cluster, group).await?;
    let committed = committed(cluster, group).await?;
    // Kafka describes a group that was never there as dead.
    if found.group_state == "Dead" && committed.is_empty() {
        bail!("there is no group {group}; `millstream group list` shows all");
    }
    let mut ends: HashMap<String, Vec<Option<i64>>> = HashMap::new();
    let mut offsets = Vec::new();
    for (place, at) in &committed {
        if !ends.contains_key(&place.topic) {
            // A topic that was deleted after the commit has no end any more.
            let of_topic = find(cluster, &place.topic, Place::Latest)
                .await
                .unwrap_or_default();
            ends.insert(place.topic.clone(), of_topic);
        }
        let end = ends[&place.topic]
            .get(place.partition)
            .copied()
            .flatten()
            .unwrap_or(*at);
        offsets.push(DescribedOffset {
            topic: place.topic.clone(),
            partition: place.partition,
            committed: *at,
            end,
            lag: (end - at).max(0),
        });
    }
    let text = |text: &millstream_kafka_wire::Str| text.as_str().to_owned();
    let members = found.members.iter().map(|member| DescribedMember {
        id: text(&member.member_id),
        client_id: text(&member.client_id),
        host: text(&member.client_host),
    });
    Ok(Described {
        group: group.to_owned(),
        state: text(&found.group_state),
        assignor: text(&found.protocol_data),
        lag: offsets.iter().map(|one| one.lag).sum(),
        members: members.collect(),
        offsets,
    })
}

/// One partition of a reset.
#[derive(Serialize)]
struct Reset {
    topic: String,
    partition: usize,
    before: Option<i64>,
    after: i64,
}

async fn plan_reset(
    cluster: &mut Cluster,
    group: &str,
    to: StartAt,
    topics: &[String],
) -> anyhow::Result<Vec<Reset>> {
    let present = committed(cluster, group).await?;
    let mut topics: BTreeSet<String> = topics.iter().cloned().collect();
    if topics.is_empty() {
        topics.extend(present.keys().map(|place| place.topic.clone()));
    }
    if topics.is_empty() {
        bail!("group {group} has committed nothing; name the topics with --topic");
    }
    let bar = show::progress(Unit::Items, topics.len() as u64, "offsets");
    let mut plan = Vec::new();
    for topic in topics {
        for (partition, after) in resolve(cluster, &topic, to).await?.into_iter().enumerate() {
            let place = TopicPartition {
                topic: topic.clone(),
                partition,
            };
            plan.push(Reset {
                before: present.get(&place).copied(),
                topic: place.topic,
                partition,
                after,
            });
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(plan)
}

async fn carry_out(cluster: &mut Cluster, group: &str, plan: &[Reset]) -> Result<(), ClientError> {
    let bar = show::progress(Unit::Items, plan.len() as u64, "commit");
    for part in plan.chunks(COMMIT_PARTITIONS) {
        let place = |reset: &Reset| TopicPartition {
            topic: reset.topic.clone(),
            partition: reset.partition,
        };
        let offsets: BTreeMap<TopicPartition, i64> =
            part.iter().map(|reset| (place(reset), reset.after)).collect();
        commit(cluster, group, &Committer::outside(), &offsets).await?;
        bar.inc(part.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

fn show_reset(plan: &[Reset], output: Output) -> anyhow::Result<()> {
    if output == Output::Json {
        return show::json(&plan);
    }
    let before = |reset: &Reset| {
        reset
            .before
            .map_or_else(|| "-".to_owned(), |offset| offset.to_string())
    };
    let rows: Vec<Vec<String>> = plan
        .iter()
        .map(|reset| {
            vec![
                reset.topic.clone(),
                reset.partition.to_string(),
                before(reset),
                reset.after.to_string(),
            ]
        })
        .collect();
    show::table(&["TOPIC", "PARTITION", "BEFORE", "AFTER"], &rows)
}
