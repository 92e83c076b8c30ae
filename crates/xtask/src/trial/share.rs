//! Share groups with the stock clients of Java and of librdkafka: a hundred thousand acknowledgements with a hole before each survive a
//! kill -9; and while consumers and broker are killed every record is accepted by somebody or becomes a dead letter.

use super::findings::Findings;
use super::tools::{Background, Fields, finish};
use super::{Plan, must_live, probe};
use crate::brokers::Site;
use crate::installs::{java_classes, kafka_classpath, python, sources};
use crate::process::now;
use anyhow::{Context, bail};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// Records held by one consumer at once; every other one is accepted.
const HELD_RECORDS: u64 = 200_000;

const WORK_RECORDS_QUICK: u64 = 30_000;
const WORK_RECORDS_FULL: u64 = 150_000;
const ROUNDS_QUICK: u64 = 3;
const ROUNDS_FULL: u64 = 12;

/// One record in so many is rejected by whoever gets it.
const REJECTED_EVERY: u64 = 100;

/// Bytes of the producer's batches: large ones where everything is fetched at once, small ones where many consumers share.
const HELD_BATCH_BYTES: &str = "16384";
const WORK_BATCH_BYTES: &str = "1000";

/// Consumers at work; one of them is killed in each round.
const WORKERS: u64 = 3;

/// Between two kills: long enough for a JVM to begin its work.
const ROUND: Duration = Duration::from_secs(4);

/// Polls of half a second without a record, after which a worker ends by itself.
const IDLE_POLLS: &str = "10";

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
        java(
            site,
            "fill",
            "holes",
            &[&HELD_RECORDS.to_string(), HELD_BATCH_BYTES],
        ),
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
        java(site, "fill", "work", &[&count.to_string(), WORK_BATCH_BYTES]),
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
    findings.fact(
        "records, consumers at once, kills of a consumer and of the broker",
        format!("{count}, {WORKERS}, {rounds}"),
    );
    judge(site, count, findings)?;
    must_live(site, &mut broker)?;
    broker.stop()
}

fn judge(site: &Site, count: u64, findings: &mut Findings) -> anyhow::Result<()> {
    let rejected = count / REJECTED_EVERY;
    let letters = site.folder().join("letters-0").display().to_string();
    let told = finish(
        site,
        "letters",
        java(site, "letters", "work", &[&rejected.to_string(), &letters]),
    )?;
    let (accepted, noted) = notes(site, "notes-")?;
    let (buried, _) = notes(site, "letters-")?;
    findings.fact(
        "records that were accepted more than once",
        noted - accepted.len() as u64,
    );
    findings.fact(
        "dead letters, of them for records that came back too often",
        format!(
            "{}, {}",
            buried.len(),
            told.count("letters")? - told.count("rejected")?
        ),
    );
    let ended: BTreeSet<u64> = accepted.union(&buried).copied().collect();
    findings.check(
        "every record was accepted by a consumer, or is a dead letter",
        ended.len() as u64 == count,
    );
    findings.check(
        "every record that is always rejected is a dead letter",
        told.count("rejected")? == rejected,
    );
    Ok(())
}

/// Every second one is librdkafka's.
fn worker(site: &Site, number: u64) -> anyhow::Result<Background> {
    let notes = site.folder().join(format!("notes-{number}"));
    let notes = notes.display().to_string();
    let command = if number.is_multiple_of(2) {
        java(site, "work", "work", &[IDLE_POLLS, &notes])
    } else {
        let mut command = Command::new(python());
        command
            .arg(sources().join("python/share_worker.py"))
            .args([&site.bootstrap(), "work", IDLE_POLLS, &notes])
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    };
    Background::start(site, &format!("worker-{number}"), command)
}

/// Every offset that is in any file whose name begins so, and how many notes there are.
fn notes(site: &Site, prefix: &str) -> anyhow::Result<(BTreeSet<u64>, u64)> {
    let mut seen = BTreeSet::new();
    let mut noted = 0;
    for entry in std::fs::read_dir(site.folder())? {
        let path: PathBuf = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if !name.starts_with(prefix) {
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
