//! Attacks over TCP, one after the other, while stock clients go on: every record of theirs arrives, memory stays bounded, the
//! broker lives and its admin side answers.

use super::findings::{Findings, mebibytes};
use super::tools::{Background, Fields, create_topic, finish, program};
use super::{Plan, budget, must_live, probe};
use crate::brokers::{Broker, Peer, Site};
use crate::kernel::{memory_bytes, memory_peak_bytes};

const TOPIC: &str = "calm";
const PARTITIONS: u64 = 3;
const RECORD_BYTES: &str = "1000";
/// Enough that batches are larger than what a connection may send without a share of the request memory.
const RATE: &str = "5000";
const SECONDS_MAX: &str = "900";

const IDLE_QUICK: u64 = 2_000;
const IDLE_FULL: u64 = 10_000;

/// What one idle connection may cost.
const IDLE_BYTES_MAX: u64 = 40 << 10;

/// One attack: its name on the command line of `hostile`, how much of it, and what a line of the page says of it.
struct Attack {
    name: &'static str,
    quick: u64,
    full: u64,
    promise: &'static str,
    /// What of its report is a fact for the page.
    facts: &'static [&'static str],
}

const ATTACKS: &[Attack] = &[
    Attack {
        name: "random",
        quick: 200,
        full: 5_000,
        promise: "random bytes",
        facts: &["connections", "answered", "closed", "quiet"],
    },
    Attack {
        name: "lengths",
        quick: 50,
        full: 500,
        promise: "frames of impossible lengths (closed at once) and frames of 15 MiB that never come",
        facts: &["announced", "bystander_seconds"],
    },
    Attack {
        name: "mutants",
        quick: 2,
        full: 40,
        promise: "requests of every API and version, cut, stretched, with absurd counts and wrong bytes",
        facts: &["requests", "answered", "closed", "quiet"],
    },
    Attack {
        name: "unknown",
        quick: 0,
        full: 0,
        promise: "APIs and versions that do not exist: each answered or its connection closed, ApiVersions always answered",
        facts: &["requests", "answered", "closed"],
    },
    Attack {
        name: "dribble",
        quick: 50,
        full: 500,
        promise: "requests that come a byte at a time: all answered",
        facts: &["connections", "answered"],
    },
    Attack {
        name: "batches",
        quick: 0,
        full: 0,
        promise: "damaged record batches: all refused, none stored",
        facts: &["batches", "codes"],
    },
    Attack {
        name: "bombs",
        quick: 0,
        full: 0,
        promise: "batches below a megabyte that unpack to gigabytes, in all codecs, eight at a time, to a compacted topic",
        facts: &["packed_bytes", "unpacked_bytes", "codes"],
    },
    Attack {
        name: "silent",
        quick: 32,
        full: 128,
        promise: "connections that ask for all there is, again and again, and read nothing",
        facts: &["connections", "requests", "bystander_seconds"],
    },
];

/// Runs the trial.
pub fn run(plan: &Plan, findings: &mut Findings) -> anyhow::Result<()> {
    let mut site = plan.site("hostile")?;
    budget::apply(&mut site);
    // The stock clients beside them hold connections, too.
    site.set("limits-connections-max", &(IDLE_FULL + 1_000).to_string());
    let (mut broker, _) = probe::start(&site)?;
    create_topic(&site, TOPIC, PARTITIONS)?;
    let bootstrap = site.bootstrap();
    let produce = ["produce", &bootstrap, TOPIC, RECORD_BYTES, RATE, SECONDS_MAX];
    let mut producer = Background::start(&site, "sequence-produce", program("sequence", &produce))?;
    let follow = ["follow", &bootstrap, TOPIC, SECONDS_MAX];
    let mut consumer = Background::start(&site, "sequence-follow", program("sequence", &follow))?;

    for attack in ATTACKS {
        let count = plan.usual(attack.quick, attack.full);
        let found = strike(&site, &mut broker, attack.name, count)?;
        for fact in attack.facts {
            findings.fact(&format!("{}: {fact}", attack.name), found.text(fact)?);
        }
        findings.fact(
            &format!("{}: memory afterwards", attack.name),
            mebibytes(memory_bytes(broker.pid())?),
        );
        findings.check(attack.promise, true);
    }
    let peak = memory_peak_bytes(broker.pid())?;
    findings.fact(
        "budgets of the broker together",
        mebibytes(budget::budget_bytes()),
    );
    findings.fact("most memory until here (VmHWM)", mebibytes(peak));
    if plan.peer == Peer::Millstream {
        findings.check(
            &format!(
                "all the while memory stayed below {}",
                mebibytes(budget::bound_with_openings_bytes())
            ),
            peak <= budget::bound_with_openings_bytes(),
        );
    }
    idle(plan, &site, &mut broker, findings)?;

    findings.check(
        "a stock producer and a stock consumer lived through all of it",
        producer.is_running() && consumer.is_running(),
    );
    let produced = producer.stop()?;
    let consumed = consumer.stop()?;
    findings.fact("records of the stock producer", produced.count("records")?);
    findings.check(
        "each of its records was acknowledged at its place and came to the consumer, once, in order, unchanged",
        produced.count("unacked")? == 0
            && produced.count("misplaced")? == 0
            && consumed.count("records")? == produced.count("records")?
            && consumed.count("wrong")? == 0
            && consumed.count("unread")? == 0,
    );
    broker.stop()?;
    site.remove_data()
}

/// Ten thousand connections that do nothing.
fn idle(plan: &Plan, site: &Site, broker: &mut Broker, findings: &mut Findings) -> anyhow::Result<()> {
    let count = plan.count(IDLE_QUICK, IDLE_FULL).to_string();
    let pid = broker.pid().to_string();
    let command = program("hostile", &["idle", &site.bootstrap(), &count, &pid]);
    let found = finish(site, "hostile-idle", command)?;
    must_live(site, broker)?;
    findings.fact("idle connections", &count);
    findings.fact(
        "memory of one idle connection",
        format!("{} bytes", found.count("each_bytes")?),
    );
    findings.check(
        "idle connections stay open and are served when they ask",
        found.count("unserved")? == 0,
    );
    if plan.peer == Peer::Millstream {
        findings.check(
            &format!("an idle connection costs at most {}", mebibytes(IDLE_BYTES_MAX)),
            found.count("each_bytes")? <= IDLE_BYTES_MAX,
        );
    }
    Ok(())
}

fn strike(site: &Site, broker: &mut Broker, name: &str, count: u64) -> anyhow::Result<Fields> {
    let count = count.to_string();
    let mut command = program("hostile", &[name, &site.bootstrap()]);
    if count != "0" {
        command.arg(&count);
    }
    let found = finish(site, &format!("hostile-{name}"), command);
    // The broker's death explains more than what the attacker noticed of it.
    must_live(site, broker)?;
    let found = found?;
    if site.peer() == Peer::Millstream && !probe::is_healthy(site) {
        anyhow::bail!("the admin side is not well after {name}");
    }
    Ok(found)
}
