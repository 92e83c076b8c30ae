//! `cargo xtask bench`: Millstream and a real Apache Kafka under the same clients on the same machine, in one run.
//!
//! Brokers take turns (A B C, A B C, ...) stage by stage: what disturbs the machine for a while disturbs all of them. Each stage
//! is a fresh broker on empty storage, a warm-up that is not counted, and its workloads. A client that shares the cores with
//! the broker costs it throughput, so the client's own CPU time is measured and shown.
//!
//! Never compares numbers of different runs. A workload that fails loses its own row and no other; every number is kept in a
//! file as soon as its stage is over.

mod bare;
mod client;
mod disk;
mod flushes;
mod life;
mod limits;
mod metric;
mod page;
mod party;
mod raw;
mod strain;
mod table;
mod turn;
mod workload;

use crate::kernel;
use crate::options::Options;
use crate::process::now;
use crate::shell::{output, root};
use anyhow::bail;
use flushes::{CALM_LIMIT, CALM_LIMIT_QUICK};
use life::Sizes;
use party::Party;
use std::path::PathBuf;
use std::process::Command;
use table::Measured;
use turn::{Programs, Step};
use workload::{Set, Stage, WORKLOADS, Workload};

const USAGE: &str = "usage: cargo xtask bench [--all] [--only NAME,NAME] [--turns N] [--rate-turns N] [--quick]
                         [--peers millstream,kafka,kafka-flush,bare-loop]
                         [--seconds N] [--rate-seconds N] [--gigabytes N] [--partitions N]
                         [--port PORT] [--binary PATH] [--from FILE,FILE] [--write] [--list]
  --rate-turns  turns of the workloads with a fixed rate, whose tails hang on single events; as --turns where not given
  --binary  a broker; where it is not given, a release build is made
  --all     every workload, with a backlog of 20 GB: about forty minutes in two turns; the usual ones take a quarter
            of an hour, and longer where the disk is not calm
  --only    these, and what they read from
  --quick   tiny sizes: to see that everything runs
  --from    measures nothing; makes the tables from the raw numbers of earlier runs; a workload comes whole from the
            first file that has it
  --write   docs/BENCHMARKS.md
  --list    names";

const TURNS: usize = 2;

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
    rate_turns: usize,
    parties: Vec<Party>,
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
            calm_limit: CALM_LIMIT_QUICK,
        },
        (false, Set::Usual) => Sizes {
            seconds: 3,
            rate_seconds: 5,
            warm_up_seconds: 3,
            java_records: 1_000_000,
            gigabytes: 2.0,
            partitions: 10_000,
            calm_limit: CALM_LIMIT,
        },
        (false, Set::All) => Sizes {
            seconds: 4,
            rate_seconds: 10,
            warm_up_seconds: 5,
            java_records: 2_000_000,
            gigabytes: 20.0,
            partitions: 10_000,
            calm_limit: CALM_LIMIT,
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
        let parties = match options.text("--peers")? {
            Some(names) => names
                .split(',')
                .map(Party::parse)
                .collect::<anyhow::Result<_>>()?,
            None => Party::ALL.to_vec(),
        };
        let turns = options.parsed("--turns", TURNS)?;
        let from = options.text("--from")?.unwrap_or_default();
        let plan = Self {
            set,
            sizes: sizes(&mut options, set)?,
            turns,
            rate_turns: options.parsed("--rate-turns", turns)?,
            parties,
            workloads: workload::select(options.text("--only")?.as_deref(), set)?,
            port: (port != 0).then_some(port),
            binary: options.path("--binary")?,
            from: from.split_terminator(',').map(PathBuf::from).collect(),
            write: options.flag("--write"),
            list: options.flag("--list"),
        };
        options.finish(USAGE)?;
        if plan.turns == 0 || plan.rate_turns == 0 || plan.sizes.seconds == 0 || plan.sizes.rate_seconds == 0
        {
            bail!("nothing would be measured\n{USAGE}");
        }
        if plan.write && Party::ALL.iter().any(|party| !plan.parties.contains(party)) {
            bail!("--write wants every peer");
        }
        Ok(plan)
    }

    /// The workloads of a step.
    fn workloads_of(&self, step: Step) -> Vec<&'static Workload> {
        let is_taken = |workload: &&&Workload| {
            workload.stage == step.stage
                && workload.is_for(step.party, self.set)
                && step.turn <= self.turns_of(workload)
        };
        self.workloads.iter().filter(is_taken).copied().collect()
    }

    fn turns_of(&self, workload: &Workload) -> usize {
        match workload.is_at_fixed_rate() {
            true => self.rate_turns,
            false => self.turns,
        }
    }

    /// Every party's stages in the order of the run.
    fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for turn in 1..=self.turns.max(self.rate_turns) {
            for stage in Stage::ALL {
                for &party in &self.parties {
                    let step = Step { turn, stage, party };
                    if !self.workloads_of(step).is_empty() {
                        steps.push(step);
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
            calm_limit,
        } = self.sizes;
        format!(
            "{} turn(s), {} at a fixed rate; {seconds} s a workload, {rate_seconds} s at a fixed rate, after a warm-up of {warm_up_seconds} s; \
             {java_records} records by the Java tools; a backlog of {gigabytes} GB; {partitions} partitions where there are very many; \
             waits of {} s for a calm disk",
            self.turns,
            self.rate_turns,
            calm_limit.as_secs(),
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
    if let Some((first, rest)) = args.split_first()
        && first == bare::ARGUMENT
    {
        return bare::run(rest);
    }
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
    let programs = Programs::build(plan)?;
    let mut measured = Measured::new(&plan.parties);
    measured.ran(page::run_line(&plan.settings())?);
    let file = raw_file()?;
    let steps = plan.steps();
    let began = now();
    for (done, &step) in steps.iter().enumerate() {
        let passed = (now() - began).as_secs_f64();
        let left = passed / done.max(1) as f64 * (steps.len() - done) as f64;
        let left = match done {
            0 => String::new(),
            _ => format!(", about {:.0} min left", (left / 60.0).ceil()),
        };
        println!(
            "==> [{}/{}] turn {}: {} of {}{left}; load {}",
            done + 1,
            steps.len(),
            step.turn,
            step.stage.name(),
            step.party.name(),
            kernel::load()
        );
        turn::take(plan, &programs, step, &mut measured);
        raw::write(&file, &measured)?;
    }
    println!("raw numbers: {}", file.display());
    Ok(measured)
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
    fn parties_alternate_within_a_stage() {
        let steps = plan("--only produce-1,latency-1000").expect("a plan").steps();
        let parties: Vec<Party> = steps.iter().map(|step| step.party).collect();
        let throughput = &Party::ALL[..];
        // No loop without a broker has a latency that a broker's could be held against.
        let latency = &Party::ALL[..3];
        assert_eq!(parties, [throughput, latency, throughput, latency].concat());
        assert_eq!(steps[4].stage, Stage::Latency);
        assert_eq!(steps[7].turn, 2);
    }

    #[test]
    fn workloads_at_a_fixed_rate_can_have_turns_of_their_own() {
        let text = "--only produce-1,latency-1000 --peers millstream --turns 2 --rate-turns 3";
        let steps = plan(text).expect("a plan").steps();
        let turns: Vec<(usize, Stage)> = steps.iter().map(|step| (step.turn, step.stage)).collect();
        let [throughput, latency] = [Stage::Throughput, Stage::Latency];
        assert_eq!(
            turns,
            [
                (1, throughput),
                (1, latency),
                (2, throughput),
                (2, latency),
                (3, latency)
            ]
        );
        assert_eq!(plan("--turns 5").expect("a plan").rate_turns, 5);
    }

    #[test]
    fn sizes_follow_the_set_and_every_one_can_be_given() {
        let all = plan("--all --gigabytes 3.5").expect("a plan");
        assert!((all.sizes.gigabytes - 3.5).abs() < f64::EPSILON);
        assert!(all.sizes.rate_seconds > plan("").expect("a plan").sizes.rate_seconds);
        assert_eq!(plan("--quick --all").expect("a plan").sizes.seconds, 1);
        assert!(plan("--turns 0").is_err());
        assert!(plan("--write --peers millstream,kafka").is_err());
        assert!(plan("--rate-turns 0").is_err());
    }

    #[test]
    fn the_usual_set_is_smaller_than_all() {
        let (usual, all) = (plan("").expect("a plan"), plan("--all").expect("a plan"));
        assert!(usual.workloads.len() < all.workloads.len());
        assert_eq!(all.workloads.len(), WORKLOADS.len());
    }
}
