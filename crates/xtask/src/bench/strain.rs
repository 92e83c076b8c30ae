//! Workloads that put a broker under strain: very many partitions, a backlog many times its memory, kill -9.

use super::client::{self, Fields, RECORD_BYTES, SECONDS_MAX, load, patient_load};
use super::disk;
use super::flushes::{Calm, Probe};
use super::life::{Life, Numbers, throughput};
use super::metric::*;
use super::workload::PARTITIONS;
use crate::kernel::written_bytes;
use crate::trial::probe;
use anyhow::{Context, bail};
use std::thread;

const BACKLOG: &str = "backlog";
const FILLERS: &str = "4";

const MIXED: &str = "mixed";

/// Records a second beside the reader.
const MIXED_RATE: &str = "5000";

/// The reader begins before the producer and ends after it; so many seconds more.
const READER_SECONDS_MORE: u64 = 4;

/// Topics, and producers, of the workload with very many partitions; with one partition each they are the few.
const TOPICS: u32 = 10;

/// Partitions of each of the topics that have a thousand of them together.
const SOME_EACH: u32 = 1000 / TOPICS;

/// The same batches, and so the same requests, however many partitions there are. Not idempotent: this client would wait for
/// five batches of a partition to be answered, and burn its time waiting, just where there are few partitions.
const PARTITIONS_OPTIONS: &[&str] = &[
    "topics=10",
    "run=64",
    "batch.num.messages=64",
    "enable.idempotence=false",
    "queue.buffering.max.messages=16384",
];

/// Throughput with very many partitions, with a thousand, and with ten, in the order many (not counted), few, many, some, many, few.
pub fn partitions(life: &mut Life) -> anyhow::Result<Numbers> {
    let each = life.sizes.partitions.div_ceil(TOPICS);
    client::create_topics(&life.site, "few", TOPICS, 1)?;
    let created = client::create_topics(&life.site, "many", TOPICS, each)?;
    client::create_topics(&life.site, "some", TOPICS, SOME_EACH)?;
    let (bootstrap, producers) = (life.bootstrap(), TOPICS.to_string());
    let produce = |prefix: &str| -> anyhow::Result<f64> {
        let (size, seconds) = (RECORD_BYTES.to_string(), life.sizes.seconds.to_string());
        let mut args = vec!["produce", &bootstrap, prefix, &size, &producers, &seconds];
        args.extend(PARTITIONS_OPTIONS);
        load(&life.site, &args)?.megabytes_per_second()
    };
    produce("many").context("very many, first")?;
    let mut rates = (0.0, 0.0);
    rates.0 += produce("few").context("few")? / 2.0;
    rates.1 += produce("many").context("very many")? / 2.0;
    let some = produce("some").context("a thousand")?;
    rates.1 += produce("many").context("very many")? / 2.0;
    rates.0 += produce("few").context("few")? / 2.0;
    let (few, many) = rates;
    Ok(vec![
        (&CREATED, created),
        (&RATE_FEW, few),
        (&RATE_SOME, some),
        (&RATE_MANY, many),
        (&KEPT, many / few * 100.0),
    ])
}

/// Produces the backlog, and waits until nothing more of it reaches the disk.
pub fn fill(life: &mut Life) -> anyhow::Result<Numbers> {
    client::create_topic(&life.site, BACKLOG, PARTITIONS)?;
    let records = client::count(life.sizes.gigabytes * 1e9) / RECORD_BYTES;
    let (bootstrap, size) = (life.bootstrap(), RECORD_BYTES.to_string());
    let most = format!("records={records}");
    let args = ["produce", &bootstrap, BACKLOG, &size, FILLERS, SECONDS_MAX, &most];
    // What the warm-up has left in memory belongs to nobody here.
    disk::await_quiet(life.pid()?)?;
    let before = written_bytes(life.pid()?)?;
    let (fields, cpu) = life.charged(|| load(&life.site, &args))?;
    disk::await_quiet(life.pid()?)?;
    let written = written_bytes(life.pid()?)? - before;
    let produced = client::count(fields.get("records")?);
    life.records.insert(BACKLOG.to_owned(), produced);
    let mut numbers = throughput(&fields, cpu)?;
    numbers.push((&WRITTEN, written as f64 / fields.get("bytes")?));
    Ok(numbers)
}

/// Reads the backlog from the disk, then as much of its files without the page cache.
pub fn catch_up(life: &mut Life) -> anyhow::Result<Numbers> {
    let wanted = backlog_records(life)?;
    disk::drop_page_cache()?;
    let (bootstrap, records) = (life.bootstrap(), wanted.to_string());
    let args = ["consume", &bootstrap, BACKLOG, &records, SECONDS_MAX];
    let (fields, cpu) = life.charged(|| load(&life.site, &args))?;
    if client::count(fields.get("records")?) < wanted {
        bail!("{wanted} records are there, not all were read: {fields:?}");
    }
    let mut numbers = throughput(&fields, cpu)?;
    let direct = disk::direct_read_megabytes_per_second(&life.site.data(), wanted * RECORD_BYTES)?;
    numbers.push((&DIRECT, direct));
    numbers.push((&OF_DIRECT, fields.megabytes_per_second()? / direct * 100.0));
    Ok(numbers)
}

/// Produces at a fixed rate: alone, beside a reader that goes through the backlog again and again, and alone once more, so that what
/// disturbs the machine for a while is not taken for the reader. Each begins on a calm disk.
pub fn mixed(life: &mut Life) -> anyhow::Result<Numbers> {
    client::create_topic(&life.site, MIXED, PARTITIONS)?;
    let mut disk = Probe::begin(life.site.folder())?;
    let first = Phase::produce(life, &mut disk).context("without the reader")?;
    disk::drop_page_cache()?;
    let (beside, read) = Phase::produce_beside_reader(life, &mut disk)?;
    let last = Phase::produce(life, &mut disk).context("without the reader, again")?;
    let alone = f64::midpoint(first.ack_p99, last.ack_p99);
    Ok(vec![
        (&P99_ALONE, alone),
        (&P99_BESIDE, beside.ack_p99),
        (&P99_TIMES, beside.ack_p99 / alone),
        (&READER, read.megabytes_per_second()?),
        (&FLUSH_P99_ALONE, f64::midpoint(first.flush_p99, last.flush_p99)),
        (&FLUSH_P99_BESIDE, beside.flush_p99),
        (&RESTLESS, first.restless + beside.restless + last.restless),
    ])
}

/// What one phase of [`mixed`] gives, in milliseconds.
struct Phase {
    ack_p99: f64,
    flush_p99: f64,
    /// Waits for a calm disk that ran out.
    restless: f64,
}

impl Phase {
    fn produce(life: &Life, disk: &mut Probe) -> anyhow::Result<Self> {
        let calm = disk.await_calm(life.sizes.calm_limit)?;
        Self::produce_at_once(life, disk, calm)
    }

    fn produce_at_once(life: &Life, disk: &mut Probe, calm: Calm) -> anyhow::Result<Self> {
        let (bootstrap, seconds) = (life.bootstrap(), life.sizes.rate_seconds.to_string());
        let args = ["latency", &bootstrap, MIXED, "1024", MIXED_RATE, &seconds];
        let (fields, flushes) = disk.beside(|| load(&life.site, &args))?;
        Ok(Self {
            ack_p99: fields.get("ack_p99_us")? / 1e3,
            flush_p99: flushes.p99_milliseconds(),
            restless: calm.ran_out(),
        })
    }

    fn produce_beside_reader(life: &Life, disk: &mut Probe) -> anyhow::Result<(Self, Fields)> {
        let records = backlog_records(life)?.to_string();
        let calm = disk.await_calm(life.sizes.calm_limit)?;
        let (bootstrap, longer) = (life.bootstrap(), life.sizes.rate_seconds + READER_SECONDS_MORE);
        let longer = longer.to_string();
        let reader = ["consume", &bootstrap, BACKLOG, &records, &longer, "again=1"];
        thread::scope(|scope| {
            let reader = scope.spawn(|| patient_load(&life.site, &reader));
            let beside = Self::produce_at_once(life, disk, calm);
            let read = reader.join().expect("the reader's thread does not panic");
            Ok((beside.context("beside the reader")?, read.context("the reader")?))
        })
    }
}

/// kill -9, a start, and how long until a request is answered and until a record is acknowledged.
pub fn restart(life: &mut Life) -> anyhow::Result<Numbers> {
    backlog_records(life)?;
    life.kill()?;
    let (broker, answered) = probe::start(&life.site)?;
    life.lives_again_as(broker);
    let answered = answered.as_secs_f64();
    let first = load(&life.site, &["first", &life.bootstrap(), BACKLOG])?;
    Ok(vec![
        (&FIRST_ANSWER, answered),
        (&FIRST_ACK, answered + first.get("seconds")?),
    ])
}

fn backlog_records(life: &Life) -> anyhow::Result<u64> {
    let records = life.records.get(BACKLOG).copied();
    records.context("there is no backlog, because its workload failed")
}
