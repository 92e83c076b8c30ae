//! Share groups with the stock Java client: a hundred thousand acknowledgements with a hole before each survive a kill -9, and every
//! record reaches somebody while consumers and broker are killed.

use super::findings::Findings;
use super::tools::{Background, Fields, finish};
use super::{Plan, must_live, probe};
use crate::brokers::Site;
use crate::installs::{java_classes, kafka_classpath};
use crate::process::now;
use anyhow::{Context, bail};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Records held by one consumer at once; every other one is accepted.
const HELD_RECORDS: u64 = 200_000;

const WORK_RECORDS_QUICK: u64 = 20_000;
const WORK_RECORDS_FULL: u64 = 100_000;
const ROUNDS_QUICK: u64 = 3;
const ROUNDS_FULL: u64 = 12;

/// Consumers at work; one of them is killed in each round.
const WORKERS: u64 = 3;

/// Between two kills: long enough for a JVM to begin its work.
const ROUND: Duration = Duration::from_secs(5);

/// Polls of half a second without a record, after which a worker ends by itself.
const IDLE_POLLS: &str = "16";

const REPORT_LIMIT: Duration = Duration::from_secs(240);
const WORK_LIMIT: Duration = Duration::from_secs(600);

/// Runs the trial.
pub fn run(plan: &Plan, findings: &mut Findings) -> anyhow::Result<()> {
    let locks = format!("group.share.partition.max.record.locks={}", HELD_RECORDS + 1_000);
    let site = plan.site("share")?.with(vec!["--set".to_owned(), locks], &[]);
    holes(&site, findings)?;
    kills(plan, &site, findings)?;
    site.remove_data()
}

fn holes(site: &Site, findings: &mut Findings) -> anyhow::Result<()> {
    let (broker, _) = probe::start(site)?;
    finish(
        site,
        "fill-holes",
        java(site, "fill", "holes", &[&HELD_RECORDS.to_string()]),
    )?;
    let count = HELD_RECORDS.to_string();
    let mut holder = Background::start(site, "holes", java(site, "holes", "holes", &[&count]))?;
    let held = report(site, &mut holder, "holes")?;
    findings.fact("records held by one consumer", held.count("held")?);
    findings.fact(
        "accepted one by one, with a hole before each",
        held.count("accepted")?,
    );
    findings.fact(
        "until all of them were durable",
        format!("{} ms", held.text("commit_ms")?),
    );
    findings.check(
        "100,000 acknowledgements are outstanding above the first hole, none was refused",
        held.count("accepted")? >= HELD_RECORDS / 2 && held.count("refused")? == 0,
    );
    // The broker first: it must not learn that the consumer has gone.
    broker.kill()?;
    drop(holder);
    let (mut broker, took) = probe::start(site)?;
    findings.fact("first answer after kill -9", format!("{} ms", took.as_millis()));
    let rest = finish(site, "rest", java(site, "rest", "holes", &[&count]))?;
    findings.check(
        "after kill -9 exactly the records come again that nobody accepted",
        rest.count("rest")? == HELD_RECORDS / 2 && rest.count("again")? == 0,
    );
    must_live(site, &mut broker)?;
    broker.stop()
}

fn kills(plan: &Plan, site: &Site, findings: &mut Findings) -> anyhow::Result<()> {
    let count = plan.count(WORK_RECORDS_QUICK, WORK_RECORDS_FULL);
    let rounds = plan.usual(ROUNDS_QUICK, ROUNDS_FULL);
    let (mut broker, _) = probe::start(site)?;
    finish(
        site,
        "fill-work",
        java(site, "fill", "work", &[&count.to_string()]),
    )?;
    let mut workers = Vec::new();
    for number in 0..WORKERS {
        workers.push(worker(site, number)?);
    }
    for round in 0..rounds {
        thread::sleep(ROUND);
        let at = usize::try_from(round % WORKERS).expect("a few workers");
        // Dropping kills it: SIGKILL in the middle of its work.
        workers[at] = worker(site, WORKERS + round)?;
        broker.kill()?;
        broker = probe::start(site)?.0;
    }
    for worker in workers {
        worker.wait(WORK_LIMIT)?;
    }
    let (seen, noted) = notes(site)?;
    findings.fact(
        "records, consumers at once, kills of a consumer and of the broker",
        format!("{count}, {WORKERS}, {rounds}"),
    );
    findings.fact("deliveries beyond the first", noted - seen.len() as u64);
    findings.check("every record reached a consumer", seen.len() as u64 == count);
    must_live(site, &mut broker)?;
    broker.stop()
}

fn worker(site: &Site, number: u64) -> anyhow::Result<Background> {
    let notes = site.folder().join(format!("notes-{number}"));
    let notes = notes.display().to_string();
    let command = java(site, "work", "work", &[IDLE_POLLS, &notes]);
    Background::start(site, &format!("worker-{number}"), command)
}

/// Every offset that any worker noted, and how many notes there are.
fn notes(site: &Site) -> anyhow::Result<(BTreeSet<u64>, u64)> {
    let mut seen = BTreeSet::new();
    let mut noted = 0;
    for entry in std::fs::read_dir(site.folder())? {
        let path: PathBuf = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if !name.starts_with("notes-") {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        // What a kill cut off was not noted.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines() {
            let offset = line
                .parse()
                .with_context(|| format!("{line} in {}", path.display()))?;
            seen.insert(offset);
            noted += 1;
        }
    }
    Ok((seen, noted))
}

/// The first line of a program that goes on.
fn report(site: &Site, program: &mut Background, name: &str) -> anyhow::Result<Fields> {
    let output = site.folder().join(format!("{name}.out"));
    let deadline = now() + REPORT_LIMIT;
    while program.is_running() && now() < deadline {
        let text = std::fs::read_to_string(&output).unwrap_or_default();
        if text.ends_with('\n') {
            return Ok(Fields::parse(name, &text));
        }
        thread::sleep(Duration::from_millis(100));
    }
    bail!("{name} reports nothing; see {}", site.folder().display());
}

fn java(site: &Site, what: &str, topic: &str, more: &[&str]) -> Command {
    let mut command = Command::new("java");
    command
        .args(["-Xmx1g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
        .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
        .arg("-cp")
        .arg(format!("{}:{}", java_classes().display(), kafka_classpath()))
        .args(["ShareTrial", what, &site.bootstrap(), topic])
        .args(more);
    command
}
