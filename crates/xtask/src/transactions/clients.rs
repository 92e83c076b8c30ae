//! The clients of the trial: a feeder for each input, a copier of each library, and one watcher of all outputs.
//!
//! When this value is dropped all of them are killed.

use crate::brokers::Site;
use crate::installs::{binary, java_classes, kafka_classpath, python, sources};
use crate::process::{create, now, signal, wait_until};
use anyhow::{Context, bail};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Feeders wait 30 s for what is in flight.
const FINISH_LIMIT: Duration = Duration::from_secs(45);

/// One library.
pub struct Copier {
    /// As in the names of its topics.
    pub name: &'static str,
    command: fn() -> Command,
}

impl Copier {
    /// What it reads.
    pub fn input(&self) -> String {
        format!("in-{}", self.name)
    }

    /// What it writes.
    pub fn output(&self) -> String {
        format!("out-{}", self.name)
    }
}

/// Every library.
pub const COPIERS: &[Copier] = &[
    Copier {
        name: "java",
        command: java,
    },
    Copier {
        name: "librdkafka",
        command: || {
            let mut command = Command::new(python());
            command.arg(sources().join("python/txn_copier.py"));
            command
        },
    },
    Copier {
        name: "franz",
        command: || Command::new(binary("copy-franz")),
    },
    Copier {
        name: "sarama",
        command: || Command::new(binary("copy-sarama")),
    },
];

fn java() -> Command {
    let mut command = Command::new("java");
    command
        .args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
        .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
        .arg("-cp")
        .arg(format!("{}:{}", java_classes().display(), kafka_classpath()))
        .arg("TxnCopier");
    command
}

/// All running clients.
pub struct Clients {
    feeders: Vec<Running>,
    copiers: Vec<Running>,
    watcher: Running,
    partitions: u32,
    abort_percent: u32,
    kills: u32,
}

/// What the clients left.
pub struct Journals {
    /// Lines of the watcher: topic, key, value.
    pub shown: String,
    /// By copier: lines of what each ended: "commit" or "abort", and how many records.
    pub ended: Vec<(&'static str, String)>,
    /// How often a copier was killed.
    pub kills: u32,
}

impl Clients {
    /// Starts every client.
    pub fn start(site: &Site, partitions: u32, rate: u32, abort_percent: u32) -> anyhow::Result<Self> {
        let mut feeders = Vec::new();
        for copier in COPIERS {
            let name = format!("feed-{}", copier.name);
            let journal = site.folder().join(format!("{name}.acked"));
            let mut command = Command::new(binary("crash-producer"));
            command
                .args(["--bootstrap", &site.bootstrap(), "--topic", &copier.input()])
                .args(["--name", copier.name, "--partitions", &partitions.to_string()])
                .args(["--rate", &rate.to_string(), "--idempotent", "--acked"])
                .arg(&journal);
            feeders.push(Running::spawn(&name, &mut command, site.folder(), journal)?);
        }
        let journal = site.folder().join("shown.txt");
        let mut command = Command::new(binary("watch-committed"));
        command.arg(site.bootstrap()).arg(&journal);
        command.args(COPIERS.iter().map(Copier::output));
        let mut clients = Self {
            feeders,
            copiers: Vec::new(),
            watcher: Running::spawn("watch", &mut command, site.folder(), journal)?,
            partitions,
            abort_percent,
            kills: 0,
        };
        for copier in COPIERS {
            let running = clients.spawn_copier(site, copier)?;
            clients.copiers.push(running);
        }
        Ok(clients)
    }

    fn spawn_copier(&self, site: &Site, copier: &Copier) -> anyhow::Result<Running> {
        let name = format!("copy-{}", copier.name);
        let journal = site.folder().join(format!("{name}.ended"));
        let mut command = (copier.command)();
        command
            .args(["--bootstrap", &site.bootstrap(), "--name", &name])
            .args(["--input", &copier.input(), "--output", &copier.output()])
            .args(["--partitions", &self.partitions.to_string()])
            .args(["--abort-percent", &self.abort_percent.to_string()])
            .arg("--journal")
            .arg(&journal);
        Running::spawn(&name, &mut command, site.folder(), journal)
    }

    /// SIGKILL, in the middle of whatever it does.
    pub fn kill_copier(&mut self, index: usize) -> anyhow::Result<()> {
        self.kills += 1;
        let child = &mut self.copiers[index].child;
        child.kill().context("cannot kill a copier")?;
        child.wait().context("cannot reap a copier")?;
        Ok(())
    }

    /// A new process in the place of the killed one.
    pub fn start_copier(&mut self, site: &Site, index: usize) -> anyhow::Result<()> {
        self.copiers[index] = self.spawn_copier(site, &COPIERS[index])?;
        Ok(())
    }

    /// Length of each copier's journal: grows with each transaction that ended as it was meant to.
    pub fn journal_bytes(&self) -> Vec<u64> {
        // A copier that has not begun has no journal.
        let length = |running: &Running| running.journal.metadata().map_or(0, |file| file.len());
        self.copiers.iter().map(length).collect()
    }

    /// Records that the watcher was shown.
    pub fn shown(&self) -> anyhow::Result<usize> {
        Ok(self.watcher.read()?.lines().count())
    }

    /// A client that ended by itself makes the run worthless.
    pub fn check_alive(&mut self) -> anyhow::Result<()> {
        let all = self.feeders.iter_mut().chain(&mut self.copiers);
        for running in all.chain([&mut self.watcher]) {
            if let Some(status) = running.child.try_wait()?
                && !running.stopped
            {
                bail!("the client {} ended with {status}; see its log", running.name);
            }
        }
        Ok(())
    }

    /// Ends the feeders; each waits for what it has in flight.
    pub fn stop_feeders(&mut self) -> anyhow::Result<()> {
        for feeder in &mut self.feeders {
            feeder.stopped = true;
            signal(feeder.child.id(), "TERM");
        }
        let deadline = now() + FINISH_LIMIT;
        for feeder in &mut self.feeders {
            match wait_until(&mut feeder.child, deadline)? {
                Some(status) if status.success() => {}
                other => bail!("the client {} did not end well: {other:?}", feeder.name),
            }
        }
        Ok(())
    }

    /// Ends the rest.
    pub fn finish(mut self) -> anyhow::Result<Journals> {
        signal(self.watcher.child.id(), "TERM");
        if wait_until(&mut self.watcher.child, now() + FINISH_LIMIT)?.is_none() {
            bail!("the watcher does not end");
        }
        let mut ended = Vec::new();
        for (copier, running) in COPIERS.iter().zip(&mut self.copiers) {
            running.child.kill().context("cannot kill a copier")?;
            running.child.wait().context("cannot reap a copier")?;
            ended.push((copier.name, running.read()?));
        }
        Ok(Journals {
            shown: self.watcher.read()?,
            ended,
            kills: self.kills,
        })
    }

    /// One line now and then.
    pub fn print_progress(&self, round: u32, rounds: u32) {
        const EVERY: u32 = 10;
        if round.is_multiple_of(EVERY) || round == rounds {
            let shown = self.shown().unwrap_or(0);
            println!("round {round} of {rounds}, {shown} records shown");
        }
    }
}

struct Running {
    name: String,
    child: Child,
    journal: PathBuf,
    /// It was asked to end.
    stopped: bool,
}

impl Running {
    /// The log goes on over restarts.
    fn spawn(name: &str, command: &mut Command, folder: &Path, journal: PathBuf) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        if !log.exists() {
            create(&log)?;
        }
        let log = OpenOptions::new().append(true).open(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self {
            name: name.to_owned(),
            child,
            journal,
            stopped: false,
        })
    }

    fn read(&self) -> anyhow::Result<String> {
        std::fs::read_to_string(&self.journal)
            .with_context(|| format!("cannot read {}", self.journal.display()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is the aim.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
