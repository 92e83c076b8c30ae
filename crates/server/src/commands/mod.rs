//! The subcommands that talk to a broker. Each reads like a recipe: connect, ask, show.

pub mod consume;
pub mod format;
pub mod group;
pub mod input;
pub mod produce;
pub mod show;
pub mod start_at;
pub mod topic;

#[cfg(test)]
mod tests;

use tokio::runtime::{Builder, Runtime};

/// A runtime for one command: one thread is enough for a client.
pub fn runtime() -> anyhow::Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}

/// `name=value`, as settings are given.
pub fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("must be NAME=VALUE, e.g. retention.ms=3600000".to_owned()),
    }
}
