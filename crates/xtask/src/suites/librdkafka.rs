//! librdkafka's own tests, one test number for each process: a failure there ends the process, and with it all the
//! numbers that would follow. Tests that need no broker are left out. Its quick mode is never used: that one leaves out
//! whole tests and calls them passed.

use super::outcome::Case;
use super::stage::{Ran, Stage};
use super::{Scope, Suite, sources};
use crate::installs::{kafka_library, quiet};
use anyhow::Context;
use std::process::Command;
use std::time::Duration;

/// The longest (0113) rebalances for five minutes and more; all have limits of their own below this one.
const TEST_LIMIT: Duration = Duration::from_secs(900);

/// By how much its own limits are stretched: some tests need two minutes of their three on an idle machine.
const TIME_FACTOR: u32 = 2;

/// What librdkafka is to think of the broker: its tests of share groups want 4.2.
const KAFKA_VERSION: &str = "4.2.0";

/// The numbers that tell most: produce, fetch, offsets, groups, headers, admin.
const QUICK: &[&str] = &[
    "0001", "0002", "0003", "0005", "0007", "0008", "0011", "0012", "0013", "0014", "0015", "0016", "0017",
    "0018", "0019", "0020", "0021", "0022", "0029", "0030", "0033", "0036", "0040", "0041", "0042", "0056",
    "0073", "0081", "0085", "0092", "0102", "0113", "0118",
];

/// The row of the table.
pub const SUITE: Suite = Suite {
    name: "librdkafka",
    about: "librdkafka's tests",
    settings: &[
        "num.partitions=4",
        "group.initial.rebalance.delay.ms=3000",
        "group.share.min.record.lock.duration.ms=1000",
        // Whom nothing forbids may do everything; its tests forbid topics to everybody, and a super user would not notice.
        "super.users=User:nobody",
    ],
    version: || sources::pinned(&sources::librdkafka_carrier(), "\"librdkafka\":"),
    install: sources::librdkafka,
    run,
};

fn run(stage: &mut Stage, scope: &Scope) -> anyhow::Result<Vec<Case>> {
    let source = sources::librdkafka_folder().join("tests/test.c");
    let text =
        std::fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
    let configuration = stage.folder().join("test.conf");
    std::fs::write(
        &configuration,
        format!(
            "bootstrap.servers={}\ntest.timeout.multiplier={TIME_FACTOR}\n",
            stage.bootstrap()
        ),
    )?;
    let mut cases = Vec::new();
    let declared = declared(&text);
    let mut numbers: Vec<&str> = declared.iter().map(|name| number(name)).collect();
    numbers.dedup();
    for number in numbers {
        let names: Vec<&str> = declared
            .iter()
            .filter(|name| self::number(name) == number)
            .copied()
            .collect();
        if scope.quick && !QUICK.contains(&number) || !names.iter().any(|name| scope.wants(name)) {
            continue;
        }
        let ran = stage.run(number, &mut command(stage, number), TEST_LIMIT)?;
        cases.extend(names.into_iter().map(|name| judged(name, &ran)));
    }
    Ok(cases)
}

fn command(stage: &Stage, number: &str) -> Command {
    let folder = sources::librdkafka_folder();
    let mut command = quiet(folder.join("tests/test-runner"));
    command
        .args(["-p1", "-L"])
        // Some tests open files beside the program.
        .current_dir(folder.join("tests"))
        // Or the loader takes the system's librdkafka, another version.
        .env(
            "LD_LIBRARY_PATH",
            format!("{0}/src:{0}/src-cpp", folder.display()),
        )
        .env("TESTS", number)
        .env("TEST_KAFKA_VERSION", KAFKA_VERSION)
        .env("RDKAFKA_TEST_CONF", stage.folder().join("test.conf"))
        .env("BROKERS", stage.bootstrap())
        .env("KAFKA_PATH", sources::manifests("librdkafka"))
        .env("KAFKA_LIB", kafka_library())
        // What its Java programs are compiled against.
        .env("KAFKA_JARS", kafka_library());
    command
}

/// The names of the tests that need a broker: `_TEST(0012_produce_consume, FLAGS, ...)`.
fn declared(text: &str) -> Vec<&str> {
    let rows = text.split("_TEST(").skip(1);
    rows.filter_map(|row| {
        let (name, rest) = row.split_once(',')?;
        let flags = rest.split([',', ')']).next()?;
        let runs = !flags.contains("TEST_F_LOCAL") && !flags.contains("TEST_F_MANUAL");
        // The table's own comment has a row of dots.
        let named = name.starts_with(|c: char| c.is_ascii_digit()) && name.contains('_');
        (runs && named).then_some(name.trim())
    })
    .collect()
}

fn number(name: &str) -> &str {
    name.split('_').next().unwrap_or(name)
}

/// A test's line in the summary: `| NAME | STATE | 1.2s | reason`.
fn verdict<'a>(plain: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    plain.lines().find_map(|line| {
        let mut fields = line.strip_prefix('|')?.splitn(4, '|').map(str::trim);
        (fields.next()? == name).then(|| (fields.next().unwrap_or(""), fields.nth(1).unwrap_or("")))
    })
}

fn judged(name: &str, ran: &Ran) -> Case {
    let plain = without_colours(&ran.finished.stdout);
    match verdict(&plain, name) {
        _ if ran.broker_died => Case::failed(name, &ran.silence()),
        Some(("PASSED", _)) => match only_skipped(&ran.errors) {
            true => Case::skipped(name, "every part of it skipped itself"),
            false => Case::passed(name),
        },
        Some(("FAILED", reason)) => Case::failed(name, place_free(reason)),
        Some(("SKIPPED", reason)) => Case::skipped(name, reason),
        _ => Case::failed(name, last_failure(&ran.errors).unwrap_or(&ran.silence())),
    }
}

/// What a test said that ended the whole process, or was still running at its own limit: the line after
/// `### Test "NAME" failed at ...`.
fn last_failure(log: &str) -> Option<&str> {
    let mut lines = log.lines().skip_while(|line| !line.contains("### Test \""));
    lines.nth(1).filter(|line| !line.is_empty())
}

/// Without `test_x():123: ` in front, which names a line of librdkafka.
fn place_free(reason: &str) -> &str {
    reason
        .split_once(": ")
        .filter(|(place, _)| place.contains("():"))
        .map_or(reason, |(_, words)| words)
}

/// A test whose parts were all skipped is reported as passed; it has judged nothing.
fn only_skipped(log: &str) -> bool {
    log.contains(": SKIP: ") && !log.contains(": PASS (")
}

fn without_colours(text: &str) -> String {
    let mut pieces = text.split('\u{1b}');
    let mut plain = pieces.next().unwrap_or("").to_owned();
    for piece in pieces {
        plain += piece.split_once('m').map_or(piece, |(_, rest)| rest);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{declared, verdict, without_colours};

    #[test]
    fn tests_that_need_a_broker_are_found_in_the_source() {
        let text = "_TEST(0004_conf, TEST_F_LOCAL),\n_TEST(0005_order, 0),\n_TEST(0011_x,\n 0, TEST_BRKVER(0, 9, 0, 0)),\n\
                    #define _TEST(NAME, FLAGS, ...) x\n// _TEST(00...., ...)\n_TEST(8000_idle, TEST_F_MANUAL),";
        assert_eq!(declared(text), vec!["0005_order", "0011_x"]);
    }

    #[test]
    fn colours_are_no_part_of_a_summary() {
        let plain = without_colours("|\u{1b}[31m 0001_a  | FAILED |  1.0s \u{1b}[0m| b():7: no | offset\n");
        assert_eq!(plain, "| 0001_a  | FAILED |  1.0s | b():7: no | offset\n");
        assert_eq!(verdict(&plain, "0001_a"), Some(("FAILED", "b():7: no | offset")));
    }
}
