//! `millstream produce`.

use super::input::{Cut, Input};
use super::show;
use super::start_at::now_ms;
use crate::cli::ConnectArgs;
use crate::client::producer::{Acks, Producer, ProducerOptions, Summary};
use crate::config::value::ByteSize;
use crate::config::value::Value as _;
use clap::{Args, ValueEnum};
use millstream_log::batch::{Codec, NewRecord};
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::timeout;

/// Input that pauses for so long (a person types) is sent without waiting for a full batch.
const LINGER: Duration = Duration::from_millis(20);

/// Compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Compression {
    /// Plain.
    None,
    /// RFC 1952.
    Gzip,
    /// Snappy.
    Snappy,
    /// LZ4 frames.
    Lz4,
    /// Zstandard.
    Zstd,
}

impl From<Compression> for Codec {
    fn from(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::None,
            Compression::Gzip => Self::Gzip,
            Compression::Snappy => Self::Snappy,
            Compression::Lz4 => Self::Lz4,
            Compression::Zstd => Self::Zstd,
        }
    }
}

/// `millstream produce`.
#[derive(Debug, Args)]
pub struct ProduceArgs {
    /// Where to.
    #[command(flatten)]
    pub connect: ConnectArgs,
    /// The topic; the broker creates it if its settings allow.
    pub topic: String,
    /// Files to read; the standard input if none is named.
    pub files: Vec<PathBuf>,
    /// Each file (or the standard input) is one record, not each line.
    #[arg(long, conflicts_with = "zero")]
    pub whole_file: bool,
    /// Records end at a zero byte, not at a line end (as `find -print0` writes).
    #[arg(short = '0', long)]
    pub zero: bool,
    /// The key stands before this text in each record, the value after it.
    #[arg(long, short = 'K', value_name = "TEXT", conflicts_with = "key")]
    pub key_separator: Option<String>,
    /// One key for all records.
    #[arg(long, short)]
    pub key: Option<String>,
    /// A header for all records. May be repeated.
    #[arg(long, short = 'H', value_name = "NAME=VALUE", value_parser = super::name_and_value)]
    pub header: Vec<(String, String)>,
    /// An empty value becomes null: with a key on a compacted topic, a deletion.
    #[arg(long)]
    pub empty_is_null: bool,
    /// All records go to this partition.
    #[arg(long, short)]
    pub partition: Option<usize>,
    /// Compression.
    #[arg(long, short = 'z', value_enum, default_value_t = Compression::None)]
    pub codec: Compression,
    /// When the broker answers. `all` is idempotent: a retry stores nothing twice.
    #[arg(long, short, value_enum, default_value_t = Acks::All)]
    pub acks: Acks,
    /// Bytes of records that are sent together, before compression.
    #[arg(long, value_name = "SIZE", default_value = "512KiB", value_parser = ByteSize::parse)]
    pub batch_bytes: ByteSize,
}

/// Entry.
pub async fn run(args: &ProduceArgs) -> anyhow::Result<()> {
    let cut = match (args.whole_file, args.zero) {
        (true, _) => Cut::WholeFiles,
        (false, true) => Cut::At(0),
        (false, false) => Cut::At(b'\n'),
    };
    let input = Input::new(&args.files, cut).await?;
    let cluster = args.connect.cluster().await?;
    let options = ProducerOptions {
        acks: args.acks,
        codec: args.codec.into(),
        partition: args.partition,
        batch_bytes: args.batch_bytes.in_memory(),
    };
    let mut producer = Producer::new(cluster, &args.topic, options).await?;
    let outcome = pump(args, input, &mut producer).await;
    let summary = producer.summary();
    if let Err(error) = outcome {
        anyhow::bail!(
            "{error:#}; {} acknowledged before",
            show::counted(summary.records, "record")
        );
    }
    report(args, summary)
}

async fn pump(args: &ProduceArgs, mut input: Input, producer: &mut Producer) -> anyhow::Result<()> {
    let headers: Vec<(&[u8], Option<&[u8]>)> = args
        .header
        .iter()
        .map(|(name, value)| (name.as_bytes(), Some(value.as_bytes())))
        .collect();
    loop {
        let read = match timeout(LINGER, input.next()).await {
            Ok(read) => read?,
            Err(_) => {
                producer.flush().await?;
                input.next().await?
            }
        };
        let Some(bytes) = read else {
            return Ok(producer.flush().await?);
        };
        let (key, value) = split(args, &bytes)?;
        let record = NewRecord {
            timestamp: now_ms(),
            key,
            value: (!(args.empty_is_null && value.is_empty())).then_some(value),
            headers: &headers,
        };
        producer.push(&record).await?;
    }
}

/// Key and value of a record.
fn split<'a>(args: &'a ProduceArgs, bytes: &'a [u8]) -> anyhow::Result<(Option<&'a [u8]>, &'a [u8])> {
    let Some(separator) = &args.key_separator else {
        return Ok((args.key.as_deref().map(str::as_bytes), bytes));
    };
    let separator = separator.as_bytes();
    anyhow::ensure!(!separator.is_empty(), "--key-separator is empty");
    let at = bytes
        .windows(separator.len())
        .position(|window| window == separator);
    let Some(at) = at else {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        anyhow::bail!("a record has no key separator: \"{shown}\"");
    };
    Ok((Some(&bytes[..at]), &bytes[at + separator.len()..]))
}

fn report(args: &ProduceArgs, summary: Summary) -> anyhow::Result<()> {
    if args.connect.json {
        let answer = serde_json::json!({
            "topic": args.topic, "records": summary.records, "bytes": summary.bytes, "batches": summary.batches,
        });
        return show::json(&answer);
    }
    // On the standard error: nothing but data of the user's is ever in the way of a pipe.
    let done = if args.acks == Acks::None {
        "sent"
    } else {
        "acknowledged"
    };
    eprintln!(
        "{} {done} by topic {}",
        show::counted(summary.records, "record"),
        args.topic
    );
    Ok(())
}
