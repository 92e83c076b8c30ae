//! kafka-python's integration tests: a codec and a group protocol of its own. One pytest for each file, a limit for each
//! test, another for the file.

use super::outcome::{Case, Outcome};
use super::stage::Stage;
use super::{Scope, Suite, sources};
use crate::installs::quiet;
use std::time::Duration;

/// Its own limit is 300 s; on Kafka no test takes longer than 15 s.
const TEST_LIMIT_SECS: u32 = 60;
const FILE_LIMIT: Duration = Duration::from_secs(900);

/// Which of its versions of the protocol it is to speak: the newest that it knows.
const KAFKA_VERSION: &str = "4.2.0";

/// The files whose tests run against a broker that somebody else started. Those of SASL and TLS start their own.
const FILES: &[&str] = &["admin", "consumer", "producer"];

/// The row of the table.
pub const SUITE: Suite = Suite {
    name: "kafka-python",
    about: "kafka-python's integration tests",
    settings: &[
        "num.partitions=4",
        "group.initial.rebalance.delay.ms=0",
        "group.min.session.timeout.ms=1000",
    ],
    version: || {
        sources::pinned(
            &sources::manifests("kafka-python").join("version.txt"),
            "kafka-python==",
        )
    },
    install: sources::kafka_python,
    run,
};

fn run(stage: &mut Stage, scope: &Scope) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for file in FILES {
        let mut command = quiet(sources::kafka_python_interpreter());
        command
            .args([
                "-m",
                "pytest",
                "-v",
                "-rfE",
                "--tb=short",
                "--show-capture=no",
                "-p",
                "no:cacheprovider",
            ])
            .args([
                "-o",
                "addopts=",
                "-o",
                "log_level=ERROR",
                "--timeout-method=signal",
            ])
            .args(["--timeout", &TEST_LIMIT_SECS.to_string()])
            .arg(format!("test/integration/test_{file}_integration.py"))
            .current_dir(sources::kafka_python_sources())
            .env("KAFKA_URI", format!("kafka://{}", stage.bootstrap()))
            .env("KAFKA_VERSION", KAFKA_VERSION)
            // Only looked at for being a folder.
            .env("KAFKA_ROOT", ".")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            // pytest cuts reasons to the width of the terminal.
            .env("COLUMNS", "400");
        if let Some(text) = &scope.test {
            command.args(["-k", &text.replace(',', " or ")]);
        }
        let ran = stage.run(file, &mut command, FILE_LIMIT)?;
        let mut found = parse(&ran.finished.stdout);
        if ran.finished.status.is_none() || found.is_empty() && scope.test.is_none() {
            found.push(Case::failed(file, &ran.silence()));
        }
        cases.extend(found);
    }
    Ok(cases)
}

/// Reads `FILE::TEST WORD [ 7%]` lines, then the reasons from the summary: `FAILED FILE::TEST - reason`.
fn parse(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        let Some(rest) = line.strip_prefix("test/integration/test_") else {
            continue;
        };
        // The name may hold spaces between brackets; the verdict is the first capital word after it.
        let words = ["PASSED", "FAILED", "ERROR", "SKIPPED", "XFAIL", "XPASS"];
        let found = words
            .iter()
            .filter_map(|word| Some((rest.find(&format!(" {word}"))?, *word)));
        let Some((at, word)) = found.min() else {
            continue;
        };
        let name = rest[..at].replace("_integration.py", "");
        let after = rest[at + 1 + word.len()..]
            .split(" [")
            .next()
            .unwrap_or("")
            .trim();
        let case = match word {
            "PASSED" | "XPASS" => Case::passed(&name),
            "SKIPPED" | "XFAIL" => Case::skipped(&name, after.trim_matches(['(', ')'])),
            _ => Case::failed(&name, &reason(text, &rest[..at])),
        };
        // A test that passed and then failed in its teardown is listed twice; the worse counts.
        match cases.iter_mut().find(|known| known.name == case.name) {
            Some(known) if matches!(case.outcome, Outcome::Failed(_)) => *known = case,
            Some(_) => {}
            None => cases.push(case),
        }
    }
    cases
}

fn reason(text: &str, test: &str) -> String {
    let marks = ["FAILED", "ERROR"].map(|word| format!("{word} test/integration/test_{test} - "));
    let found = text
        .lines()
        .find_map(|line| marks.iter().find_map(|mark| line.strip_prefix(mark.as_str())));
    found.unwrap_or("no reason given").to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::outcome::Case;
    use super::parse;

    #[test]
    fn verdicts_and_reasons_are_read_from_what_pytest_prints() {
        let text = "test/integration/test_admin_integration.py::test_a[x y] PASSED   [  1%]\n\
                    test/integration/test_admin_integration.py::test_b FAILED [ 50%]\n\
                    test/integration/test_admin_integration.py::test_c SKIPPED (old broker) [100%]\n\
                    FAILED test/integration/test_admin_integration.py::test_b - KeyError: 1\n";
        let expected = vec![
            Case::passed("admin::test_a[x_y]"),
            Case::failed("admin::test_b", "KeyError: 1"),
            Case::skipped("admin::test_c", "old broker"),
        ];
        assert_eq!(parse(text), expected);
    }
}
