//! How a real Apache Kafka is configured and started: one node, every setting that is not about being one node at
//! its default, and the JVM options of Kafka's own start script.

use super::{Peer, Site, run_quietly};
use crate::installs::kafka_classpath;
use anyhow::Context;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;

/// Any fixed id will do: the cluster never meets another.
const CLUSTER_ID: &str = "MillstreamPeerKafka000";

/// What bin/kafka-server-start.sh and bin/kafka-run-class.sh pass.
const JVM: &[&str] = &[
    "-Xmx1G",
    "-Xms1G",
    "-server",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
    "-Djava.awt.headless=true",
];

/// Writes the configuration and formats the storage.
pub fn format(site: &Site) -> anyhow::Result<()> {
    let path = properties(site);
    std::fs::write(&path, settings(site)).with_context(|| format!("cannot write {}", path.display()))?;
    run_quietly(
        Command::new("java")
            .args(["-cp", &kafka_classpath()])
            .args(["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"])
            .arg(path),
    )
}

/// Adds lines to the configuration.
pub fn append(site: &Site, lines: &str) -> anyhow::Result<()> {
    let path = properties(site);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    std::fs::write(&path, text + lines).with_context(|| format!("cannot write {}", path.display()))
}

/// The broker's command.
pub fn command(site: &Site) -> Command {
    let mut command = Command::new("java");
    command
        .args(JVM)
        .args(["-cp", &kafka_classpath()])
        .arg("kafka.Kafka")
        .arg(properties(site));
    command
}

fn properties(site: &Site) -> PathBuf {
    site.folder.join("server.properties")
}

fn settings(site: &Site) -> String {
    let (clients, controller) = (site.kafka_port, site.other_port);
    let data = site.data();
    let mut text = format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{clients},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{clients}\n\
         controller.listener.names=CONTROLLER\n\
         inter.broker.listener.name=PLAINTEXT\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         log.dirs={}\n\
         offsets.topic.replication.factor=1\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         share.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\n",
        data.display()
    );
    if site.peer == Peer::KafkaFlushing {
        writeln!(text, "log.flush.interval.messages=1").expect("a String takes every write");
    }
    text
}
