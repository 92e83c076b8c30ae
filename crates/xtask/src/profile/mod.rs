//! `cargo xtask profile`: where the broker's CPU time goes while it is produced to or consumed from, and how often it calls the
//! kernel.
//!
//! One run without anything attached for the numbers, one under `perf record` for the stacks, one with the kernel's own counters
//! for the calls: each disturbs what the others measure. Needs perf; the calls alone can also come from strace.

mod calls;
mod perf;
mod stacks;

use crate::brokers::{Broker, Peer, Site, release_binary};
use crate::installs;
use crate::kernel;
use crate::options::Options;
use crate::process::run_bounded;
use crate::sections::PROFILES;
use crate::shell::{output, root};
use anyhow::{Context, bail};
use std::collections::HashMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const USAGE: &str = "usage: cargo xtask profile [produce|consume|all] [--seconds N] [--counts] [--port PORT] [--binary PATH] [--write]
  --counts  system calls only
  --binary  a broker; where it is not given, a release build is made
  --write   docs/profiles";

const SECONDS: u64 = 10;
const WARM_UP_SECONDS: &str = "3";
const CLIENT_LIMIT: Duration = Duration::from_secs(300);
const PARTITIONS: &str = "6";
const RECORD_BYTES: &str = "1024";
const PRODUCERS: &str = "4";

/// A load whose broker is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Load {
    Produce,
    Consume,
}

impl Load {
    fn name(self) -> &'static str {
        match self {
            Self::Produce => "produce",
            Self::Consume => "consume",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::Produce => {
                "Four librdkafka producers, 1 KiB records, acks=all, idempotent, 6 partitions, no compression."
            }
            Self::Consume => {
                "One librdkafka consumer that reads what four producers have left, 1 KiB records, 6 partitions, again and again."
            }
        }
    }

    /// The request whose number the costs are divided by.
    fn api(self) -> &'static str {
        match self {
            Self::Produce => "Produce",
            Self::Consume => "Fetch",
        }
    }
}

struct Plan {
    loads: Vec<Load>,
    seconds: u64,
    counts_only: bool,
    port: Option<u16>,
    binary: Option<PathBuf>,
    write: bool,
}

impl Plan {
    fn parse(args: &[String]) -> anyhow::Result<Self> {
        let (name, rest) = match args.split_first() {
            Some((first, rest)) if !first.starts_with("--") => (first.as_str(), rest),
            _ => ("all", args),
        };
        let loads = match name {
            "all" => vec![Load::Produce, Load::Consume],
            "produce" => vec![Load::Produce],
            "consume" => vec![Load::Consume],
            other => bail!("no load \"{other}\"\n{USAGE}"),
        };
        let mut options = Options::new(rest);
        let port = options.parsed("--port", 0)?;
        let plan = Self {
            loads,
            seconds: options.parsed("--seconds", SECONDS)?,
            counts_only: options.flag("--counts"),
            port: (port != 0).then_some(port),
            binary: options.path("--binary")?,
            write: options.flag("--write"),
        };
        options.finish(USAGE)?;
        if plan.write && plan.counts_only {
            bail!("--write wants the stacks too");
        }
        Ok(plan)
    }
}

/// Entry of the task.
pub fn run(args: &[String]) -> anyhow::Result<()> {
    let mut plan = Plan::parse(args)?;
    if plan.binary.is_none() {
        plan.binary = Some(release_binary("millstream-server", "millstream")?);
    }
    installs::go_clients()?;
    installs::load_program()?;
    for &load in &plan.loads {
        println!("==> profile {}", load.name());
        let text = Bench::begin(&plan, load)?.profile(&plan)?;
        println!("{text}");
        if plan.write {
            PROFILES.write(load.name(), &text)?;
        }
    }
    Ok(())
}

/// A warm broker and the load that is put on it.
struct Bench {
    load: Load,
    seconds: u64,
    site: Site,
    broker: Broker,
    /// Records that consumers find.
    records: String,
}

impl Bench {
    fn begin(plan: &Plan, load: Load) -> anyhow::Result<Self> {
        let folder = root().join(".cache/runs/profile").join(load.name());
        let site = Site::prepare(Peer::Millstream, &folder, plan.port, plan.binary.clone())?;
        let broker = site.start()?;
        let topic = [&site.bootstrap(), load.name(), PARTITIONS];
        let mut bench = Self {
            load,
            seconds: plan.seconds,
            site,
            broker,
            records: String::new(),
        };
        bench.finish(&mut command("create-topic", &topic))?;
        let bootstrap = bench.site.bootstrap();
        let warm_up = [
            "produce",
            &bootstrap,
            load.name(),
            RECORD_BYTES,
            PRODUCERS,
            WARM_UP_SECONDS,
        ];
        let fields = bench.finish(&mut command("load", &warm_up))?;
        bench.records = fields.get("records").context("no records")?.clone();
        Ok(bench)
    }

    /// Everything about one load, as a section of the page.
    fn profile(self, plan: &Plan) -> anyhow::Result<String> {
        let mut text = format!("## {}\n\n{} {}\n\n", self.load.name(), self.load.about(), when()?);
        if !plan.counts_only {
            text += &self.costs()?;
            let folded = perf::folded_stacks(&self)?;
            let folder = if plan.write {
                "docs/profiles"
            } else {
                "target/profiles"
            };
            let svg = root().join(folder).join(format!("{}.svg", self.load.name()));
            stacks::draw(&folded, self.load.name(), &svg)?;
            println!("wrote {}", svg.display());
            writeln!(text, "![flame graph]({}.svg)\n", self.load.name())?;
            text += &stacks::tables(&folded)?;
        }
        text += &calls::table(&self)?;
        self.broker.stop()?;
        self.site.remove_data()?;
        Ok(text)
    }

    /// Throughput and CPU time with nothing attached.
    fn costs(&self) -> anyhow::Result<String> {
        let before = kernel::cpu_seconds(self.broker.pid())?;
        let fields = self.finish(&mut self.client())?;
        let cpu = kernel::cpu_seconds(self.broker.pid())? - before;
        let (bytes, seconds) = (number(&fields, "bytes")?, number(&fields, "seconds")?);
        Ok(format!(
            "{:.0} MB/s; {:.2} CPU-seconds of the broker a GB, {:.2} of the client. Attaching perf slows both.\n\n",
            bytes / 1e6 / seconds,
            cpu / (bytes / 1e9),
            number(&fields, "client_cpu_seconds")? / (bytes / 1e9),
        ))
    }

    fn client(&self) -> Command {
        let (bootstrap, seconds) = (self.site.bootstrap(), self.seconds.to_string());
        let topic = self.load.name();
        match self.load {
            Load::Produce => command(
                "load",
                &["produce", &bootstrap, topic, RECORD_BYTES, PRODUCERS, &seconds],
            ),
            Load::Consume => command(
                "load",
                &["consume", &bootstrap, topic, &self.records, &seconds, "again=1"],
            ),
        }
    }

    /// The client as the last arguments of a tool that is attached to the broker while the client runs.
    fn client_under(&self, tool: &mut Command) -> anyhow::Result<HashMap<String, String>> {
        let client = self.client();
        tool.arg("--").arg(client.get_program()).args(client.get_args());
        self.finish(tool)
    }

    fn finish(&self, command: &mut Command) -> anyhow::Result<HashMap<String, String>> {
        let log = self.site.folder().join("client.log");
        let done = run_bounded(command, CLIENT_LIMIT, &log)?;
        if !done.succeeded() {
            bail!("{command:?} failed; see {}", log.display());
        }
        let pairs = done.stdout.split_whitespace();
        let pairs = pairs.filter_map(|pair| pair.split_once('='));
        Ok(pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }
}

fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(installs::binary(program));
    command.args(args);
    command
}

fn number(fields: &HashMap<String, String>, name: &str) -> anyhow::Result<f64> {
    let text = fields
        .get(name)
        .with_context(|| format!("the client did not report {name}"))?;
    Ok(text.parse()?)
}

fn when() -> anyhow::Result<String> {
    let date = output(Command::new("date").arg("+%F"))?;
    Ok(format!("{}, {}.", date.trim(), kernel::machine()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> anyhow::Result<Plan> {
        let args: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        Plan::parse(&args)
    }

    #[test]
    fn without_a_name_both_loads_are_profiled() {
        assert_eq!(plan("--seconds 3").expect("a plan").loads.len(), 2);
        assert_eq!(plan("consume").expect("a plan").loads, [Load::Consume]);
        assert!(plan("bananas").is_err());
        assert!(plan("--write --counts").is_err());
    }
}
