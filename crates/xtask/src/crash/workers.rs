//! The clients of the crash test: producers of two libraries, idempotent and not, and one group consumer.
//!
//! They live through every crash of the broker. When this value is dropped they are killed.

use super::check::Producer;
use crate::brokers::Site;
use crate::installs::{binary, python, sources};
use crate::process::{create, now, signal, wait_until};
use anyhow::{Context, bail};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const GROUP: &str = "crash-group";

/// Producers wait 30 s for what is in flight.
const FINISH_LIMIT: Duration = Duration::from_secs(45);

/// Name, whether it is librdkafka's, whether it is idempotent.
const PRODUCERS: &[(&str, bool, bool)] = &[
    ("franz-idempotent", false, true),
    ("franz-plain", false, false),
    ("librdkafka-idempotent", true, true),
    ("librdkafka-plain", true, false),
];

struct Worker {
    name: &'static str,
    child: Child,
    /// What it has been told: acknowledged records, or confirmed commits.
    journal: PathBuf,
}

/// All running clients.
pub struct Workers {
    producers: Vec<Worker>,
    group: Worker,
}

/// What the clients were told over the whole run.
pub struct Histories {
    /// One for each producer.
    pub producers: Vec<Producer>,
    /// The lines of the group consumer.
    pub group: String,
}

impl Workers {
    /// Starts every client.
    pub fn start(site: &Site, topic: &str, partitions: u32, rate: u32) -> anyhow::Result<Self> {
        let mut producers = Vec::new();
        for &(name, librdkafka, idempotent) in PRODUCERS {
            let journal = site.folder().join(format!("{name}.acked"));
            // It must be there before the client has opened it, for its length is looked at.
            create(&journal)?;
            let mut command = if librdkafka {
                let mut command = Command::new(python());
                command.arg(sources().join("python/crash_producer.py"));
                command
            } else {
                Command::new(binary("crash-producer"))
            };
            command
                .args(["--bootstrap", &site.bootstrap(), "--topic", topic, "--name", name])
                .args([
                    "--partitions",
                    &partitions.to_string(),
                    "--rate",
                    &rate.to_string(),
                ])
                .arg("--acked")
                .arg(&journal);
            if idempotent {
                command.arg("--idempotent");
            }
            command.stdout(Stdio::null());
            producers.push(Worker::spawn(name, &mut command, site, journal)?);
        }
        let journal = site.folder().join("group.txt");
        let mut command = Command::new(binary("crash-group"));
        command
            .args([
                "--bootstrap",
                &site.bootstrap(),
                "--topic",
                topic,
                "--group",
                GROUP,
            ])
            .stdout(create(&journal)?);
        let group = Worker::spawn("group", &mut command, site, journal)?;
        Ok(Self { producers, group })
    }

    /// Length of each client's journal: grows when a record is acknowledged or a commit confirmed.
    pub fn journal_bytes(&self) -> anyhow::Result<Vec<u64>> {
        self.producers
            .iter()
            .chain([&self.group])
            .map(|worker| {
                let file = worker.journal.metadata();
                Ok(file
                    .with_context(|| format!("no journal of {}", worker.name))?
                    .len())
            })
            .collect()
    }

    /// A client that ended by itself makes every later promise worthless.
    pub fn check_alive(&mut self) -> anyhow::Result<()> {
        for worker in self.producers.iter_mut().chain([&mut self.group]) {
            if let Some(status) = worker.child.try_wait()? {
                bail!(
                    "the client {} ended with {status}; see its log beside {}",
                    worker.name,
                    worker.journal.display()
                );
            }
        }
        Ok(())
    }

    /// Ends every client; each producer waits for what it has in flight.
    pub fn finish(mut self) -> anyhow::Result<Histories> {
        for worker in self.producers.iter().chain([&self.group]) {
            signal(worker.child.id(), "TERM");
        }
        let deadline = now() + FINISH_LIMIT;
        for worker in self.producers.iter_mut().chain([&mut self.group]) {
            match wait_until(&mut worker.child, deadline)? {
                Some(status) if status.success() => {}
                Some(status) => bail!(
                    "the client {} ended with {status}; see its log beside {}",
                    worker.name,
                    worker.journal.display()
                ),
                None => bail!("the client {} does not end", worker.name),
            }
        }
        let mut producers = Vec::new();
        for (worker, &(name, _, idempotent)) in self.producers.iter().zip(PRODUCERS) {
            producers.push(Producer {
                name,
                idempotent,
                journal: worker.read()?,
            });
        }
        Ok(Histories {
            producers,
            group: self.group.read()?,
        })
    }
}

impl Worker {
    fn spawn(
        name: &'static str,
        command: &mut Command,
        site: &Site,
        journal: PathBuf,
    ) -> anyhow::Result<Self> {
        let child = command
            .stdin(Stdio::null())
            .stderr(create(&site.folder().join(format!("{name}.log")))?)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self { name, child, journal })
    }

    fn read(&self) -> anyhow::Result<String> {
        std::fs::read_to_string(&self.journal)
            .with_context(|| format!("cannot read {}", self.journal.display()))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is the aim.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
