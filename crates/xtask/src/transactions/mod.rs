//! `cargo xtask transactions`: exactly once, or not. Transactional copiers of four libraries copy topics while they and the broker are
//! killed, and while they abort on purpose; a reader of committed records watches all the time.
//!
//! Each round waits until every copier has ended a transaction, and a moment more, then kills the broker, a copier, or both, and starts
//! what was killed. In the end every record of each input must have been shown exactly once, and nothing that was aborted ever: see
//! [`check`].

mod check;
mod clients;

use crate::brokers::{Broker, Peer, Site};
use crate::crash::random::Random;
use crate::installs;
use crate::options::Options;
use crate::process::{now, run_bounded};
use crate::shell::root;
use anyhow::{Context, bail};
use check::Judge;
use clients::{COPIERS, Clients};
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

const USAGE: &str =
    "usage: cargo xtask transactions [--rounds N] [--quick] [--seed N] [--rate N] [--abort-percent N]
                                [--peer millstream|kafka|kafka-flush] [--port PORT] [--binary PATH]";

const ROUNDS: u32 = 200;
const QUICK_ROUNDS: u32 = 6;
const PARTITIONS: u32 = 3;

/// Records a second into each input.
const RATE: u32 = 150;
/// Of all transactions, aborted on purpose.
const ABORT_PERCENT: u32 = 20;

/// A round's load lasts this long after the first transactions, at most.
const LOAD_MS_MAX: u64 = 800;
/// Some restarts come at once, some after clients have begun to back off.
const DOWN_MS_MAX: u64 = 300;

/// Every copier ends a transaction within this time, whatever was killed before.
const PROGRESS_LIMIT: Duration = Duration::from_secs(90);
/// The rest of the inputs is copied within this time.
const DRAIN_LIMIT: Duration = Duration::from_secs(120);
const POLL_INTERVAL: Duration = Duration::from_millis(20);
const TOOL_LIMIT: Duration = Duration::from_secs(300);

/// What a round kills.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Victim {
    Broker,
    Copier(usize),
    Both(usize),
}

/// Entry of the task.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let mut options = Options::new(args);
    let quick = options.flag("--quick");
    let rounds = options.parsed("--rounds", if quick { QUICK_ROUNDS } else { ROUNDS })?;
    let seed = options.parsed("--seed", u64::from(std::process::id()))?;
    let rate = options.parsed("--rate", RATE)?;
    let abort_percent = options.parsed("--abort-percent", ABORT_PERCENT)?;
    let peer = Peer::parse(options.text("--peer")?.as_deref().unwrap_or("millstream"))?;
    let port = options.parsed("--port", 0)?;
    let binary = options.text("--binary")?.map(PathBuf::from);
    options.finish(USAGE)?;

    installs::kafka()?;
    installs::java_program()?;
    installs::go_clients()?;
    installs::python_clients()?;
    let folder = root().join(".cache/runs/transactions").join(peer.name());
    let site = Site::prepare(peer, &folder, (port != 0).then_some(port), binary)?;
    println!(
        "{}: {rounds} rounds, seed {seed}, {rate} records a second into each of {} inputs, {abort_percent} % aborted, logs in {}",
        peer.name(),
        COPIERS.len(),
        folder.display()
    );
    let mut trial = Trial {
        random: Random::new(seed),
        recovery_ms: Vec::new(),
        broker_kills: 0,
        broker: Some(site.start()?),
        site,
    };
    trial.create_topics()?;
    let mut clients = Clients::start(&trial.site, PARTITIONS, rate, abort_percent)?;
    for round in 1..=rounds {
        let done = trial.round(&mut clients);
        done.with_context(|| format!("round {round}"))?;
        clients.print_progress(round, rounds);
    }
    trial.wait_for_progress(&mut clients)?;
    trial.report(clients)
}

struct Trial {
    site: Site,
    broker: Option<Broker>,
    random: Random,
    recovery_ms: Vec<u64>,
    broker_kills: u32,
}

impl Trial {
    fn create_topics(&self) -> anyhow::Result<()> {
        for copier in COPIERS {
            for topic in [copier.input(), copier.output()] {
                self.tool("create-topic", &[&topic, &PARTITIONS.to_string()])?;
            }
        }
        Ok(())
    }

    fn round(&mut self, clients: &mut Clients) -> anyhow::Result<()> {
        self.wait_for_progress(clients)?;
        thread::sleep(Duration::from_millis(self.random.below(LOAD_MS_MAX)));
        let victim = self.draw();
        if let Victim::Copier(index) | Victim::Both(index) = victim {
            clients.kill_copier(index)?;
        }
        if victim != Victim::Broker {
            // Its transaction hangs for a moment.
            thread::sleep(Duration::from_millis(self.random.below(DOWN_MS_MAX)));
        }
        if !matches!(victim, Victim::Copier(_)) {
            self.broker_kills += 1;
            let broker = self.broker.take().expect("a round begins with a running broker");
            broker.kill()?;
            thread::sleep(Duration::from_millis(self.random.below(DOWN_MS_MAX)));
            self.broker = Some(self.site.start()?);
        }
        if let Victim::Copier(index) | Victim::Both(index) = victim {
            clients.start_copier(&self.site, index)?;
        }
        Ok(())
    }

    fn draw(&mut self) -> Victim {
        let copier = usize::try_from(self.random.below(COPIERS.len() as u64)).expect("a few");
        match self.random.below(4) {
            0 => Victim::Copier(copier),
            1 => Victim::Both(copier),
            _ => Victim::Broker,
        }
    }

    /// Waits until every copier has ended a transaction that it had not ended before.
    fn wait_for_progress(&mut self, clients: &mut Clients) -> anyhow::Result<()> {
        let began = now();
        let before = clients.journal_bytes();
        loop {
            let after = clients.journal_bytes();
            if before.iter().zip(&after).all(|(old, new)| new > old) {
                break;
            }
            clients.check_alive()?;
            if !self.broker.as_mut().is_some_and(Broker::is_alive) {
                bail!("the broker died by itself; see {}", self.site.log().display());
            }
            if now() - began > PROGRESS_LIMIT {
                bail!("some copier ended nothing within {PROGRESS_LIMIT:?} (bytes {before:?} -> {after:?})");
            }
            thread::sleep(POLL_INTERVAL);
        }
        let took = (now() - began).as_millis();
        self.recovery_ms.push(u64::try_from(took).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Ends the load, lets the copiers finish, and judges.
    fn report(mut self, mut clients: Clients) -> anyhow::Result<()> {
        clients.stop_feeders()?;
        let mut judge = Judge::default();
        for copier in COPIERS {
            let read = self.tool("dump-topic", &[&copier.input()])?;
            judge.expect(copier.name, &copier.output(), &read)?;
        }
        let deadline = now() + DRAIN_LIMIT;
        while clients.shown()? < judge.expected() && now() < deadline {
            clients.check_alive()?;
            thread::sleep(POLL_INTERVAL * 10);
        }
        let journals = clients.finish()?;
        judge.watched(&journals.shown);
        for copier in COPIERS {
            let read = self.tool("dump-topic", &[&copier.output(), "committed"])?;
            judge.read_again(&copier.output(), &read)?;
        }
        let verdict = judge.verdict(&journals.ended);
        if let Some(broker) = self.broker.take() {
            broker.stop()?;
        }
        self.recovery_ms.sort_unstable();
        let median = self.recovery_ms[self.recovery_ms.len() / 2];
        let worst = self.recovery_ms.last().copied().unwrap_or(0);
        println!("\n{verdict}");
        println!(
            "killed: the broker {} times, copiers {} times; every copier on its way again: median {median} ms, worst {worst} ms",
            self.broker_kills, journals.kills
        );
        if !verdict.violations.is_empty() {
            bail!("{} broken promises", verdict.violations.len());
        }
        Ok(())
    }

    fn tool(&self, name: &str, args: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(installs::binary(name));
        command.arg(self.site.bootstrap()).args(args);
        let log = self.site.folder().join(format!("{name}.log"));
        let done = run_bounded(&mut command, TOOL_LIMIT, &log)?;
        if !done.succeeded() {
            bail!("{name} {args:?} failed; see {}", log.display());
        }
        Ok(done.stdout)
    }
}
