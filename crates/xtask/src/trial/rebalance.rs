//! A group that members join and leave every second: how long do those pause that stay? The new protocol (KIP-848) beside the
//! classic one, in the same run, with the stock Java client.

use super::findings::Findings;
use super::tools::{Fields, finish};
use super::{Plan, probe};
use crate::brokers::Site;
use crate::installs::{java_classes, kafka_classpath};
use std::process::Command;

const MEMBERS_QUICK: u64 = 5;
const MEMBERS_FULL: u64 = 20;
const PARTITIONS_QUICK: u64 = 50;
const PARTITIONS_FULL: u64 = 200;
const SECONDS_QUICK: u64 = 5;
const SECONDS_FULL: u64 = 60;

/// So that a guest is noticed while it is there: by default members of the new protocol are heard every five seconds. The classic
/// members of the same run use the same interval.
const SETTINGS: &[(&str, &str)] = &[
    ("MILLSTREAM_BROKER_GROUP_CONSUMER_HEARTBEAT_INTERVAL_MS", "500"),
    (
        "MILLSTREAM_BROKER_GROUP_CONSUMER_MIN_HEARTBEAT_INTERVAL_MS",
        "500",
    ),
];

/// The same for Apache Kafka.
const PROPERTIES: &str =
    "group.consumer.heartbeat.interval.ms=500\ngroup.consumer.min.heartbeat.interval.ms=500\n";

/// Runs the trial.
pub fn run(plan: &Plan, findings: &mut Findings) -> anyhow::Result<()> {
    let site = plan.site("rebalance")?.with(Vec::new(), SETTINGS);
    site.append_properties(PROPERTIES)?;
    let (broker, _) = probe::start(&site)?;
    let members = plan.count(MEMBERS_QUICK, MEMBERS_FULL);
    let partitions = plan.usual(PARTITIONS_QUICK, PARTITIONS_FULL);
    let seconds = plan.usual(SECONDS_QUICK, SECONDS_FULL);
    findings.fact(
        "group",
        format!("{members} members on {partitions} partitions; a guest comes every second for {seconds} s, and goes again"),
    );
    let new = group(&site, "consumer", [members, partitions, seconds])?;
    let classic = group(&site, "classic", [members, partitions, seconds])?;
    for (name, fields) in [("new protocol (KIP-848)", &new), ("classic protocol", &classic)] {
        findings.fact(
            &format!("{name}: longest pause of a member that stays"),
            format!("{} ms", fields.text("longest_pause_ms")?),
        );
        findings.fact(
            &format!("{name}: longest of those in which the member neither lost nor got a partition"),
            format!("{} ms", fields.text("longest_unchanged_ms")?),
        );
        findings.fact(
            &format!("{name}: partitions taken from members that stay, guests"),
            format!("{}, {}", fields.text("revoked")?, fields.text("guests")?),
        );
    }
    findings.check(
        "members that stay read on under both protocols, and guests came",
        [&new, &classic].iter().all(|fields| {
            let some = |name| fields.count(name).is_ok_and(|count| count > 0);
            some("records") && some("guests")
        }),
    );
    findings.check(
        "fewer partitions are taken from those that stay than under the classic protocol",
        new.count("revoked")? < classic.count("revoked")?,
    );
    broker.stop()?;
    site.remove_data()
}

fn group(site: &Site, protocol: &str, sizes: [u64; 3]) -> anyhow::Result<Fields> {
    let mut command = Command::new("java");
    command
        .args([
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
        ])
        .arg("-cp")
        .arg(format!("{}:{}", java_classes().display(), kafka_classpath()))
        .args(["RebalanceTrial", &site.bootstrap(), protocol])
        .args(sizes.map(|size| size.to_string()));
    finish(site, &format!("rebalance-{protocol}"), command)
}
