//! One party's turn at a stage: its life, its workloads one after the other, its end.
//!
//! Invariant: what fails is written down beside the workload that it cost, and costs no other party anything.

use super::Plan;
use super::bare::BareLoop;
use super::disk;
use super::life::{Life, Numbers};
use super::party::Party;
use super::table::{Measured, short};
use super::workload::{Stage, Workload};
use crate::brokers::release_binary;
use crate::process::now;
use crate::shell::root;
use anyhow::{Context, bail};
use std::path::PathBuf;

/// What runs beside the clients.
pub struct Programs {
    millstream: Option<PathBuf>,
    bare_loop: Option<PathBuf>,
}

impl Programs {
    /// Builds what takes part: a number of a debug build would be a number of nothing.
    pub fn build(plan: &Plan) -> anyhow::Result<Self> {
        let steps = plan.steps();
        let takes_part = |party| steps.iter().any(|step| step.party == party);
        let build = |party, package, name| match takes_part(party) {
            true => release_binary(package, name).map(Some),
            false => Ok(None),
        };
        Ok(Self {
            millstream: match &plan.binary {
                Some(given) => Some(given.clone()),
                None => build(Party::MILLSTREAM, "millstream-server", "millstream")?,
            },
            bare_loop: build(Party::BareLoop, "millstream-xtask", "millstream-xtask")?,
        })
    }
}

/// A party at work.
enum AtWork {
    Broker(Box<Life>),
    BareLoop(BareLoop),
}

impl AtWork {
    fn begin(plan: &Plan, programs: &Programs, stage: Stage, party: Party) -> anyhow::Result<Self> {
        let (free, wanted) = (disk::free_bytes(&root())? as f64, plan.free_bytes_wanted(stage));
        if free < wanted {
            bail!(
                "{:.0} GB of disk are free, {:.0} are wanted",
                free / 1e9,
                wanted / 1e9
            );
        }
        match party {
            Party::Broker(peer) => {
                let life = Life::begin(peer, stage, plan.sizes, plan.port, programs.millstream.clone());
                Ok(Self::Broker(Box::new(life.context("the start")?)))
            }
            Party::BareLoop => {
                let program = programs.bare_loop.as_ref().context("it was not built")?;
                BareLoop::begin(program, plan.sizes).map(Self::BareLoop)
            }
        }
    }

    fn run(&mut self, workload: &Workload) -> anyhow::Result<Numbers> {
        match self {
            Self::Broker(life) => {
                life.must_live()?;
                let numbers = life.run(workload)?;
                life.must_live()?;
                Ok(numbers)
            }
            Self::BareLoop(bare_loop) => bare_loop.run(workload),
        }
    }

    fn end(self) -> anyhow::Result<()> {
        match self {
            Self::Broker(life) => life.end(),
            Self::BareLoop(bare_loop) => bare_loop.end(),
        }
    }
}

/// What one party does before the next one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// From 1.
    pub turn: usize,
    /// Which of its lives.
    pub stage: Stage,
    /// Whose.
    pub party: Party,
}

/// Takes a step; what fails is written down.
pub fn take(plan: &Plan, programs: &Programs, step: Step, measured: &mut Measured) {
    let party = step.party;
    let workloads = plan.workloads_of(step);
    let mut at_work = match AtWork::begin(plan, programs, step.stage, party) {
        Ok(at_work) => at_work,
        Err(error) => {
            for workload in workloads {
                measured.fail(party, workload.name, &format!("{error:#}"));
            }
            return;
        }
    };
    for workload in workloads {
        let began = now();
        let outcome = at_work.run(workload);
        let took = (now() - began).as_secs_f64();
        match outcome {
            Ok(numbers) => {
                let first = numbers
                    .first()
                    .map(|(metric, value)| format!("{}: {}", metric.name, short(*value)));
                println!(
                    "    {:<14} {} ({took:.0} s)",
                    workload.name,
                    first.unwrap_or_default()
                );
                for (metric, value) in numbers {
                    measured.add(party, workload.name, metric, value);
                }
            }
            Err(error) => {
                println!("    {:<14} FAILED: {error:#}", workload.name);
                measured.fail(party, workload.name, &format!("{error:#}"));
            }
        }
    }
    if let Err(error) = at_work.end() {
        println!("    the end: {error:#}");
    }
}
