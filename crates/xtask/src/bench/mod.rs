//! `cargo xtask bench`: Millstream and a real Apache Kafka under the same client on the same machine, in one run.
//!
//! Brokers take turns (A B C, A B C, ...): what disturbs the machine for a while disturbs all of them. Each turn is a
//! fresh broker on empty storage, a warm-up that is not counted, and every scenario. A client that shares the cores
//! with the broker costs it throughput, so the client's own CPU time is measured and shown.
//!
//! Never compares numbers of different runs.

mod scenario;
mod table;

use crate::brokers::{Peer, Site};
use crate::installs;
use crate::kernel;
use crate::options::Options;
use crate::shell::root;
use anyhow::{Context, bail};
use scenario::{Length, SCENARIOS, Scenario};
use std::path::PathBuf;
use table::Measured;

const USAGE: &str =
    "usage: cargo xtask bench [--full] [--turns N] [--peers millstream,kafka,kafka-flush] [--only NAME,NAME]
                         [--port PORT] [--binary PATH] [--write]";

const TURNS_QUICK: usize = 2;
const TURNS_FULL: usize = 5;
const ALL_PEERS: &str = "millstream,kafka,kafka-flush";

/// What a run is asked to do.
struct Plan {
    length: Length,
    turns: usize,
    peers: Vec<Peer>,
    scenarios: Vec<&'static Scenario>,
    port: Option<u16>,
    binary: Option<PathBuf>,
    write: bool,
}

impl Plan {
    fn parse(args: &[String]) -> anyhow::Result<Self> {
        let mut options = Options::new(args);
        let length = if options.flag("--full") {
            Length::Full
        } else {
            Length::Quick
        };
        let turns = match length {
            Length::Quick => TURNS_QUICK,
            Length::Full => TURNS_FULL,
        };
        let port = options.parsed("--port", 0)?;
        let only = options.text("--only")?;
        let plan = Self {
            length,
            turns: options.parsed("--turns", turns)?,
            peers: options
                .text("--peers")?
                .unwrap_or_else(|| ALL_PEERS.to_owned())
                .split(',')
                .map(Peer::parse)
                .collect::<anyhow::Result<_>>()?,
            scenarios: scenario::select(only.as_deref(), length)?,
            port: (port != 0).then_some(port),
            binary: options.path("--binary")?,
            write: options.flag("--write"),
        };
        options.finish(USAGE)?;
        if plan.turns == 0 {
            bail!("--turns 0 measures nothing");
        }
        if plan.write
            && (plan.scenarios.len() < scenario::select(None, length)?.len() || plan.peers.len() < 3)
        {
            bail!("--write wants every scenario and every peer");
        }
        Ok(plan)
    }
}

/// Entry of the task.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let plan = Plan::parse(args)?;
    installs::kafka()?;
    installs::go_clients()?;
    installs::load_program()?;
    let mut measured = Measured::new(&plan.peers);
    for turn in 1..=plan.turns {
        for &peer in &plan.peers {
            println!("==> turn {turn} of {}: {}", plan.turns, peer.name());
            take_turn(&plan, peer, &mut measured)
                .with_context(|| format!("{} in turn {turn}", peer.name()))?;
        }
    }
    let names: Vec<&Scenario> = SCENARIOS
        .iter()
        .filter(|s| plan.scenarios.iter().any(|p| p.name == s.name))
        .collect();
    let tables = measured.tables(&names);
    println!("\n{tables}");
    if plan.write {
        table::write_page(&tables, plan.length, plan.turns)?;
    }
    Ok(())
}

/// One broker's turn: from empty storage to its end.
fn take_turn(plan: &Plan, peer: Peer, measured: &mut Measured) -> anyhow::Result<()> {
    let folder = root().join(".cache/runs/bench").join(peer.name());
    let site = Site::prepare(peer, &folder, plan.port, plan.binary.clone())?;
    let mut broker = site.start()?;
    let outcome = (|| {
        scenario::warm_up(&site, plan.length)?;
        for scenario in &plan.scenarios {
            for (metric, value) in scenario
                .run(&site, broker.pid(), plan.length)
                .with_context(|| scenario.name)?
            {
                measured.add(peer, scenario.name, metric, value);
            }
        }
        let peak = kernel::memory_peak_megabytes(broker.pid())?;
        measured.add(peer, table::WHOLE_TURN, &scenario::MEMORY, peak);
        anyhow::Ok(())
    })();
    if !broker.is_alive() {
        bail!("the broker died; see {}", site.log().display());
    }
    outcome?;
    broker.stop()?;
    // Gigabytes that nobody looks at again.
    site.remove_data()
}
