//! rust-rdkafka's and rskafka's tests: each test a process of its own, so that one that hangs costs only itself.

use super::outcome::Case;
use super::stage::{Ran, Stage};
use super::{Scope, Suite, sources};
use crate::installs::quiet;
use crate::shell::output;
use std::path::PathBuf;
use std::time::Duration;

/// The slowest test that passes on Kafka takes about 15 s.
const TEST_LIMIT: Duration = Duration::from_secs(90);

/// A failed comparison says so in one line and shows its two sides in two more.
const MESSAGE_LINES_MAX: usize = 3;

/// As rust-rdkafka's own test script sets it; newer versions change nothing that its tests ask for.
const KAFKA_VERSION: &str = "3.9.0";

/// Tests that return at once, as passed, where something is missing; what that is.
const EMPTY: &[(&str, &str)] = &[
    ("_java_", "wants a Java library that it downloads"),
    (
        "rdkafka_consume_rdkafka_nocompression",
        "wants a Java library that it downloads",
    ),
    ("test_sasl", "wants a listener with SASL"),
    ("test_socks5", "wants a SOCKS5 proxy"),
];

/// rust-rdkafka: librdkafka below, its own consumers and admin above.
pub const RDKAFKA: Suite = Suite {
    name: "rust-rdkafka",
    about: "rust-rdkafka's integration tests",
    settings: &["num.partitions=3", "group.initial.rebalance.delay.ms=0"],
    version: || sources::pinned(&sources::manifests("rust").join("Cargo.toml"), "rdkafka = "),
    install: || sources::crate_sources("rdkafka", &[]),
    run: |stage, scope| run(stage, scope, "rdkafka", &[]),
};

/// rskafka: a client with a codec of its own.
pub const RSKAFKA: Suite = Suite {
    name: "rskafka",
    about: "rskafka's integration tests",
    settings: &["auto.create.topics.enable=false"],
    version: || sources::pinned(&sources::manifests("rust").join("Cargo.toml"), "rskafka = "),
    install: || sources::crate_sources("rskafka", &[("rsasl", "2.3.1")]),
    run: |stage, scope| run(stage, scope, "rskafka", &["--features", "full"]),
};

fn run(stage: &mut Stage, scope: &Scope, name: &str, features: &[&str]) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for (target, program) in programs(name, features)? {
        let listed = output(quiet(&program).args(["--list", "--format", "terse"]))?;
        for test in listed.lines().filter_map(|line| line.strip_suffix(": test")) {
            let full = format!("{target}::{test}");
            if !scope.wants(&full) {
                continue;
            }
            cases.push(match EMPTY.iter().find(|(part, _)| full.contains(part)) {
                Some((_, missing)) => Case::skipped(&full, missing),
                None => one(stage, &program, name, &full, test)?,
            });
        }
    }
    Ok(cases)
}

/// The test programs of a crate, built: the name of each and its file. Unit tests need no broker and are left out.
fn programs(name: &str, features: &[&str]) -> anyhow::Result<Vec<(String, PathBuf)>> {
    let mut command = crate::shell::cargo();
    command
        .args([
            "test",
            "--tests",
            "--no-run",
            "--locked",
            "--quiet",
            "--message-format",
            "json",
        ])
        .args(features)
        .current_dir(sources::folder(name));
    let mut found = Vec::new();
    for line in output(&mut command)?.lines() {
        let message: serde_json::Value = serde_json::from_str(line)?;
        if let (Some(program), Some("test"), Some(target)) = (
            message["executable"].as_str(),
            message["target"]["kind"][0].as_str(),
            message["target"]["name"].as_str(),
        ) {
            found.push((target.to_owned(), PathBuf::from(program)));
        }
    }
    found.sort();
    Ok(found)
}

fn one(stage: &mut Stage, program: &PathBuf, name: &str, full: &str, test: &str) -> anyhow::Result<Case> {
    let mut command = quiet(program);
    command
        .args(["--exact", test, "--test-threads", "1"])
        .current_dir(sources::folder(name))
        .env("KAFKA_HOST", stage.bootstrap())
        .env("KAFKA_VERSION", KAFKA_VERSION)
        .env("TEST_INTEGRATION", "1")
        .env("KAFKA_CONNECT", stage.bootstrap())
        .env("TEST_BROKER_IMPL", "kafka");
    let ran = stage.run(full, &mut command, TEST_LIMIT)?;
    Ok(judged(full, test, &ran))
}

fn judged(full: &str, test: &str, ran: &Ran) -> Case {
    let verdict = ran.finished.stdout.lines().find_map(|line| {
        let rest = line.strip_prefix("test ")?.strip_prefix(test)?;
        rest.rsplit(' ').next()
    });
    match verdict {
        Some("ok") if !ran.broker_died => Case::passed(full),
        Some("ignored") => Case::skipped(full, "ignored by its suite"),
        Some("FAILED") if !ran.broker_died => Case::failed(full, &panic_message(&ran.finished.stdout)),
        _ => Case::failed(full, &ran.silence()),
    }
}

/// What a panic said: the lines between its place and the backtrace, or the place where it said nothing.
fn panic_message(text: &str) -> String {
    let mut lines = text.lines().skip_while(|line| !line.contains("panicked at "));
    let place = lines.next().unwrap_or("the test failed without a panic");
    let told = lines.take_while(|line| {
        !line.is_empty() && !line.starts_with("note:") && !line.starts_with("stack backtrace:")
    });
    let message: Vec<&str> = told.take(MESSAGE_LINES_MAX).map(str::trim).collect();
    if message.is_empty() {
        place.to_owned()
    } else {
        message.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::panic_message;

    #[test]
    fn the_reason_is_what_the_panic_said() {
        let text =
            "running 1 test\nthread 'a' (7) panicked at tests/a.rs:1:2:\nassertion failed: x\nnote: run";
        assert_eq!(panic_message(text), "assertion failed: x");
    }
}
