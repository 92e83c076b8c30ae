//! Other programs as children with a time limit, a log file and no orphans; what the kernel counts about them.
//!
//! Each bounded child leads a process group of its own, and the whole group is killed when it ends: a client that
//! was cut short must not leave its own children behind as members of consumer groups.

use anyhow::Context;
use std::fs::File;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How a bounded child ended.
pub struct Finished {
    /// What it wrote to its standard output.
    pub stdout: String,
    /// None when it was killed at its limit.
    pub status: Option<ExitStatus>,
    /// From start to end.
    pub took: Duration,
}

impl Finished {
    /// Whether it ended by itself, with success.
    pub fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

/// The machine's monotonic clock.
#[expect(
    clippy::disallowed_methods,
    reason = "developer tasks measure the machine they run on"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// A program at the lowest priority: what it takes of the processor, nobody else wanted.
pub fn patient(program: &Path) -> Command {
    let mut command = Command::new("nice");
    command.args(["-n", "19"]).arg(program);
    command
}

/// Runs a command to its end or its limit; standard error goes to the file `log`.
pub fn run_bounded(command: &mut Command, limit: Duration, log: &Path) -> anyhow::Result<Finished> {
    let shown = format!("{command:?}");
    let began = now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(create(log)?)
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {shown}"))?;
    let mut pipe = child.stdout.take().expect("stdout is piped");
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that breaks ends the text there; the exit status tells the rest.
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let status = wait_until(&mut child, began + limit)?;
    kill_group(child.id());
    if status.is_none() {
        child.wait().with_context(|| format!("cannot reap {shown}"))?;
    }
    let stdout = reader.join().expect("the reader does not panic");
    Ok(Finished {
        stdout,
        status,
        took: now() - began,
    })
}

/// Waits for a child; None when the deadline came first.
pub fn wait_until(child: &mut Child, deadline: Instant) -> anyhow::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for a child")? {
            return Ok(Some(status));
        }
        if now() >= deadline {
            return Ok(None);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Sends a signal, by name, to one process. An error means that it is gone, which is what callers want.
pub fn signal(pid: u32, name: &str) {
    kill(&[&format!("-{name}"), &pid.to_string()]);
}

fn kill_group(leader: u32) {
    kill(&["-KILL", "--", &format!("-{leader}")]);
}

fn kill(args: &[&str]) {
    // Without unsafe code there is no system call for this; the program does the same.
    let _ = Command::new("kill")
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// Creates a file and the directories above it.
pub fn create(path: &Path) -> anyhow::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    File::create(path).with_context(|| format!("cannot create {}", path.display()))
}
