//! `cargo xtask test`: the one test command of the README and of `.ci/run`. Steps run in order of what they cost and print their
//! time; the first that fails ends the run.

use crate::shell::{cargo, run as run_command, step};
use anyhow::bail;
use std::time::Duration;

/// Rounds of kill -9 in the middle of a load; a long run takes more by `cargo xtask crash --rounds N`.
const CRASH_ROUNDS: u32 = 3;

/// Trials that the test command runs at small sizes. A long run takes all at full size by `cargo xtask trial all`.
const QUICK_TRIALS: &str = "corpus,partitions,backlog,hostile,full-disk,share,streams,connect,rebalance,start";

/// Whether the benchmark still runs, not what it measures: one small workload of each kind, and nothing to compare with.
const QUICK_BENCH: &[&str] = &[
    "--quick",
    "--turns",
    "1",
    "--peers",
    "millstream",
    "--only",
    "memory-idle,consume,small-keyed,latency-1000,partitions,fill",
];

/// Whether the clients of other projects are installed and run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    Quick,
}

/// Entry of the task.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let extent = parse(args)?;
    let mut times: Vec<(&str, Duration)> = Vec::new();
    let mut timed = |name: &'static str, work: &mut dyn FnMut() -> anyhow::Result<()>| {
        step(name, work).map(|took| times.push((name, took)))
    };
    timed("tidy", &mut || crate::tidy::run(&[]))?;
    timed("unit and integration tests", &mut || {
        run_command(cargo().args(["test", "--workspace", "--quiet"]))
    })?;
    if extent == Extent::Whole {
        timed("release build", &mut || {
            run_command(cargo().args(["build", "--release"]))
        })?;
        timed("outside clients", &mut || task("clients", &[]))?;
        timed("objects in a bucket", &mut || task("s3", &[]))?;
        timed("kill -9 under load", &mut || {
            task("crash", &["--rounds", &CRASH_ROUNDS.to_string()])
        })?;
        timed("transactions under kill -9", &mut || {
            task("transactions", &["--quick"])
        })?;
        timed("trials, small", &mut || task("trial", &[QUICK_TRIALS, "--quick"]))?;
        timed("benchmark, small", &mut || task("bench", QUICK_BENCH))?;
    }
    println!("\nall steps passed");
    for (name, took) in times {
        println!("  {name:<28} {:>7.1} s", took.as_secs_f64());
    }
    Ok(())
}

fn parse(args: &[String]) -> anyhow::Result<Extent> {
    match args {
        [] => Ok(Extent::Whole),
        [only] if only == "--quick" => Ok(Extent::Quick),
        other => bail!("unknown arguments {other:?}; the one argument is --quick"),
    }
}

/// Runs another task of this program, if this tree has it.
fn task(name: &str, args: &[&str]) -> anyhow::Result<()> {
    let Some(task) = crate::TASKS.iter().find(|task| task.name == name) else {
        bail!("this tree has no task \"{name}\"");
    };
    let args: Vec<String> = args.iter().map(ToString::to_string).collect();
    (task.run)(&args)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_quick_is_an_argument() {
        assert!(parse(&[]).expect("nothing is the whole run") == Extent::Whole);
        assert!(parse(&["--quick".to_owned()]).expect("quick") == Extent::Quick);
        assert!(parse(&["--fast".to_owned()]).is_err());
    }
}
