//! Stock clients as children of a trial: to their end, or in the background; and the `name=value` pairs that they print.

use super::Plan;
use crate::brokers::{Peer, Site};
use crate::installs;
use crate::process::{create, now, patient, run_bounded, signal, wait_until};
use anyhow::{Context, bail};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

/// No single client works longer; full sizes on a slow disk take minutes.
pub const TOOL_LIMIT: Duration = Duration::from_secs(900);

/// After SIGTERM a client finishes what it has begun.
const FINISH_LIMIT: Duration = Duration::from_secs(180);

/// Brings every client that trials use onto this machine.
pub fn install(plan: &Plan) -> anyhow::Result<()> {
    let wanted = |name: &str| plan.trials.iter().any(|trial| trial.name == name);
    if wanted("corpus") || plan.peer != Peer::Millstream {
        installs::kafka()?;
        installs::kcat()?;
    }
    if wanted("share") {
        installs::python_clients()?;
    }
    if ["share", "streams", "connect", "rebalance"]
        .into_iter()
        .any(wanted)
    {
        installs::kafka()?;
        installs::java_program()?;
    }
    installs::trial_programs()?;
    installs::load_program()?;
    installs::go_clients()
}

/// The pairs of a program's last line that has any.
#[derive(Debug)]
pub struct Fields {
    program: String,
    pairs: BTreeMap<String, String>,
}

impl Fields {
    /// Reads all pairs; a later one of the same name wins.
    pub fn parse(program: &str, text: &str) -> Self {
        let pairs = text.split_whitespace().filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        });
        Self {
            program: program.to_owned(),
            pairs: pairs.collect(),
        }
    }

    /// A value as text.
    pub fn text(&self, name: &str) -> anyhow::Result<&str> {
        self.pairs
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("{} did not report {name}", self.program))
    }

    /// A count.
    pub fn count(&self, name: &str) -> anyhow::Result<u64> {
        let text = self.text(name)?;
        text.parse()
            .with_context(|| format!("{} reported {name}={text}", self.program))
    }

    /// Bytes a second, of the program's own clock.
    pub fn rate(&self) -> anyhow::Result<f64> {
        let bytes: f64 = self.text("bytes")?.parse()?;
        Ok(bytes / self.seconds()?)
    }

    /// By the program's own clock.
    pub fn seconds(&self) -> anyhow::Result<f64> {
        Ok(self.text("seconds")?.parse()?)
    }
}

/// One of our programs.
pub fn program(name: &str, args: &[&str]) -> Command {
    let mut command = Command::new(installs::binary(name));
    command.args(args);
    command
}

/// The same at the lowest priority.
pub fn patient_program(name: &str, args: &[&str]) -> Command {
    let mut command = patient(&installs::binary(name));
    command.args(args);
    command
}

/// Runs a program to its end; anything but success is an error that names its log.
pub fn finish(site: &Site, name: &str, mut command: Command) -> anyhow::Result<Fields> {
    let log = site.folder().join(format!("{name}.log"));
    let done = run_bounded(&mut command, TOOL_LIMIT, &log)?;
    if !done.succeeded() {
        bail!("{command:?} failed; see {}", log.display());
    }
    Ok(Fields::parse(name, &done.stdout))
}

/// Creates a topic and waits until it can be used.
pub fn create_topic(site: &Site, topic: &str, partitions: u64) -> anyhow::Result<()> {
    let arguments = [&site.bootstrap(), topic, &partitions.to_string()];
    finish(site, "create-topic", program("create-topic", &arguments)).map(drop)
}

/// A program that runs while the trial does something else; killed when dropped.
pub struct Background {
    name: String,
    child: Child,
    output: PathBuf,
    log: PathBuf,
}

impl Background {
    /// Starts it, with its output in files of the site.
    pub fn start(site: &Site, name: &str, mut command: Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::null());
        Self::spawn(site, name, command)
    }

    /// Starts a program that reads what the trial writes to it.
    pub fn start_fed(site: &Site, name: &str, mut command: Command) -> anyhow::Result<(Self, ChildStdin)> {
        command.stdin(Stdio::piped());
        let mut program = Self::spawn(site, name, command)?;
        let input = program.child.stdin.take().expect("stdin is piped");
        Ok((program, input))
    }

    fn spawn(site: &Site, name: &str, mut command: Command) -> anyhow::Result<Self> {
        let output = site.folder().join(format!("{name}.out"));
        let log = site.folder().join(format!("{name}.log"));
        let child = command
            .stdout(create(&output)?)
            .stderr(create(&log)?)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            output,
            log,
        })
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// An error that names its log when it has ended by itself.
    pub fn must_run(&mut self) -> anyhow::Result<()> {
        if !self.is_running() {
            bail!("{} ended by itself; see {}", self.name, self.log.display());
        }
        Ok(())
    }

    /// SIGKILL, in the middle of whatever it does.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().context("cannot kill a program")?;
        self.child.wait().context("cannot reap a program")?;
        Ok(())
    }

    /// Waits until it ends by itself.
    pub fn wait(mut self, limit: Duration) -> anyhow::Result<Fields> {
        let Some(status) = wait_until(&mut self.child, now() + limit)? else {
            bail!("{} does not end; see {}", self.name, self.log.display());
        };
        if !status.success() {
            bail!("{} ended with {status}; see {}", self.name, self.log.display());
        }
        Ok(Fields::parse(&self.name, &std::fs::read_to_string(&self.output)?))
    }

    /// Asks it to end, and waits for what it has to say.
    pub fn stop(self) -> anyhow::Result<Fields> {
        signal(self.child.id(), "TERM");
        self.wait(FINISH_LIMIT)
    }

    /// Asks it to end, whatever status it ends with: that of a JVM names the signal.
    pub fn end(mut self) -> anyhow::Result<()> {
        signal(self.child.id(), "TERM");
        if wait_until(&mut self.child, now() + FINISH_LIMIT)?.is_none() {
            bail!("{} does not end; see {}", self.name, self.log.display());
        }
        Ok(())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is the aim.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::Fields;

    #[test]
    fn pairs_are_read_and_missing_ones_are_named() {
        let fields = Fields::parse("p", "records=10 bytes=2000 seconds=0.5 note\n");
        assert_eq!(fields.count("records").expect("a count"), 10);
        assert!((fields.rate().expect("a rate") - 4000.0).abs() < 1e-9);
        let error = fields.count("lost").expect_err("not there").to_string();
        assert!(error.contains("p did not report lost"), "{error}");
    }
}
