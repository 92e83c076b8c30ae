//! `cargo xtask clients`: the clients of other projects, unchanged, against a broker.
//!
//! Starts the broker (Millstream, or with `--peer kafka` a real Apache Kafka, whose results are the measure), runs
//! one program for each client, collects its `CASE` lines, and fails when a case fails that passes on Kafka.

mod programs;
mod report;
mod results;
mod secured;

use crate::brokers::{Peer, Site};
use crate::installs;
use crate::options::Options;
use crate::process::run_bounded;
use crate::sections::CLIENTS;
use crate::shell::root;
use anyhow::bail;
use programs::{PROGRAMS, Program};
use results::{Outcome, Results};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

const USAGE: &str =
    "usage: cargo xtask clients [--peer millstream|kafka] [--bootstrap HOST:PORT] [--only NAME,NAME]
                           [--port PORT] [--binary PATH] [--write]";

/// Programs at a time: the suite is to leave the broker some of a small machine.
const PARALLEL: usize = 2;

/// Programs end by themselves after 400 s, which a slow machine that also builds may need; this is for those that cannot.
const PROGRAM_LIMIT: Duration = Duration::from_secs(430);
const CODECS_LIMIT: Duration = Duration::from_secs(90);

struct Plan {
    peer: Peer,
    bootstrap: Option<String>,
    only: Vec<String>,
    port: Option<u16>,
    binary: Option<PathBuf>,
    write: bool,
}

impl Plan {
    fn parse(args: &[String]) -> anyhow::Result<Self> {
        let mut options = Options::new(args);
        let only = options.text("--only")?.unwrap_or_default();
        let port = options.parsed("--port", 0)?;
        let plan = Self {
            peer: Peer::parse(options.text("--peer")?.as_deref().unwrap_or("millstream"))?,
            bootstrap: options.text("--bootstrap")?,
            only: only
                .split(',')
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
            port: (port != 0).then_some(port),
            binary: options.path("--binary")?,
            write: options.flag("--write"),
        };
        options.finish(USAGE)?;
        if let Some(unknown) = plan
            .only
            .iter()
            .find(|name| *name != "secured" && PROGRAMS.iter().all(|p| p.name != **name))
        {
            let names: Vec<&str> = PROGRAMS.iter().map(|program| program.name).collect();
            bail!("no client \"{unknown}\"; there are {}", names.join(", "));
        }
        Ok(plan)
    }

    fn programs(&self) -> Vec<&'static Program> {
        PROGRAMS
            .iter()
            .filter(|program| self.only.is_empty() || self.only.iter().any(|name| name == program.name))
            .collect()
    }
}

/// Entry of the task.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let plan = Plan::parse(args)?;
    let programs = plan.programs();
    install(&plan, &programs)?;
    let folder = root().join(".cache/runs/clients").join(plan.peer.name());
    let site;
    let mut broker = None;
    let bootstrap = match &plan.bootstrap {
        Some(running) => running.clone(),
        None => {
            site = Site::prepare(plan.peer, &folder, plan.port, plan.binary.clone())?;
            broker = Some(site.start()?);
            site.bootstrap()
        }
    };
    println!(
        "{} on {bootstrap}, logs in {}",
        plan.peer.name(),
        folder.display()
    );
    let mut found = run_all(&programs, &bootstrap, &folder);
    check_stored_codecs(&mut found, &bootstrap, &folder)?;
    if broker.as_mut().is_some_and(|broker| !broker.is_alive()) {
        bail!("the broker died during the run; see {}", folder.display());
    }
    if let Some(broker) = broker {
        broker.stop()?;
    }
    judge(&plan, &found)?;
    let whole = plan.only.is_empty() || plan.only.iter().any(|name| name == "secured");
    if plan.peer == Peer::Millstream && plan.bootstrap.is_none() && whole {
        let found = secured::run(&root().join(".cache/runs/clients/secured"), plan.binary.clone())?;
        if plan.write {
            CLIENTS.write("secured", &found)?;
        }
    }
    Ok(())
}

fn install(plan: &Plan, programs: &[&Program]) -> anyhow::Result<()> {
    if plan.peer != Peer::Millstream {
        installs::kafka()?;
    }
    // The check of the stored codecs is a Go program.
    installs::go_clients()?;
    for program in programs {
        (program.install)()?;
    }
    Ok(())
}

fn run_all(programs: &[&'static Program], bootstrap: &str, folder: &Path) -> Vec<Results> {
    let queue: Mutex<VecDeque<&Program>> = Mutex::new(programs.iter().copied().collect());
    let done = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..PARALLEL {
            scope.spawn(|| {
                while let Some(program) = next(&queue) {
                    let results = run_one(program, bootstrap, folder);
                    println!("{}", results.summary());
                    done.lock().expect("no holder panics").push(results);
                }
            });
        }
    });
    let mut results = done.into_inner().expect("no holder panics");
    results.sort_by_key(|found| programs.iter().position(|program| program.name == found.client));
    results
}

fn next<'a>(queue: &Mutex<VecDeque<&'a Program>>) -> Option<&'a Program> {
    queue.lock().expect("no holder panics").pop_front()
}

fn run_one(program: &Program, bootstrap: &str, folder: &Path) -> Results {
    let mut command = (program.command)();
    command.arg(bootstrap);
    let log = folder.join(format!("{}.log", program.name));
    match run_bounded(&mut command, PROGRAM_LIMIT, &log) {
        Ok(finished) => Results::parse(program, &finished),
        Err(error) => Results::not_run(program, &format!("{error:#}")),
    }
}

/// Looks at the batches themselves: a client that quietly sent them uncompressed fails its codec's case.
fn check_stored_codecs(found: &mut [Results], bootstrap: &str, folder: &Path) -> anyhow::Result<()> {
    let mut command = Command::new(installs::binary("stored-codecs"));
    command.args([bootstrap, "codec-"]);
    let finished = run_bounded(&mut command, CODECS_LIMIT, &folder.join("stored-codecs.log"))?;
    for line in finished.stdout.lines() {
        let Some((topic, codecs)) = line
            .strip_prefix("STORED codec-")
            .and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        for results in found.iter_mut() {
            results.compare_stored(topic, codecs);
        }
    }
    Ok(())
}

fn judge(plan: &Plan, found: &[Results]) -> anyhow::Result<()> {
    let baseline = report::read_baseline()?;
    let mut worse = 0;
    for results in found {
        for (case, outcome) in &results.cases {
            if let Outcome::Fail(reason) = outcome {
                println!("FAIL {} {case}: {reason}", results.client);
            }
            worse += usize::from(baseline.is_worse(&results.client, case, outcome));
        }
    }
    if plan.write && plan.only != ["secured"] {
        match plan.peer {
            Peer::Millstream => report::write_page(found, &baseline)?,
            Peer::Kafka | Peer::KafkaFlushing => report::write_baseline(found)?,
        }
    }
    let passed: usize = found.iter().map(Results::passed).sum();
    let all: usize = found.iter().map(|results| results.cases.len()).sum();
    println!(
        "{passed} of {all} cases passed; {worse} of those that pass on Apache Kafka {} failed",
        baseline.version
    );
    if worse > 0 {
        bail!("{worse} cases fail here and pass on Apache Kafka");
    }
    Ok(())
}
