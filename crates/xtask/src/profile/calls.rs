//! How often the broker calls the kernel: counted by the kernel itself (`perf stat`), or by strace where that may not be read.

use super::{Bench, number, perf};
use crate::http;
use crate::installs::has;
use crate::process::{create, now, signal, wait_until};
use anyhow::{Context, bail};
use std::fmt::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

/// The calls that are told apart. Not all that the kernel has: each costs a descriptor a thread.
const CALLS: &[&str] = &[
    "read",
    "readv",
    "recvfrom",
    "recvmsg",
    "pread64",
    "preadv",
    "preadv2",
    "write",
    "writev",
    "sendto",
    "sendmsg",
    "sendfile64",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "fallocate",
    "ftruncate",
    "linkat",
    "epoll_wait",
    "epoll_pwait",
    "epoll_ctl",
    "futex",
    "sched_yield",
    "nanosleep",
    "clock_nanosleep",
    "mmap",
    "munmap",
    "madvise",
    "mremap",
    "brk",
    "openat",
    "close",
    "rename",
    "unlink",
    "io_uring_enter",
];
const ALL: &str = "all";

const ATTACH: Duration = Duration::from_millis(500);
const DETACH_LIMIT: Duration = Duration::from_secs(30);

/// What was counted, with the client's bytes and the broker's requests of the same time.
struct Counted {
    by: &'static str,
    calls: Vec<(String, u64)>,
    bytes: f64,
}

/// Calls a request and a MB, as a table.
pub fn table(bench: &Bench) -> anyhow::Result<String> {
    let before = requests(bench)?;
    let counted = if perf::can_count() {
        by_perf(bench)?
    } else if has("strace") {
        by_strace(bench)?
    } else {
        return Ok("System calls were not counted: neither perf nor strace may.\n".to_owned());
    };
    let requests = requests(bench)? - before;
    let megabytes = counted.bytes / 1e6;
    let mut text = format!(
        "System calls, by {}: {requests} {} requests, {:.0} KB each.\n\n\
         | system call | a request | a MB |\n|---|---|---|\n",
        counted.by,
        bench.load.api(),
        counted.bytes / 1e3 / requests.max(1) as f64
    );
    let mut calls = counted.calls;
    calls.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    for (name, count) in calls.iter().filter(|(_, count)| *count > 0) {
        let (each, a_megabyte) = (*count as f64 / requests.max(1) as f64, *count as f64 / megabytes);
        if name == ALL || a_megabyte >= 0.005 {
            writeln!(text, "| {name} | {each:.3} | {a_megabyte:.2} |")?;
        }
    }
    Ok(text)
}

/// Requests of the load's API that the broker has answered.
fn requests(bench: &Bench) -> anyhow::Result<u64> {
    let name = format!("millstream_request_seconds_count{{api=\"{}\"}}", bench.load.api());
    // An API that nobody has called is not shown.
    Ok(http::metric(bench.site.admin_address(), &name)?.unwrap_or(0))
}

fn by_perf(bench: &Bench) -> anyhow::Result<Counted> {
    let file = bench.site.folder().join("calls.csv");
    let known = |call: &&&str| {
        let event = format!("/sys/kernel/tracing/events/syscalls/sys_enter_{call}");
        std::path::Path::new(&event).exists()
    };
    let mut events = vec!["raw_syscalls:sys_enter".to_owned()];
    events.extend(
        CALLS
            .iter()
            .filter(known)
            .map(|call| format!("syscalls:sys_enter_{call}")),
    );
    let mut stat = Command::new("perf");
    stat.args(["stat", "-x", ",", "-e", &events.join(","), "-o"])
        .arg(&file)
        .args(["-p", &bench.broker.pid().to_string()]);
    let fields = bench.client_under(&mut stat).context("perf stat")?;
    let text = std::fs::read_to_string(&file).context("perf stat has written nothing")?;
    let calls = text.lines().filter_map(perf_line).collect();
    Ok(Counted {
        by: "perf stat",
        calls,
        bytes: number(&fields, "bytes")?,
    })
}

/// `1234,,syscalls:sys_enter_read,...`.
fn perf_line(line: &str) -> Option<(String, u64)> {
    let mut columns = line.split(',');
    let count = columns.next()?.parse().ok()?;
    let event = columns.nth(1)?;
    let name = match event {
        "raw_syscalls:sys_enter" => ALL,
        event => event.strip_prefix("syscalls:sys_enter_")?,
    };
    Some((name.to_owned(), count))
}

fn by_strace(bench: &Bench) -> anyhow::Result<Counted> {
    let file = bench.site.folder().join("calls.txt");
    let mut strace = Command::new("strace")
        .args(["-c", "-f", "-q", "-o"])
        .arg(&file)
        .args(["-p", &bench.broker.pid().to_string()])
        .stdin(Stdio::null())
        .stderr(create(&bench.site.folder().join("strace.log"))?)
        .spawn()
        .context("cannot start strace")?;
    // It says nowhere that it is attached.
    std::thread::sleep(ATTACH);
    let fields = bench.finish(&mut bench.client());
    signal(strace.id(), "TERM");
    if wait_until(&mut strace, now() + DETACH_LIMIT)?.is_none() {
        strace.kill()?;
        strace.wait()?;
        bail!("strace does not let go of the broker");
    }
    let text = std::fs::read_to_string(&file).context("strace has written nothing")?;
    Ok(Counted {
        by: "strace, which slows the broker down",
        calls: text.lines().filter_map(strace_line).collect(),
        bytes: number(&fields?, "bytes")?,
    })
}

/// `% time, seconds, usecs/call, calls, [errors,] name`; the last line says total.
fn strace_line(line: &str) -> Option<(String, u64)> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let (name, count) = (*columns.last()?, columns.get(3)?.parse().ok()?);
    let name = if name == "total" { ALL } else { name };
    Some((name.to_owned(), count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_counters_are_read() {
        let read = |name: &str, count| Some((name.to_owned(), count));
        assert_eq!(
            perf_line("12,,syscalls:sys_enter_read,82,100.00,,"),
            read("read", 12)
        );
        assert_eq!(perf_line("30,,raw_syscalls:sys_enter,82,100.00,,"), read(ALL, 30));
        assert_eq!(perf_line("# started on Sun"), None);
        assert_eq!(
            strace_line(" 77.52    0.012       9      1386       139 futex"),
            read("futex", 1386)
        );
        assert_eq!(
            strace_line("100.00    0.015       7      2000       139 total"),
            read(ALL, 2000)
        );
        assert_eq!(
            strace_line("% time     seconds  usecs/call     calls    errors syscall"),
            None
        );
    }
}
