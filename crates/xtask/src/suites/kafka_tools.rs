//! The tools that Kafka's own system tests are made of: ClientCompatibilityTest, and verifiable clients whose counts must
//! agree, through consumers, consumers of the newer protocol, share consumers and transactions that abort at random.

use super::outcome::Case;
use super::stage::{Ran, Stage};
use super::{Scope, Suite};
use crate::installs::{kafka_classpath, kafka_version, quiet};
use anyhow::bail;
use std::process::Command;
use std::time::Duration;

/// A JVM's start takes 2 s on an idle machine; the tools themselves a few more.
const TOOL_LIMIT: Duration = Duration::from_secs(120);
const RECORDS: u64 = 10_000;

/// The row of the table.
pub const SUITE: Suite = Suite {
    name: "kafka-tools",
    about: "the tools of Apache Kafka's system tests",
    settings: &["group.initial.rebalance.delay.ms=0"],
    version: || Ok(kafka_version()),
    install: || Ok(()),
    run,
};

type Test = fn(&mut Stage, &str) -> anyhow::Result<()>;

const TESTS: &[(&str, Test)] = &[
    ("client_compatibility", client_compatibility),
    ("verifiable_consumer", verifiable_consumer),
    ("verifiable_consumer_protocol", verifiable_consumer_protocol),
    ("verifiable_share_consumer", verifiable_share_consumer),
    ("transactional_copy", transactional_copy),
];

fn run(stage: &mut Stage, scope: &Scope) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (name, test) in TESTS.iter().filter(|(name, _)| scope.wants(name)) {
        cases.push(match test(stage, name) {
            Ok(()) => Case::passed(name),
            Err(reason) => Case::failed(name, &format!("{reason:#}")),
        });
    }
    Ok(cases)
}

fn client_compatibility(stage: &mut Stage, topic: &str) -> anyhow::Result<()> {
    let mut command = tool("ClientCompatibilityTest");
    command.args([
        "--topic",
        topic,
        "--bootstrap-server",
        &stage.bootstrap(),
        "--num-cluster-nodes",
        "1",
    ]);
    for feature in [
        "offsets-for-times",
        "cluster-id",
        "create-topics",
        "describe-acls",
        "describe-configs",
        "idempotent-producer",
    ] {
        command.args([&format!("--{feature}-supported"), "True"]);
    }
    command.args(["--expect-record-too-large-exception", "False"]);
    finished(&stage.run(topic, &mut command, TOOL_LIMIT)?)
}

fn verifiable_consumer(stage: &mut Stage, topic: &str) -> anyhow::Result<()> {
    produced(stage, topic)?;
    consumed(
        stage,
        topic,
        "VerifiableConsumer",
        &["--reset-policy", "earliest"],
    )
}

fn verifiable_consumer_protocol(stage: &mut Stage, topic: &str) -> anyhow::Result<()> {
    produced(stage, topic)?;
    let protocol = ["--reset-policy", "earliest", "--group-protocol", "consumer"];
    consumed(stage, topic, "VerifiableConsumer", &protocol)
}

fn verifiable_share_consumer(stage: &mut Stage, topic: &str) -> anyhow::Result<()> {
    produced(stage, topic)?;
    consumed(
        stage,
        topic,
        "VerifiableShareConsumer",
        &["--offset-reset-strategy", "earliest"],
    )
}

/// Exactly-once: the copy, made under aborts, holds every record of the input and no other that a committed read shows.
fn transactional_copy(stage: &mut Stage, topic: &str) -> anyhow::Result<()> {
    produced(stage, topic)?;
    let copy = format!("{topic}_out");
    let mut command = tool("TransactionalMessageCopier");
    command
        .args([
            "--broker-list",
            &stage.bootstrap(),
            "--input-topic",
            topic,
            "--input-partition",
            "0",
        ])
        .args([
            "--output-topic",
            &copy,
            "--consumer-group",
            topic,
            "--transactional-id",
            topic,
        ])
        .args(["--enable-random-aborts", "--group-mode", "--use-group-metadata"]);
    finished(&stage.run(&copy, &mut command, TOOL_LIMIT)?)?;
    let settings = stage.folder().join("read-committed.properties");
    std::fs::write(&settings, "isolation.level=read_committed\n")?;
    let settings = settings.display().to_string();
    consumed(
        stage,
        &copy,
        "VerifiableConsumer",
        &["--reset-policy", "earliest", "--command-config", &settings],
    )
}

/// Writes the records of a test; each must be acknowledged.
fn produced(stage: &mut Stage, topic: &str) -> anyhow::Result<()> {
    let mut command = tool("VerifiableProducer");
    command.args(["--bootstrap-server", &stage.bootstrap(), "--topic", topic]);
    command.args(["--max-messages", &RECORDS.to_string(), "--acks", "-1"]);
    let ran = stage.run(&format!("{topic}-producer"), &mut command, TOOL_LIMIT)?;
    finished(&ran)?;
    let acknowledged = events(&ran, "tool_data")
        .filter_map(|event| event["acked"].as_u64())
        .sum::<u64>();
    match acknowledged {
        RECORDS => Ok(()),
        other => bail!("{other} of {RECORDS} records were acknowledged"),
    }
}

/// Reads them by a tool that ends after as many records; every one must come once.
fn consumed(stage: &mut Stage, topic: &str, program: &str, more: &[&str]) -> anyhow::Result<()> {
    let mut command = tool(program);
    command
        .args([
            "--bootstrap-server",
            &stage.bootstrap(),
            "--topic",
            topic,
            "--group-id",
        ])
        .arg(format!("{topic}-readers"))
        .args(["--max-messages", &RECORDS.to_string()])
        .args(more);
    let ran = stage.run(&format!("{topic}-consumer"), &mut command, TOOL_LIMIT)?;
    let read = events(&ran, "records_consumed")
        .filter_map(|event| event["count"].as_u64())
        .sum::<u64>();
    finished(&ran)?;
    match read {
        RECORDS => Ok(()),
        other => bail!("{other} of {RECORDS} records were read"),
    }
}

fn events<'a>(ran: &'a Ran, name: &'a str) -> impl Iterator<Item = serde_json::Value> + 'a {
    let lines = ran.finished.stdout.lines();
    let parsed = lines.filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    parsed.filter(move |event| event["name"] == name)
}

fn tool(name: &str) -> Command {
    let mut command = quiet("java");
    command
        .args([
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        ])
        .args(["-cp", &kafka_classpath()])
        .arg(format!("org.apache.kafka.tools.{name}"));
    command
}

fn finished(ran: &Ran) -> anyhow::Result<()> {
    if ran.finished.succeeded() && !ran.broker_died {
        return Ok(());
    }
    let said = [ran.errors.as_str(), ran.finished.stdout.as_str()];
    let exception = said
        .iter()
        .flat_map(|text| text.lines())
        .find(|line| line.contains("Exception"));
    match (ran.finished.status, exception) {
        (Some(_), Some(line)) => bail!("{line}"),
        _ => bail!("{}", ran.silence()),
    }
}
