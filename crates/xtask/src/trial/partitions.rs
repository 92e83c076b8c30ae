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
    let all = topics * partitions;
    let name = format!("{topics} x {partitions}");
    let mut fact = |what: &str, value: String| findings.fact(&format!("{name}: {what}"), value);
    let site = plan.site("partitions")?;
    let (mut broker, _) = probe::start(&site)?;
    let shape = Shape {
        site: &site,
        topics,
        partitions,
    };
    // The first request of each kind costs memory once, whatever the number of partitions.
    shape.ask("metadata", None)?;
    let (files_before, memory_before) = (open_files(broker.pid())?, memory_bytes(broker.pid())?);

    let created = shape.ask("create", None)?;
    fact("created after", format!("{} s", created.text("seconds")?));
    let memory_created = memory_bytes(broker.pid())?;
    let produced = shape.ask("produce", Some(0))?;
    fact(
        "one record produced to each, after",
        format!("{} s", produced.text("seconds")?),
    );
    let consumed = shape.ask("consume", Some(1))?;
    fact(
        "one record consumed from each, after",
        format!("{} s", consumed.text("seconds")?),
    );
    must_live(&site, &mut broker)?;
    let (files_after, memory_after) = (open_files(broker.pid())?, memory_bytes(broker.pid())?);
    fact(
        "open files",
        format!("{files_before} before, {files_after} after"),
    );
    fact(
        "memory",
        format!(
            "{} before, {} after",
            mebibytes(memory_before),
            mebibytes(memory_after)
        ),
    );
    let each = |memory: u64| memory.saturating_sub(memory_before) / all;
    fact(
        "memory a partition",
        format!(
            "{} bytes created, {} bytes used",
            each(memory_created),
            each(memory_after)
        ),
    );
    let metadata = shape.ask("metadata", None)?;
    fact(
        "answer to Metadata for all",
        format!(
            "{} bytes in {} s",
            metadata.text("bytes")?,
            metadata.text("seconds")?
        ),
    );

    broker.stop()?;
    let (broker, clean) = probe::start(&site)?;
    let produced_again = shape.ask("produce", Some(1))?;
    broker.kill()?;
    let (broker, killed) = probe::start(&site)?;
    let seconds = |time: std::time::Duration| format!("{:.2} s", time.as_secs_f64());
    fact("first answer after a clean restart", seconds(clean));
    fact("first answer after kill -9", seconds(killed));
    let consumed_again = shape.ask("consume", Some(ROUNDS))?;
    fact(
        "memory after kill -9 and a whole read",
        mebibytes(memory_bytes(broker.pid())?),
    );

    findings.check(
        &format!(
            "{name}: every partition takes a record, also after a restart, at the offset that is its own"
        ),
        [&produced, &produced_again]
            .iter()
            .all(|found| is(found, "records", all)),
    );
    findings.check(
        &format!("{name}: every partition gives its records, also after kill -9"),
        is(&consumed, "records", all)
            && is(&consumed_again, "records", ROUNDS * all)
            && [&consumed, &consumed_again]
                .iter()
                .all(|found| is(found, "wrong", 0)),
    );
    if plan.peer == Peer::Millstream {
        findings.check(
            &format!("{name}: open files do not grow with partitions"),
            files_after <= files_before + FILES_SLACK,
        );
    }
    end(&site, broker)
}

fn end(site: &Site, broker: Broker) -> anyhow::Result<()> {
    broker.stop()?;
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
