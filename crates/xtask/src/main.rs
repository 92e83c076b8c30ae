//! Developer tasks: `cargo xtask TASK`. Only finds the task; each lives in a module of its own.

mod codegen;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask TASK
  codegen [--check]   write (or compare) the generated half of kafka-wire";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args.as_slice() {
        ["codegen"] => codegen::write(),
        ["codegen", "--check"] => codegen::check(),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
