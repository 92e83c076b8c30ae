//! Real text through the broker, across restarts, byte for byte.
//!
//! Line N goes to partition N modulo their number, with N as its key. What is given to the producer and what a consumer
//! prints are hashed in the same form, `key TAB line NEWLINE`, for each partition: equal hashes mean that every line came,
//! once, in order, unchanged.

use super::findings::{Findings, mebibytes};
use super::text::{gather, next_line};
use super::tools::{Fields, TOOL_LIMIT, create_topic};
use super::{Plan, probe};
use crate::brokers::{Broker, Site};
use crate::installs::{binary, kafka_classpath};
use crate::process::{create, now, wait_until};
use crate::shell::output;
use anyhow::{Context, bail};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

const TOPIC: &str = "corpus";
const BYTES_QUICK: u64 = 16 << 20;
const BYTES_FULL: u64 = 1 << 30;
const PARTITIONS_QUICK: u64 = 2;
const PARTITIONS_FULL: u64 = 6;

/// What interrupts the producer, and after which part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interruption {
    CleanRestart,
    Kill,
}

/// Runs the trial.
pub fn run(plan: &Plan, findings: &mut Findings) -> anyhow::Result<()> {
    let bytes = plan.bytes(BYTES_QUICK, BYTES_FULL);
    let partitions = plan.usual(PARTITIONS_QUICK, PARTITIONS_FULL);
    let text = gather(bytes)?;
    let site = plan.site("corpus")?;
    let (broker, _) = probe::start(&site)?;
    create_topic(&site, TOPIC, partitions)?;

    let (told, interruptions) = channel();
    let (fed, broker) = thread::scope(|scope| {
        let feeder = scope.spawn(|| feed(&site, &text, bytes, partitions, &told));
        let broker = interrupt(&site, broker, &interruptions);
        let fed = feeder.join().expect("the feeder does not panic");
        anyhow::Ok((fed?, broker?))
    })?;
    findings.fact("text", mebibytes(fed.bytes));
    findings.fact("unique text", mebibytes(text.metadata()?.len()));
    findings.fact("records", fed.lines);
    findings.fact("partitions", partitions);
    findings.check(
        "every record was acknowledged, across a clean restart and a kill -9",
        fed.report.count("unacked")? == 0 && fed.report.count("records")? == fed.lines,
    );

    broker.kill()?;
    let (broker, _) = probe::start(&site)?;
    findings.check(
        "after another kill -9 the log holds as many records as were sent",
        end_offsets(&site, partitions)? == fed.lines,
    );
    for (reader, command) in READERS {
        let read = read(&site, reader, *command, &fed, partitions)?;
        findings.check(
            &format!("{reader} reads every partition byte for byte (SHA-256)"),
            read == fed.hashes,
        );
    }
    for (partition, hash) in fed.hashes.iter().enumerate() {
        findings.fact(&format!("SHA-256 of partition {partition}"), hash);
    }
    broker.stop()?;
    site.remove_data()
}

/// Name of a consumer, and its command for one partition with a number of records.
type Reader = (&'static str, fn(&Site, u64, u64) -> Command);

const READERS: &[Reader] = &[
    ("Apache Kafka's console consumer", console_consumer),
    ("kcat", kcat),
];

fn console_consumer(site: &Site, partition: u64, records: u64) -> Command {
    let mut command = Command::new("java");
    command
        .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
        .args(["-cp", &kafka_classpath()])
        .arg("org.apache.kafka.tools.consumer.ConsoleConsumer")
        .args(["--bootstrap-server", &site.bootstrap(), "--topic", TOPIC])
        .args(["--partition", &partition.to_string(), "--offset", "earliest"])
        .args(["--max-messages", &records.to_string()])
        .args(["--formatter-property", "print.key=true"]);
    command
}

fn kcat(site: &Site, partition: u64, _records: u64) -> Command {
    let mut command = Command::new("kcat");
    command
        .args(["-C", "-q", "-e", "-b", &site.bootstrap(), "-t", TOPIC])
        .args(["-p", &partition.to_string(), "-o", "beginning"])
        .args(["-f", "%k\\t%s\\n", "-X", "check.crcs=true"]);
    command
}

/// What was given to the producer.
struct Fed {
    bytes: u64,
    lines: u64,
    hashes: Vec<String>,
    report: Fields,
}

/// Gives the text to the producer and to a hash for each partition, and says when it is time for an interruption.
fn feed(
    site: &Site,
    text: &Path,
    bytes: u64,
    partitions: u64,
    told: &Sender<Interruption>,
) -> anyhow::Result<Fed> {
    let mut producer = Command::new(binary("lines"))
        .args([&site.bootstrap(), TOPIC])
        .stdin(Stdio::piped())
        .stdout(create(&site.folder().join("lines.out"))?)
        .stderr(create(&site.folder().join("lines.log"))?)
        .spawn()
        .context("cannot start the producer")?;
    let mut input = BufWriter::new(producer.stdin.take().expect("stdin is piped"));
    let mut hashes: Vec<Hash> = (0..partitions)
        .map(|_| Hash::start())
        .collect::<anyhow::Result<_>>()?;
    let mut due = [
        (bytes / 3, Interruption::CleanRestart),
        (bytes / 3 * 2, Interruption::Kill),
    ]
    .into_iter()
    .peekable();
    let (mut fed_bytes, mut lines, mut line) = (0, 0u64, Vec::new());
    while fed_bytes < bytes {
        let mut source = BufReader::new(File::open(text)?);
        while fed_bytes < bytes && next_line(&mut source, &mut line)? {
            let hash = &mut hashes[usize::try_from(lines % partitions).expect("a small number")];
            write!(hash.input, "{lines}\t")?;
            line.push(b'\n');
            hash.input.write_all(&line)?;
            input
                .write_all(&line)
                .context("the producer ended early; see lines.log")?;
            fed_bytes += line.len() as u64;
            lines += 1;
            if let Some((_, what)) = due.next_if(|(at, _)| fed_bytes >= *at) {
                // The other end is gone when an interruption failed; that error is the one to be shown.
                let _ = told.send(what);
            }
        }
    }
    input.flush().context("the producer ended early; see lines.log")?;
    drop(input);
    let ended = wait_until(&mut producer, now() + TOOL_LIMIT)?;
    if !ended.is_some_and(|status| status.success()) {
        let _ = producer.kill();
        bail!("the producer failed; see {}/lines.log", site.folder().display());
    }
    let report = Fields::parse(
        "lines",
        &std::fs::read_to_string(site.folder().join("lines.out"))?,
    );
    let hashes = hashes.into_iter().map(Hash::end).collect::<anyhow::Result<_>>()?;
    Ok(Fed {
        bytes: fed_bytes,
        lines,
        hashes,
        report,
    })
}

/// Restarts the broker when it is time, while the feeder goes on; ends when the feeder has sent both or is gone.
fn interrupt(site: &Site, mut broker: Broker, due: &Receiver<Interruption>) -> anyhow::Result<Broker> {
    const INTERRUPTIONS: usize = 2;
    for what in due.iter().take(INTERRUPTIONS) {
        match what {
            Interruption::CleanRestart => broker.stop()?,
            Interruption::Kill => broker.kill()?,
        }
        broker = probe::start(site).with_context(|| format!("after {what:?}"))?.0;
    }
    Ok(broker)
}

fn end_offsets(site: &Site, partitions: u64) -> anyhow::Result<u64> {
    let mut sum = 0;
    for partition in 0..partitions {
        let question = format!("{TOPIC}:{partition}:-1");
        let text = output(Command::new("kcat").args(["-Q", "-b", &site.bootstrap(), "-t", &question]))?;
        let offset = text.split_whitespace().last().context("kcat printed nothing")?;
        sum += offset
            .parse::<u64>()
            .with_context(|| format!("kcat printed \"{text}\""))?;
    }
    Ok(sum)
}

fn read(
    site: &Site,
    name: &str,
    command: fn(&Site, u64, u64) -> Command,
    fed: &Fed,
    partitions: u64,
) -> anyhow::Result<Vec<String>> {
    let mut hashes = Vec::new();
    for partition in 0..partitions {
        let records = (fed.lines + partitions - 1 - partition) / partitions;
        let log = site.folder().join(format!("read-{partition}.log"));
        let mut reader = command(site, partition, records)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(create(&log)?)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let pipe = reader.stdout.take().expect("stdout is piped");
        let hash = Command::new("sha256sum")
            .stdin(pipe)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start sha256sum")?;
        let ended = wait_until(&mut reader, now() + TOOL_LIMIT)?;
        if !ended.is_some_and(|status| status.success()) {
            let _ = reader.kill();
            let _ = reader.wait();
            bail!("{name} failed on partition {partition}; see {}", log.display());
        }
        hashes.push(digest(hash)?);
    }
    Ok(hashes)
}

/// A running SHA-256, in a process of its own.
struct Hash {
    child: Child,
    input: BufWriter<ChildStdin>,
}

impl Hash {
    fn start() -> anyhow::Result<Self> {
        let mut child = Command::new("sha256sum")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start sha256sum")?;
        let input = BufWriter::new(child.stdin.take().expect("stdin is piped"));
        Ok(Self { child, input })
    }

    fn end(mut self) -> anyhow::Result<String> {
        self.input.flush()?;
        drop(self.input);
        digest(self.child)
    }
}

fn digest(child: Child) -> anyhow::Result<String> {
    let done = child.wait_with_output().context("cannot read a hash")?;
    let text = String::from_utf8(done.stdout).context("sha256sum prints text")?;
    let hash = text
        .split_whitespace()
        .next()
        .context("sha256sum printed nothing")?;
    Ok(hash.to_owned())
}
