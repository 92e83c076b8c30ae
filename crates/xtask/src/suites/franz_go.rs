//! franz-go's client tests that talk to a broker: groups of every kind, exactly-once, share groups. Each test a process of
//! its own; what a test skips by the broker's ApiVersions is counted as skipped.

use super::outcome::{Case, Outcome};
use super::stage::Stage;
use super::{Scope, Suite, sources};
use crate::installs::quiet;
use std::time::Duration;

/// The longest move 50,000 records through dozens of groups; they have limits of their own below this one.
const TEST_LIMIT: Duration = Duration::from_secs(600);
const RECORDS: u32 = 50_000;
const RECORDS_QUICK: u32 = 10_000;

/// The tests of the package that use a broker; the others test the client alone.
const TESTS: &[&str] = &[
    "Test848RegexBrokerResolves",
    "TestAddRemovePartitions",
    "TestClient_Produce",
    "TestClient_ProduceLargeMessages",
    "TestConsumeMaxDecompressBatchBytes",
    "TestConsumeRegex",
    "TestConsumeRegexShareSkipsInternal",
    "TestConsumeTopicRetrieval",
    "TestConsumeTopicRetrieval_Many",
    "TestDirectPartitionPurge",
    "TestGroupETL",
    "TestGroupSimple",
    "TestHookPollStart",
    "TestIssue1034",
    "TestIssue325",
    "TestIssue337",
    "TestIssue434",
    "TestIssue523",
    "TestIssue648",
    "TestIssue769",
    "TestIssue810",
    "TestIssue831",
    "TestIssue865",
    "TestIssueFetchLargerThanBrokerMaxReadBytes",
    "TestIssueProduceBrokerTooOldFailsRecords",
    "TestIssueProduceSyncManualPartitionNegativeDoesNotPanic",
    "TestPauseIssue489",
    "TestPauseIssueOct2023",
    "TestPing",
    "TestPooling",
    "TestShareGroup",
    "TestShareGroupAckOnClose",
    "TestShareGroupETL",
    "TestShareGroupOffsetsAdmin",
    "TestTxnEtl",
    "TestUnknownGroupOffsetFetchPinned",
];

/// The row of the table.
pub const SUITE: Suite = Suite {
    name: "franz-go",
    about: "franz-go's tests of kgo",
    settings: &["group.initial.rebalance.delay.ms=0"],
    version: || sources::pinned(&sources::manifests("go").join("go.mod"), "twmb/franz-go v"),
    install: sources::franz_go,
    run,
};

fn run(stage: &mut Stage, scope: &Scope) -> anyhow::Result<Vec<Case>> {
    let records = if scope.quick { RECORDS_QUICK } else { RECORDS };
    let mut cases = Vec::new();
    for test in TESTS.iter().filter(|test| scope.wants(test)) {
        let mut command = quiet(sources::franz_go_binary());
        command
            .args([
                format!("-test.run=^{test}$"),
                "-test.v".to_owned(),
                "-test.count=1".to_owned(),
            ])
            .arg(format!("-test.timeout={}s", TEST_LIMIT.as_secs() - 5))
            .current_dir(stage.folder())
            .env("KGO_SEEDS", stage.bootstrap())
            .env("KGO_TEST_RF", "1")
            .env("KGO_TEST_RECORDS", records.to_string())
            .env("KGO_LOG_LEVEL", "none");
        let ran = stage.run(test, &mut command, TEST_LIMIT)?;
        let found = parse(&ran.finished.stdout);
        let told = found
            .iter()
            .any(|case| matches!(case.outcome, Outcome::Failed(_)));
        if ran.broker_died || !ran.finished.succeeded() && !told {
            cases.push(Case::failed(test, &ran.silence()));
        }
        cases.extend(found);
    }
    Ok(cases)
}

/// Reads `--- PASS: Test/sub (1.00s)` lines. A test with parts is reported by its parts alone.
fn parse(text: &str) -> Vec<Case> {
    let verdicts: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| {
            let (word, rest) = line.trim_start().strip_prefix("--- ")?.split_once(": ")?;
            Some((word, rest.split(' ').next()?))
        })
        .collect();
    let has_parts = |name: &str| {
        verdicts
            .iter()
            .any(|(_, other)| other.starts_with(&format!("{name}/")))
    };
    let leaves = verdicts.iter().filter(|(_, name)| !has_parts(name));
    leaves
        .map(|(word, name)| match *word {
            "PASS" => Case::passed(name),
            "SKIP" => Case::skipped(name, last_words(text, name)),
            _ => Case::failed(name, last_words(text, name)),
        })
        .collect()
}

/// The last line that the test printed about itself: Go shows it as `    file_test.go:7: text`, under a heading that
/// names the test.
fn last_words<'a>(text: &'a str, name: &str) -> &'a str {
    let mut current = "";
    let mut found = "";
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("=== ") {
            current = rest.split_whitespace().nth(1).unwrap_or("");
        } else if current == name {
            if let Some((_, message)) = line.split_once("_test.go:") {
                found = message.split_once(": ").map_or(message, |(_, words)| words);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::outcome::Case;
    use super::parse;

    #[test]
    fn parts_of_a_test_count_one_by_one() {
        let text = "=== RUN   TestA\n=== RUN   TestA/x\n=== NAME  TestA/x\n    a_test.go:7: no such group\n\
                    --- FAIL: TestA (1.00s)\n    --- FAIL: TestA/x (0.50s)\n    --- PASS: TestA/y (0.50s)\n\
                    === RUN   TestB\n    b_test.go:9: broker is too old\n--- SKIP: TestB (0.00s)\n";
        let expected = vec![
            Case::failed("TestA/x", "no such group"),
            Case::passed("TestA/y"),
            Case::skipped("TestB", "broker is too old"),
        ];
        assert_eq!(parse(text), expected);
    }
}
