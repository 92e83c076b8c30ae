//! How long a start takes, and what a broker costs that has nothing to do. Facts only.

use super::findings::{Findings, mebibytes};
use super::tools::{create_topic, finish, program};
use super::{Plan, probe};
use crate::kernel::{cpu_seconds, memory_bytes, open_files};
use std::thread;
use std::time::Duration;

const TOPIC: &str = "start";
const PARTITIONS: u64 = 6;
const STARTS_QUICK: u64 = 3;
const STARTS_FULL: u64 = 9;
const BYTES_QUICK: u64 = 64 << 20;
const BYTES_FULL: u64 = 2 << 30;
const IDLE_SECONDS_QUICK: u64 = 2;
const IDLE_SECONDS_FULL: u64 = 30;
const SECONDS_MAX: &str = "900";

/// A rate at which every record finds the broker with nothing else to do.
const IDLE_RATE: &str = "20";

/// Runs the trial.
pub fn run(plan: &Plan, findings: &mut Findings) -> anyhow::Result<()> {
    let mut empty = Vec::new();
    for _ in 0..plan.usual(STARTS_QUICK, STARTS_FULL) {
        let site = plan.site("start")?;
        let (broker, took) = probe::start(&site)?;
        empty.push(took);
        broker.stop()?;
    }
    findings.fact("first answer on an empty directory", spread(&mut empty));

    let site = plan.site("start")?;
    let (broker, _) = probe::start(&site)?;
    let idle = plan.usual(IDLE_SECONDS_QUICK, IDLE_SECONDS_FULL);
    let before = cpu_seconds(broker.pid())?;
    thread::sleep(Duration::from_secs(idle));
    let used = cpu_seconds(broker.pid())? - before;
    findings.fact("CPU time while idle", format!("{used:.2} s in {idle} s"));
    findings.fact("memory while idle", mebibytes(memory_bytes(broker.pid())?));
    findings.fact("open files while idle", open_files(broker.pid())?);
    create_topic(&site, TOPIC, PARTITIONS)?;
    let seconds = idle.to_string();
    let arguments = ["latency", &site.bootstrap(), TOPIC, "100", IDLE_RATE, &seconds];
    let latency = finish(&site, "load", program("load", &arguments))?;
    findings.fact(
        &format!("acknowledged, at {IDLE_RATE} records a second"),
        format!(
            "p50 {} us, p99 {} us",
            latency.text("ack_p50_us")?,
            latency.text("ack_p99_us")?
        ),
    );

    let bytes = plan.bytes(BYTES_QUICK, BYTES_FULL).to_string();
    let arguments = [
        "produce",
        &site.bootstrap(),
        "start-data",
        "1024",
        "0",
        SECONDS_MAX,
        &bytes,
    ];
    create_topic(&site, "start-data", PARTITIONS)?;
    let produced = finish(&site, "sequence-produce", program("sequence", &arguments))?;
    findings.fact("data", mebibytes(produced.count("bytes")?));
    broker.kill()?;
    let (broker, killed) = probe::start(&site)?;
    findings.fact("first answer after kill -9", milliseconds(killed));
    broker.stop()?;
    let (broker, clean) = probe::start(&site)?;
    findings.fact("first answer after a clean end", milliseconds(clean));
    let arguments = ["read", &site.bootstrap(), "start-data", SECONDS_MAX];
    let read = finish(&site, "sequence-read", program("sequence", &arguments))?;
    findings.check(
        "all of it is there afterwards",
        read.count("records")? == produced.count("records")? && read.count("wrong")? == 0,
    );
    broker.stop()?;
    site.remove_data()
}

fn spread(times: &mut [Duration]) -> String {
    times.sort();
    let (least, most) = (times[0], times[times.len() - 1]);
    format!(
        "median {} of {} ({} to {})",
        milliseconds(times[times.len() / 2]),
        times.len(),
        milliseconds(least),
        milliseconds(most)
    )
}

fn milliseconds(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}
