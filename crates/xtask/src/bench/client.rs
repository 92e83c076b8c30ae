//! The client programs: librdkafka in C, Kafka's own tools in Java, and what they say about what they saw.

use crate::brokers::Site;
use crate::installs::{self, binary, kafka_classpath};
use crate::process::{Finished, now, patient, run_bounded};
use anyhow::{Context, bail};
use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

/// No single client works longer; the largest backlog on a slow disk takes minutes.
const CLIENT_LIMIT: Duration = Duration::from_secs(1_200);

/// The bound in time of a client that is bound by something else.
pub const SECONDS_MAX: &str = "900";

/// Bytes of a record, where nothing else is said.
pub const RECORD_BYTES: u64 = 1024;

/// Brings the clients onto this machine.
pub fn install() -> anyhow::Result<()> {
    installs::kafka()?;
    installs::go_clients()?;
    installs::load_program()
}

/// The `name=value` pairs of a program's line.
#[derive(Debug)]
pub struct Fields(HashMap<String, f64>);

impl Fields {
    /// Pairs whose value is no number are left out.
    pub fn parse(line: &str) -> Self {
        let pairs = line.split_whitespace().filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Self(pairs.collect())
    }

    /// A value that must be there.
    pub fn get(&self, name: &str) -> anyhow::Result<f64> {
        let value = self.0.get(name).copied();
        value.with_context(|| format!("the client did not report {name}"))
    }

    /// A value that not every client gives; 0 where it is absent.
    pub fn optional(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(0.0)
    }

    /// Bytes a second by the client's own clock, in MB.
    pub fn megabytes_per_second(&self) -> anyhow::Result<f64> {
        Ok(self.get("bytes")? / 1e6 / self.get("seconds")?)
    }

    /// An error when records were lost on the way, so that no number is made of them.
    pub fn whole(self) -> anyhow::Result<Self> {
        if self.optional("failed") > 0.0 || self.optional("unread") > 0.0 {
            bail!("records failed or stayed unread: {self:?}");
        }
        Ok(self)
    }
}

/// A number of records as a whole number; the programs count in integers.
pub fn count(value: f64) -> u64 {
    format!("{value:.0}").parse().unwrap_or(0)
}

/// Creates a topic and waits until it can be used.
pub fn create_topic(site: &Site, topic: &str, partitions: u32) -> anyhow::Result<()> {
    let mut command = Command::new(binary("create-topic"));
    command.args([&site.bootstrap(), topic, &partitions.to_string()]);
    finish(site, "create-topic", &mut command).map(drop)
}

/// `topics` topics `PREFIX-N` of so many partitions each; the seconds until all were ready. One at a time: Kafka refuses a request
/// for ten thousand partitions.
pub fn create_topics(site: &Site, prefix: &str, topics: u32, partitions: u32) -> anyhow::Result<f64> {
    let began = now();
    for number in 0..topics {
        create_topic(site, &format!("{prefix}-{number}"), partitions)?;
    }
    Ok((now() - began).as_secs_f64())
}

/// The load program, to its end.
pub fn load(site: &Site, args: &[&str]) -> anyhow::Result<Fields> {
    let done = finish(site, "load", &mut load_command(args))?;
    Fields::parse(&done.stdout).whole()
}

/// The load program, to be run by the caller.
pub fn load_command(args: &[&str]) -> Command {
    let mut command = Command::new(binary("load"));
    command.args(args);
    command
}

/// The load program at the lowest priority.
pub fn patient_load(site: &Site, args: &[&str]) -> anyhow::Result<Fields> {
    let mut command = patient(&binary("load"));
    command.args(args);
    Fields::parse(&finish(site, "load-patient", &mut command)?.stdout).whole()
}

/// Runs a client to its end; anything but success is an error that names its log.
pub fn finish(site: &Site, name: &str, command: &mut Command) -> anyhow::Result<Finished> {
    let log = site.folder().join(format!("{name}.log"));
    let done = run_bounded(command, CLIENT_LIMIT, &log)?;
    if !done.succeeded() {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        let last = said.lines().last().unwrap_or("nothing on its standard error");
        bail!("{command:?} failed: {last}; see {}", log.display());
    }
    Ok(done)
}

fn java(class: &str, site: &Site, topic: &str, records: u64) -> Command {
    let mut command = Command::new("java");
    command
        .args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"])
        .args(["-cp", &kafka_classpath()])
        .arg(format!("org.apache.kafka.tools.{class}"))
        .args(["--bootstrap-server", &site.bootstrap(), "--topic", topic])
        .args(["--num-records", &records.to_string()]);
    command
}

/// Last line: `1000000 records sent, 123456.7 records/sec (120.56 MB/sec), 25.1 ms avg latency, ...`.
pub fn java_produce(site: &Site, topic: &str, records: u64) -> anyhow::Result<Fields> {
    let mut command = java("ProducerPerformance", site, topic, records);
    command.args(["--record-size", &RECORD_BYTES.to_string(), "--throughput", "-1"]);
    command.args(["--command-property", "acks=all"]);
    let done = finish(site, "java-produce", &mut command)?;
    let line = done.stdout.lines().last().unwrap_or("");
    let rate = line.split(", ").nth(1).and_then(|part| part.split(' ').next());
    let rate: f64 = rate.with_context(|| format!("no rate in \"{line}\""))?.parse()?;
    Ok(java_fields(records, rate))
}

/// One line; its last field is records a second without the time that it took to join.
pub fn java_consume(site: &Site, topic: &str, records: u64) -> anyhow::Result<Fields> {
    const FETCH_RECORDS_PER_SECOND: usize = 9;
    let mut command = java("ConsumerPerformance", site, topic, records);
    command.arg("--hide-header");
    let done = finish(site, "java-consume", &mut command)?;
    let line = done.stdout.lines().last().unwrap_or("");
    let rate = line.split(", ").nth(FETCH_RECORDS_PER_SECOND);
    let rate: f64 = rate.with_context(|| format!("no rate in \"{line}\""))?.parse()?;
    Ok(java_fields(records, rate))
}

fn java_fields(records: u64, records_per_second: f64) -> Fields {
    let pairs = [
        ("records", records as f64),
        ("bytes", (records * RECORD_BYTES) as f64),
        ("seconds", records as f64 / records_per_second),
    ];
    Fields(pairs.map(|(name, value)| (name.to_owned(), value)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_pairs_is_read() {
        let fields = Fields::parse("records=10 bytes=2000 seconds=0.5 note");
        assert!((fields.get("bytes").expect("it is there") - 2000.0).abs() < f64::EPSILON);
        assert!(fields.get("note").is_err());
        assert_eq!(count(fields.get("records").expect("it is there")), 10);
    }

    #[test]
    fn lost_records_make_no_numbers() {
        assert!(Fields::parse("records=10 failed=1").whole().is_err());
        assert!(Fields::parse("records=10 failed=0 unread=3").whole().is_err());
        assert!(Fields::parse("records=10 failed=0 unread=0").whole().is_ok());
    }
}
