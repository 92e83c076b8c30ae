//! A worker of Kafka Connect as a child process, and its REST side. Several of them are one cluster.

use super::tools::Background;
use crate::brokers::{Site, free_ports};
use crate::http::{self, Limits};
use crate::installs::kafka_classpath;
use anyhow::{Context, bail};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const LIMITS: Limits = Limits {
    time: Duration::from_secs(60),
    bytes: 1 << 20,
};

/// Where a worker lives: stays the same over its restarts.
pub struct Worker {
    address: SocketAddr,
    settings: PathBuf,
}

impl Worker {
    /// Writes its settings. Its REST side is on `port`, or on a free one.
    pub fn prepare(site: &Site, port: Option<u16>) -> anyhow::Result<Self> {
        let [free] = free_ports()?;
        let port = port.unwrap_or(free);
        let worker = Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            settings: site.folder().join(format!("worker-{port}.properties")),
        };
        std::fs::write(&worker.settings, worker.settings(site))
            .with_context(|| format!("cannot write {}", worker.settings.display()))?;
        Ok(worker)
    }

    /// Replication factors of -1 are the broker's own. Short intervals, so that a kill is noticed while the trial lasts.
    fn settings(&self, site: &Site) -> String {
        format!(
            "bootstrap.servers={}\n\
             group.id=connect\n\
             key.converter=org.apache.kafka.connect.storage.StringConverter\n\
             value.converter=org.apache.kafka.connect.storage.StringConverter\n\
             config.storage.topic=connect-configs\n\
             config.storage.replication.factor=-1\n\
             offset.storage.topic=connect-offsets\n\
             offset.storage.replication.factor=-1\n\
             status.storage.topic=connect-status\n\
             status.storage.replication.factor=-1\n\
             exactly.once.source.support=enabled\n\
             offset.flush.interval.ms=500\n\
             session.timeout.ms=6000\n\
             heartbeat.interval.ms=1500\n\
             scheduled.rebalance.max.delay.ms=0\n\
             plugin.discovery=service_load\n\
             listeners=http://{}\n",
            site.bootstrap(),
            self.address
        )
    }

    /// Starts it; one that is killed finds connectors, offsets and states in its topics.
    pub fn start(&self, site: &Site, life: u64) -> anyhow::Result<Background> {
        let mut command = Command::new("java");
        command
            .args(["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
            .arg("-Dorg.slf4j.simpleLogger.showDateTime=true")
            .arg("-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS")
            .args(["-cp", &kafka_classpath()])
            .arg("org.apache.kafka.connect.cli.ConnectDistributed")
            .arg(&self.settings);
        Background::start(site, &format!("worker-{life}"), command)
    }

    /// Whether it is ready (KIP-1017).
    pub fn is_ready(&self) -> bool {
        self.ask("GET", "/health", "")
            .is_ok_and(|(status, _)| status == 200)
    }

    /// Creates a connector, or changes it. False when the group is busy with a rebalance: ask again.
    pub fn put(&self, connector: &str, config: &str) -> anyhow::Result<bool> {
        const CONFLICT: u16 = 409;
        let (status, body) = self.ask("PUT", &format!("/connectors/{connector}/config"), config)?;
        match status {
            200 | 201 => Ok(true),
            CONFLICT => Ok(false),
            refused => bail!("the worker refuses the connector {connector}: {refused} {body}"),
        }
    }

    /// Whether the one task of a connector was last heard of here. A worker that does not answer yet has none.
    pub fn has_task(&self, connector: &str) -> bool {
        let here = format!("\"worker_id\":\"{}\"", self.address);
        let answer = self.ask("GET", &format!("/connectors/{connector}/status"), "");
        answer.is_ok_and(|(_, body)| {
            let tasks = body.split_once("\"tasks\"").map_or("", |(_, tasks)| tasks);
            tasks.contains(&here)
        })
    }

    /// Whether a connector and its one task run; an error when one of them has failed.
    pub fn runs(&self, connector: &str) -> anyhow::Result<bool> {
        let (status, body) = self.ask("GET", &format!("/connectors/{connector}/status"), "")?;
        if body.contains("\"FAILED\"") {
            bail!("the connector {connector} has failed: {body}");
        }
        Ok(status == 200 && body.matches("\"state\":\"RUNNING\"").count() == 2)
    }

    /// The connectors that it knows.
    pub fn connectors(&self) -> anyhow::Result<String> {
        let (status, body) = self.ask("GET", "/connectors", "")?;
        if status != 200 {
            bail!("the worker does not name its connectors: {status} {body}");
        }
        Ok(body)
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> anyhow::Result<(u16, String)> {
        http::ask(self.address, method, path, body, LIMITS)
    }
}
