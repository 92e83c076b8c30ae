//! `cargo xtask bench`: Millstream and a real Apache Kafka under the same clients on the same machine, in one run.
//!
//! Brokers take turns (A B C, A B C, ...) stage by stage: what disturbs the machine for a while disturbs all of them. Each stage
//! is a fresh broker on empty storage, a warm-up that is not counted, and its workloads. A client that shares the cores with
//! the broker costs it throughput, so the client's own CPU time is measured and shown.
//!
//! Never compares numbers of different runs. A workload that fails loses its own row and no other; every number is kept in a
//! file as soon as its stage is over.

mod client;
mod disk;
mod life;
mod limits;
mod metric;
mod page;
mod raw;
mod strain;
mod table;
mod workload;

use crate::brokers::Peer;
use crate::kernel;
use crate::options::Options;
use crate::process::now;
use crate::shell::{output, root};
use anyhow::{Context, bail};
use life::{Life, Sizes};
use std::path::PathBuf;
use std::process::Command;
use table::Measured;
use workload::{Set, Stage, WORKLOADS, Workload};

const USAGE: &str = "usage: cargo xtask bench [--all] [--only NAME,NAME] [--turns N] [--quick] [--peers millstream,kafka,kafka-flush]
                         [--seconds N] [--rate-seconds N] [--gigabytes N] [--partitions N]
                         [--port PORT] [--binary PATH] [--from FILE,FILE] [--write] [--list]
  --all     every workload, with a backlog of 20 GB: about forty minutes in two turns; the usual ones take a quarter
            of an hour
  --only    these, and what they read from
  --quick   tiny sizes: to see that everything runs
  --from    measures nothing; makes the tables from the raw numbers of earlier runs; a workload comes whole from the
            first file that has it
  --write   docs/BENCHMARKS.md
  --list    names";

const TURNS: usize = 2;
const ALL_PEERS: &str = "millstream,kafka,kafka-flush";

/// Room for what the other brokers, logs and clients need beside the data of a stage.
const FREE_BYTES_BESIDE: f64 = 4e9;

/// The fastest that anything here writes to its storage.
const BYTES_PER_SECOND_MAX: f64 = 1.5e9;

/// A backlog is in the log and in objects for a while.
const BACKLOG_TIMES: f64 = 1.25;

/// What a run is asked to do.
struct Plan {
    set: Set,
    sizes: Sizes,
    turns: usize,
    peers: Vec<Peer>,
    workloads: Vec<&'static Workload>,
    port: Option<u16>,
    binary: Option<PathBuf>,
    from: Vec<PathBuf>,
    write: bool,
    list: bool,
}

fn sizes(options: &mut Options, set: Set) -> anyhow::Result<Sizes> {
    let usual = match (options.flag("--quick"), set) {
        (true, _) => Sizes {
            seconds: 1,
            rate_seconds: 1,
            warm_up_seconds: 1,
            java_records: 20_000,
            gigabytes: 0.2,
            partitions: 100,
        },
        (false, Set::Usual) => Sizes {
            seconds: 3,
            rate_seconds: 5,
            warm_up_seconds: 3,
            java_records: 1_000_000,
            gigabytes: 2.0,
            partitions: 10_000,
        },
        (false, Set::All) => Sizes {
            seconds: 4,
            rate_seconds: 10,
            warm_up_seconds: 5,
            java_records: 2_000_000,
            gigabytes: 20.0,
            partitions: 10_000,
        },
    };
    Ok(Sizes {
        seconds: options.parsed("--seconds", usual.seconds)?,
        rate_seconds: options.parsed("--rate-seconds", usual.rate_seconds)?,
        gigabytes: options.parsed("--gigabytes", usual.gigabytes)?,
        partitions: options.parsed("--partitions", usual.partitions)?,
        ..usual
    })
}

impl Plan {
    fn parse(args: &[String]) -> anyhow::Result<Self> {
        let mut options = Options::new(args);
        let set = if options.flag("--all") {
            Set::All
        } else {
            Set::Usual
        };
        let port = options.parsed("--port", 0)?;
        let peers = options.text("--peers")?.unwrap_or_else(|| ALL_PEERS.to_owned());
        let from = options.text("--from")?.unwrap_or_default();
        let plan = Self {
            set,
            sizes: sizes(&mut options, set)?,
            turns: options.parsed("--turns", TURNS)?,
            peers: peers.split(',').map(Peer::parse).collect::<anyhow::Result<_>>()?,
            workloads: workload::select(options.text("--only")?.as_deref(), set)?,
            port: (port != 0).then_some(port),
            binary: options.path("--binary")?,
            from: from.split_terminator(',').map(PathBuf::from).collect(),
            write: options.flag("--write"),
            list: options.flag("--list"),
        };
        options.finish(USAGE)?;
        if plan.turns == 0 || plan.sizes.seconds == 0 || plan.sizes.rate_seconds == 0 {
            bail!("nothing would be measured\n{USAGE}");
        }
        if plan.write && plan.peers.len() < ALL_PEERS.split(',').count() {
            bail!("--write wants every peer");
        }
        Ok(plan)
    }

    /// The workloads of a stage in which a broker takes part.
    fn of(&self, stage: Stage, peer: Peer) -> Vec<&'static Workload> {
        let mine = |workload: &&&Workload| workload.stage == stage && workload.is_for(peer, self.set);
        self.workloads.iter().filter(mine).copied().collect()
    }

    /// Every broker's stages in the order of the run, with the number of the turn.
    fn steps(&self) -> Vec<(usize, Stage, Peer)> {
        let mut steps = Vec::new();
        for turn in 1..=self.turns {
            for stage in Stage::ALL {
                for &peer in &self.peers {
                    if !self.of(stage, peer).is_empty() {
                        steps.push((turn, stage, peer));
                    }
                }
            }
        }
        steps
    }

    /// What the page says about how this run was made.
    fn settings(&self) -> String {
        let Sizes {
            seconds,
            rate_seconds,
            warm_up_seconds,
            java_records,
            gigabytes,
            partitions,
        } = self.sizes;
        format!(
            "{} turn(s); {seconds} s a workload, {rate_seconds} s at a fixed rate, after a warm-up of {warm_up_seconds} s; \
             {java_records} records by the Java tools; a backlog of {gigabytes} GB; {partitions} partitions where there are very many",
            self.turns
        )
    }

    fn free_bytes_wanted(&self, stage: Stage) -> f64 {
        let bound_in_time = |workload: &&&Workload| workload.stage == stage;
        let count = self.workloads.iter().filter(bound_in_time).count() as f64;
        let data = match stage {
            Stage::Backlog => self.sizes.gigabytes * 1e9 * BACKLOG_TIMES,
            Stage::Throughput | Stage::Shapes | Stage::Partitions | Stage::Latency => {
                self.sizes.seconds as f64 * BYTES_PER_SECOND_MAX * count
            }
        };
        data + FREE_BYTES_BESIDE
    }
}

/// Entry of the task.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let plan = Plan::parse(args)?;
    if plan.list {
        for workload in WORKLOADS {
            let usual = if workload.is_in(Set::Usual) {
                ""
            } else {
                " (with --all)"
            };
            println!("{:<16} {}{usual}", workload.name, workload.about);
        }
        return Ok(());
    }
    let measured = if plan.from.is_empty() {
        measure(&plan)?
    } else {
        raw::read(&plan.from)?
    };
    let tables = measured.tables();
    println!("\n{tables}");
    if plan.write {
        page::write(&measured, &tables)?;
    }
    match measured.failures().len() {
        0 => Ok(()),
        count => bail!("{count} row(s) failed; they are named under the tables"),
    }
}

fn measure(plan: &Plan) -> anyhow::Result<Measured> {
    client::install()?;
    let mut measured = Measured::new(&plan.peers);
    measured.ran(page::run_line(&plan.settings())?);
    let file = raw_file()?;
    let steps = plan.steps();
    let began = now();
    for (done, &(turn, stage, peer)) in steps.iter().enumerate() {
        let passed = (now() - began).as_secs_f64();
        let left = passed / done.max(1) as f64 * (steps.len() - done) as f64;
        let left = match done {
            0 => String::new(),
            _ => format!(", about {:.0} min left", (left / 60.0).ceil()),
        };
        println!(
            "==> [{}/{}] turn {turn}: {} of {}{left}; load {}",
            done + 1,
            steps.len(),
            stage.name(),
            peer.name(),
            kernel::load()
        );
        take_stage(plan, stage, peer, &mut measured);
        raw::write(&file, &measured)?;
    }
    println!("raw numbers: {}", file.display());
    Ok(measured)
}

/// One broker's life; what fails is written down.
fn take_stage(plan: &Plan, stage: Stage, peer: Peer, measured: &mut Measured) {
    let workloads = plan.of(stage, peer);
    let mut life = match begin(plan, stage, peer) {
        Ok(life) => life,
        Err(error) => {
            for workload in workloads {
                measured.fail(peer, workload.name, &format!("{error:#}"));
            }
            return;
        }
    };
    for workload in workloads {
        let began = now();
        let outcome = life
            .must_live()
            .and_then(|()| life.run(workload))
            .and_then(|numbers| life.must_live().map(|()| numbers));
        let took = (now() - began).as_secs_f64();
        match outcome {
            Ok(numbers) => {
                let first = numbers
                    .first()
                    .map(|(metric, value)| format!("{}: {}", metric.name, table::short(*value)));
                println!(
                    "    {:<14} {} ({took:.0} s)",
                    workload.name,
                    first.unwrap_or_default()
                );
                for (metric, value) in numbers {
                    measured.add(peer, workload.name, metric, value);
                }
            }
            Err(error) => {
                println!("    {:<14} FAILED: {error:#}", workload.name);
                measured.fail(peer, workload.name, &format!("{error:#}"));
            }
        }
    }
    if let Err(error) = life.end() {
        println!("    the end: {error:#}");
    }
}

fn begin(plan: &Plan, stage: Stage, peer: Peer) -> anyhow::Result<Life> {
    let (free, wanted) = (disk::free_bytes(&root())? as f64, plan.free_bytes_wanted(stage));
    if free < wanted {
        bail!(
            "{:.0} GB of disk are free, {:.0} are wanted",
            free / 1e9,
            wanted / 1e9
        );
    }
    Life::begin(peer, stage, plan.sizes, plan.port, plan.binary.clone()).context("the start")
}

/// A file of its own for each run.
fn raw_file() -> anyhow::Result<PathBuf> {
    let time = output(Command::new("date").arg("+%Y%m%d-%H%M%S"))?;
    Ok(root().join(format!("target/bench/{}.json", time.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> anyhow::Result<Plan> {
        let args: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Plan::parse(&args)
    }

    #[test]
    fn brokers_alternate_within_a_stage() {
        let steps = plan("--only produce-1,latency-1000").expect("a plan").steps();
        let peers: Vec<Peer> = steps.iter().map(|(_, _, peer)| *peer).collect();
        let once = [Peer::Millstream, Peer::Kafka, Peer::KafkaFlushing];
        assert_eq!(peers, [once; 4].concat());
        assert_eq!(steps[3].1, Stage::Latency);
        assert_eq!(steps[6].0, 2);
    }

    #[test]
    fn sizes_follow_the_set_and_every_one_can_be_given() {
        let all = plan("--all --gigabytes 3.5").expect("a plan");
        assert!((all.sizes.gigabytes - 3.5).abs() < f64::EPSILON);
        assert!(all.sizes.rate_seconds > plan("").expect("a plan").sizes.rate_seconds);
        assert_eq!(plan("--quick --all").expect("a plan").sizes.seconds, 1);
        assert!(plan("--turns 0").is_err());
        assert!(plan("--write --peers millstream,kafka").is_err());
    }

    #[test]
    fn the_usual_set_is_smaller_than_all() {
        let (usual, all) = (plan("").expect("a plan"), plan("--all").expect("a plan"));
        assert!(usual.workloads.len() < all.workloads.len());
        assert_eq!(all.workloads.len(), WORKLOADS.len());
    }
}
