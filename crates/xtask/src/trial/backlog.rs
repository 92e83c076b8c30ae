//! Reading a large backlog while producing: what it costs the producer, and whether memory stays within its budget.

use super::findings::{Findings, mebibytes};
use super::tools::{Background, Fields, create_topic, finish, patient_program, program};
use super::{Plan, budget, must_live, probe};
use crate::brokers::{Peer, Site};
use crate::kernel::memory_peak_bytes;
use std::process::Command;

const TOPIC: &str = "backlog";
const PARTITIONS: u64 = 6;
const RECORD_BYTES: u32 = 1024;
const BYTES_QUICK: u64 = 256 << 20;
const BYTES_FULL: u64 = 3 << 30;

/// Turns with and without a reader: what disturbs the machine for a while disturbs both.
const TURNS_QUICK: u64 = 1;
const TURNS_FULL: u64 = 3;
const TURN_SECONDS_QUICK: u64 = 3;
const TURN_SECONDS_FULL: u64 = 15;
const SECONDS_MAX: &str = "900";

/// A producer at a fixed rate goes at this share of what it reaches when nobody reads and nothing holds it.
const FIXED_SHARE: f64 = 0.6;

/// The backlog is at least this many times the caches together, or there is nothing to be shown.
const TIMES_MIN: u64 = 2;

/// Runs the trial.
pub fn run(plan: &Plan, findings: &mut Findings) -> anyhow::Result<()> {
    let bytes = plan.bytes(BYTES_QUICK, BYTES_FULL);
    let (turns, seconds) = plan.usual((TURNS_QUICK, TURN_SECONDS_QUICK), (TURNS_FULL, TURN_SECONDS_FULL));
    let mut site = plan.site("backlog")?;
    budget::apply(&mut site);
    let (mut broker, _) = probe::start(&site)?;
    create_topic(&site, TOPIC, PARTITIONS)?;
    let filled = produce(&site, SECONDS_MAX, bytes)?;
    findings.fact("backlog", mebibytes(filled.count("bytes")?));
    findings.fact(
        "budgets of the broker together",
        mebibytes(budget::budget_bytes()),
    );
    findings.check(
        &format!("the backlog is at least {TIMES_MIN} times the caches together"),
        filled.count("bytes")? >= TIMES_MIN * budget::cache_bytes(),
    );

    let mut sums = Sums::default();
    sums.judge_produced(&filled)?;
    for _ in 0..turns {
        let alone = produce(&site, &seconds.to_string(), 0)?;
        sums.judge_produced(&alone)?;
        sums.alone += alone.rate()?;
        let rates = sums.read_beside(&site, seconds, 0.0)?;
        sums.beside.add(rates);
        must_live(&site, &mut broker)?;
    }
    let turns_made = f64::from(u32::try_from(turns).expect("a few turns"));
    findings.fact("turns with and without a reader", turns_made);
    let alone = sums.alone / turns_made;
    findings.fact("producer alone", rate(alone));
    let fixed = (alone * FIXED_SHARE / f64::from(RECORD_BYTES)).floor();
    for _ in 0..turns {
        let rates = sums.read_beside(&site, seconds, fixed)?;
        sums.fixed.add(rates);
        must_live(&site, &mut broker)?;
    }
    let (producer, reader) = sums.beside.mean();
    findings.fact("producer beside the backlog's reader", rate(producer));
    findings.fact("ratio", format!("{:.2}", producer / alone));
    findings.fact("the reader meanwhile, from the beginning", rate(reader));
    let (producer, reader) = sums.fixed.mean();
    let wanted = fixed * f64::from(RECORD_BYTES);
    findings.fact("a producer that is to keep", rate(wanted));
    findings.fact("keeps beside the backlog's reader", rate(producer));
    findings.fact("ratio at that rate", format!("{:.2}", producer / wanted));
    findings.fact("the reader beside it", rate(reader));
    let last = finish(
        &site,
        "sequence-last",
        program("sequence", &["read", &site.bootstrap(), TOPIC, SECONDS_MAX]),
    )?;
    sums.judge_read(&last)?;
    findings.fact("read and compared", mebibytes(sums.read_bytes));
    findings.check(
        "every record read is the one that was produced at its place, none is missing",
        sums.wrong == 0 && sums.unread == 0,
    );
    findings.check("every record was acknowledged at its place", sums.unplaced == 0);
    let peak = memory_peak_bytes(broker.pid())?;
    findings.fact("most memory of the broker (VmHWM)", mebibytes(peak));
    if plan.peer == Peer::Millstream {
        findings.check(
            &format!(
                "memory stays below the budgets and {} beside them",
                mebibytes(budget::bound_bytes() - budget::budget_bytes())
            ),
            peak <= budget::bound_bytes(),
        );
    }
    broker.stop()?;
    site.remove_data()
}

/// Sums of the rates of producers, and of readers beside them.
#[derive(Default)]
struct Beside {
    producer: f64,
    reader: f64,
    turns: f64,
}

impl Beside {
    fn add(&mut self, (producer, reader): (f64, f64)) {
        self.producer += producer;
        self.reader += reader;
        self.turns += 1.0;
    }

    fn mean(&self) -> (f64, f64) {
        (self.producer / self.turns, self.reader / self.turns)
    }
}

/// Sums over all turns.
#[derive(Default)]
struct Sums {
    alone: f64,
    beside: Beside,
    fixed: Beside,
    read_bytes: u64,
    wrong: u64,
    unread: u64,
    unplaced: u64,
}

impl Sums {
    /// One turn of the producer while a reader reads everything from the beginning, again when it is through. The reader's program has the
    /// lowest priority: in life it is not on the broker's machine, nor on the producer's. `records_per_second` 0: as fast as it can. Answers
    /// the rates of both.
    fn read_beside(
        &mut self,
        site: &Site,
        seconds: u64,
        records_per_second: f64,
    ) -> anyhow::Result<(f64, f64)> {
        let command = producer(site, records_per_second, &seconds.to_string());
        let mut producer = Background::start(site, "sequence-beside", command)?;
        let (mut rounds, mut rates) = (0u32, 0.0);
        while producer.is_running() {
            let read = ["read", &site.bootstrap(), TOPIC, SECONDS_MAX];
            let read = finish(site, "sequence-read", patient_program("sequence", &read))?;
            self.judge_read(&read)?;
            rates += read.rate()?;
            rounds += 1;
        }
        let produced = producer.stop()?;
        self.judge_produced(&produced)?;
        Ok((produced.rate()?, rates / f64::from(rounds.max(1))))
    }

    fn judge_produced(&mut self, produced: &Fields) -> anyhow::Result<()> {
        self.unplaced += produced.count("unacked")? + produced.count("misplaced")?;
        Ok(())
    }

    fn judge_read(&mut self, read: &Fields) -> anyhow::Result<()> {
        self.read_bytes += read.count("bytes")?;
        self.wrong += read.count("wrong")?;
        self.unread += read.count("unread")?;
        Ok(())
    }
}

/// `bytes` 0: as many as there is time for.
fn produce(site: &Site, seconds: &str, bytes: u64) -> anyhow::Result<Fields> {
    let mut command = producer(site, 0.0, seconds);
    if bytes > 0 {
        command.arg(bytes.to_string());
    }
    finish(site, "sequence-produce", command)
}

/// `records_per_second` 0: as fast as it can.
fn producer(site: &Site, records_per_second: f64, seconds: &str) -> Command {
    let (size, rate) = (RECORD_BYTES.to_string(), records_per_second.to_string());
    let arguments = ["produce", &site.bootstrap(), TOPIC, &size, &rate, seconds];
    program("sequence", &arguments)
}

fn rate(bytes_per_second: f64) -> String {
    format!("{:.1} MB/s", bytes_per_second / 1e6)
}
