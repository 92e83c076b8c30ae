//! What the kernel counts about a process and a machine: CPU time, memory, bytes written, open files, cores, load.

use crate::shell::output;
use anyhow::{Context, bail};
use std::process::Command;

/// Positions of utime and stime in `/proc/<pid>/stat`, counted after the command's closing parenthesis.
const UTIME: usize = 11;
const STIME: usize = 12;

/// User and system time that a process has used so far.
pub fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).context("the process is gone")?;
    // The command may hold spaces and parentheses; the fields after the last one may not.
    let (_, fields) = stat
        .rsplit_once(')')
        .context("a stat line has a command in parentheses")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let (Some(user), Some(system)) = (fields.get(UTIME), fields.get(STIME)) else {
        bail!("a stat line has utime and stime");
    };
    let ticks: f64 = user.parse::<f64>()? + system.parse::<f64>()?;
    Ok(ticks / ticks_per_second()?)
}

fn ticks_per_second() -> anyhow::Result<f64> {
    Ok(output(Command::new("getconf").arg("CLK_TCK"))?.trim().parse()?)
}

/// The most memory that a process has had resident.
pub fn memory_peak_megabytes(pid: u32) -> anyhow::Result<f64> {
    Ok(memory_kilobytes(pid, "VmHWM:")? as f64 * 1024.0 / 1e6)
}

/// The most memory that a process has had resident.
pub fn memory_peak_bytes(pid: u32) -> anyhow::Result<u64> {
    Ok(memory_kilobytes(pid, "VmHWM:")? * 1024)
}

/// The memory that a process has resident now.
pub fn memory_bytes(pid: u32) -> anyhow::Result<u64> {
    Ok(memory_kilobytes(pid, "VmRSS:")? * 1024)
}

fn memory_kilobytes(pid: u32, name: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.trim().strip_suffix(" kB"));
    let kilobytes = kilobytes.with_context(|| format!("a status file has {name} in kB"))?;
    Ok(kilobytes.trim().parse()?)
}

/// Bytes that a process has caused to be sent to disks so far, by its page cache too.
pub fn written_bytes(pid: u32) -> anyhow::Result<u64> {
    let io = std::fs::read_to_string(format!("/proc/{pid}/io")).context("the process is gone")?;
    let written = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(written
        .context("the kernel counts bytes written")?
        .trim()
        .parse()?)
}

/// Descriptors that a process has open: files, sockets, all.
pub fn open_files(pid: u32) -> anyhow::Result<usize> {
    let folder = std::fs::read_dir(format!("/proc/{pid}/fd")).context("the process is gone")?;
    Ok(folder.count())
}

/// The machine in one sentence.
pub fn machine() -> anyhow::Result<String> {
    let cores = std::thread::available_parallelism()?.get();
    let memory = field("/proc/meminfo", "MemTotal:").unwrap_or_else(|| "unknown memory".to_owned());
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown model".to_owned());
    let kernel = output(Command::new("uname").arg("-r"))?;
    let model = model.trim_start_matches([':', ' ', '\t']).to_owned();
    Ok(format!(
        "{cores} cores ({model}), {memory} of memory, Linux {}",
        kernel.trim()
    ))
}

/// Load averages now; a busy machine explains strange numbers.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{cpu_seconds, memory_peak_megabytes, written_bytes};

    #[test]
    fn this_process_has_used_some_of_both() {
        let pid = std::process::id();
        assert!(cpu_seconds(pid).expect("we run") >= 0.0);
        assert!(memory_peak_megabytes(pid).expect("we run") > 0.1);
        assert!(written_bytes(pid).is_ok());
    }
}
