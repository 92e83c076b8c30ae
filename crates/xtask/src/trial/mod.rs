//! `cargo xtask trial NAME`: the proofs that take a running broker, stock clients and a machine under strain.
//!
//! Each trial prints one line for each fact that it measured and each promise that it checked, and ends with
//! `trial NAME: passed` or `failed`. Promises are about counts, bytes and ratios of memory, never about time: a busy
//! machine must not fail them. Everything is bounded in time.

mod backlog;
mod budget;
mod connect;
mod corpus;
mod findings;
mod full_disk;
mod hostile;
mod journal;
mod page;
mod partitions;
pub mod probe;
mod rebalance;
mod share;
mod start;
mod streams;
mod text;
mod tools;
mod words;
mod worker;

use crate::brokers::{Broker, Peer, Site};
use crate::options::Options;
use crate::shell::root;
use anyhow::{Context, bail};
use findings::Findings;
use std::path::PathBuf;

const USAGE: &str = "usage: cargo xtask trial NAME[,NAME]|all [--quick] [--peer millstream|kafka] [--bytes N[KiB|MiB|GiB]] [--count N]
                         [--port PORT] [--binary PATH] [--write]";

/// One proof.
struct Trial {
    name: &'static str,
    /// What it shows, as a sentence of the page.
    about: &'static str,
    run: fn(&Plan, &mut Findings) -> anyhow::Result<()>,
}

/// Every trial, in the order of the page.
const TRIALS: &[Trial] = &[
    Trial {
        name: "corpus",
        about: "Real text, produced line by line by a C program on librdkafka, a clean restart and a kill -9 in the middle, \
                one more kill -9 after it, and then read byte for byte by Apache Kafka's console consumer and by kcat.",
        run: corpus::run,
    },
    Trial {
        name: "partitions",
        about: "Very many partitions, once in one topic and once in many, created, produced to and consumed by franz-go.",
        run: partitions::run,
    },
    Trial {
        name: "backlog",
        about: "A topic several times larger than the memory budget is read from its beginning, again and again, while its \
                producer goes on as fast as it can. Producer, reader and broker share the machine.",
        run: backlog::run,
    },
    Trial {
        name: "hostile",
        about: "Peers that send rubbish, lies, bombs or nothing at all, while a stock client produces and another consumes.",
        run: hostile::run,
    },
    Trial {
        name: "full-disk",
        about: "The data directory on a small file system, produced to until it is full, and after space was made.",
        run: full_disk::run,
    },
    Trial {
        name: "share",
        about: "Share groups. One consumer (Apache Kafka's Java client) holds 200,000 records and accepts every other one, then the \
                broker is killed. Later three consumers, Java's and librdkafka's, accept, put back and reject records while one of \
                them and the broker are killed again and again.",
        run: share::run,
    },
    Trial {
        name: "streams",
        about: "Words counted exactly once by Kafka Streams of Maven Central (exactly_once_v2, a store with a changelog), while the \
                application and the broker are killed in the middle and the application's state directory is removed; in the \
                classic protocol and in that of streams groups (KIP-1071).",
        run: streams::run,
    },
    Trial {
        name: "connect",
        about: "Kafka Connect of Maven Central, distributed: lines from a file into a topic, exactly once, and from the topic into \
                another file, while workers and the broker are killed in the middle.",
        run: connect::run,
    },
    Trial {
        name: "rebalance",
        about: "A group of the stock Java client whose members stay while guests come and go every second, under the new group \
                protocol (KIP-848) and under the classic one. A pause is the time between two records of one member.",
        run: rebalance::run,
    },
    Trial {
        name: "start",
        about: "Time until the first request is answered, and what an idle broker costs.",
        run: start::run,
    },
];

/// How large everything is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// Seconds for each trial: for the test command.
    Quick,
    /// What the page shows.
    Full,
}

/// What a run is asked to do.
struct Plan {
    trials: Vec<&'static Trial>,
    extent: Extent,
    peer: Peer,
    bytes: Option<u64>,
    count: Option<u64>,
    port: Option<u16>,
    binary: Option<PathBuf>,
    write: bool,
}

impl Plan {
    fn parse(args: &[String]) -> anyhow::Result<Self> {
        let Some((name, rest)) = args.split_first() else {
            bail!("which trial?\n{USAGE}");
        };
        let mut options = Options::new(rest);
        let port = options.parsed("--port", 0)?;
        let plan = Self {
            trials: select(name)?,
            extent: if options.flag("--quick") {
                Extent::Quick
            } else {
                Extent::Full
            },
            peer: Peer::parse(options.text("--peer")?.as_deref().unwrap_or("millstream"))?,
            bytes: options
                .text("--bytes")?
                .map(|text| parse_bytes(&text))
                .transpose()?,
            count: options
                .text("--count")?
                .map(|text| text.parse().context("--count"))
                .transpose()?,
            port: (port != 0).then_some(port),
            binary: options.path("--binary")?,
            write: options.flag("--write"),
        };
        options.finish(USAGE)?;
        let usual = plan.extent == Extent::Full && plan.bytes.is_none() && plan.count.is_none();
        if plan.write && !(usual && plan.peer == Peer::Millstream) {
            bail!("--write wants the full sizes, and Millstream");
        }
        Ok(plan)
    }

    /// A size in bytes: the one asked for, or the usual one of this extent.
    fn bytes(&self, quick: u64, full: u64) -> u64 {
        self.bytes.unwrap_or(self.usual(quick, full))
    }

    /// A number of things: the one asked for, or the usual one of this extent.
    fn count(&self, quick: u64, full: u64) -> u64 {
        self.count.unwrap_or(self.usual(quick, full))
    }

    /// The one of two sizes that belongs to this extent.
    fn usual<T>(&self, quick: T, full: T) -> T {
        match self.extent {
            Extent::Quick => quick,
            Extent::Full => full,
        }
    }

    /// A fresh site for a trial.
    fn site(&self, name: &str) -> anyhow::Result<Site> {
        let folder = root()
            .join(".cache/runs/trial")
            .join(format!("{name}-{}", self.peer.name()));
        Site::prepare(self.peer, &folder, self.port, self.binary.clone())
    }
}

/// Entry of the task.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let plan = Plan::parse(args)?;
    tools::install(&plan)?;
    let mut failed = Vec::new();
    for trial in &plan.trials {
        let mut findings = Findings::new(trial.name);
        let outcome = (trial.run)(&plan, &mut findings);
        if let Err(error) = &outcome {
            findings.check("the trial ran to its end", false);
            println!("  {error:#}");
        }
        let passed = findings.end();
        if !passed {
            failed.push(trial.name);
        }
        if plan.write {
            page::write(trial, &findings)?;
        }
    }
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn select(names: &str) -> anyhow::Result<Vec<&'static Trial>> {
    if names == "all" {
        return Ok(TRIALS.iter().collect());
    }
    let find = |name: &str| match TRIALS.iter().find(|trial| trial.name == name) {
        Some(trial) => Ok(trial),
        None => {
            let known: Vec<&str> = TRIALS.iter().map(|trial| trial.name).collect();
            bail!("no trial \"{name}\"; there are {}\n{USAGE}", known.join(", "))
        }
    };
    names.split(',').map(find).collect()
}

/// `1GiB`, `64MiB`, `512KiB` or a plain number.
fn parse_bytes(text: &str) -> anyhow::Result<u64> {
    let units = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let (digits, unit) = units
        .iter()
        .find_map(|(name, factor)| Some((text.strip_suffix(name)?, *factor)))
        .unwrap_or((text, 1));
    let number: u64 = digits
        .parse()
        .with_context(|| format!("--bytes cannot take \"{text}\""))?;
    number
        .checked_mul(unit)
        .with_context(|| format!("--bytes {text} is too much"))
}

/// Says whether the broker is alive; an error that names its log when it is not.
fn must_live(site: &Site, broker: &mut Broker) -> anyhow::Result<()> {
    if !broker.is_alive() {
        bail!("the broker died by itself; see {}", site.log().display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> anyhow::Result<Plan> {
        let args: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Plan::parse(&args)
    }

    #[test]
    fn sizes_have_units_and_defaults_of_their_extent() {
        let asked = plan("corpus --bytes 3MiB").expect("a plan");
        assert_eq!(asked.bytes(1, 2), 3 << 20);
        assert_eq!(plan("corpus --quick").expect("a plan").bytes(1, 2), 1);
        assert_eq!(plan("corpus").expect("a plan").count(1, 2), 2);
        assert!(plan("corpus --bytes 3MB").is_err());
    }

    #[test]
    fn the_page_is_written_from_full_runs_only() {
        assert!(plan("all --write").is_ok());
        assert!(plan("all --write --quick").is_err());
        assert!(plan("all --write --peer kafka").is_err());
        assert!(plan("partitions --write --count 5").is_err());
    }

    #[test]
    fn an_unknown_trial_is_an_error_that_names_the_others() {
        let error = plan("bananas").err().expect("an error").to_string();
        assert!(error.contains("full-disk"), "{error}");
    }
}
