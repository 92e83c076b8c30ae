//! The broker's stacks under a load, by `perf record`, folded to one line a stack.

use super::Bench;
use crate::installs::{has, need};
use anyhow::{Context, bail};
use inferno::collapse::Collapse;
use inferno::collapse::perf::{Folder, Options};
use std::io::BufReader;
use std::process::{Command, Stdio};

/// Samples a second of each thread that runs; a prime, so that nothing periodic is met each time.
const SAMPLES_PER_SECOND: &str = "199";

/// How stacks are taken: by DWARF, because a release build keeps no frame pointers. The bytes of stack kept with each sample are
/// what a task of ours needs; fewer cut its outermost frames off.
const CALL_GRAPH: &str = "dwarf,32768";

/// One line a stack: frames from the outermost, separated by `;`, a space, and how often it was met. Kernel frames end in `_[k]`.
pub fn folded_stacks(bench: &Bench) -> anyhow::Result<String> {
    need(&["perf"], "linux-perf")?;
    let data = bench.site.folder().join("perf.data");
    let mut record = Command::new("perf");
    record
        .args(["record", "-q", "-e", "cpu-clock", "-F", SAMPLES_PER_SECOND])
        .args(["--call-graph", CALL_GRAPH, "-o"])
        .arg(&data)
        .args(["-p", &bench.broker.pid().to_string()]);
    bench.client_under(&mut record).context("perf record")?;
    println!("    folding the stacks");
    let mut script = Command::new("perf")
        .args([
            "script",
            "--no-inline",
            "-F",
            "comm,pid,tid,time,event,ip,sym,dso",
            "-i",
        ])
        .arg(&data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start perf script")?;
    let pipe = script.stdout.take().expect("stdout is piped");
    let mut options = Options::default();
    options.annotate_kernel = true;
    let mut folded = Vec::new();
    Folder::from(options)
        .collapse(BufReader::new(pipe), &mut folded)
        .context("cannot fold what perf script says")?;
    if !script.wait()?.success() {
        bail!("perf script failed");
    }
    std::fs::remove_file(&data).context("cannot remove perf's data")?;
    String::from_utf8(folded).context("perf script printed bytes that are not UTF-8")
}

/// Whether the kernel's own counters can be read.
pub fn can_count() -> bool {
    if !has("perf") {
        return false;
    }
    let mut trial = Command::new("perf");
    trial
        .args(["stat", "-e", "raw_syscalls:sys_enter", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    trial.status().is_ok_and(|status| status.success())
}
