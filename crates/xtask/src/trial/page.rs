//! docs/TRIALS.md: one section for each trial, replaced when that trial runs with `--write`.

use super::findings::{Findings, Line};
use super::{TRIALS, Trial};
use crate::kernel;
use crate::shell::{output, root};
use anyhow::Context;
use std::fmt::Write;
use std::process::Command;

const PAGE: &str = "docs/TRIALS.md";

const HEAD: &str = "# Trials\n\n\
    What a running broker was put through, and what was measured. Each section is written by \
    `cargo xtask trial NAME --write`; not by hand. Clients and broker share the machine.\n";

/// Replaces the section of one trial.
pub fn write(trial: &Trial, findings: &Findings) -> anyhow::Result<()> {
    let path = root().join(PAGE);
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    let date = output(Command::new("date").arg("+%F"))?;
    let section = section(trial, findings, date.trim(), &kernel::machine()?)?;
    let text = replaced(&old, trial.name, &section);
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote {}", path.display());
    Ok(())
}

fn section(trial: &Trial, findings: &Findings, date: &str, machine: &str) -> anyhow::Result<String> {
    let verdict = if findings.passed() { "Passed" } else { "Failed" };
    let mut text = format!("{}\n\n{verdict} on {date}; {machine}.\n\n", trial.about);
    for line in findings.lines() {
        match line {
            Line::Fact(what, value) => writeln!(text, "- {what}: {value}")?,
            Line::Promise(promise, true) => writeln!(text, "- **held**: {promise}")?,
            Line::Promise(promise, false) => writeln!(text, "- **broken**: {promise}")?,
            Line::Skipped(why) => writeln!(text, "- skipped: {why}")?,
        }
    }
    Ok(text)
}

/// The page with one section new and the others as they were, in the order of the trials.
fn replaced(old: &str, name: &str, section: &str) -> String {
    let mut text = HEAD.to_owned();
    for trial in TRIALS {
        let heading = format!("\n## {}\n\n", trial.name);
        let body = if trial.name == name {
            Some(section)
        } else {
            old.split_once(&heading)
                .map(|(_, rest)| rest.split("\n## ").next().unwrap_or(rest))
        };
        if let Some(body) = body {
            text += &heading;
            text += body.trim_end();
            text += "\n";
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn one_section_is_replaced_and_the_others_stay_in_order() {
        let first = replaced("", "start", "one\n");
        let second = replaced(&first, "corpus", "two\n");
        let third = replaced(&second, "start", "three\n");
        assert!(!third.contains("one"), "{third}");
        let (corpus, start) = (third.find("two"), third.find("three"));
        assert!(corpus.is_some() && corpus < start, "{third}");
        assert_eq!(third.matches("\n## ").count(), 2);
    }
}
