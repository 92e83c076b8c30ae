//! Reading a large backlog while producing: what it costs the producer, and whether memory stays within its budget.

use super::findings::{Findings, mebibytes};
use super::tools::{Background, Fields, create_topic, finish, patient_program, program};
use super::{Plan, budget, must_live, probe};
use crate::brokers::{Broker, Peer, Site};
use crate::kernel::memory_peak_bytes;
use crate::process::now;
use std::process::Command;
use std::time::Duration;

const TOPIC: &str = "backlog";
const PARTITIONS: u64 = 6;
const RECORD_BYTES: u32 = 1024;
const BYTES_QUICK: u64 = 256 << 20;
const BYTES_FULL: u64 = 3 << 30;

/// Turns with and without a reader: what disturbs the machine for a while disturbs both.
const TURNS_QUICK: u64 = 1;
const TURNS_FULL: u64 = 3;
const TURN_SECONDS_QUICK: u64 = 3;
const TURN_SECONDS_FULL: u64 = 8;
const SECONDS_MAX: &str = "900";

/// A producer at a fixed rate goes at this share of what it reaches when nobody reads and nothing holds it.
const FIXED_SHARE: f64 = 0.6;

/// The backlog is at least this many times the caches together, or there is nothing to be shown.
const TIMES_MIN: u64 = 2;

/// Runs the trial.
pub fn run(plan: &Plan, findings: &mut Findings) -> anyhow::Result<()> {
    let mut site = plan.site("backlog")?;
    budget::apply(&mut site);
    let (mut broker, _) = probe::start(&site)?;
    create_topic(&site, TOPIC, PARTITIONS)?;
    let mut fill = producer(&site, 0.0, SECONDS_MAX);
    fill.arg(plan.bytes(BYTES_QUICK, BYTES_FULL).to_string());
    let filled = finish(&site, "sequence-fill", fill)?;
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
    let turns = plan.usual((TURNS_QUICK, TURN_SECONDS_QUICK), (TURNS_FULL, TURN_SECONDS_FULL));
    findings.fact("turns with and without a reader", turns.0);
    let free = sums.take_turns(&site, &mut broker, turns, 0.0)?;
    free.report(findings, "as fast as it can");
    let fixed = (free.alone * FIXED_SHARE / f64::from(RECORD_BYTES)).floor();
    let kept = sums.take_turns(&site, &mut broker, turns, fixed)?;
    kept.report(
        findings,
        &format!("at most {}", rate(fixed * f64::from(RECORD_BYTES))),
    );
    let last = finish(
        &site,
        "sequence-last",
        program("sequence", &["read", &site.bootstrap(), TOPIC, SECONDS_MAX]),
    )?;
    sums.judge_read(&last)?;
    findings.fact("read and compared", mebibytes(sums.read_bytes));
    findings.check(
        "every record read is the one that was produced at its place, none is missing",
        sums.wrong == 0 && last.count("unread")? == 0,
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

/// Bytes a second, means of all turns.
#[derive(Default)]
struct Means {
    alone: f64,
    beside: f64,
    reader: f64,
}

impl Means {
    fn report(&self, findings: &mut Findings, how: &str) {
        findings.fact(&format!("producer, {how}: alone"), rate(self.alone));
        findings.fact(
            &format!("producer, {how}: beside the backlog's reader"),
            rate(self.beside),
        );
        findings.fact(
            &format!("producer, {how}: ratio"),
            format!("{:.2}", self.beside / self.alone),
        );
        findings.fact("the reader beside it, from the beginning", rate(self.reader));
    }
}

/// Counts of the whole run.
#[derive(Default)]
struct Sums {
    read_bytes: u64,
    wrong: u64,
    unplaced: u64,
}

impl Sums {
    /// So many turns of so many seconds, each with a producer alone and then beside a reader. `records_per_second` 0: as fast as it can.
    fn take_turns(
        &mut self,
        site: &Site,
        broker: &mut Broker,
        (turns, seconds): (u64, u64),
        records_per_second: f64,
    ) -> anyhow::Result<Means> {
        let mut means = Means::default();
        let share = 1.0 / turns as f64;
        for _ in 0..turns {
            let alone = producer(site, records_per_second, &seconds.to_string());
            let alone = finish(site, "sequence-alone", alone)?;
            self.judge_produced(&alone)?;
            let (beside, reader) = self.read_beside(site, seconds, records_per_second)?;
            means.alone += alone.rate()? * share;
            means.beside += beside * share;
            means.reader += reader * share;
            must_live(site, broker)?;
        }
        Ok(means)
    }

    /// One turn of the producer while a reader reads everything from the beginning, again when it is through. The reader's program has the
    /// lowest priority: in life it is not on the broker's machine, nor on the producer's. Answers the rates of both.
    fn read_beside(
        &mut self,
        site: &Site,
        seconds: u64,
        records_per_second: f64,
    ) -> anyhow::Result<(f64, f64)> {
        let command = producer(site, records_per_second, &seconds.to_string());
        let producer = Background::start(site, "sequence-beside", command)?;
        let end = now() + Duration::from_secs(seconds);
        let (mut bytes, mut took) = (0, 0.0);
        while let left = end.saturating_duration_since(now()).as_secs()
            && left > 0
        {
            let read = ["read", &site.bootstrap(), TOPIC, &left.to_string()];
            let read = finish(site, "sequence-read", patient_program("sequence", &read))?;
            self.judge_read(&read)?;
            bytes += read.count("bytes")?;
            took += read.seconds()?;
        }
        let produced = producer.stop()?;
        self.judge_produced(&produced)?;
        Ok((produced.rate()?, bytes as f64 / took))
    }

    fn judge_produced(&mut self, produced: &Fields) -> anyhow::Result<()> {
        self.unplaced += produced.count("unacked")? + produced.count("misplaced")?;
        Ok(())
    }

    fn judge_read(&mut self, read: &Fields) -> anyhow::Result<()> {
        self.read_bytes += read.count("bytes")?;
        self.wrong += read.count("wrong")?;
        Ok(())
    }
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
