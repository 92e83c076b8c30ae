//! What a program reported, line by line. A case that it did not report counts as failed: silence is no pass.

use super::programs::Program;
use crate::process::Finished;

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Ok,
    /// The client lacks the feature; the text says which.
    Skip(String),
    /// It does not hold; the text says why.
    Fail(String),
}

/// One client's results.
#[derive(Debug)]
pub struct Results {
    /// The program's name.
    pub client: String,
    /// The client's version, as it reports it.
    pub version: String,
    /// Every expected case, in the order of the table.
    pub cases: Vec<(String, Outcome)>,
    seconds: f64,
}

impl Results {
    /// Reads a finished program's output.
    pub fn parse(program: &Program, finished: &Finished) -> Self {
        let silent = match finished.status {
            None => "the program was killed at its limit".to_owned(),
            Some(status) => format!("not reported; the program ended with {status}"),
        };
        let mut results = Self::not_run(program, &silent);
        results.seconds = finished.took.as_secs_f64();
        for line in finished.stdout.lines() {
            let mut words = line.splitn(4, ' ');
            match words.next() {
                Some("VERSION") => results.version = line.splitn(3, ' ').nth(2).unwrap_or("").to_owned(),
                Some("CASE") => {
                    let name = words.next().unwrap_or("");
                    let status = words.next().unwrap_or("");
                    results.set(name, outcome(status, words.next().unwrap_or("")));
                }
                _ => {}
            }
        }
        results
    }

    /// Every case failed, for one reason.
    pub fn not_run(program: &Program, reason: &str) -> Self {
        let expected = program.cases.iter().chain(program.more_cases);
        Self {
            client: program.name.to_owned(),
            version: "unknown".to_owned(),
            cases: expected
                .map(|case| ((*case).to_owned(), Outcome::Fail(reason.to_owned())))
                .collect(),
            seconds: 0.0,
        }
    }

    /// Fails a codec's case when the batches of its topic hold another codec. `topic` is `<codec>-<client>-<suffix>`.
    pub fn compare_stored(&mut self, topic: &str, codecs: &str) {
        let Some((codec, owner)) = topic.split_once('-') else {
            return;
        };
        let mine = owner
            .rsplit_once('-')
            .is_some_and(|(client, _)| client == self.client);
        if mine && codecs != codec && self.outcome(&format!("codec_{codec}")) == Some(&Outcome::Ok) {
            self.set(
                &format!("codec_{codec}"),
                Outcome::Fail(format!("the batches are stored as \"{codecs}\"")),
            );
        }
    }

    /// How one case ended.
    pub fn outcome(&self, case: &str) -> Option<&Outcome> {
        self.cases
            .iter()
            .find(|(name, _)| name == case)
            .map(|(_, outcome)| outcome)
    }

    /// Number of cases that hold.
    pub fn passed(&self) -> usize {
        self.cases
            .iter()
            .filter(|(_, outcome)| *outcome == Outcome::Ok)
            .count()
    }

    /// One line for the terminal.
    pub fn summary(&self) -> String {
        let failed = self
            .cases
            .iter()
            .filter(|(_, outcome)| matches!(outcome, Outcome::Fail(_)))
            .count();
        let skipped = self.cases.len() - self.passed() - failed;
        format!(
            "{:<16} {:>2} ok, {skipped} skipped, {failed} failed, {:.0} s   {}",
            self.client,
            self.passed(),
            self.seconds,
            self.version
        )
    }

    fn set(&mut self, case: &str, outcome: Outcome) {
        match self.cases.iter_mut().find(|(name, _)| name == case) {
            Some((_, old)) => *old = outcome,
            None => self.cases.push((case.to_owned(), outcome)),
        }
    }
}

fn outcome(status: &str, reason: &str) -> Outcome {
    match status {
        "ok" => Outcome::Ok,
        "skip" => Outcome::Skip(reason.to_owned()),
        _ => Outcome::Fail(reason.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, Results};
    use crate::clients::programs::PROGRAMS;
    use crate::process::Finished;
    use std::time::Duration;

    fn parsed(text: &str) -> Results {
        let finished = Finished {
            stdout: text.to_owned(),
            status: None,
            took: Duration::ZERO,
        };
        let kcat = PROGRAMS.iter().find(|program| program.name == "kcat");
        Results::parse(kcat.expect("a program"), &finished)
    }

    #[test]
    fn a_case_that_is_not_reported_has_failed() {
        let results = parsed("VERSION kcat 1.7.1 (x)\nCASE acks_0 ok\nCASE acks_1 skip no such thing\n");
        assert_eq!(results.version, "1.7.1 (x)");
        assert_eq!(results.passed(), 1);
        assert_eq!(results.outcome("acks_0"), Some(&Outcome::Ok));
        assert_eq!(
            results.outcome("acks_1"),
            Some(&Outcome::Skip("no such thing".to_owned()))
        );
        assert!(matches!(results.outcome("headers"), Some(Outcome::Fail(_))));
    }

    #[test]
    fn a_codec_that_was_not_stored_fails_its_case() {
        let mut results = parsed("CASE codec_lz4 ok\nCASE codec_zstd ok\n");
        results.compare_stored("lz4-kcat-12ab", "none");
        results.compare_stored("zstd-other-12ab", "none");
        assert!(matches!(results.outcome("codec_lz4"), Some(Outcome::Fail(_))));
        assert_eq!(results.outcome("codec_zstd"), Some(&Outcome::Ok));
    }
}
