//! The promises of the transaction trial, as a pure function of what was written, what was shown and what can be read in the end.
//!
//! 1. Every record of an input is shown once in the output: not twice, and not never.
//! 2. Nothing that a copier aborted is ever shown, not for a moment.
//! 3. What is read in the end is what was shown.
//! 4. Every copier committed and aborted at all; else nothing was tested.

use anyhow::Context;
use std::collections::BTreeMap;
use std::fmt;

/// How many violations are printed.
const SHOWN_MAX: usize = 20;

/// The value of a record that its copier meant to commit.
const COMMIT: &str = "commit";

/// What is known of the run.
#[derive(Default)]
pub struct Judge {
    /// By output topic and key: how often it was shown, and how often it was read in the end.
    records: BTreeMap<(String, String), (u32, u32)>,
    counts: Vec<(&'static str, usize)>,
    violations: Vec<String>,
}

/// What was found.
#[derive(Debug)]
pub struct Verdict {
    /// Each broken promise, as a sentence.
    pub violations: Vec<String>,
    lines: Vec<String>,
}

impl Judge {
    /// The records of an input, by the lines `<partition> <offset> <key>` of a dump: all are to appear in `output`.
    pub fn expect(&mut self, name: &'static str, output: &str, dump: &str) -> anyhow::Result<()> {
        for line in dump.lines() {
            let key = line
                .split(' ')
                .nth(2)
                .with_context(|| format!("no key in {line:?}"))?;
            self.records
                .entry((output.to_owned(), key.to_owned()))
                .or_default();
        }
        self.counts.push((name, dump.lines().count()));
        Ok(())
    }

    /// How many records have to be shown.
    pub fn expected(&self) -> usize {
        self.records.len()
    }

    /// Lines `<topic> <key> <value>` of the watcher. A line that was cut by the end of the run is none.
    pub fn watched(&mut self, journal: &str) {
        for line in journal
            .split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'))
        {
            let mut words = line.split(' ');
            let (topic, key, value) = (words.next(), words.next(), words.next());
            let known = self.look(topic, key, value, "shown");
            if let Some((shown, _)) = known {
                *shown += 1;
            }
        }
    }

    /// Lines `<partition> <offset> <key> <value>` of a dump of committed records.
    pub fn read_again(&mut self, topic: &str, dump: &str) -> anyhow::Result<()> {
        for line in dump.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let [_, _, key, value] = words[..] else {
                anyhow::bail!("no record in {line:?}");
            };
            if let Some((_, read)) = self.look(Some(topic), Some(key), Some(value), "read in the end") {
                *read += 1;
            }
        }
        Ok(())
    }

    fn look(
        &mut self,
        topic: Option<&str>,
        key: Option<&str>,
        value: Option<&str>,
        how: &str,
    ) -> Option<&mut (u32, u32)> {
        let (topic, key) = (topic.unwrap_or_default(), key.unwrap_or_default());
        if value != Some(COMMIT) {
            self.violations
                .push(format!("{topic}: {key} was aborted and is {how}"));
            return None;
        }
        let found = self.records.get_mut(&(topic.to_owned(), key.to_owned()));
        if found.is_none() {
            self.violations
                .push(format!("{topic}: {key} is {how} and was never in the input"));
        }
        found
    }

    /// The end: `ended` are the journals of the copiers.
    pub fn verdict(mut self, ended: &[(&'static str, String)]) -> Verdict {
        for ((topic, key), (shown, read)) in &self.records {
            for (times, how) in [(*shown, "shown"), (*read, "read in the end")] {
                if times != 1 {
                    self.violations
                        .push(format!("{topic}: {key} is {how} {times} times"));
                }
            }
        }
        let mut lines = Vec::new();
        for ((name, records), (_, journal)) in self.counts.iter().zip(ended) {
            let count = |word: &str| journal.lines().filter(|line| line.starts_with(word)).count();
            let (commits, aborts) = (count("commit "), count("abort "));
            lines.push(format!(
                "{name:<12} {records:>8} records, {commits:>6} transactions committed, {aborts:>5} aborted on purpose"
            ));
            for (number, what) in [(commits, "commit"), (aborts, "abort")] {
                if number == 0 {
                    self.violations
                        .push(format!("{name}: not one {what}, so nothing was tested"));
                }
            }
        }
        Verdict {
            violations: self.violations,
            lines,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        for violation in self.violations.iter().take(SHOWN_MAX) {
            writeln!(f, "BROKEN {violation}")?;
        }
        match self.violations.len() {
            0 => write!(
                f,
                "every record was shown exactly once, and nothing that was aborted"
            ),
            count => write!(f, "{count} broken promises"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(shown: &str, read: &str) -> Vec<String> {
        let mut judge = Judge::default();
        judge.expect("java", "out", "0 0 a\n1 0 b\n").expect("a dump");
        assert_eq!(judge.expected(), 2);
        judge.watched(shown);
        judge.read_again("out", read).expect("a dump");
        judge
            .verdict(&[("java", "commit 1\nabort 2\n".to_owned())])
            .violations
    }

    #[test]
    fn each_record_once_is_right() {
        let read = "0 0 a commit\n0 1 b commit\n";
        assert_eq!(
            judged("out b commit\nout a commit\nout a com", read),
            Vec::<String>::new()
        );
    }

    #[test]
    fn twice_never_aborted_and_unknown_are_found() {
        let read = "0 0 a commit\n0 1 b commit\n";
        assert_eq!(
            judged("out a commit\nout a commit\nout b commit\n", read).len(),
            1
        );
        assert_eq!(judged("out a commit\n", read).len(), 1);
        assert_eq!(judged("out a commit\nout b commit\nout a abort\n", read).len(), 1);
        assert_eq!(
            judged("out a commit\nout b commit\nout c commit\n", read).len(),
            1
        );
        assert_eq!(judged("out a commit\nout b commit\n", "0 0 a commit\n").len(), 1);
    }

    #[test]
    fn a_copier_that_never_aborted_proves_nothing() {
        let mut judge = Judge::default();
        judge.expect("java", "out", "").expect("a dump");
        let verdict = judge.verdict(&[("java", "commit 1\n".to_owned())]);
        assert_eq!(verdict.violations.len(), 1);
    }
}
