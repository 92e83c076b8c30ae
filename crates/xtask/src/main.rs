//! Developer tasks: `cargo xtask <task>`. A task is one row of [`TASKS`] and one module; nothing here is shipped.

#![forbid(unsafe_code)]

mod bench;
mod brokers;
mod clients;
mod codegen;
mod crash;
mod http;
mod installs;
mod kernel;
mod options;
mod process;
mod profile;
mod s3;
mod sections;
mod shell;
mod suite;
mod suites;
mod tidy;
mod transactions;
mod trial;

use std::process::ExitCode;

/// One task: its name on the command line, what the help says, and its entry, which gets the arguments after the name.
struct Task {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> anyhow::Result<()>,
}

/// Every task, in the order of the help.
const TASKS: &[Task] = &[
    Task {
        name: "bench",
        about: "Millstream and Apache Kafka in turns, --all for every workload; --write writes docs/BENCHMARKS.md",
        run: bench::run,
    },
    Task {
        name: "clients",
        about: "stock clients against Millstream, or --peer kafka; --write writes docs/CLIENTS.md",
        run: clients::run,
    },
    Task {
        name: "crash",
        about: "kill -9 under a load of stock clients, --rounds N, then check what was promised",
        run: crash::run,
    },
    Task {
        name: "profile",
        about: "where the broker's CPU time and system calls go; --write writes docs/profiles",
        run: profile::run,
    },
    Task {
        name: "s3",
        about: "the object store adapter and a broker with kill -9 on a server that speaks S3",
        run: s3::run,
    },
    Task {
        name: "suites",
        about: "test suites of other projects against Millstream, or --peer kafka; --write keeps the results",
        run: suites::run,
    },
    Task {
        name: "test",
        about: "everything that must pass before a merge; --quick leaves out the outside clients",
        run: suite::run,
    },
    Task {
        name: "tidy",
        about: "the rules of the house: limits, crate arrows, file headers, banned words, docs",
        run: tidy::run,
    },
    Task {
        name: "transactions",
        about: "exactly once under kill -9 of copiers and broker, --rounds N or --quick, with four stock clients",
        run: transactions::run,
    },
    Task {
        name: "trial",
        about: "proofs under strain: corpus, partitions, backlog, hostile, full-disk, share, streams, connect, rebalance, start, all; --write writes docs/TRIALS.md",
        run: trial::run,
    },
    Task {
        name: "codegen",
        about: "writes the generated half of kafka-wire; --check compares",
        run: codegen_task,
    },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let name = args.first().map_or("", String::as_str);
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        return help(name);
    };
    match (task.run)(&args[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {name}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn codegen_task(args: &[String]) -> anyhow::Result<()> {
    let outcome = match args {
        [] => codegen::write(),
        [only] if only == "--check" => codegen::check(),
        other => anyhow::bail!("unknown arguments {other:?}; the one argument is --check"),
    };
    outcome.map_err(anyhow::Error::msg)
}

fn help(asked: &str) -> ExitCode {
    println!("usage: cargo xtask <task> [arguments]\n");
    for task in TASKS {
        println!("  {:<10} {}", task.name, task.about);
    }
    match asked {
        "" | "help" | "--help" | "-h" => ExitCode::SUCCESS,
        unknown => {
            eprintln!("\nxtask: there is no task \"{unknown}\"");
            ExitCode::FAILURE
        }
    }
}
