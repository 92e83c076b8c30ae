//! The section of docs/CLIENTS.md about the suites, made from the records under `tests/suites/` alone.

use super::outcome::{Outcome, Record};
use super::{Suite, sources, standing};
use crate::brokers::Peer;
use crate::installs::kafka_version;
use crate::sections::CLIENTS;
use std::fmt::Write;

/// Replaces the section by what the records say now.
pub fn write(suites: &[Suite]) -> anyhow::Result<()> {
    let mut table = String::new();
    let mut details = String::new();
    for suite in suites {
        let here = Record::read(suite.name, Peer::Millstream)?;
        let there = Record::read(suite.name, Peer::Kafka)?;
        if here.tests.is_empty() {
            continue;
        }
        let tally = Tally::of(&here, &there);
        writeln!(
            table,
            "| {} | {} | {} of {} | {} | {} | {} |",
            suite.about,
            here.title,
            tally.judged_passed,
            tally.judged,
            tally.passed,
            tally.failed,
            tally.skipped
        )?;
        details += &detail(suite, &here, &there)?;
    }
    CLIENTS.write("suites", &format!("{}{table}{details}", head()))
}

fn head() -> String {
    format!(
        "## Suites of other projects\n\n\
         Written by `cargo xtask suites --write` from the results in `tests/suites/`. The suites' own tests, unchanged. The \
         measure is what passes on Apache Kafka {} (`--peer kafka --write`): a test that fails or skips itself there is no \
         judge.\n\n\
         | Suite | Version | Passed of those that pass on Kafka | All passed | Failed | Skipped |\n\
         |---|---|---|---|---|---|\n",
        kafka_version()
    )
}

#[derive(Default)]
struct Tally {
    judged: usize,
    judged_passed: usize,
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Tally {
    fn of(here: &Record, there: &Record) -> Self {
        let mut tally = Self::default();
        for (name, outcome) in &here.tests {
            let judged = there.passes(name);
            tally.judged += usize::from(judged);
            match outcome {
                Outcome::Passed => {
                    tally.passed += 1;
                    tally.judged_passed += usize::from(judged);
                }
                Outcome::Failed(_) => tally.failed += 1,
                Outcome::Skipped(_) => tally.skipped += 1,
            }
        }
        tally
    }
}

/// A link to the decision behind a failure; where there is neither one nor a note, the failure is a fault.
fn why(suite: &str, test: &str, note: Option<&String>) -> String {
    match (standing::page(suite, test), note) {
        (Some(page), _) => format!(" ([why it stands](decisions/{page}))"),
        (None, Some(_)) => String::new(),
        (None, None) => " (not decided: a fault)".to_owned(),
    }
}

/// Failures that count, one by one; skips, gathered by their reason.
fn detail(suite: &Suite, here: &Record, there: &Record) -> anyhow::Result<String> {
    let notes = sources::notes(suite.name);
    let mut lines = String::new();
    let mut skips: Vec<(&str, usize)> = Vec::new();
    for (name, outcome) in &here.tests {
        match outcome {
            Outcome::Failed(reason) if there.passes(name) => {
                let note = notes.get(name);
                let told = note.unwrap_or(reason);
                writeln!(lines, "- `{name}`: {told}{}", why(suite.name, name, note))?;
            }
            Outcome::Skipped(reason) => match skips.iter_mut().find(|(known, _)| known == reason) {
                Some((_, count)) => *count += 1,
                None => skips.push((reason, 1)),
            },
            _ => {}
        }
    }
    for (reason, count) in skips {
        writeln!(lines, "- skipped {count}: {reason}")?;
    }
    Ok(match lines.is_empty() {
        true => String::new(),
        false => format!("\n### {}\n\n{lines}", suite.name),
    })
}

#[cfg(test)]
mod tests {
    use super::super::SUITES;
    use super::super::outcome::{Case, Record};
    use super::detail;

    #[test]
    fn a_failure_that_stands_is_linked_to_its_page_and_another_is_called_a_fault() {
        let suite = SUITES.iter().find(|suite| suite.name == "rust-rdkafka");
        let stands = "test_low_producers::test_base_producer_timeout";
        let record = |cases| Record::default().merge("1", cases).expect("merges");
        let there = record(vec![Case::passed(stands), Case::passed("t::new")]);
        let here = record(vec![
            Case::failed(stands, "x"),
            Case::failed("t::new", "boom"),
            Case::failed("t::fails_there", "x"),
        ]);
        let text = detail(suite.expect("a row"), &here, &there).expect("it is text");
        assert!(
            text.contains("[why it stands](decisions/answers-are-not-held-back.md)"),
            "{text}"
        );
        assert!(text.contains("- `t::new`: boom (not decided: a fault)"), "{text}");
        assert!(!text.contains("fails_there"), "{text}");
    }
}
