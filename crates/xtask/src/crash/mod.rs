//! `cargo xtask crash`: kill -9 in the middle of a load from several stock clients, again and again.
//!
//! Each round waits until every producer has a record acknowledged and the group a commit confirmed, and a moment more,
//! kills the broker, and starts it on the same data. In the end everything is read and compared with what the clients were told: see
//! [`check`] for the promises. A round in which a client gets nowhere is a failure too.

mod check;
pub mod random;
mod workers;

use crate::brokers::{Broker, Peer, Site};
use crate::installs;
use crate::options::Options;
use crate::process::{now, run_bounded};
use crate::shell::root;
use anyhow::{Context, bail};
use random::Random;
use std::process::Command;
use std::thread;
use std::time::Duration;
use workers::Workers;

const USAGE: &str =
    "usage: cargo xtask crash [--rounds N] [--peer millstream|kafka|kafka-flush] [--seed N] [--rate N]
                         [--port PORT] [--binary PATH]";

const ROUNDS: u32 = 50;
const TOPIC: &str = "crash";
const PARTITIONS: u32 = 6;

/// Records a second of each producer: enough that every kill finds batches in flight.
const RATE: u32 = 1000;

/// A round's load lasts this long after the first acknowledgements, at most.
const LOAD_MS_MAX: u64 = 1_500;

/// Some restarts come at once, some after clients have begun to back off.
const DOWN_MS_MAX: u64 = 300;

/// A broker that recovers takes connections and acknowledges again within this time.
const PROGRESS_LIMIT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
const TOOL_LIMIT: Duration = Duration::from_secs(300);

/// Entry of the task.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let mut options = Options::new(args);
    let rounds = options.parsed("--rounds", ROUNDS)?;
    let peer = Peer::parse(options.text("--peer")?.as_deref().unwrap_or("millstream"))?;
    let seed = options.parsed("--seed", u64::from(std::process::id()))?;
    let rate = options.parsed("--rate", RATE)?;
    let port = options.parsed("--port", 0)?;
    let binary = options.path("--binary")?;
    options.finish(USAGE)?;

    if peer != Peer::Millstream {
        installs::kafka()?;
    }
    installs::go_clients()?;
    installs::python_clients()?;
    let folder = root().join(".cache/runs/crash").join(peer.name());
    let site = Site::prepare(peer, &folder, (port != 0).then_some(port), binary)?;
    println!(
        "{}: {rounds} rounds, seed {seed}, {rate} records a second from each producer, logs in {}",
        peer.name(),
        folder.display()
    );
    let mut crash = Crash {
        random: Random::new(seed),
        recovery_ms: Vec::new(),
        broker: Some(site.start()?),
        site,
    };
    crash.create_topic()?;
    let mut workers = Workers::start(&crash.site, TOPIC, PARTITIONS, rate)?;
    for round in 1..=rounds {
        crash
            .round(&mut workers)
            .with_context(|| format!("round {round}"))?;
        print_progress(round, rounds, &workers);
    }
    crash.wait_for_progress(&mut workers)?;
    crash.report(workers)
}

struct Crash {
    site: Site,
    broker: Option<Broker>,
    random: Random,
    recovery_ms: Vec<u64>,
}

impl Crash {
    fn create_topic(&self) -> anyhow::Result<()> {
        let mut command = Command::new(installs::binary("create-topic"));
        command.args([&self.site.bootstrap(), TOPIC, &PARTITIONS.to_string()]);
        let done = run_bounded(
            &mut command,
            TOOL_LIMIT,
            &self.site.folder().join("create-topic.log"),
        )?;
        if !done.succeeded() {
            bail!("cannot create the topic; see {}", self.site.folder().display());
        }
        Ok(())
    }

    fn round(&mut self, workers: &mut Workers) -> anyhow::Result<()> {
        self.wait_for_progress(workers)?;
        thread::sleep(Duration::from_millis(self.random.below(LOAD_MS_MAX)));
        let broker = self.broker.take().expect("a round begins with a running broker");
        broker.kill()?;
        thread::sleep(Duration::from_millis(self.random.below(DOWN_MS_MAX)));
        self.broker = Some(self.site.start()?);
        Ok(())
    }

    /// Waits until every client has been told something that it had not been told before.
    fn wait_for_progress(&mut self, workers: &mut Workers) -> anyhow::Result<()> {
        let began = now();
        let before = workers.journal_bytes()?;
        loop {
            let after = workers.journal_bytes()?;
            if before.iter().zip(&after).all(|(old, new)| new > old) {
                break;
            }
            workers.check_alive()?;
            if !self.broker.as_mut().is_some_and(Broker::is_alive) {
                bail!("the broker died by itself; see {}", self.site.log().display());
            }
            if now() - began > PROGRESS_LIMIT {
                bail!(
                    "some client got nothing acknowledged within {PROGRESS_LIMIT:?} (bytes {before:?} -> {after:?})"
                );
            }
            thread::sleep(POLL_INTERVAL);
        }
        let took = (now() - began).as_millis();
        self.recovery_ms.push(u64::try_from(took).unwrap_or(u64::MAX));
        Ok(())
    }

    fn report(mut self, workers: Workers) -> anyhow::Result<()> {
        let histories = workers.finish()?;
        let mut command = Command::new(installs::binary("dump-topic"));
        command.args([&self.site.bootstrap(), TOPIC]);
        let log = self.site.folder().join("dump-topic.log");
        let dump = run_bounded(&mut command, TOOL_LIMIT, &log)?;
        if !dump.succeeded() {
            bail!("the final read failed; see {}", log.display());
        }
        // Kept beside the journals, for whoever looks into a violation.
        std::fs::write(self.site.folder().join("final-read.txt"), &dump.stdout)?;
        let verdict = check::check(&histories.producers, &dump.stdout, &histories.group)?;
        if let Some(broker) = self.broker.take() {
            broker.stop()?;
        }
        self.recovery_ms.sort_unstable();
        let median = self.recovery_ms[self.recovery_ms.len() / 2];
        let worst = self.recovery_ms.last().copied().unwrap_or(0);
        println!("\n{verdict}");
        println!("acknowledging again after a restart: median {median} ms, worst {worst} ms");
        if !verdict.violations.is_empty() {
            bail!("{} broken promises", verdict.violations.len());
        }
        Ok(())
    }
}

fn print_progress(round: u32, rounds: u32, workers: &Workers) {
    const EVERY: u32 = 10;
    if round.is_multiple_of(EVERY) || round == rounds {
        let megabytes: u64 = workers.journal_bytes().unwrap_or_default().iter().sum::<u64>() / 1_000_000;
        println!("round {round} of {rounds}, {megabytes} MB of journals");
    }
}
