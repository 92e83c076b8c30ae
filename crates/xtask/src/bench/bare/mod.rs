//! The bare loop: the least that any broker does with a byte that it stores twice and flushes, as a yardstick of CPU time.
//!
//! No protocol, no index, no locks: bytes go from sockets to files and from files to a socket, in pieces with a checksum each. It
//! runs as a process of its own, a release build of this program, so that its CPU time is its own; the other end of its sockets is
//! another. This module starts both and charges the loop; [`store`] and [`serve`] are the loop, [`ends`] the other end.
//!
//! Invariant: nothing of a broker is in here, so that no change to one moves the yardstick.

mod ends;
mod serve;
mod store;

use super::client::Fields;
use super::life::{Numbers, Sizes};
use super::metric::{CLIENT_CPU_GB, CPU_GB, CPU_GB_UNCHECKED, RATE};
use super::workload::{Work, Workload};
use crate::kernel::cpu_seconds;
use crate::process::{create, now, run_bounded, wait_until};
use crate::shell::root;
use anyhow::{Context, bail};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

/// The argument of `bench` that makes a process one of these.
pub const ARGUMENT: &str = "bare-loop";

/// Bytes that are read, written and answered at once.
const PIECE_BYTES: usize = 1 << 20;

/// Beyond the seconds that it was told; files are written before.
const END_LIMIT: Duration = Duration::from_secs(120);

/// The checksums of the stored pieces, in the order of the files.
const CHECKSUMS: &str = "checksums";

/// The loop's files and program.
pub struct BareLoop {
    program: PathBuf,
    folder: PathBuf,
    seconds: u64,
}

impl BareLoop {
    /// Empties the folder of its files.
    pub fn begin(program: &Path, sizes: Sizes) -> anyhow::Result<Self> {
        let folder = root().join(".cache/runs/bench/bare-loop");
        crate::installs::remove(&folder)?;
        std::fs::create_dir_all(&folder).context("cannot create a folder")?;
        let program = program.to_path_buf();
        let seconds = sizes.seconds;
        Ok(Self {
            program,
            folder,
            seconds,
        })
    }

    /// The same bytes a second and CPU time a byte that a broker is asked for.
    pub fn run(&self, workload: &Workload) -> anyhow::Result<Numbers> {
        match workload.work {
            Work::Produce { .. } => {
                // What the workload before has stored; consuming reads what the last has.
                crate::installs::remove(&self.data())?;
                std::fs::create_dir_all(self.data()).context("cannot create a folder")?;
                self.measure("store", "send")
            }
            Work::Consume { .. } => {
                let mut numbers = self.measure("serve", "discard")?;
                let unchecked = self.measure("serve-unchecked", "discard")?;
                let cpu = unchecked.into_iter().find(|(metric, _)| *metric == &CPU_GB);
                numbers.extend(cpu.map(|(_, value)| (&CPU_GB_UNCHECKED, value)));
                Ok(numbers)
            }
            _ => bail!("the bare loop only produces and consumes"),
        }
    }

    /// Frees the disk space.
    pub fn end(self) -> anyhow::Result<()> {
        crate::installs::remove(&self.folder)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The loop, and the other end of its sockets, until that has ended.
    fn measure(&self, role: &str, other_role: &str) -> anyhow::Result<Numbers> {
        let (mut process, port) = Process::start(self, role)?;
        let before = cpu_seconds(process.child.id())?;
        let mut other = self.command(other_role);
        other.arg(port.to_string());
        let log = self.folder.join(format!("{other_role}.log"));
        let done = run_bounded(&mut other, Duration::from_secs(self.seconds) + END_LIMIT, &log)?;
        if !done.succeeded() {
            bail!("{other_role} of the bare loop failed; see {}", log.display());
        }
        let fields = Fields::parse(&done.stdout);
        // Whatever it still has in memory is part of the work.
        process.line().context("the end of the bare loop")?;
        let cpu = cpu_seconds(process.child.id())? - before;
        process.end()?;
        let gigabytes = fields.get("bytes")? / 1e9;
        Ok(vec![
            (&RATE, fields.megabytes_per_second()?),
            (&CPU_GB, cpu / gigabytes),
            (&CLIENT_CPU_GB, fields.get("client_cpu_seconds")? / gigabytes),
        ])
    }

    fn command(&self, role: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["bench", ARGUMENT, role])
            .arg(self.data())
            .arg(self.seconds.to_string());
        command
    }
}

/// The loop's process: it says a line when it listens and one when it is done, and ends when its input does.
struct Process {
    child: Child,
    input: Option<ChildStdin>,
    lines: BufReader<ChildStdout>,
}

impl Process {
    fn start(of: &BareLoop, role: &str) -> anyhow::Result<(Self, u16)> {
        let log = of.folder.join(format!("{role}.log"));
        let mut child = of
            .command(role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(create(&log)?)
            .spawn()
            .context("cannot start the bare loop")?;
        let input = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut process = Self { child, input, lines };
        let line = process.line().with_context(|| format!("see {}", log.display()))?;
        let port = line.strip_prefix("port=").context("no port")?.parse()?;
        Ok((process, port))
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.lines.read_line(&mut line)? == 0 {
            bail!("the bare loop ended before its time");
        }
        Ok(line.trim_end().to_owned())
    }

    fn end(mut self) -> anyhow::Result<()> {
        drop(self.input.take());
        match wait_until(&mut self.child, now() + END_LIMIT)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => bail!("the bare loop ended with {status}"),
            None => bail!("the bare loop does not end"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is the aim.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Entry of the processes: role, folder, seconds, and a port where it connects.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let [role, folder, seconds, port @ ..] = args else {
        bail!("the bare loop is started by the bench alone");
    };
    let (folder, time) = (Path::new(folder), Duration::from_secs(seconds.parse()?));
    let port = || -> anyhow::Result<u16> { Ok(port.first().context("no port")?.parse()?) };
    match role.as_str() {
        "store" => looping(|| store::run(folder)),
        "serve" => looping(|| serve::run(folder, time, serve::Checks::All)),
        "serve-unchecked" => looping(|| serve::run(folder, time, serve::Checks::None)),
        "send" => ends::send(port()?, time),
        "discard" => ends::discard(port()?),
        other => bail!("the bare loop has no role \"{other}\""),
    }
}

/// Does the work, says that it is done, and stays until somebody has read the process's CPU time. It ends with its input, wherever it
/// is then: whoever started it is gone.
fn looping(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let input = thread::spawn(|| {
        // An error is an end, too.
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    work()?;
    println!("done");
    input.join().expect("it only waits")
}
