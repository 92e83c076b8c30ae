//! `cargo run -p millstream-sim -- 1..1000`: runs seeds, tells which fail. `-- 17 --trace` shows everything that happened in one.

use millstream_sim::plan::Plan;
use millstream_sim::run;
use millstream_sim::trace::{Lines, TAIL_LINES};
use std::ops::Range;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(seeds) = args.next().and_then(|text| seeds_of(&text)) else {
        eprintln!("millstream-sim SEED|FROM..TO [--trace]");
        return ExitCode::FAILURE;
    };
    let whole_trace = args.any(|arg| arg == "--trace");
    let mut failed = Vec::new();
    for seed in seeds {
        let lines = if whole_trace {
            Lines::Print
        } else {
            Lines::Tail(TAIL_LINES)
        };
        let report = run::run(Plan::of_seed(seed), lines);
        if whole_trace {
            println!("{report}");
        }
        if let Some(what) = &report.violation {
            println!("seed {seed} fails: {what}");
            failed.push(seed);
        } else {
            println!(
                "seed {seed}: {:?} {:?} {} events in {:.1} s",
                report.ends,
                report.counts,
                report.trace.events(),
                report.simulated.as_secs_f64()
            );
        }
    }
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("failed: {failed:?}");
    ExitCode::FAILURE
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
