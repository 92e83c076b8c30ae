//! The command line: what can be typed. What it does is in `serve.rs` and `commands/`.

use crate::client::security::SecurityArgs;
use crate::client::{ClientError, Cluster};
use crate::commands::show::Output;
use crate::commands::{consume, group, produce, topic};
use crate::config::SettingFlags;
use crate::config::value::HostPort;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// One message broker for streams and for queues; Kafka clients connect unchanged.
#[derive(Debug, Parser)]
#[command(
    name = "millstream",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a broker. No flag and no file is needed.
    Serve(ServeArgs),
    /// Show the settings: what holds, or the page of the documentation.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Create, list, describe, alter and delete topics.
    Topic(topic::TopicArgs),
    /// Write records: lines of the standard input or of files, or whole files.
    Produce(produce::ProduceArgs),
    /// Read records, from any offset or time, or as a member of a group.
    Consume(consume::ConsumeArgs),
    /// List, describe, reset and delete consumer groups.
    Group(group::GroupArgs),
}

/// `millstream serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// TOML file of settings; see docs/CONFIG.md.
    #[arg(long, value_name = "FILE", env = "MILLSTREAM_CONFIG")]
    pub config: Option<PathBuf>,
    /// A start value of a setting with Kafka's name, e.g. num.partitions=3. May be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = crate::commands::name_and_value)]
    pub set: Vec<(String, String)>,
    /// One flag for each setting.
    #[command(flatten)]
    pub settings: SettingFlags,
}

/// `millstream config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// What holds, given the same flags, environment and file as `serve`; a TOML file that gives the same.
    Show {
        /// As for `serve`.
        #[command(flatten)]
        serve: Box<ServeArgs>,
        /// JSON with values, defaults and sources.
        #[arg(long)]
        json: bool,
    },
    /// docs/CONFIG.md.
    Docs,
}

/// How to reach a broker; part of every command that talks to one.
#[derive(Clone, Debug, Args)]
pub struct ConnectArgs {
    /// Any broker of the cluster.
    #[arg(
        long,
        short = 'b',
        value_name = "HOST:PORT",
        env = "MILLSTREAM_BOOTSTRAP",
        default_value = "127.0.0.1:9092"
    )]
    #[arg(global = true)]
    pub bootstrap: HostPort,
    /// JSON on the standard output, for scripts.
    #[arg(long, global = true)]
    pub json: bool,
    /// How the connection is protected.
    #[command(flatten)]
    pub security: SecurityArgs,
}

impl ConnectArgs {
    /// Connects.
    ///
    /// # Errors
    /// How the connection is to be protected makes no sense, or nobody answers.
    pub async fn cluster(&self) -> Result<Cluster, ClientError> {
        let security = self.security.load();
        let security = security.map_err(|error| ClientError::Unexpected(format!("{error:#}")))?;
        Cluster::connect(&self.bootstrap, &security).await
    }

    /// How results are printed.
    #[must_use]
    pub fn output(&self) -> Output {
        if self.json { Output::Json } else { Output::Text }
    }
}
