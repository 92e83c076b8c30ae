//! Brokers as child processes: Millstream, or a real Apache Kafka to compare it with.
//!
//! A started broker is killed when its value is dropped, so that a failed task leaves nothing running.

mod kafka;
mod millstream;

pub use millstream::release_binary;

use crate::process::{create, now, signal, wait_until};
use anyhow::{Context, bail};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// Kafka on a cold disk cache takes about 6 s.
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const CONNECT_LIMIT: Duration = Duration::from_millis(200);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Which broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The binary of this workspace.
    Millstream,
    /// Apache Kafka with its defaults: it answers before the data is on disk.
    Kafka,
    /// Apache Kafka that flushes every batch before it answers, as Millstream does.
    KafkaFlushing,
}

impl Peer {
    /// The peer that a user named.
    pub fn parse(name: &str) -> anyhow::Result<Self> {
        match name {
            "millstream" => Ok(Self::Millstream),
            "kafka" => Ok(Self::Kafka),
            "kafka-flush" => Ok(Self::KafkaFlushing),
            other => bail!("no peer \"{other}\"; there are millstream, kafka and kafka-flush"),
        }
    }

    /// Its name in tables and paths.
    pub fn name(self) -> &'static str {
        match self {
            Self::Millstream => "millstream",
            Self::Kafka => "kafka",
            Self::KafkaFlushing => "kafka-flush",
        }
    }
}

/// Where a broker lives: stays the same over its restarts.
pub struct Site {
    peer: Peer,
    /// The program of Millstream; unused for Kafka.
    binary: PathBuf,
    folder: PathBuf,
    kafka_port: u16,
    other_port: u16,
    /// Settings of Millstream that differ from the defaults: flag and value.
    settings: Vec<(String, String)>,
    /// A program, with its arguments, that starts the broker as its own last arguments say: `nsenter ...`.
    launcher: Vec<String>,
    /// Flags and variables beyond the defaults; Millstream only.
    arguments: Vec<String>,
    environment: &'static [(&'static str, &'static str)],
}

impl Site {
    /// A fresh site in `folder` (emptied first), on free ports of 127.0.0.1 or on `port` and the one above it.
    pub fn prepare(
        peer: Peer,
        folder: &Path,
        port: Option<u16>,
        binary: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        if folder.exists() {
            std::fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let [kafka_port, other_port] = match port {
            Some(port) => [port, port + 1],
            None => free_ports()?,
        };
        let binary = match (peer, binary) {
            (_, Some(path)) => path,
            (Peer::Millstream, None) => millstream::newest_binary()?,
            (_, None) => PathBuf::new(),
        };
        let site = Self {
            peer,
            binary,
            folder: folder.to_path_buf(),
            kafka_port,
            other_port,
            settings: Vec::new(),
            launcher: Vec::new(),
            arguments: Vec::new(),
            environment: &[],
        };
        if peer != Peer::Millstream {
            kafka::format(&site)?;
        }
        Ok(site)
    }

    /// The same site with more flags and variables for Millstream.
    pub fn with(
        mut self,
        arguments: Vec<String>,
        environment: &'static [(&'static str, &'static str)],
    ) -> Self {
        self.arguments = arguments;
        self.environment = environment;
        self
    }

    /// The program of Millstream.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// What clients connect to.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.kafka_port)
    }

    /// Changes a setting of Millstream from its default, by its flag's name without the dashes. Kafka has its own.
    pub fn set(&mut self, flag: &str, value: &str) {
        self.settings.push((format!("--{flag}"), value.to_owned()));
    }

    /// Adds lines to Kafka's `server.properties`, before its first start. Millstream has flags instead.
    pub fn append_properties(&self, lines: &str) -> anyhow::Result<()> {
        match self.peer {
            Peer::Millstream => Ok(()),
            Peer::Kafka | Peer::KafkaFlushing => kafka::append(self, lines),
        }
    }

    /// Starts the broker through another program that replaces itself by it.
    pub fn launch_by(&mut self, launcher: Vec<String>) {
        self.launcher = launcher;
    }

    /// Which broker it is.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Where clients connect, as an address.
    pub fn kafka_address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.kafka_port))
    }

    /// Where Millstream's admin side listens.
    pub fn admin_address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.other_port))
    }

    /// Its folder, with its data and its log; a place for other files of the run.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Everything that the broker wrote to its terminal, over all its starts.
    pub fn log(&self) -> PathBuf {
        self.folder.join("broker.log")
    }

    /// Starts the broker and waits until it accepts connections.
    pub fn start(&self) -> anyhow::Result<Broker> {
        let mut command = match self.peer {
            Peer::Millstream => millstream::command(self),
            Peer::Kafka | Peer::KafkaFlushing => kafka::command(self),
        };
        if let Some((program, arguments)) = self.launcher.split_first() {
            let mut launched = Command::new(program);
            launched
                .args(arguments)
                .arg(command.get_program())
                .args(command.get_args());
            command = launched;
        }
        let log = self.open_log()?;
        let shown = format!("{command:?}");
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("cannot share the log")?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {shown}"))?;
        let mut broker = Broker { child };
        let address = self.kafka_address();
        let deadline = now() + START_LIMIT;
        while TcpStream::connect_timeout(&address, CONNECT_LIMIT).is_err() {
            if let Some(status) = broker.child.try_wait().context("cannot wait for the broker")? {
                bail!(
                    "the broker ended at once with {status}; see {}",
                    self.log().display()
                );
            }
            if now() > deadline {
                bail!(
                    "the broker does not listen on {address} after {START_LIMIT:?}; see {}",
                    self.log().display()
                );
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(broker)
    }

    /// Frees the disk space; the logs stay.
    pub fn remove_data(&self) -> anyhow::Result<()> {
        let data = self.data();
        if data.exists() {
            std::fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))?;
        }
        Ok(())
    }

    fn open_log(&self) -> anyhow::Result<std::fs::File> {
        let path = self.log();
        if !path.exists() {
            create(&path)?;
        }
        std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))
    }

    /// The broker's data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }
}

/// A running broker.
pub struct Broker {
    child: Child,
}

impl Broker {
    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end and waits; kills it when it does not.
    pub fn stop(mut self) -> anyhow::Result<()> {
        signal(self.pid(), "TERM");
        if wait_until(&mut self.child, now() + STOP_LIMIT)?.is_none() {
            bail!("the broker did not end within {STOP_LIMIT:?} of SIGTERM and was killed");
        }
        Ok(())
    }

    /// SIGKILL: what a crash of the process looks like.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().context("cannot kill the broker")?;
        self.child.wait().context("cannot reap the broker")?;
        Ok(())
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is the aim.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a short-lived program that belongs to a broker; what it says goes into an error.
fn run_quietly(command: &mut Command) -> anyhow::Result<()> {
    crate::shell::output(command.stdin(Stdio::null())).map(drop)
}

/// Ports that nobody listens on now, each another one.
pub fn free_ports<const COUNT: usize>() -> anyhow::Result<[u16; COUNT]> {
    let mut ports = [0; COUNT];
    let mut held = Vec::with_capacity(COUNT);
    for port in &mut ports {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}
