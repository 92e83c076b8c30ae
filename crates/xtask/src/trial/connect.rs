//! Kafka Connect with the stock worker and the stock file connectors: each line of a file reaches a topic exactly once and another file
//! at least once, while workers and the broker are killed in the middle.
//!
//! Each round appends lines to the first file, waits until half of them were shown in the topic or stand in the second file, kills, starts
//! what was killed, and waits until all of them are in the second file.

use super::findings::Findings;
use super::journal::{Journal, wait_for};
use super::text::{gather, next_line};
use super::tools::{Background, TOOL_LIMIT, create_topic, program};
use super::worker::Worker;
use super::{Plan, budget, must_live, probe};
use crate::brokers::{Broker, Site};
use crate::process::{create, now, run_bounded};
use anyhow::{Context, bail};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::PathBuf;
use std::time::Duration;

const TOPIC: &str = "lines";
const PARTITIONS: u64 = 3;
const SOURCE: &str = "file-source";
const SINK: &str = "file-sink";

const TEXT_BYTES: u64 = 16 << 20;
const LINES_QUICK: u64 = 12_000;
const LINES_FULL: u64 = 120_000;
const ROUNDS_QUICK: usize = 3;
const ROUNDS_FULL: usize = 12;
const WORKERS_QUICK: u16 = 1;
const WORKERS_FULL: u16 = 2;

/// Lines of one transaction of the source: few, so that a kill meets many of them.
const BATCH_LINES: &str = "100";

/// A worker that starts reads its topic of offsets to the very end, so it waits for the end of what a killed one left open.
const TRANSACTION_TIMEOUT_MS: u32 = 10_000;

const PROGRESS_LIMIT: Duration = Duration::from_secs(180);

/// What a round kills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    /// The one with the task that this round is about.
    Worker,
    Broker,
    Both,
}

const VICTIMS: &[Victim] = &[Victim::Worker, Victim::Broker, Victim::Both];

/// Runs the trial.
pub fn run(plan: &Plan, findings: &mut Findings) -> anyhow::Result<()> {
    let rounds = plan.usual(ROUNDS_QUICK, ROUNDS_FULL);
    let lines = numbered_lines(plan.count(LINES_QUICK, LINES_FULL))?;
    let mut site = plan.site("connect")?;
    budget::compact_soon(&mut site);
    let workers = plan.usual(WORKERS_QUICK, WORKERS_FULL);
    let ports = (0..workers).map(|number| plan.port.map(|port| port + 2 + number));
    let mut trial = Trial::start(site, ports, &lines)?;
    trial.create_connectors()?;
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let at = |round: usize| lines.len() * round / rounds;
        let took = trial
            .round(round, at(round)..at(round + 1))
            .with_context(|| format!("round {round}"))?;
        slowest = slowest.max(took);
    }
    findings.fact("lines", lines.len());
    findings.fact(
        "workers at once, kills of one of them, kills of the broker",
        format!("{workers}, {}, {}", trial.worker_kills, trial.broker_kills),
    );
    findings.fact(
        "longest time from a kill until the rest of a round was in the second file",
        format!("{:.1} s", slowest.as_secs_f64()),
    );
    trial.finish(findings)
}

/// Lines of text, each with its number in front: no two are the same.
fn numbered_lines(count: u64) -> anyhow::Result<Vec<String>> {
    let mut input = BufReader::new(File::open(gather(TEXT_BYTES)?)?);
    let mut lines = Vec::new();
    let mut line = Vec::new();
    while (lines.len() as u64) < count && next_line(&mut input, &mut line)? {
        // The source reads text; what is no ASCII might not come back as the same bytes.
        line.retain(|byte| (b' '..=b'~').contains(byte));
        lines.push(format!("{:08} {}", lines.len(), String::from_utf8_lossy(&line)));
    }
    Ok(lines)
}

struct Trial<'a> {
    site: Site,
    lines: &'a [String],
    /// None only while it is being restarted.
    broker: Option<Broker>,
    workers: Vec<(Worker, Background)>,
    worker_kills: u64,
    broker_kills: u64,
    source: BufWriter<File>,
    watcher: Background,
    topic: Tally<'a>,
    sink: Tally<'a>,
}

impl<'a> Trial<'a> {
    fn start(
        site: Site,
        ports: impl Iterator<Item = Option<u16>>,
        lines: &'a [String],
    ) -> anyhow::Result<Self> {
        let (broker, _) = probe::start(&site)?;
        create_topic(&site, TOPIC, PARTITIONS)?;
        let journal = site.folder().join("shown.txt");
        let arguments = [&site.bootstrap(), &journal.display().to_string(), TOPIC];
        let watcher = Background::start(&site, "watch", program("watch-committed", &arguments))?;
        let source = BufWriter::new(create(&source_file(&site))?);
        let mut workers = Vec::new();
        for port in ports {
            let worker = Worker::prepare(&site, port)?;
            let running = worker.start(&site, workers.len() as u64)?;
            workers.push((worker, running));
        }
        let topic = Tally::new(journal, "lines  ", lines);
        let sink = Tally::new(sink_file(&site), "", lines);
        Ok(Self {
            site,
            lines,
            broker: Some(broker),
            workers,
            worker_kills: 0,
            broker_kills: 0,
            source,
            watcher,
            topic,
            sink,
        })
    }

    fn create_connectors(&mut self) -> anyhow::Result<()> {
        self.wait_until_ready()?;
        let (worker, running) = &mut self.workers[0];
        let source = format!(
            r#"{{"connector.class":"org.apache.kafka.connect.file.FileStreamSourceConnector","tasks.max":"1",
            "file":"{}","topic":"{TOPIC}","batch.size":"{BATCH_LINES}",
            "exactly.once.support":"required","transaction.boundary":"poll",
            "producer.override.transaction.timeout.ms":"{TRANSACTION_TIMEOUT_MS}"}}"#,
            source_file(&self.site).display()
        );
        let sink = format!(
            r#"{{"connector.class":"org.apache.kafka.connect.file.FileStreamSinkConnector","tasks.max":"1",
            "file":"{}","topics":"{TOPIC}","consumer.override.isolation.level":"read_committed",
            "consumer.override.session.timeout.ms":"6000","consumer.override.heartbeat.interval.ms":"1500"}}"#,
            sink_file(&self.site).display()
        );
        for (connector, config) in [(SOURCE, source), (SINK, sink)] {
            wait_for(connector, PROGRESS_LIMIT, || worker.put(connector, &config))?;
        }
        for connector in [SOURCE, SINK] {
            wait_for(connector, PROGRESS_LIMIT, || {
                running.must_run()?;
                worker.runs(connector)
            })?;
        }
        Ok(())
    }

    /// Some more lines, with a kill in their middle; how long it took from the kill until all of them were in the second file.
    fn round(&mut self, round: usize, part: std::ops::Range<usize>) -> anyhow::Result<Duration> {
        for line in &self.lines[part.clone()] {
            self.source.write_all(line.as_bytes())?;
            self.source.write_all(b"\n")?;
        }
        self.source.flush()?;
        let half = part.start + part.len() / 2;
        // The source is killed at its work, or the sink.
        let connector = if round.is_multiple_of(2) { SOURCE } else { SINK };
        if connector == SOURCE {
            self.wait("half of the lines in the topic", |trial| &mut trial.topic, half)?;
        } else {
            self.wait(
                "half of the lines in the second file",
                |trial| &mut trial.sink,
                half,
            )?;
        }
        let victim = VICTIMS[round % VICTIMS.len()];
        self.topic.read()?;
        self.sink.read()?;
        println!(
            "  round {round}: kills {victim:?} when {} and {} of {} lines were there",
            self.topic.seen, self.sink.seen, part.end
        );
        let killed = now();
        self.strike(victim, connector)?;
        self.wait("all lines in the topic", |trial| &mut trial.topic, part.end)?;
        self.wait("all lines in the second file", |trial| &mut trial.sink, part.end)?;
        Ok(now() - killed)
    }

    fn wait(
        &mut self,
        what: &str,
        which: fn(&mut Self) -> &mut Tally<'a>,
        lines: usize,
    ) -> anyhow::Result<()> {
        wait_for(what, PROGRESS_LIMIT, || {
            if let Some(broker) = &mut self.broker {
                must_live(&self.site, broker)?;
            }
            for (_, running) in &mut self.workers {
                running.must_run()?;
            }
            self.watcher.must_run()?;
            let tally = which(self);
            tally.read()?;
            Ok(tally.seen >= lines)
        })?;
        Ok(())
    }

    fn strike(&mut self, victim: Victim, connector: &str) -> anyhow::Result<()> {
        let at = self.worker_with(connector);
        if victim != Victim::Broker {
            self.workers[at].1.kill()?;
            self.worker_kills += 1;
        }
        if victim != Victim::Worker {
            if let Some(broker) = self.broker.take() {
                broker.kill()?;
            }
            self.broker_kills += 1;
            self.broker = Some(probe::start(&self.site)?.0);
        }
        if victim != Victim::Broker {
            let life = self.workers.len() as u64 + self.worker_kills;
            let (worker, running) = &mut self.workers[at];
            *running = worker.start(&self.site, life)?;
        }
        Ok(())
    }

    /// The worker that runs a connector's task, or the first when that is on its way.
    fn worker_with(&self, connector: &str) -> usize {
        let mut workers = self.workers.iter();
        workers
            .position(|(worker, _)| worker.has_task(connector))
            .unwrap_or(0)
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        for (worker, running) in &mut self.workers {
            wait_for("a worker that is ready", PROGRESS_LIMIT, || {
                running.must_run()?;
                Ok(worker.is_ready())
            })?;
        }
        Ok(())
    }

    fn finish(mut self, findings: &mut Findings) -> anyhow::Result<()> {
        self.wait_until_ready()?;
        let mut found = true;
        for (worker, running) in self.workers {
            let known = worker.connectors()?;
            found &= [SOURCE, SINK].iter().all(|name| known.contains(name));
            running.end()?;
        }
        findings.check(
            "after the last kill every worker finds both connectors in the topic of settings",
            found,
        );
        self.topic.read()?;
        self.sink.read()?;
        let mut dumped = Tally::new(dump(&self.site)?, "", self.lines);
        dumped.read()?;
        drop(self.watcher);
        findings.fact("lines that a kill cut off in the second file", self.sink.torn);
        for (tally, reader) in [(&self.topic, "while it grew"), (&dumped, "in the end")] {
            findings.check(
                &format!("every line is in the topic once, by a reader of committed records {reader}"),
                tally.seen == self.lines.len() && tally.doubled + tally.torn + tally.strange == 0,
            );
        }
        findings.check(
            "every line is in the second file, and no other",
            self.sink.seen == self.lines.len() && self.sink.strange == 0,
        );
        findings.fact("lines that the second file has more than once", self.sink.doubled);
        if let Some(broker) = self.broker.take() {
            broker.stop()?;
        }
        self.site.remove_data()
    }
}

/// A file with the values of all committed records.
fn dump(site: &Site) -> anyhow::Result<PathBuf> {
    let log = site.folder().join("dump.log");
    let mut command = program("dump-topic", &[&site.bootstrap(), TOPIC, "committed"]);
    let done = run_bounded(&mut command, TOOL_LIMIT, &log)?;
    if !done.succeeded() {
        bail!("dump-topic failed; see {}", log.display());
    }
    let path = site.folder().join("dump.txt");
    let mut file = BufWriter::new(create(&path)?);
    for line in done.stdout.lines() {
        // Partition, offset, no key, value.
        let value = line.splitn(4, ' ').nth(3).unwrap_or_default();
        writeln!(file, "{value}")?;
    }
    file.flush()?;
    Ok(path)
}

fn source_file(site: &Site) -> PathBuf {
    site.folder().join("source.txt")
}

fn sink_file(site: &Site) -> PathBuf {
    site.folder().join("sink.txt")
}

/// Which numbered lines a growing file has by now.
struct Tally<'a> {
    journal: Journal,
    /// What stands in front of each line.
    prefix: &'static str,
    lines: &'a [String],
    times: Vec<u32>,
    /// Lines that were seen.
    seen: usize,
    /// Times that a line was seen again.
    doubled: usize,
    /// Beginnings of lines that a killed writer left behind; the next one went on right behind them.
    torn: usize,
    /// What is none of the lines.
    strange: usize,
}

impl<'a> Tally<'a> {
    fn new(path: PathBuf, prefix: &'static str, lines: &'a [String]) -> Self {
        Self {
            journal: Journal::new(path),
            prefix,
            lines,
            times: vec![0; lines.len()],
            seen: 0,
            doubled: 0,
            torn: 0,
            strange: 0,
        }
    }

    fn read(&mut self) -> anyhow::Result<()> {
        let news = self.journal.news()?;
        for line in news.lines() {
            self.take(line);
        }
        Ok(())
    }

    fn take(&mut self, line: &str) {
        let line = line.strip_prefix(self.prefix).unwrap_or(line);
        if let Some(number) = self.number_of(line) {
            self.count(number);
        } else if let Some(number) = self.behind_torn(line) {
            self.torn += 1;
            self.count(number);
        } else {
            self.strange += 1;
        }
    }

    fn count(&mut self, number: usize) {
        self.times[number] += 1;
        if self.times[number] == 1 {
            self.seen += 1;
        } else {
            self.doubled += 1;
        }
    }

    fn number_of(&self, line: &str) -> Option<usize> {
        let number: usize = line.split(' ').next()?.parse().ok()?;
        (self.lines.get(number)? == line).then_some(number)
    }

    /// A whole line behind the beginning of another one.
    fn behind_torn(&self, line: &str) -> Option<usize> {
        let begins_one = |torn: &str| self.lines.iter().any(|known| known.starts_with(torn));
        let places = line.char_indices().map(|(at, _)| line.split_at(at)).skip(1);
        let mut known = places.filter_map(|(torn, rest)| Some((torn, self.number_of(rest)?)));
        known.find_map(|(torn, number)| begins_one(torn).then_some(number))
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;
    use std::path::PathBuf;

    #[test]
    fn lines_are_known_by_their_number_and_their_text() {
        let lines = ["00000000 a b".to_owned(), "00000001 ".to_owned()];
        let mut tally = Tally::new(PathBuf::new(), "lines  ", &lines);
        for line in [
            "lines  00000000 a b",
            "00000001 ",
            "lines  00000000 a b",
            "00000001 x",
            "00000002 a",
            "",
            "00000001 00000000 a b",
            "0000000100000001 ",
            "0000000200000001 ",
        ] {
            tally.take(line);
        }
        assert_eq!((tally.seen, tally.doubled), (2, 3));
        assert_eq!((tally.torn, tally.strange), (2, 4));
    }
}
