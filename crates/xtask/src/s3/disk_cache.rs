//! A backlog in a bucket, read again and again through a memory cache that holds a twelfth of it: without a disk cache every reading
//! asks the bucket, with one only the first does, also after `kill -9`, and damage to the cache's files costs reads, never a byte.
//!
//! Counts the bucket's GETs; the broker's CPU time is only printed.

use super::{CREDENTIALS, PARTITIONS, POLL_INTERVAL, PREFIX, Server, TOOL_LIMIT, compare, metric};
use crate::brokers::{Broker, Site};
use crate::kernel::cpu_seconds;
use crate::process::now;
use anyhow::{Context, ensure};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

/// Nothing is rewritten meanwhile, so that every GET is a reader's.
const SETTINGS: &[&str] = &[
    "--objects-kind=s3",
    "--objects-bucket=broker",
    "--log-upload-bytes=4MiB",
    "--log-tail-cache-bytes=1MiB",
    "--log-block-cache-bytes=4MiB",
    "--log-housekeeping-interval=1d",
];

/// More than twice the backlog.
const CACHE_SIZE: &str = "--cache-disk-bytes=128MiB";

/// Readings after which all of the backlog is in the disk cache.
const READINGS_MAX: usize = 5;

/// How long the server's log must stay as it is to be taken for complete.
const QUIET: Duration = Duration::from_millis(500);

/// Where, and in what steps, cache files are damaged, and how much each time.
const DAMAGE_FROM: u64 = 1 << 20;
const DAMAGE_STEP: u64 = 4 << 20;
const DAMAGE_BYTES: usize = 64 << 10;

/// One reading of the whole backlog.
struct Pass {
    gets: usize,
    cpu_seconds: f64,
}

/// Takes over the site whose backlog lies in the bucket.
pub fn run(site: Site, server: &Server) -> anyhow::Result<()> {
    let mut settings: Vec<String> = SETTINGS.iter().map(ToString::to_string).collect();
    settings.push(format!("--objects-prefix={PREFIX}"));
    settings.push(format!("--objects-endpoint={}", server.endpoint()));
    let site = site.with(settings.clone(), CREDENTIALS);
    let broker = site.start()?;
    let plain = [read(&site, server, &broker)?, read(&site, server, &broker)?];
    broker.stop()?;
    say("without a disk cache", &plain);
    ensure!(
        plain[1].gets > 0,
        "the memory held the whole backlog, so that nothing would be shown"
    );

    let folder = site.folder().join("cache");
    settings.push(format!("--cache-disk-path={}", folder.display()));
    settings.push(CACHE_SIZE.to_owned());
    let site = site.with(settings, CREDENTIALS);
    let broker = site.start()?;
    let mut cached = vec![read(&site, server, &broker)?];
    // A reader faster than the disk is not made to wait: what was not taken the first time is the next time.
    while cached.len() < READINGS_MAX && cached.last().is_some_and(|pass| pass.gets > 0) {
        cached.push(read(&site, server, &broker)?);
    }
    say("with one", &cached);
    let gets = cached.last().map_or(0, |pass| pass.gets);
    ensure!(
        gets == 0,
        "reading number {} still asked the bucket {gets} times",
        cached.len()
    );
    let (hits, errors) = (count(&site, "hits_total")?, count(&site, "errors_total")?);
    ensure!(
        hits > 0 && errors == 0,
        "{hits} hits, {errors} errors of the disk cache"
    );
    let bytes = count(&site, "bytes")?;
    broker.kill()?;

    let broker = restart(&site, bytes)?;
    let again = read(&site, server, &broker)?;
    ensure!(
        again.gets == 0,
        "after kill -9 the bucket was asked {} times",
        again.gets
    );
    say("after kill -9", &[again]);
    broker.stop()?;

    damage(&folder)?;
    let broker = restart(&site, bytes)?;
    let damaged = read(&site, server, &broker)?;
    let noticed = count(&site, "damaged_total")?;
    ensure!(
        noticed > 0 && damaged.gets > 0,
        "{noticed} damaged pieces were noticed, {} reads from the bucket",
        damaged.gets
    );
    say("with damaged files", &[damaged]);
    broker.stop()
}

/// Starts the broker, and waits until it has found its cache: no start waits for that.
fn restart(site: &Site, bytes: u64) -> anyhow::Result<Broker> {
    let broker = site.start()?;
    let deadline = now() + TOOL_LIMIT;
    // Before the log is open there are no such numbers at all.
    while count(site, "bytes").unwrap_or(0) < bytes {
        ensure!(
            now() < deadline,
            "the disk cache was not found again; see {}",
            site.log().display()
        );
        thread::sleep(POLL_INTERVAL);
    }
    Ok(broker)
}

/// Reads every partition and compares every byte.
fn read(site: &Site, server: &Server, broker: &Broker) -> anyhow::Result<Pass> {
    let (gets, cpu) = (gets_when_quiet(server)?, cpu_seconds(broker.pid())?);
    for partition in 0..PARTITIONS {
        compare(site, partition)?;
    }
    Ok(Pass {
        gets: gets_when_quiet(server)? - gets,
        cpu_seconds: cpu_seconds(broker.pid())? - cpu,
    })
}

/// The server notes a request after its answer, so that the last ones may still be missing.
fn gets_when_quiet(server: &Server) -> anyhow::Result<usize> {
    let deadline = now() + TOOL_LIMIT;
    let (_, mut seen) = server.requests()?;
    let mut since = now();
    while now() - since < QUIET {
        ensure!(now() < deadline, "the bucket is read without end");
        thread::sleep(POLL_INTERVAL);
        let (_, gets) = server.requests()?;
        if gets != seen {
            (seen, since) = (gets, now());
        }
    }
    Ok(seen)
}

fn count(site: &Site, name: &str) -> anyhow::Result<u64> {
    metric(site, &format!("millstream_block_cache_disk_{name}"))
}

/// Overwrites some stretches of every cache file.
fn damage(folder: &Path) -> anyhow::Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry.context("cannot list the cache's files")?.path();
        let file = std::fs::OpenOptions::new().write(true).open(&path);
        let file = file.with_context(|| format!("cannot open {}", path.display()))?;
        let len = file.metadata().context("a cache file's length")?.len();
        let mut at = DAMAGE_FROM;
        while at + (DAMAGE_BYTES as u64) < len {
            file.write_all_at(&[0x5a; DAMAGE_BYTES], at)
                .context("cannot damage a cache file")?;
            at += DAMAGE_STEP;
        }
    }
    Ok(())
}

fn say(when: &str, passes: &[Pass]) {
    let shown = |pass: &Pass| {
        format!(
            "{} GETs and {:.2} CPU-seconds of the broker",
            pass.gets, pass.cpu_seconds
        )
    };
    let passes: Vec<String> = passes.iter().map(shown).collect();
    println!("read {when}: {}", passes.join(", then "));
}
