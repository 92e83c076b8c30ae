//! The program around the broker: settings, listeners, wiring, shutdown, and the command line's own client.
//!
//! Owns: the process (runtimes, signals, sockets that are accepted, what is printed). Never: a decision about data. `wire_up.rs` is
//! the one place that names adapters and puts the crates together.

#![forbid(unsafe_code)]

pub mod cli;
pub mod client;
pub mod commands;
pub mod config;
mod disk_cache;
mod facts;
mod group_facts;
pub mod listen;
pub mod security;
pub mod serve;
pub mod wire_up;

use clap::Parser;
use cli::{Cli, Command, ConfigCommand};
use std::process::ExitCode;

/// The whole program: parses the arguments, does what they say. An error is one line on the standard error, and exit code 1.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_output(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("millstream: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(args) => serve::run(args),
        Command::Config(command) => show_config(command),
        Command::Topic(args) => commands::runtime()?.block_on(commands::topic::run(args)),
        Command::Produce(args) => commands::runtime()?.block_on(commands::produce::run(args)),
        Command::Consume(args) => commands::runtime()?.block_on(commands::consume::run(args)),
        Command::Group(args) => commands::runtime()?.block_on(commands::group::run(args)),
    }
}

/// `consume | head` closes the output early, and means it.
fn is_closed_output(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn show_config(command: &ConfigCommand) -> anyhow::Result<()> {
    match command {
        ConfigCommand::Docs => print_text(&config::show::markdown()),
        ConfigCommand::Show { serve, json } => {
            let layers = config::Layers::for_serve(serve)?;
            match json {
                true => commands::show::json(&config::show::json(&layers)),
                false => print_text(&config::show::toml(&layers)),
            }
        }
    }
}

fn print_text(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}
