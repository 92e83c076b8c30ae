//! `cargo xtask suites`: the test suites of other projects, unchanged, against a broker.
//!
//! A suite is one row of [`SUITES`] and one module. What passes on a real Apache Kafka (`--peer kafka --write`) is the
//! measure that a run against Millstream is held to; a test that fails there is no judge. Suites run one after the other,
//! their tests one process at a time with a limit each, and the broker is asked for a sign of life after every one.

mod franz_go;
mod kafka_python;
mod kafka_tools;
mod librdkafka;
mod outcome;
mod page;
mod rust_crates;
mod sources;
mod stage;
mod standing;

use crate::brokers::Peer;
use crate::installs;
use crate::options::Options;
use anyhow::bail;
use outcome::{Case, Outcome, Record};
use stage::Stage;
use std::path::PathBuf;

const USAGE: &str =
    "usage: cargo xtask suites [NAME,NAME] [--peer millstream|kafka] [--binary PATH] [--port PORT]
                          [--test TEXT,TEXT] [--quick] [--write]";

/// One suite.
pub struct Suite {
    /// On the command line, of its files under `tests/suites/`, and on the page.
    pub name: &'static str,
    /// What it is, for the page.
    pub about: &'static str,
    /// Settings, by Kafka's names, in which the brokers that its authors run it against differ from the defaults.
    pub settings: &'static [&'static str],
    /// Which version the manifests name.
    pub version: fn() -> anyhow::Result<String>,
    /// Brings it onto the machine and builds it.
    pub install: fn() -> anyhow::Result<()>,
    /// Runs what the plan asks for and reports every test that ran.
    pub run: fn(&mut Stage, &Scope) -> anyhow::Result<Vec<Case>>,
}

/// Every suite; the quickest first, so that a broken broker shows early.
const SUITES: &[Suite] = &[
    kafka_tools::SUITE,
    rust_crates::RSKAFKA,
    rust_crates::RDKAFKA,
    kafka_python::SUITE,
    franz_go::SUITE,
    librdkafka::SUITE,
];

/// Which tests of a suite a run is about.
pub struct Scope {
    /// Less data and, where a suite is long, its most telling tests.
    pub quick: bool,
    /// Only tests whose name contains this, or one of these with commas between.
    pub test: Option<String>,
}

impl Scope {
    /// Whether a test of this name is wanted.
    pub fn wants(&self, name: &str) -> bool {
        let of = |texts: &String| texts.split(',').any(|text| name.contains(text));
        self.test.as_ref().is_none_or(of)
    }
}

struct Plan {
    peer: Peer,
    binary: Option<PathBuf>,
    port: Option<u16>,
    scope: Scope,
    write: bool,
    suites: Vec<&'static Suite>,
}

impl Plan {
    fn parse(args: &[String]) -> anyhow::Result<Self> {
        let (names, rest) = match args.split_first() {
            Some((first, rest)) if !first.starts_with("--") => (first.as_str(), rest),
            _ => ("", args),
        };
        let mut options = Options::new(rest);
        let port = options.parsed("--port", 0)?;
        let plan = Self {
            peer: Peer::parse(options.text("--peer")?.as_deref().unwrap_or("millstream"))?,
            binary: options.path("--binary")?,
            port: (port != 0).then_some(port),
            scope: Scope {
                quick: options.flag("--quick"),
                test: options.text("--test")?,
            },
            write: options.flag("--write"),
            suites: chosen(names)?,
        };
        options.finish(USAGE)?;
        Ok(plan)
    }
}

fn chosen(names: &str) -> anyhow::Result<Vec<&'static Suite>> {
    let names: Vec<&str> = names.split(',').filter(|name| !name.is_empty()).collect();
    if let Some(unknown) = names
        .iter()
        .find(|name| SUITES.iter().all(|suite| suite.name != **name))
    {
        let known: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
        bail!("no suite \"{unknown}\"; there are {}", known.join(", "));
    }
    let wanted = |suite: &&Suite| names.is_empty() || names.contains(&suite.name);
    Ok(SUITES.iter().filter(wanted).collect())
}

/// Entry of the task.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let plan = Plan::parse(args)?;
    // Kafka's jars are the peer, the tools behind the shell scripts that some suites call, and a suite themselves.
    installs::kafka()?;
    let mut worse = Vec::new();
    for suite in &plan.suites {
        (suite.install)()?;
        worse.extend(run_one(suite, &plan)?);
    }
    if plan.write {
        page::write(SUITES)?;
    }
    if !worse.is_empty() {
        bail!(
            "{} tests fail here and pass on Apache Kafka: {}",
            worse.len(),
            worse.join(", ")
        );
    }
    Ok(())
}

/// Runs one suite and gives back the tests that pass on Kafka and not here.
fn run_one(suite: &Suite, plan: &Plan) -> anyhow::Result<Vec<String>> {
    let mut stage = Stage::open(suite, plan.peer, plan.port, plan.binary.clone())?;
    println!(
        "{} against {} on {}",
        suite.name,
        plan.peer.name(),
        stage.bootstrap()
    );
    let cases = (suite.run)(&mut stage, &plan.scope)?;
    let deaths = stage.close()?;
    let measure = Record::read(suite.name, Peer::Kafka)?;
    let cases = measure.with_silent_parts(cases);
    let mut worse = Vec::new();
    for case in &cases {
        if let Outcome::Failed(reason) = &case.outcome {
            println!("FAIL {} {}: {reason}", suite.name, case.name);
        }
        if plan.peer == Peer::Millstream && case.outcome != Outcome::Passed && measure.passes(&case.name) {
            worse.push(format!("{} {}", suite.name, case.name));
        }
    }
    let count = |wanted: fn(&Outcome) -> bool| cases.iter().filter(|case| wanted(&case.outcome)).count();
    println!(
        "{}: {} passed, {} failed, {} skipped; {} of those that pass on Apache Kafka did not; the broker died {deaths} times",
        suite.name,
        count(|outcome| *outcome == Outcome::Passed),
        count(|outcome| matches!(outcome, Outcome::Failed(_))),
        count(|outcome| matches!(outcome, Outcome::Skipped(_))),
        worse.len(),
    );
    if plan.write {
        let version = (suite.version)()?;
        Record::read(suite.name, plan.peer)?
            .merge(&version, cases)?
            .write(suite.name, plan.peer)?;
    }
    Ok(worse)
}

#[cfg(test)]
mod tests {
    use super::{Plan, SUITES};

    fn parsed(text: &str) -> anyhow::Result<Plan> {
        let args: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Plan::parse(&args)
    }

    #[test]
    fn no_name_means_every_suite_and_an_unknown_one_is_refused() {
        assert_eq!(parsed("--quick").expect("all").suites.len(), SUITES.len());
        let two = parsed("rskafka,librdkafka --peer kafka").expect("two");
        assert_eq!(two.suites.len(), 2);
        assert!(parsed("nothing").is_err());
        assert!(parsed("rskafka --fast").is_err());
    }

    #[test]
    fn tests_are_chosen_by_parts_of_their_names() {
        let scope = parsed("librdkafka --test 0004,0011_x").expect("two").scope;
        assert!(scope.wants("0004_conf") && scope.wants("0011_x"));
        assert!(!scope.wants("0011_y"));
        assert!(parsed("").expect("all").scope.wants("0011_y"));
    }
}
