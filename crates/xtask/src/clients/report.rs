//! The section of docs/CLIENTS.md that the run writes, and the results on Apache Kafka that it is measured by.

use super::programs::{CASES, PROGRAMS};
use super::results::{Outcome, Results};
use crate::installs::kafka_version;
use crate::sections::CLIENTS;
use crate::shell::{output, root};
use anyhow::{Context, bail};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

/// What Kafka itself passes: one line `client case ok|skip|fail`, after a first line with its version.
const BASELINE: &str = "tests/clients/kafka-baseline.txt";

/// The results of a run against Apache Kafka.
pub struct Baseline {
    /// Of the broker that was run.
    pub version: String,
    passed: Vec<(String, String)>,
}

impl Baseline {
    /// Whether a case failed that passes on Kafka.
    pub fn is_worse(&self, client: &str, case: &str, outcome: &Outcome) -> bool {
        *outcome != Outcome::Ok && self.passes(client, case)
    }

    fn passes(&self, client: &str, case: &str) -> bool {
        self.passed.iter().any(|(c, name)| c == client && name == case)
    }

    fn count(&self, client: &str) -> usize {
        self.passed.iter().filter(|(c, _)| c == client).count()
    }
}

/// Reads the committed baseline.
pub fn read_baseline() -> anyhow::Result<Baseline> {
    let path = root().join(BASELINE);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut lines = text.lines();
    let version = lines.next().unwrap_or("").trim_start_matches("# Apache Kafka ");
    let passed = lines
        .filter_map(|line| line.strip_suffix(" ok")?.split_once(' '))
        .map(|(client, case)| (client.to_owned(), case.to_owned()))
        .collect();
    Ok(Baseline {
        version: version.to_owned(),
        passed,
    })
}

/// Replaces the baseline of the clients that a run against Kafka tried; that of the others stays if it is of the same Kafka.
pub fn write_baseline(found: &[Results]) -> anyhow::Result<()> {
    let title = format!("# Apache Kafka {}", kafka_version());
    let path = root().join(BASELINE);
    let before = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if before.lines().next() != Some(&*title) {
        whole(found)?;
    }
    let mut text = title + "\n";
    for program in PROGRAMS {
        match found.iter().find(|results| results.client == program.name) {
            Some(results) => write_results(&mut text, results)?,
            None => keep(&mut text, &before, program.name)?,
        }
    }
    write(BASELINE, &text)
}

fn write_results(text: &mut String, results: &Results) -> anyhow::Result<()> {
    for (case, outcome) in &results.cases {
        let word = match outcome {
            Outcome::Ok => "ok",
            Outcome::Skip(_) => "skip",
            Outcome::Fail(_) => "fail",
        };
        writeln!(text, "{} {case} {word}", results.client)?;
    }
    Ok(())
}

fn keep(text: &mut String, before: &str, client: &str) -> anyhow::Result<()> {
    let of_client = |line: &&str| line.split_once(' ').is_some_and(|(name, _)| name == client);
    for line in before.lines().filter(of_client) {
        writeln!(text, "{line}")?;
    }
    Ok(())
}

/// Replaces the page by what a run against Millstream found.
pub fn write_page(found: &[Results], baseline: &Baseline) -> anyhow::Result<()> {
    whole(found)?;
    CLIENTS.write("clients", &page(found, baseline, &today()?)?)
}

/// A table of some clients would look like a table of all.
fn whole(found: &[Results]) -> anyhow::Result<()> {
    if found.len() < PROGRAMS.len() {
        bail!("--write wants a run of every client, not of {}", found.len());
    }
    Ok(())
}

fn page(found: &[Results], baseline: &Baseline, date: &str) -> anyhow::Result<String> {
    let mut text = format!(
        "## Stock clients\n\n\
         Written by `cargo xtask clients --write` on {date}; not by hand. Each client is as its registry ships it, \
         none is patched. The same programs run against Apache Kafka {} (`cargo xtask clients --peer kafka`); what \
         passes there is the measure.\n\n\
         | Client | Version | Passed | Passed on Kafka |\n|---|---|---|---|\n",
        baseline.version
    );
    for results in found {
        let about = PROGRAMS
            .iter()
            .find(|program| program.name == results.client)
            .map_or("", |program| program.about);
        writeln!(
            text,
            "| {about} | {} | {} | {} |",
            results.version,
            results.passed(),
            baseline.count(&results.client)
        )?;
    }
    text += "\n`ok`: the case holds. `-`: the client has no such feature, or the case is another client's. \
             `FAIL`: see below.\n\n| Case |";
    for results in found {
        write!(text, " {} |", results.client)?;
    }
    text += "\n|---|";
    text += &"---|".repeat(found.len());
    text += "\n";
    for case in all_cases() {
        write!(text, "| {case} |")?;
        for results in found {
            write!(text, " {} |", cell(results.outcome(case)))?;
        }
        text += "\n";
    }
    text += &notes(found)?;
    Ok(text)
}

fn all_cases() -> impl Iterator<Item = &'static str> {
    let more = PROGRAMS.iter().flat_map(|program| program.more_cases);
    CASES.iter().chain(more).copied()
}

fn cell(outcome: Option<&Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Ok) => "ok",
        Some(Outcome::Fail(_)) => "FAIL",
        Some(Outcome::Skip(_)) | None => "-",
    }
}

fn notes(found: &[Results]) -> anyhow::Result<String> {
    let mut text = String::new();
    for results in found {
        for (case, outcome) in &results.cases {
            match outcome {
                Outcome::Ok => {}
                Outcome::Skip(reason) => writeln!(text, "- {} `{case}`: not run, {reason}", results.client)?,
                Outcome::Fail(reason) => writeln!(text, "- {} `{case}`: FAIL, {reason}", results.client)?,
            }
        }
    }
    Ok(if text.is_empty() {
        text
    } else {
        format!("\n### Notes\n\n{text}")
    })
}

fn write(path: &str, text: &str) -> anyhow::Result<()> {
    let path: PathBuf = root().join(path);
    crate::process::create(&path)?;
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote {}", path.display());
    Ok(())
}

fn today() -> anyhow::Result<String> {
    Ok(output(Command::new("date").arg("+%F"))?.trim().to_owned())
}
