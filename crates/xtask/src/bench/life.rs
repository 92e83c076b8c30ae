//! One broker's life in a stage: from empty storage through a warm-up and its workloads to its end.

use super::client::{self, Fields, RECORD_BYTES, SECONDS_MAX, load};
use super::flushes::Probe;
use super::metric::*;
use super::strain;
use super::workload::{PARTITIONS, Stage, Work, Workload};
use crate::brokers::{Broker, Peer, Site};
use crate::kernel::{cpu_seconds, memory_bytes, memory_peak_megabytes};
use crate::shell::root;
use anyhow::{Context, bail};
use std::collections::HashMap;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// What a JVM and an allocator still do after the first answer.
const SETTLE: Duration = Duration::from_secs(2);

/// How large everything is.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Of each workload that is bound in time.
    pub seconds: u64,
    /// Of each workload with a fixed rate: its percentiles want many records.
    pub rate_seconds: u64,
    /// Of the load before the first workload of a stage.
    pub warm_up_seconds: u64,
    /// Of Kafka's own tools.
    pub java_records: u64,
    /// The backlog.
    pub gigabytes: f64,
    /// The "very many" of the workload of that name.
    pub partitions: u32,
    /// The wait for a calm disk before a workload whose tail would tell of a stall.
    pub calm_limit: Duration,
}

/// What a workload gives.
pub type Numbers = Vec<(&'static Metric, f64)>;

/// A running broker and what it holds.
pub struct Life {
    /// How large everything is.
    pub sizes: Sizes,
    /// Where it lives.
    pub site: Site,
    broker: Option<Broker>,
    is_warm: bool,
    /// Records by topic.
    pub records: HashMap<String, u64>,
}

impl Life {
    /// Starts a broker on empty storage.
    pub fn begin(
        peer: Peer,
        stage: Stage,
        sizes: Sizes,
        port: Option<u16>,
        binary: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        let folder = root()
            .join(".cache/runs/bench")
            .join(format!("{}-{}", stage.name(), peer.name()));
        let site = Site::prepare(peer, &folder, port, binary)?;
        let broker = Some(site.start()?);
        Ok(Self {
            sizes,
            site,
            broker,
            is_warm: false,
            records: HashMap::new(),
        })
    }

    /// The broker's process.
    pub fn pid(&self) -> anyhow::Result<u32> {
        Ok(self.broker.as_ref().context("there is no broker")?.pid())
    }

    /// An error when the broker has died by itself.
    pub fn must_live(&mut self) -> anyhow::Result<()> {
        match self.broker.as_mut().is_some_and(Broker::is_alive) {
            true => Ok(()),
            false => bail!("the broker died; see {}", self.site.log().display()),
        }
    }

    /// kill -9.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.broker.take().context("there is no broker")?.kill()
    }

    /// The broker after a kill.
    pub fn lives_again_as(&mut self, broker: Broker) {
        self.broker = Some(broker);
    }

    /// What a stock client of the bench connects to.
    pub fn bootstrap(&self) -> String {
        self.site.bootstrap()
    }

    /// The end. Nobody looks at the data again, so a clean shutdown would only cost time.
    pub fn end(mut self) -> anyhow::Result<()> {
        // It may have died, or never have come back; its data must go all the same.
        drop(self.broker.take());
        self.site.remove_data()
    }

    /// Runs a workload and gives each metric's value.
    pub fn run(&mut self, workload: &Workload) -> anyhow::Result<Numbers> {
        if workload.work == Work::MemoryIdle {
            thread::sleep(SETTLE);
            let bytes = memory_bytes(self.pid()?)?;
            return Ok(vec![(&MEMORY_IDLE, bytes as f64 / 1e6)]);
        }
        if !self.is_warm {
            self.warm_up().context("warm-up")?;
            self.is_warm = true;
        }
        match workload.work {
            Work::MemoryIdle => bail!("idle memory is taken before the warm-up"),
            Work::MemoryPeak => Ok(vec![(&MEMORY_PEAK, memory_peak_megabytes(self.pid()?)?)]),
            Work::Produce {
                size,
                producers,
                partitions,
                options,
            } => self.produce(workload.name, (size, producers, partitions), options),
            Work::Consume { after } => self.consume(after),
            Work::Rate { rate, readers } => self.at_rate(workload.name, rate, readers),
            Work::JavaProduce => self.java_produce(),
            Work::JavaConsume => self.java_consume(),
            Work::Partitions => strain::partitions(self),
            Work::Fill => strain::fill(self),
            Work::CatchUp => strain::catch_up(self),
            Work::Mixed => strain::mixed(self),
            Work::Restart => strain::restart(self),
        }
    }

    /// Load that is not measured: a JVM compiles, caches and pools fill, files are allocated.
    fn warm_up(&self) -> anyhow::Result<()> {
        client::create_topic(&self.site, "warm-up", PARTITIONS)?;
        let bootstrap = self.bootstrap();
        let seconds = self.sizes.warm_up_seconds.to_string();
        load(
            &self.site,
            &["produce", &bootstrap, "warm-up", "1024", "2", &seconds],
        )?;
        let all = u64::from(u32::MAX).to_string();
        load(&self.site, &["consume", &bootstrap, "warm-up", &all, "1"])?;
        load(
            &self.site,
            &["latency", &bootstrap, "warm-up", "1024", "2000", "1"],
        )?;
        Ok(())
    }

    /// Runs a client and adds the broker's CPU time to what it says.
    pub fn charged(&self, client: impl FnOnce() -> anyhow::Result<Fields>) -> anyhow::Result<(Fields, f64)> {
        let pid = self.pid()?;
        let before = cpu_seconds(pid)?;
        let fields = client()?;
        Ok((fields, cpu_seconds(pid)? - before))
    }

    fn produce(
        &mut self,
        topic: &str,
        (size, producers, partitions): (u32, u32, u32),
        options: &[&str],
    ) -> anyhow::Result<Numbers> {
        client::create_topic(&self.site, topic, partitions)?;
        let (bootstrap, size, producers) = (self.bootstrap(), size.to_string(), producers.to_string());
        let seconds = self.sizes.seconds.to_string();
        let mut args = vec!["produce", &bootstrap, topic, &size, &producers, &seconds];
        args.extend(options);
        let (fields, cpu) = self.charged(|| load(&self.site, &args))?;
        let records = client::count(fields.get("records")?);
        self.records.insert(topic.to_owned(), records);
        throughput(&fields, cpu)
    }

    fn consume(&self, topic: &str) -> anyhow::Result<Numbers> {
        let wanted = self.records.get(topic).context("nothing was produced")?;
        let (bootstrap, wanted) = (self.bootstrap(), wanted.to_string());
        let args = ["consume", &bootstrap, topic, &wanted, SECONDS_MAX];
        let (fields, cpu) = self.charged(|| load(&self.site, &args))?;
        throughput(&fields, cpu)
    }

    fn at_rate(&self, topic: &str, rate: u32, readers: u32) -> anyhow::Result<Numbers> {
        client::create_topic(&self.site, topic, PARTITIONS)?;
        let (bootstrap, rate) = (self.bootstrap(), rate.to_string());
        let seconds = self.sizes.rate_seconds.to_string();
        let each = format!("readers={readers}");
        let args = ["latency", &bootstrap, topic, "1024", &rate, &seconds, &each];
        let mut disk = Probe::begin(self.site.folder())?;
        let calm = disk.await_calm(self.sizes.calm_limit)?;
        let ((fields, cpu), flushes) = disk.beside(|| self.charged(|| load(&self.site, &args)))?;
        let mut numbers = latencies(&fields)?;
        numbers.push((&REACHED, fields.get("records")? / fields.get("seconds")?));
        numbers.push((&CPU_RECORDS, cpu / (fields.get("records")? / 1e6)));
        let delivered = fields.get("bytes")? * f64::from(readers);
        numbers.push((&CPU_GB_DELIVERED, cpu / (delivered / 1e9)));
        numbers.extend(flushes.numbers());
        numbers.push((&RESTLESS, calm.ran_out()));
        Ok(numbers)
    }

    fn java_produce(&self) -> anyhow::Result<Numbers> {
        client::create_topic(&self.site, "java", PARTITIONS)?;
        let records = self.sizes.java_records;
        let (fields, cpu) = self.charged(|| client::java_produce(&self.site, "java", records))?;
        throughput(&fields, cpu)
    }

    fn java_consume(&self) -> anyhow::Result<Numbers> {
        let records = self.sizes.java_records;
        let (fields, cpu) = self.charged(|| client::java_consume(&self.site, "java", records))?;
        throughput(&fields, cpu)
    }
}

/// What every workload has that goes as fast as it can.
pub fn throughput(fields: &Fields, broker_cpu: f64) -> anyhow::Result<Numbers> {
    let (records, bytes) = (fields.get("records")?, fields.get("bytes")?);
    if bytes < RECORD_BYTES as f64 {
        bail!("next to nothing went through: {fields:?}");
    }
    let mut numbers: Numbers = vec![
        (&RATE, fields.megabytes_per_second()?),
        (&RECORDS, records / fields.get("seconds")?),
        (&CPU_GB, broker_cpu / (bytes / 1e9)),
        (&CPU_RECORDS, broker_cpu / (records / 1e6)),
        (&RECORDS_CPU, records / broker_cpu),
    ];
    let client_cpu = fields.optional("client_cpu_seconds");
    if client_cpu > 0.0 {
        numbers.push((&CLIENT_CPU_GB, client_cpu / (bytes / 1e9)));
    }
    Ok(numbers)
}

/// Counted from the moment at which a record was due.
fn latencies(fields: &Fields) -> anyhow::Result<Numbers> {
    let names: [(&str, &'static Metric); 6] = [
        ("ack_p50_us", &ACK_P50),
        ("ack_p99_us", &ACK_P99),
        ("ack_p999_us", &ACK_P999),
        ("read_p50_us", &READ_P50),
        ("read_p99_us", &READ_P99),
        ("read_p999_us", &READ_P999),
    ];
    names
        .into_iter()
        .map(|(field, metric)| Ok((metric, fields.get(field)? / 1e3)))
        .collect()
}
