//! What is measured: each scenario is one client program with fixed arguments, and the metrics that it gives.

use crate::brokers::Site;
use crate::installs::{binary, kafka_classpath};
use crate::kernel::cpu_seconds;
use crate::process::{Finished, run_bounded};
use anyhow::{Context, bail};
use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

const PARTITIONS: u32 = 6;
const TOOL_LIMIT: Duration = Duration::from_secs(300);
const JAVA_RECORDS: u64 = 1_000_000;
const ALL_RECORDS: u64 = 1 << 40;

/// How long everything takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// About three minutes in all: to see a change.
    Quick,
    /// About half an hour: to publish.
    Full,
}

impl Length {
    fn seconds(self) -> u64 {
        match self {
            Self::Quick => 4,
            Self::Full => 12,
        }
    }

    fn warm_up_seconds(self) -> u64 {
        match self {
            Self::Quick => 4,
            Self::Full => 15,
        }
    }
}

/// Which way is ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Throughput.
    Higher,
    /// Latency, CPU time, memory.
    Lower,
}

/// One number of a scenario.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// With its unit.
    pub name: &'static str,
    /// Which way is ahead.
    pub better: Better,
}

const fn higher(name: &'static str) -> Metric {
    let better = Better::Higher;
    Metric { name, better }
}

const fn lower(name: &'static str) -> Metric {
    let better = Better::Lower;
    Metric { name, better }
}

/// Peak resident memory of a whole turn.
pub const MEMORY: Metric = lower("broker's peak memory, MB");
const RATE: Metric = higher("throughput, MB/s");
const RECORDS: Metric = higher("throughput, records/s");
const CPU_GB: Metric = lower("broker CPU-seconds a GB");
const CPU_RECORDS: Metric = lower("broker CPU-seconds a million records");
const CLIENT_CPU_GB: Metric = lower("client CPU-seconds a GB");
const REACHED: Metric = higher("rate reached, records/s");

/// The fields of the latency line, and their names in the table.
const LATENCIES: &[(&str, Metric)] = &[
    ("ack_p50_us", lower("acknowledged after, p50, ms")),
    ("ack_p99_us", lower("acknowledged after, p99, ms")),
    ("ack_p999_us", lower("acknowledged after, p99.9, ms")),
    ("read_p50_us", lower("read after, p50, ms")),
    ("read_p99_us", lower("read after, p99, ms")),
    ("read_p999_us", lower("read after, p99.9, ms")),
];

enum Work {
    Produce {
        size: u32,
        producers: u32,
    },
    /// Reads what the scenario of this name has produced.
    Consume {
        after: &'static str,
    },
    Latency {
        size: u32,
        rate: u32,
    },
    JavaProduce,
    JavaConsume,
}

/// One row group of the result.
pub struct Scenario {
    /// For `--only`.
    pub name: &'static str,
    /// For readers.
    pub about: &'static str,
    work: Work,
    full_only: bool,
}

const fn scenario(name: &'static str, about: &'static str, work: Work) -> Scenario {
    let full_only = false;
    Scenario {
        name,
        about,
        work,
        full_only,
    }
}

const fn full(name: &'static str, about: &'static str, work: Work) -> Scenario {
    let full_only = true;
    Scenario {
        name,
        about,
        work,
        full_only,
    }
}

/// In the order in which they run; a consumer after its producer.
pub const SCENARIOS: &[Scenario] = &[
    scenario(
        "produce-1",
        "produce 1 KiB records, 1 producer",
        Work::Produce {
            size: 1024,
            producers: 1,
        },
    ),
    scenario(
        "produce-4",
        "produce 1 KiB records, 4 producers",
        Work::Produce {
            size: 1024,
            producers: 4,
        },
    ),
    scenario(
        "consume",
        "consume the records of the 4 producers from the beginning, 1 consumer",
        Work::Consume { after: "produce-4" },
    ),
    scenario(
        "produce-small",
        "produce 100-byte records, 4 producers",
        Work::Produce {
            size: 100,
            producers: 4,
        },
    ),
    scenario(
        "latency-1000",
        "1,000 records of 1 KiB a second",
        Work::Latency {
            size: 1024,
            rate: 1_000,
        },
    ),
    scenario(
        "latency-10000",
        "10,000 records of 1 KiB a second",
        Work::Latency {
            size: 1024,
            rate: 10_000,
        },
    ),
    full(
        "latency-30000",
        "30,000 records of 1 KiB a second",
        Work::Latency {
            size: 1024,
            rate: 30_000,
        },
    ),
    full(
        "java-produce",
        "Kafka's own ProducerPerformance, 1 KiB records, acks=all",
        Work::JavaProduce,
    ),
    full(
        "java-consume",
        "Kafka's own ConsumerPerformance, the same records",
        Work::JavaConsume,
    ),
];

/// The scenarios that were asked for by name, or all of a length.
pub fn select(only: Option<&str>, length: Length) -> anyhow::Result<Vec<&'static Scenario>> {
    let Some(only) = only else {
        let fits = |s: &&Scenario| length == Length::Full || !s.full_only;
        return Ok(SCENARIOS.iter().filter(fits).collect());
    };
    only.split(',')
        .map(|name| {
            let found = SCENARIOS.iter().find(|scenario| scenario.name == name);
            found.with_context(|| format!("no scenario \"{name}\""))
        })
        .collect()
}

/// Load that is not measured: a JVM compiles, caches and pools fill, files are allocated.
pub fn warm_up(site: &Site, length: Length) -> anyhow::Result<()> {
    create_topic(site, "warm-up")?;
    let seconds = length.warm_up_seconds().to_string();
    load(
        site,
        &["produce", &site.bootstrap(), "warm-up", "1024", "2", &seconds],
    )?;
    let records = ALL_RECORDS.to_string();
    load(site, &["consume", &site.bootstrap(), "warm-up", &records, "2"])?;
    load(
        site,
        &["latency", &site.bootstrap(), "warm-up", "1024", "2000", "2"],
    )?;
    Ok(())
}

impl Scenario {
    /// Runs it once and gives each metric's value.
    pub fn run(
        &self,
        site: &Site,
        broker_pid: u32,
        length: Length,
    ) -> anyhow::Result<Vec<(&'static Metric, f64)>> {
        let bootstrap = site.bootstrap();
        let topic = self.topic();
        if !matches!(self.work, Work::Consume { .. } | Work::JavaConsume) {
            create_topic(site, &topic)?;
        }
        let seconds = length.seconds().to_string();
        let cpu_before = cpu_seconds(broker_pid)?;
        let mut found = match self.work {
            Work::Produce { size, producers } => {
                let (size, producers) = (size.to_string(), producers.to_string());
                load(
                    site,
                    &["produce", &bootstrap, &topic, &size, &producers, &seconds],
                )?
            }
            Work::Consume { .. } => {
                let wanted = site_records(site, &topic)?.to_string();
                load(site, &["consume", &bootstrap, &topic, &wanted, &seconds])?
            }
            Work::Latency { size, rate } => {
                let (size, rate) = (size.to_string(), rate.to_string());
                load(site, &["latency", &bootstrap, &topic, &size, &rate, &seconds])?
            }
            Work::JavaProduce => java_produce(site, &topic)?,
            Work::JavaConsume => java_consume(site, &topic)?,
        };
        let cpu = cpu_seconds(broker_pid)? - cpu_before;
        if let Work::Produce { .. } = self.work {
            std::fs::write(records_file(site, &topic), format!("{}", found.get("records")?))?;
        }
        if found.optional("failed") > 0.0 || found.optional("unread") > 0.0 {
            bail!("records failed or stayed unread: {found:?}");
        }
        found.0.insert("broker_cpu_seconds".to_owned(), cpu);
        self.metrics(&found)
    }

    fn topic(&self) -> String {
        match self.work {
            Work::Consume { after } => after.to_owned(),
            Work::JavaConsume => "java-produce".to_owned(),
            _ => self.name.to_owned(),
        }
    }

    fn metrics(&self, found: &Fields) -> anyhow::Result<Vec<(&'static Metric, f64)>> {
        let (records, bytes, seconds) = (found.get("records")?, found.get("bytes")?, found.get("seconds")?);
        let (broker, client) = (
            found.get("broker_cpu_seconds")?,
            found.optional("client_cpu_seconds"),
        );
        let mut metrics = Vec::new();
        if let Work::Latency { .. } = self.work {
            for (field, metric) in LATENCIES {
                metrics.push((metric, found.get(field)? / 1e3));
            }
            metrics.push((&REACHED, records / seconds));
        } else {
            metrics.push((&RATE, bytes / 1e6 / seconds));
            metrics.push((&RECORDS, records / seconds));
            metrics.push((&CPU_GB, broker / (bytes / 1e9)));
        }
        metrics.push((&CPU_RECORDS, broker / (records / 1e6)));
        if client > 0.0 && !matches!(self.work, Work::Latency { .. }) {
            metrics.push((&CLIENT_CPU_GB, client / (bytes / 1e9)));
        }
        Ok(metrics)
    }
}

/// The `name=value` pairs of a program's line.
#[derive(Debug)]
struct Fields(HashMap<String, f64>);

impl Fields {
    fn parse(line: &str) -> Self {
        let pairs = line.split_whitespace().filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Self(pairs.collect())
    }

    fn get(&self, name: &str) -> anyhow::Result<f64> {
        let value = self.0.get(name).copied();
        value.with_context(|| format!("the client did not report {name}"))
    }

    fn optional(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(0.0)
    }
}

fn records_file(site: &Site, topic: &str) -> std::path::PathBuf {
    site.folder().join(format!("{topic}.records"))
}

/// How many records the producing scenario has left in a topic.
fn site_records(site: &Site, topic: &str) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(records_file(site, topic));
    let text = text.with_context(|| format!("scenario {topic} must run before"))?;
    Ok(text.trim().parse()?)
}

fn create_topic(site: &Site, topic: &str) -> anyhow::Result<()> {
    let mut command = Command::new(binary("create-topic"));
    command.args([&site.bootstrap(), topic, &PARTITIONS.to_string()]);
    finish(site, "create-topic", &mut command).map(drop)
}

fn load(site: &Site, args: &[&str]) -> anyhow::Result<Fields> {
    let mut command = Command::new(binary("load"));
    command.args(args);
    Ok(Fields::parse(&finish(site, "load", &mut command)?.stdout))
}

fn finish(site: &Site, name: &str, command: &mut Command) -> anyhow::Result<Finished> {
    let log = site.folder().join(format!("{name}.log"));
    let done = run_bounded(command, TOOL_LIMIT, &log)?;
    if !done.succeeded() {
        bail!("{command:?} failed; see {}", log.display());
    }
    Ok(done)
}

fn java(class: &str) -> Command {
    let mut command = Command::new("java");
    command
        .args([
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp",
            &kafka_classpath(),
        ])
        .arg(format!("org.apache.kafka.tools.{class}"));
    command
}

/// Last line: `1000000 records sent, 123456.7 records/sec (120.56 MB/sec), 25.1 ms avg latency, ...`.
fn java_produce(site: &Site, topic: &str) -> anyhow::Result<Fields> {
    let mut command = java("ProducerPerformance");
    command
        .args(["--bootstrap-server", &site.bootstrap(), "--topic", topic])
        .args([
            "--num-records",
            &JAVA_RECORDS.to_string(),
            "--record-size",
            "1024",
            "--throughput",
            "-1",
        ])
        .args(["--command-property", "acks=all"]);
    let done = finish(site, "java-produce", &mut command)?;
    let line = done.stdout.lines().last().unwrap_or("");
    let rate = line.split(", ").nth(1).and_then(|part| part.split(' ').next());
    let rate: f64 = rate.context("no rate in the last line")?.parse()?;
    Ok(java_fields(rate))
}

/// One line; its last field is records a second without the time that it took to join.
fn java_consume(site: &Site, topic: &str) -> anyhow::Result<Fields> {
    const FETCH_RECORDS_PER_SECOND: usize = 9;
    let mut command = java("ConsumerPerformance");
    command
        .args([
            "--bootstrap-server",
            &site.bootstrap(),
            "--topic",
            topic,
            "--hide-header",
        ])
        .args(["--num-records", &JAVA_RECORDS.to_string()]);
    let done = finish(site, "java-consume", &mut command)?;
    let line = done.stdout.lines().last().unwrap_or("");
    let rate = line.split(", ").nth(FETCH_RECORDS_PER_SECOND);
    let rate: f64 = rate.with_context(|| format!("no rate in \"{line}\""))?.parse()?;
    Ok(java_fields(rate))
}

fn java_fields(records_per_second: f64) -> Fields {
    let records = f64::from(u32::try_from(JAVA_RECORDS).expect("a million fits"));
    Fields::parse(&format!(
        "records={records} bytes={} seconds={}",
        records * 1024.0,
        records / records_per_second
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_consumer_runs_after_its_producer() {
        for (at, scenario) in SCENARIOS.iter().enumerate() {
            if let Work::Consume { after } = scenario.work {
                assert!(SCENARIOS[..at].iter().any(|earlier| earlier.name == after));
            }
        }
    }

    #[test]
    fn a_line_of_pairs_is_read() {
        let fields = Fields::parse("records=10 bytes=2000 seconds=0.5 note");
        assert!((fields.get("bytes").expect("it is there") - 2000.0).abs() < f64::EPSILON);
        assert!(fields.get("note").is_err());
    }
}
