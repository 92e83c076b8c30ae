//! What a trial measured and whether what it promises held: printed as it is found, kept for the page.
//!
//! Invariant: a trial that checked nothing has not passed.

use std::fmt::Display;

/// Facts and promises of one trial, in the order in which they were found.
pub struct Findings {
    trial: &'static str,
    lines: Vec<Line>,
}

/// One line of the page.
pub enum Line {
    /// Something measured: what, and how much.
    Fact(String, String),
    /// A promise, and whether it held.
    Promise(String, bool),
    /// Why something could not be tried here.
    Skipped(String),
}

impl Findings {
    /// Nothing yet.
    pub fn new(trial: &'static str) -> Self {
        println!("==> trial {trial}");
        Self {
            trial,
            lines: Vec::new(),
        }
    }

    /// Something that was measured.
    pub fn fact(&mut self, what: &str, value: impl Display) {
        println!("  {what}: {value}");
        self.lines.push(Line::Fact(what.to_owned(), value.to_string()));
    }

    /// Something that must hold.
    pub fn check(&mut self, promise: &str, holds: bool) {
        println!("  {} {promise}", if holds { "ok:" } else { "BROKEN:" });
        self.lines.push(Line::Promise(promise.to_owned(), holds));
    }

    /// This machine cannot try it; neither passed nor failed.
    pub fn skip(&mut self, why: &str) {
        println!("  skipped: {why}");
        self.lines.push(Line::Skipped(why.to_owned()));
    }

    /// Every line so far.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Whether everything held.
    pub fn passed(&self) -> bool {
        let tried = |line: &Line| matches!(line, Line::Promise(..) | Line::Skipped(_));
        self.lines.iter().any(tried)
            && !self
                .lines
                .iter()
                .any(|line| matches!(line, Line::Promise(_, false)))
    }

    /// Prints the verdict.
    pub fn end(&self) -> bool {
        let passed = self.passed();
        let verdict = if passed { "passed" } else { "failed" };
        println!("trial {}: {verdict}", self.trial);
        passed
    }
}

/// A number of bytes for people.
pub fn mebibytes(bytes: u64) -> String {
    const KIBIBYTE: u64 = 1 << 10;
    const MEBIBYTE: u64 = 1 << 20;
    if bytes < 10 * MEBIBYTE {
        format!("{} KiB", bytes / KIBIBYTE)
    } else {
        format!("{} MiB", bytes / MEBIBYTE)
    }
}

#[cfg(test)]
mod tests {
    use super::Findings;

    #[test]
    fn a_trial_passes_when_it_checked_something_and_all_held() {
        let mut findings = Findings::new("x");
        findings.fact("speed", 3);
        assert!(!findings.passed(), "nothing was promised");
        findings.check("it lives", true);
        assert!(findings.passed());
        findings.check("it answers", false);
        assert!(!findings.passed());
    }
}
