//! Very many partitions on one broker: what they cost in files, memory and time.

use super::findings::{Findings, mebibytes};
use super::tools::{Fields, finish, program};
use super::{Plan, must_live, probe};
use crate::brokers::{Broker, Peer, Site};
use crate::kernel::{memory_bytes, open_files};

const PREFIX: &str = "many";
const COUNT_QUICK: u64 = 1_000;
const COUNT_FULL: u64 = 10_000;

/// The second shape: this many partitions in each of several topics.
const PARTITIONS_A_TOPIC: u64 = 100;

/// Descriptors that come and go with connections and segments, and have nothing to do with partitions.
const FILES_SLACK: usize = 64;

/// Records of every partition before and after the restart.
const ROUNDS: u64 = 2;

/// Runs the trial.
pub fn run(plan: &Plan, findings: &mut Findings) -> anyhow::Result<()> {
    let count = plan.count(COUNT_QUICK, COUNT_FULL);
    shape(plan, findings, 1, count)?;
    shape(
        plan,
        findings,
        (count / PARTITIONS_A_TOPIC).max(1),
        PARTITIONS_A_TOPIC.min(count),
    )
}

/// One shape on a fresh broker.
fn shape(plan: &Plan, findings: &mut Findings, topics: u64, partitions: u64) -> anyhow::Result<()> {
    let site = plan.site("partitions")?;
    let shape = Shape {
        site: &site,
        topics,
        partitions,
    };
    let (broker, _) = probe::start(&site)?;
    let broker = shape.fill(broker, plan.peer, findings)?;
    shape.restart(broker, findings)?.stop()?;
    site.remove_data()
}

fn is(found: &Fields, name: &str, wanted: u64) -> bool {
    found.count(name).is_ok_and(|count| count == wanted)
}

/// Topics and partitions, and where they are.
struct Shape<'a> {
    site: &'a Site,
    topics: u64,
    partitions: u64,
}

impl Shape<'_> {
    /// Creates them, produces a record to each and reads it; what that costs.
    fn fill(&self, mut broker: Broker, peer: Peer, findings: &mut Findings) -> anyhow::Result<Broker> {
        // The first request of each kind costs memory once, whatever the number of partitions.
        self.ask("metadata", None)?;
        let (files_before, memory_before) = (open_files(broker.pid())?, memory_bytes(broker.pid())?);
        let created = self.ask("create", None)?;
        let memory_created = memory_bytes(broker.pid())?;
        let produced = self.ask("produce", Some(0))?;
        let consumed = self.ask("consume", Some(1))?;
        must_live(self.site, &mut broker)?;
        let (files_after, memory_after) = (open_files(broker.pid())?, memory_bytes(broker.pid())?);
        let metadata = self.ask("metadata", None)?;

        let each = |memory: u64| memory.saturating_sub(memory_before) / self.all();
        let memory = (mebibytes(memory_before), mebibytes(memory_after));
        let facts = [
            ("created after", format!("{} s", created.text("seconds")?)),
            (
                "a record produced to each, after",
                format!("{} s", produced.text("seconds")?),
            ),
            (
                "a record consumed from each, after",
                format!("{} s", consumed.text("seconds")?),
            ),
            (
                "open files",
                format!("{files_before} before, {files_after} after"),
            ),
            ("memory", format!("{} before, {} after", memory.0, memory.1)),
            (
                "memory a partition",
                format!(
                    "{} bytes when created, {} bytes when used",
                    each(memory_created),
                    each(memory_after)
                ),
            ),
            (
                "answer to Metadata for all",
                format!(
                    "{} bytes in {} s",
                    metadata.text("bytes")?,
                    metadata.text("seconds")?
                ),
            ),
        ];
        for (what, value) in facts {
            findings.fact(&self.name(what), value);
        }
        findings.check(
            &self.name("every partition takes a record and gives it back"),
            is(&produced, "records", self.all())
                && is(&consumed, "records", self.all())
                && is(&consumed, "wrong", 0),
        );
        if peer == Peer::Millstream {
            findings.check(
                &self.name("open files do not grow with partitions"),
                files_after <= files_before + FILES_SLACK,
            );
        }
        Ok(broker)
    }

    /// A clean restart, another record to each, kill -9, and everything is read.
    fn restart(&self, broker: Broker, findings: &mut Findings) -> anyhow::Result<Broker> {
        broker.stop()?;
        let (broker, clean) = probe::start(self.site)?;
        let produced = self.ask("produce", Some(1))?;
        broker.kill()?;
        let (broker, killed) = probe::start(self.site)?;
        let consumed = self.ask("consume", Some(ROUNDS))?;
        let facts = [
            (
                "first answer after a clean restart",
                format!("{:.2} s", clean.as_secs_f64()),
            ),
            (
                "first answer after kill -9",
                format!("{:.2} s", killed.as_secs_f64()),
            ),
            (
                "memory after kill -9 and a whole read",
                mebibytes(memory_bytes(broker.pid())?),
            ),
        ];
        for (what, value) in facts {
            findings.fact(&self.name(what), value);
        }
        findings.check(
            &self.name("after a restart every partition goes on where it was, and keeps all after kill -9"),
            is(&produced, "records", self.all())
                && is(&consumed, "records", ROUNDS * self.all())
                && is(&consumed, "wrong", 0),
        );
        Ok(broker)
    }

    fn all(&self) -> u64 {
        self.topics * self.partitions
    }

    fn name(&self, what: &str) -> String {
        format!("{} x {}: {what}", self.topics, self.partitions)
    }

    fn ask(&self, action: &str, number: Option<u64>) -> anyhow::Result<Fields> {
        let (topics, partitions) = (self.topics.to_string(), self.partitions.to_string());
        let mut command = program(
            "partitions",
            &[action, &self.site.bootstrap(), PREFIX, &topics, &partitions],
        );
        if let Some(number) = number {
            command.arg(number.to_string());
        }
        finish(self.site, &format!("partitions-{action}"), command)
    }
}
