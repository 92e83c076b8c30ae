//! `cargo run -p millstream-sim -- 1..1000`: runs seeds, tells which fail. `-- 17 --trace` shows everything that happened in one,
//! `--transactions` puts transactional producers to work instead of all others, and `--large` puts large batches amid the small ones.

#![forbid(unsafe_code)]

use millstream_sim::plan::Plan;
use millstream_sim::run;
use millstream_sim::trace::{Lines, TAIL_LINES};
use millstream_sim::transactions::{self, Fault};
use std::ops::Range;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(seeds) = args.next().and_then(|text| seeds_of(&text)) else {
        eprintln!("millstream-sim SEED|FROM..TO [--trace] [--transactions] [--large]");
        return ExitCode::FAILURE;
    };
    let options: Vec<String> = args.collect();
    let is_set = |option: &str| options.iter().any(|given| given == option);
    let (whole_trace, in_transactions) = (is_set("--trace"), is_set("--transactions"));
    let is_large = is_set("--large");
    let mut failed = Vec::new();
    for seed in seeds {
        let lines = if whole_trace {
            Lines::Print
        } else {
            Lines::Tail(TAIL_LINES)
        };
        let run = if in_transactions {
            run_transactions
        } else {
            run_clients
        };
        let mut plan = Plan::of_seed(seed);
        if is_large {
            plan = plan.with_large_batches();
        }
        match run(plan, lines) {
            Ok(summary) => println!("seed {seed}: {summary}"),
            Err(what) => {
                println!("seed {seed} fails: {what}");
                failed.push(seed);
            }
        }
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("failed: {failed:?}");
    ExitCode::FAILURE
}

/// A summary, or what is wrong.
fn run_clients(plan: Plan, lines: Lines) -> Result<String, String> {
    let report = run::run(plan, lines);
    if lines == Lines::Print {
        println!("{report}");
    }
    let events = report.trace.events();
    let seconds = report.simulated.as_secs_f64();
    let summary = format!(
        "{:?} {:?} {events} events in {seconds:.1} s",
        report.ends, report.counts
    );
    report.violation.map_or(Ok(summary), Err)
}

/// The same for transactions.
fn run_transactions(plan: Plan, lines: Lines) -> Result<String, String> {
    let report = transactions::run(plan, Fault::None, lines);
    let summary = format!(
        "{} transactions committed, {} aborted",
        report.committed, report.aborted
    );
    report.violation.map_or(Ok(summary), Err)
}

fn seeds_of(text: &str) -> Option<Range<u64>> {
    match text.split_once("..") {
        Some((from, to)) => Some(from.parse().ok()?..to.parse().ok()?),
        None => {
            let seed = text.parse().ok()?;
            Some(seed..seed + 1)
        }
    }
}
