//! Kafka Streams with the stock library: words are counted exactly once while the application and the broker are killed in the
//! middle, and the application's local state is lost.
//!
//! Once in the classic protocol and once in that of streams groups (KIP-1071); the quick run does the latter only, as it is the one in
//! which the broker has the most to do.
//!
//! Each round feeds a part of the text, waits until half of its words were shown by a reader of committed records, kills, starts what
//! was killed, and waits until the rest was shown, too.

use super::findings::Findings;
use super::journal::{Journal, wait_for};
use super::text::{gather, next_line};
use super::tools::{Background, Fields, TOOL_LIMIT, create_topic, program};
use super::words::{Counts, count, judge};
use super::{Plan, budget, must_live, probe};
use crate::brokers::{Broker, Peer, Site};
use crate::installs::{java_classes, kafka_classpath, remove};
use crate::process::{now, run_bounded};
use anyhow::{Context, bail};
use std::io::{BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, Command};
use std::time::Duration;

const INPUT: &str = "lines";
const OUTPUT: &str = "words";
/// As Kafka Streams names it, after the application and the store.
const CHANGELOG: &str = "word-count-counts-changelog";
const PARTITIONS: u64 = 4;

const TEXT_BYTES: u64 = 16 << 20;
const LINES_QUICK: u64 = 8_000;
const LINES_FULL: u64 = 96_000;
const ROUNDS_QUICK: usize = 3;
const ROUNDS_FULL: usize = 12;

/// How the application's members come to their tasks, as Kafka Streams names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    /// Members agree among themselves.
    Classic,
    /// The broker deals tasks out (KIP-1071).
    Streams,
}

const PROTOCOLS_QUICK: &[Protocol] = &[Protocol::Streams];
const PROTOCOLS_FULL: &[Protocol] = &[Protocol::Classic, Protocol::Streams];

/// How soon a killed application is missed in the protocol of streams groups: in the classic one the application says it.
const STREAMS_SETTINGS: &[(&str, &str)] = &[
    ("group.streams.min.session.timeout.ms", "6000"),
    ("group.streams.session.timeout.ms", "6000"),
    ("group.streams.min.heartbeat.interval.ms", "1500"),
    ("group.streams.heartbeat.interval.ms", "1500"),
    ("group.streams.initial.rebalance.delay.ms", "0"),
];

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Streams => "streams",
        }
    }

    fn configure(self, site: &mut Site) -> anyhow::Result<()> {
        if self == Self::Streams {
            for (name, value) in STREAMS_SETTINGS {
                site.set("set", &format!("{name}={value}"));
                site.append_properties(&format!("{name}={value}\n"))?;
            }
        }
        Ok(())
    }
}

/// A killed application is missed after six seconds, its transactions a little later; a JVM on a busy machine takes its time.
const PROGRESS_LIMIT: Duration = Duration::from_secs(180);

/// What a round kills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    /// The application, and its state directory is removed: the state comes back from the changelog.
    ApplicationAndState,
    Broker,
    /// The application; what it had on disk is there.
    Application,
    BrokerApplicationAndState,
}

const VICTIMS: &[Victim] = &[
    Victim::ApplicationAndState,
    Victim::Broker,
    Victim::Application,
    Victim::BrokerApplicationAndState,
];

impl Victim {
    fn has_broker(self) -> bool {
        matches!(self, Self::Broker | Self::BrokerApplicationAndState)
    }

    fn has_application(self) -> bool {
        self != Self::Broker
    }

    fn has_state(self) -> bool {
        matches!(self, Self::ApplicationAndState | Self::BrokerApplicationAndState)
    }
}

/// Runs the trial.
pub fn run(plan: &Plan, findings: &mut Findings) -> anyhow::Result<()> {
    for protocol in plan.usual(PROTOCOLS_QUICK, PROTOCOLS_FULL) {
        findings.fact("group protocol", protocol.name());
        run_in(*protocol, plan, findings).with_context(|| format!("group protocol {}", protocol.name()))?;
    }
    Ok(())
}

fn run_in(protocol: Protocol, plan: &Plan, findings: &mut Findings) -> anyhow::Result<()> {
    let rounds = plan.usual(ROUNDS_QUICK, ROUNDS_FULL);
    let lines = plan.count(LINES_QUICK, LINES_FULL);
    let text = Text::read(lines)?;
    let mut site = plan.site(&format!("streams-{}", protocol.name()))?;
    budget::compact_soon(&mut site);
    protocol.configure(&mut site)?;
    let mut trial = Trial::start(site, protocol)?;
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let part = text.part(round, rounds);
        let took = trial
            .round(round, part, VICTIMS[round % VICTIMS.len()])
            .with_context(|| format!("round {round}"))?;
        slowest = slowest.max(took);
    }
    let counts = text.counts();
    findings.fact("lines", text.lines.len());
    findings.fact(
        "words, different words",
        format!("{}, {}", trial.fed, counts.len()),
    );
    findings.fact(
        "kills of the application, its state directory removed, kills of the broker",
        format!(
            "{}, {}, {}",
            trial.application_kills, trial.wipes, trial.broker_kills
        ),
    );
    findings.fact(
        "longest time from a kill until the rest of a round was counted",
        format!("{:.1} s", slowest.as_secs_f64()),
    );
    trial.finish(&text, &counts, findings)
}

/// What is fed, line by line.
struct Text {
    lines: Vec<Vec<u8>>,
}

impl Text {
    fn read(count: u64) -> anyhow::Result<Self> {
        let mut input = BufReader::new(std::fs::File::open(gather(TEXT_BYTES)?)?);
        let mut lines = Vec::new();
        let mut line = Vec::new();
        while (lines.len() as u64) < count && next_line(&mut input, &mut line)? {
            lines.push(line.clone());
        }
        Ok(Self { lines })
    }

    fn part(&self, round: usize, rounds: usize) -> &[Vec<u8>] {
        let at = |round: usize| self.lines.len() * round / rounds;
        &self.lines[at(round)..at(round + 1)]
    }

    fn counts(&self) -> Counts {
        let mut counts = Counts::new();
        for line in &self.lines {
            count(line, &mut counts);
        }
        counts
    }
}

struct Trial {
    site: Site,
    protocol: Protocol,
    /// None only while it is being restarted.
    broker: Option<Broker>,
    feeder: Feeder,
    watcher: Background,
    shown: Journal,
    application: Background,
    /// Lives of the application, for the names of its logs.
    lives: u64,
    /// Words of all lines that were fed.
    fed: u64,
    application_kills: u64,
    broker_kills: u64,
    wipes: u64,
}

impl Trial {
    fn start(site: Site, protocol: Protocol) -> anyhow::Result<Self> {
        let (broker, _) = probe::start(&site)?;
        create_topic(&site, INPUT, PARTITIONS)?;
        create_topic(&site, OUTPUT, PARTITIONS)?;
        let journal = site.folder().join("shown.txt");
        let arguments = [&site.bootstrap(), &journal.display().to_string(), OUTPUT];
        let watcher = Background::start(&site, "watch", program("watch-committed", &arguments))?;
        let feeder = Feeder::start(&site)?;
        let application = application(&site, protocol, 0)?;
        Ok(Self {
            site,
            protocol,
            broker: Some(broker),
            feeder,
            watcher,
            shown: Journal::new(journal),
            application,
            lives: 1,
            fed: 0,
            application_kills: 0,
            broker_kills: 0,
            wipes: 0,
        })
    }

    /// One part of the text, with a kill in its middle; how long it took from the kill until the part's last word was shown.
    fn round(&mut self, round: usize, part: &[Vec<u8>], victim: Victim) -> anyhow::Result<Duration> {
        let before = self.fed;
        let mut ignored = Counts::new();
        self.fed += part.iter().map(|line| count(line, &mut ignored)).sum::<u64>();
        self.feeder.feed(part)?;
        self.wait_until_shown(before + (self.fed - before) / 2)?;
        println!(
            "  round {round}: kills {victim:?} when {} of {} words were shown",
            self.shown.lines()?,
            self.fed
        );
        let killed = now();
        self.strike(victim)?;
        self.wait_until_shown(self.fed)?;
        Ok(now() - killed)
    }

    fn strike(&mut self, victim: Victim) -> anyhow::Result<()> {
        if victim.has_application() {
            self.application.kill()?;
            self.application_kills += 1;
        }
        if victim.has_broker() {
            if let Some(broker) = self.broker.take() {
                broker.kill()?;
            }
            self.broker_kills += 1;
            self.broker = Some(probe::start(&self.site)?.0);
        }
        if victim.has_state() {
            remove(&state(&self.site))?;
            self.wipes += 1;
        }
        if victim.has_application() {
            self.application = application(&self.site, self.protocol, self.lives)?;
            self.lives += 1;
        }
        Ok(())
    }

    fn wait_until_shown(&mut self, words: u64) -> anyhow::Result<()> {
        let what = format!("{words} words shown");
        wait_for(&what, PROGRESS_LIMIT, || {
            if let Some(broker) = &mut self.broker {
                must_live(&self.site, broker)?;
            }
            for program in [&mut self.application, &mut self.watcher] {
                program.must_run()?;
            }
            Ok(self.shown.lines()? >= words)
        })?;
        Ok(())
    }

    /// Ends everything, and judges.
    fn finish(mut self, text: &Text, counts: &Counts, findings: &mut Findings) -> anyhow::Result<()> {
        let fed = self.feeder.end()?;
        findings.check(
            "every line was acknowledged",
            fed.count("unacked")? == 0 && fed.count("records")? == text.lines.len() as u64,
        );
        self.application.stop()?;
        let shown = self.shown.lines()?;
        drop(self.watcher);
        let verdict = judge(&dump(&self.site, &[OUTPUT, "committed"])?, counts)?;
        findings.check(
            "the last count of each word is the one computed from the text",
            verdict.wrong == 0,
        );
        findings.check(
            "the committed counts of each word are 1, 2, 3 and so on: none twice, none left out",
            verdict.out_of_sequence == 0 && verdict.records == self.fed,
        );
        findings.check(
            "a reader of committed records was shown these records and no other",
            shown == verdict.records,
        );
        let restored = restored(&self.site, self.lives)?;
        findings.fact("counts that came back from the changelog", restored);
        findings.check("state was restored from the changelog", restored > 0);
        let changes = changes(&self.site, self.fed)?;
        findings.fact("records in the changelog in the end", changes);
        if self.site.peer() == Peer::Millstream {
            findings.check("the changelog was compacted meanwhile", changes < self.fed);
        }
        if let Some(broker) = self.broker.take() {
            broker.stop()?;
        }
        self.site.remove_data()
    }
}

/// Records in the changelog, of so many words. A broker that compacts soon is given the time for its last pass.
fn changes(site: &Site, words: u64) -> anyhow::Result<u64> {
    let count = || anyhow::Ok(dump(site, &[CHANGELOG])?.lines().count() as u64);
    if site.peer() == Peer::Millstream {
        wait_for("a compacted changelog", PROGRESS_LIMIT, || Ok(count()? < words))?;
    }
    count()
}

/// The producer of lines: one process for the whole trial.
struct Feeder {
    program: Background,
    input: BufWriter<ChildStdin>,
}

impl Feeder {
    fn start(site: &Site) -> anyhow::Result<Self> {
        let command = program("lines", &[&site.bootstrap(), INPUT]);
        let (program, input) = Background::start_fed(site, "feed", command)?;
        Ok(Self {
            program,
            input: BufWriter::new(input),
        })
    }

    fn feed(&mut self, lines: &[Vec<u8>]) -> anyhow::Result<()> {
        for line in lines {
            self.input.write_all(line)?;
            self.input.write_all(b"\n")?;
        }
        self.input
            .flush()
            .context("the producer of lines ended early; see feed.log")
    }

    /// It ends when its input does.
    fn end(self) -> anyhow::Result<Fields> {
        drop(self.input);
        self.program.wait(TOOL_LIMIT)
    }
}

fn state(site: &Site) -> PathBuf {
    site.folder().join("state")
}

fn life(number: u64) -> String {
    format!("word-count-{number}")
}

fn application(site: &Site, protocol: Protocol, number: u64) -> anyhow::Result<Background> {
    // The store's native library is unpacked anew at each start, and a killed process leaves it behind.
    let scratch = site.folder().join("scratch");
    remove(&scratch)?;
    std::fs::create_dir_all(&scratch)?;
    let mut command = Command::new("java");
    command
        .args(["-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"])
        .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
        .arg(format!("-Djava.io.tmpdir={}", scratch.display()))
        .arg("-cp")
        .arg(format!("{}:{}", java_classes().display(), kafka_classpath()))
        .args(["WordCount", &site.bootstrap(), INPUT, OUTPUT])
        .arg(state(site))
        .arg(protocol.name());
    Background::start(site, &life(number), command)
}

/// The sum of what all lives of the application say that they restored.
fn restored(site: &Site, lives: u64) -> anyhow::Result<u64> {
    let mut sum = 0;
    for number in 0..lives {
        let path = site.folder().join(format!("{}.out", life(number)));
        let text = std::fs::read_to_string(&path)?;
        for line in text.lines().filter(|line| line.starts_with("restored ")) {
            let records = line.split(' ').next_back().unwrap_or_default();
            sum += records
                .parse::<u64>()
                .with_context(|| format!("{line} in {}", path.display()))?;
        }
    }
    Ok(sum)
}

fn dump(site: &Site, what: &[&str]) -> anyhow::Result<String> {
    let log = site.folder().join("dump.log");
    let mut command = program("dump-topic", &[&[site.bootstrap().as_str()], what].concat());
    let done = run_bounded(&mut command, TOOL_LIMIT, &log)?;
    if !done.succeeded() {
        bail!("dump-topic failed; see {}", log.display());
    }
    Ok(done.stdout)
}
