//! What a suite's tests came to, and the file under `tests/suites/` that keeps it: `NAME.kafka` is the measure,
//! `NAME.millstream` what was found last.
//!
//! Invariant: a run of some tests replaces the lines of those tests and no others.

use crate::brokers::Peer;
use crate::shell::root;
use anyhow::{Context, bail};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

/// A reason is one line on a page, not a log.
const REASON_CHARS_MAX: usize = 160;

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It ran and passed.
    Passed,
    /// It ran, or should have, and did not pass; the text says why.
    Failed(String),
    /// It did not run; the text says why.
    Skipped(String),
}

/// One test of a suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// As its suite calls it, without spaces.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
}

impl Case {
    /// A test that passed.
    pub fn passed(name: &str) -> Self {
        Self::new(name, Outcome::Passed)
    }

    /// A test that failed, with whatever its suite said about it.
    pub fn failed(name: &str, reason: &str) -> Self {
        Self::new(name, Outcome::Failed(one_line(reason)))
    }

    /// A test that did not run.
    pub fn skipped(name: &str, reason: &str) -> Self {
        Self::new(name, Outcome::Skipped(one_line(reason)))
    }

    fn new(name: &str, outcome: Outcome) -> Self {
        Self {
            name: name.replace(' ', "_"),
            outcome,
        }
    }
}

/// The first telling line of a message, cut short, without what changes from run to run at its edges.
fn one_line(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    let line = line.unwrap_or("no reason given");
    let cut: String = line
        .chars()
        .filter(|c| !c.is_control())
        .take(REASON_CHARS_MAX)
        .collect();
    cut.replace('|', "/")
}

/// The results of one suite on one broker, as kept on disk.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Which version of the suite ran.
    pub title: String,
    /// Every test ever found there, by name.
    pub tests: BTreeMap<String, Outcome>,
}

impl Record {
    /// What is kept about a suite; empty when nothing is.
    pub fn read(suite: &str, peer: Peer) -> anyhow::Result<Self> {
        let path = path(suite, peer);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).with_context(|| format!("in {}", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Whether a test passed there.
    pub fn passes(&self, test: &str) -> bool {
        self.tests.get(test) == Some(&Outcome::Passed)
    }

    /// The cases of a run, where a failed whole stands for its parts: a program that was cut short did not name the tests
    /// that it never came to, and those that this record knows have failed with it.
    pub fn with_silent_parts(&self, cases: Vec<Case>) -> Vec<Case> {
        let mut all = Vec::new();
        for case in &cases {
            let known = self.tests.keys().filter(|name| is_part(name, &case.name));
            let silent = known.filter(|name| cases.iter().all(|other| other.name != **name));
            let before = all.len();
            if let Outcome::Failed(reason) = &case.outcome {
                all.extend(silent.map(|name| Case::failed(name, reason)));
            }
            if all.len() == before {
                all.push(case.clone());
            }
        }
        all
    }

    /// The record after a run: its tests replace their old lines.
    pub fn merge(mut self, title: &str, cases: Vec<Case>) -> anyhow::Result<Self> {
        if self.title != title {
            // Tests of another version are other tests.
            self.tests.clear();
        }
        title.clone_into(&mut self.title);
        // A whole that once failed without a word of its parts is not told of any more when it comes to them.
        self.tests
            .retain(|whole, _| !cases.iter().any(|case| is_part(&case.name, whole)));
        self.tests
            .extend(cases.into_iter().map(|case| (case.name, case.outcome)));
        Ok(self)
    }

    /// Keeps it.
    pub fn write(&self, suite: &str, peer: Peer) -> anyhow::Result<()> {
        let path = path(suite, peer);
        std::fs::write(&path, self.text()).with_context(|| format!("cannot write {}", path.display()))?;
        println!("wrote {}", path.display());
        Ok(())
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut lines = text.lines();
        let title = lines.next().unwrap_or("").trim_start_matches("# ").to_owned();
        let mut tests = BTreeMap::new();
        for line in lines {
            let mut words = line.splitn(3, ' ');
            let (word, name) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
            let reason = words.next().unwrap_or("").to_owned();
            let outcome = match word {
                "ok" => Outcome::Passed,
                "fail" => Outcome::Failed(reason),
                "skip" => Outcome::Skipped(reason),
                other => bail!("a line begins with \"{other}\", not with ok, fail or skip"),
            };
            tests.insert(name.to_owned(), outcome);
        }
        Ok(Self { title, tests })
    }

    fn text(&self) -> String {
        let mut text = format!("# {}\n", self.title);
        for (name, outcome) in &self.tests {
            match outcome {
                Outcome::Passed => writeln!(text, "ok {name}"),
                Outcome::Failed(reason) => writeln!(text, "fail {name} {reason}"),
                Outcome::Skipped(reason) => writeln!(text, "skip {name} {reason}"),
            }
            .expect("a String takes every write");
        }
        text
    }
}

/// Whether a test is a part of another, by their names.
fn is_part(name: &str, whole: &str) -> bool {
    let rest = name.strip_prefix(whole);
    rest.is_some_and(|rest| rest.starts_with('/') || rest.starts_with("::"))
}

fn path(suite: &str, peer: Peer) -> PathBuf {
    root()
        .join("tests/suites")
        .join(format!("{suite}.{}", peer.name()))
}

#[cfg(test)]
mod tests {
    use super::{Case, Outcome, Record};

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        let cases = vec![
            Case::passed("one"),
            Case::failed("two words", "\n  first | line\nsecond"),
            Case::skipped("three", "needs SASL"),
        ];
        let record = Record::default().merge("suite 1", cases).expect("merges");
        let read = Record::parse(&record.text()).expect("parses");
        assert_eq!(read, record);
        assert_eq!(
            read.tests["two_words"],
            Outcome::Failed("first / line".to_owned())
        );
        assert!(read.passes("one") && !read.passes("three") && !read.passes("four"));
    }

    /// A test that hung once counted as one failure of a name that the measure did not know, and its parts as nothing.
    #[test]
    fn the_parts_of_a_test_that_was_cut_short_fail_with_it() {
        let measure = vec![Case::passed("t/a"), Case::passed("t/b"), Case::passed("u")];
        let measure = Record::default().merge("1", measure).expect("merges");
        let found = vec![
            Case::passed("t/a"),
            Case::failed("t", "killed"),
            Case::failed("u", "x"),
        ];
        let expected = vec![
            Case::passed("t/a"),
            Case::failed("t/b", "killed"),
            Case::failed("u", "x"),
        ];
        assert_eq!(measure.with_silent_parts(found), expected);
    }

    /// The line of a test that once died as a whole stayed for ever beside the lines of its parts.
    #[test]
    fn a_whole_that_failed_is_forgotten_when_its_parts_report() {
        let first = vec![Case::failed("t", "killed"), Case::failed("tt", "x")];
        let record = Record::default().merge("1", first).expect("merges");
        let record = record.merge("1", vec![Case::passed("t/a")]).expect("merges");
        assert_eq!(record.tests.keys().collect::<Vec<_>>(), ["t/a", "tt"]);
    }

    #[test]
    fn a_run_of_some_tests_keeps_the_others_unless_the_version_changed() {
        let first = vec![Case::passed("a"), Case::passed("b")];
        let record = Record::default().merge("1", first).expect("merges");
        let record = record.merge("1", vec![Case::failed("b", "x")]).expect("merges");
        assert!(record.passes("a") && !record.passes("b"));
        let record = record.merge("2", vec![Case::passed("b")]).expect("merges");
        assert_eq!(record.tests.len(), 1);
    }
}
