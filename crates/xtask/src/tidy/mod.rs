//! `cargo xtask tidy`: the rules of the house, as findings with a place and a reason. The same runs as a test of this crate.
//!
//! A measured rule (lines of a file, lines of a function) may be exceeded only by a row of `crates/xtask/tidy-allow.txt`, which is
//! a ratchet: the row states how much, and tidy asks to lower it as soon as the code shrinks.

mod allow;
mod arrows;
mod docs;
mod source;
#[cfg(test)]
mod tests;

use crate::shell::{output, root};
use anyhow::{Context, bail};
use std::fmt;
use std::path::Path;
use std::process::Command;

/// What a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name, as in the allow list.
    pub rule: &'static str,
    /// File, or `file::function`.
    pub place: String,
    /// Line, from 1; 0 when the finding concerns the whole place.
    pub line: usize,
    /// For measured rules: how much. The allow list compares with it.
    pub measure: Option<usize>,
    /// What is wrong and what to do.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: [{}] {}", self.place, self.rule, self.what),
            line => write!(f, "{}:{line}: [{}] {}", self.place, self.rule, self.what),
        }
    }
}

/// Entry of the task.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    if !args.is_empty() {
        bail!("tidy takes no arguments");
    }
    let findings = check(&root())?;
    for finding in &findings {
        eprintln!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: nothing to say");
        return Ok(());
    }
    bail!("{} finding(s)", findings.len())
}

/// Every finding of the tree at `root` that the allow list does not cover.
fn check(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for path in tracked_files(root)? {
        let full = root.join(&path);
        let Ok(text) = std::fs::read_to_string(&full) else {
            continue; // Binary, or listed by git but deleted in the work tree.
        };
        findings.extend(source::check(&path, &text));
    }
    findings.extend(arrows::check()?);
    findings.extend(docs::check(root));
    findings.extend(generated());
    let list = root.join(allow::FILE);
    let list = std::fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    Ok(allow::apply(&allow::parse(&list)?, findings))
}

/// A finding when generated code is not what its generator would write now.
fn generated() -> Option<Finding> {
    let what = crate::codegen::check().err()?;
    Some(Finding {
        rule: "generated",
        place: "crates/kafka-wire/src/generated".to_owned(),
        line: 0,
        measure: None,
        what,
    })
}

/// Paths that git tracks or would track, relative to `root`.
fn tracked_files(root: &Path) -> anyhow::Result<Vec<String>> {
    let listed = output(
        Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard"])
            .current_dir(root),
    )?;
    Ok(listed.lines().map(str::to_owned).collect())
}
