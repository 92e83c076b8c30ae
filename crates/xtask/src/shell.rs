//! Running other programs from the root of the workspace, with a step's name and time on the terminal.

use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// The workspace's root: this crate lies two levels below it.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("crates/xtask lies two levels below the root")
        .to_path_buf()
}

/// The cargo that runs this task.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).stdin(Stdio::null());
    command
}

/// Runs a named step, prints its name before and its time after, and gives back the time.
pub fn step(name: &str, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    println!("==> {name}");
    let start = now();
    let outcome = work();
    let took = now().duration_since(start);
    let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
    println!("<== {name}: {verdict} in {:.1} s", took.as_secs_f64());
    outcome.with_context(|| format!("step \"{name}\""))?;
    Ok(took)
}

/// Runs a command to its end; anything but success is an error that names the command.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    let shown = format!("{command:?}");
    let status = command
        .status()
        .with_context(|| format!("cannot start {shown}"))?;
    if !status.success() {
        bail!("{shown} ended with {status}");
    }
    Ok(())
}

/// Runs a command and gives back what it printed.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let shown = format!("{command:?}");
    let done = command
        .output()
        .with_context(|| format!("cannot start {shown}"))?;
    if !done.status.success() {
        bail!(
            "{shown} ended with {}: {}",
            done.status,
            String::from_utf8_lossy(&done.stderr)
        );
    }
    String::from_utf8(done.stdout).with_context(|| format!("{shown} printed bytes that are not UTF-8"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "steps of a developer task are timed by the machine's own clock"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
