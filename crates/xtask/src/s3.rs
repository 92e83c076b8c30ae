//! `cargo xtask s3`: the object store adapter and the whole broker on a server that speaks S3 (moto, `tests/s3/server.py`).
//!
//! First the adapter's own tests against the server. Then a broker whose objects lie in a bucket takes 50 MB, is killed with
//! `kill -9` while the last of it is in its write-ahead log only, starts again, and must give back every byte, most
//! of it by cold reads from the bucket. Last, the same backlog is read again and again through a memory cache that is much too
//! small for it (`s3/disk_cache.rs`): without and with a disk cache. What the bucket saw is counted in the server's own log.

mod disk_cache;

use crate::brokers::{Peer, Site};
use crate::http;
use crate::installs::{self, cache};
use crate::options::Options;
use crate::process::{Finished, create, now, run_bounded, wait_until};
use crate::shell::{cargo, root};
use anyhow::{Context, bail, ensure};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

const USAGE: &str = "usage: cargo xtask s3 [--port PORT] [--broker-port PORT] [--binary PATH]";

/// The buckets of the adapter's tests, and the broker's.
const BUCKETS: &[&str] = &["conformance", "careless", "broker"];
const PREFIX: &str = "one";
const TOPIC: &str = "cold";
const PARTITIONS: usize = 4;

/// Bytes of lines for each partition: 50 MB over all.
const PARTITION_BYTES: usize = 12_500_000;

/// Small, so that most of the load is uploaded while it comes in; what is left below it is in the write-ahead log alone.
const UPLOAD_BYTES: u64 = 4 << 20;

/// What a user would set for a bucket, and limits so small that uploads, merges and cold reads happen within seconds.
const SETTINGS: &[&str] = &[
    "--objects-kind=s3",
    "--objects-bucket=broker",
    "--objects-prefix=one",
    "--log-upload-bytes=4MiB",
    "--log-tail-cache-bytes=1MiB",
    "--log-block-cache-bytes=8MiB",
    "--log-housekeeping-interval=1s",
];

/// The server takes any.
const CREDENTIALS: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];

const SERVER_LIMIT: Duration = Duration::from_secs(60);
/// The tests build first; they run for seconds.
const TESTS_LIMIT: Duration = Duration::from_secs(900);
const TOOL_LIMIT: Duration = Duration::from_secs(60);
const UPLOAD_LIMIT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Entry of the task.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let mut options = Options::new(args);
    let port = options.parsed("--port", 0)?;
    let broker_port = options.parsed("--broker-port", 0)?;
    let binary = options.path("--binary")?;
    options.finish(USAGE)?;

    installs::s3_server()?;
    let folder = root().join(".cache/runs/s3");
    let site = Site::prepare(
        Peer::Millstream,
        &folder.join("broker"),
        (broker_port != 0).then_some(broker_port),
        binary,
    )?;
    let server = Server::start(&folder, port)?;
    println!(
        "a server that speaks S3 on {}, logs in {}",
        server.endpoint(),
        folder.display()
    );
    adapter_tests(&server, &folder)?;
    let mut settings: Vec<String> = SETTINGS.iter().map(ToString::to_string).collect();
    settings.push(format!("--objects-endpoint={}", server.endpoint()));
    let site = site.with(settings, CREDENTIALS);
    broker_on_a_bucket(&site, &server)?;
    disk_cache::run(site, &server)?;
    println!("s3: passed");
    Ok(())
}

/// The adapter's tests. A filter that matches nothing is a success for cargo, so that the tests are counted.
fn adapter_tests(server: &Server, folder: &Path) -> anyhow::Result<()> {
    let mut command = cargo();
    command
        .args([
            "test",
            "-p",
            "millstream-log",
            "--features",
            "s3-server-tests",
            "--lib",
        ])
        .arg("objects::remote::s3_tests")
        .env("MILLSTREAM_TEST_S3", server.endpoint());
    let done = run_bounded(&mut command, TESTS_LIMIT, &folder.join("tests.log"))?;
    let verdict = done.stdout.lines().find(|line| line.starts_with("test result:"));
    let verdict = verdict.unwrap_or("no test was run");
    println!("adapter: {verdict}");
    if !done.succeeded() || verdict.contains(" 0 passed") || !verdict.contains(" passed") {
        bail!("the adapter failed; see {}:\n{}", folder.display(), done.stdout);
    }
    Ok(())
}

fn broker_on_a_bucket(site: &Site, server: &Server) -> anyhow::Result<()> {
    let broker = site.start()?;
    tool(
        site,
        &["topic", "create", TOPIC, "--partitions", &PARTITIONS.to_string()],
    )?;
    let began = now();
    for partition in 0..PARTITIONS {
        let path = input(site, partition);
        std::fs::write(&path, lines(partition))
            .with_context(|| format!("cannot write {}", path.display()))?;
        let path = path.to_str().context("the path of the workspace is not UTF-8")?;
        tool(
            site,
            &["produce", TOPIC, path, "--partition", &partition.to_string()],
        )?;
    }
    println!(
        "produced: {} bytes of lines in {:.1} s",
        PARTITIONS * PARTITION_BYTES,
        seconds(began)
    );
    let left = wait_for_uploads(site)?;
    broker.kill()?;
    let (puts, _) = server.requests()?;
    println!("uploaded: {puts} puts into the bucket; kill -9 with {left} bytes in the write-ahead log alone");
    ensure!(puts > 1, "nothing was uploaded; see {}", site.log().display());
    ensure!(
        !site.folder().join("data/objects").exists(),
        "objects were kept on the disk, too"
    );

    let began = now();
    let broker = site.start()?;
    println!("restarted in {:.1} s", seconds(began));
    let (_, gets_before) = server.requests()?;
    let began = now();
    for partition in 0..PARTITIONS {
        compare(site, partition)?;
    }
    let (_, gets) = server.requests()?;
    let gets = gets - gets_before;
    println!(
        "consumed: every byte, {gets} cold reads from the bucket, in {:.1} s",
        seconds(began)
    );
    ensure!(gets > 0, "nothing was read from the bucket");
    broker.stop()
}

/// Reads a partition from its beginning to its end and compares every byte.
fn compare(site: &Site, partition: usize) -> anyhow::Result<()> {
    let number = partition.to_string();
    let read = tool(
        site,
        &[
            "consume",
            TOPIC,
            "--partition",
            &number,
            "--from",
            "beginning",
            "--until-end",
        ],
    )?;
    let wanted = lines(partition);
    ensure!(
        read.stdout == wanted,
        "partition {partition}: {} bytes were produced, {} came back, the first difference is at {:?}",
        wanted.len(),
        read.stdout.len(),
        wanted
            .bytes()
            .zip(read.stdout.bytes())
            .position(|(one, other)| one != other)
    );
    Ok(())
}

/// Waits until what is not uploaded is less than an upload; gives back how much that is.
fn wait_for_uploads(site: &Site) -> anyhow::Result<u64> {
    let deadline = now() + UPLOAD_LIMIT;
    loop {
        let left = metric(site, "millstream_unuploaded_bytes")?;
        if left < UPLOAD_BYTES {
            return Ok(left);
        }
        if now() > deadline {
            bail!(
                "{left} bytes are not uploaded after {UPLOAD_LIMIT:?}; see {}",
                site.log().display()
            );
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// One number of the broker's `/metrics`.
fn metric(site: &Site, name: &str) -> anyhow::Result<u64> {
    let value = http::metric(site.admin_address(), name)?;
    value.with_context(|| format!("the broker shows no metric {name}"))
}

/// Runs the broker's own command line tool to its end.
fn tool(site: &Site, args: &[&str]) -> anyhow::Result<Finished> {
    let log = site.folder().join("tool.log");
    let mut command = Command::new(site.binary());
    command.args(args).args(["--bootstrap", &site.bootstrap()]);
    let done = run_bounded(&mut command, TOOL_LIMIT, &log)?;
    if !done.succeeded() {
        let said = std::fs::read_to_string(&log).unwrap_or_default();
        bail!(
            "`millstream {}` ended with {:?}: {said}",
            args.join(" "),
            done.status
        );
    }
    Ok(done)
}

fn input(site: &Site, partition: usize) -> PathBuf {
    site.folder().join(format!("lines-{partition}"))
}

/// The lines of a partition: each numbered, of many lengths, so that a lost, doubled or swapped one is seen.
fn lines(partition: usize) -> String {
    let mut text = String::with_capacity(PARTITION_BYTES + 2048);
    let mut number = 0usize;
    while text.len() < PARTITION_BYTES {
        let filler = number.wrapping_mul(2_654_435_761).wrapping_add(partition) % 1900;
        writeln!(text, "{partition}/{number:08} {filler:->filler$}").expect("a String takes every write");
        number += 1;
    }
    text
}

fn seconds(began: std::time::Instant) -> f64 {
    (now() - began).as_secs_f64()
}

/// The server. Killed when dropped.
struct Server {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl Server {
    /// Starts it, on a free port for 0, and waits until its buckets are there.
    fn start(folder: &Path, port: u16) -> anyhow::Result<Self> {
        let (log, said) = (folder.join("server.log"), folder.join("server.out"));
        let child = Command::new(installs::s3_python())
            .arg(root().join("tests/s3/server.py"))
            .arg(port.to_string())
            .args(BUCKETS)
            .current_dir(cache())
            .stdin(Stdio::null())
            .stdout(create(&said)?)
            .stderr(create(&log)?)
            .spawn()
            .context("cannot start the server that speaks S3")?;
        let mut server = Self { child, port, log };
        let deadline = now() + SERVER_LIMIT;
        loop {
            let text = std::fs::read_to_string(&said)?;
            if let Some(port) = text
                .strip_prefix("ready ")
                .and_then(|rest| rest.strip_suffix('\n'))
            {
                server.port = port.parse().context("the server's port")?;
                return Ok(server);
            }
            if wait_until(&mut server.child, now() + POLL_INTERVAL)?.is_some() || now() > deadline {
                bail!(
                    "the server that speaks S3 did not start; see {}",
                    server.log.display()
                );
            }
        }
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Puts and reads of the broker's data so far that succeeded, as the server's log counts them.
    fn requests(&self) -> anyhow::Result<(usize, usize)> {
        let text = std::fs::read_to_string(&self.log).context("cannot read the server's log")?;
        let count = |method: &str, status: &str| {
            let wanted = format!("{method} /broker/{PREFIX}/data/");
            let ending = format!(" {status} -");
            text.lines()
                .filter(|line| line.contains(&wanted) && line.ends_with(&ending))
                .count()
        };
        Ok((count("PUT", "200"), count("GET", "206")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is the aim.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_hold_different_numbered_lines() {
        let (one, other) = (lines(0), lines(1));
        assert!(one.len() >= PARTITION_BYTES && one.ends_with('\n'));
        assert!(one.starts_with("0/00000000 ") && other.starts_with("1/00000000 "));
        assert!(one != other);
    }
}
