//! docs/BENCHMARKS.md: the tables, and what a reader must know to judge them.

use super::flushes;
use super::table::Measured;
use crate::installs::kafka_version;
use crate::kernel;
use crate::process::create;
use crate::shell::{output, root};
use anyhow::Context;
use std::process::Command;

const PAGE: &str = "docs/BENCHMARKS.md";

/// When, where and how a run was made.
pub fn run_line(settings: &str) -> anyhow::Result<String> {
    let date = output(Command::new("date").arg("+%F"))?;
    Ok(format!(
        "{}: {}; Apache Kafka {}; {settings}; load at the start {}.",
        date.trim(),
        kernel::machine()?,
        kafka_version(),
        kernel::load(),
    ))
}

/// Replaces the page.
pub fn write(measured: &Measured, tables: &str) -> anyhow::Result<()> {
    let runs: Vec<String> = measured.runs().iter().map(|run| format!("- {run}\n")).collect();
    let disk = flushes::about();
    let text = format!(
        "{HEAD}{disk}\n## Runs\n\n{}\n{DAYS}\n## Numbers\n\n{tables}",
        runs.concat()
    );
    let path = root().join(PAGE);
    create(&path)?;
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote {}", path.display());
    Ok(())
}

/// What the numbers of one day do not say.
const DAYS: &str = "\
Days differ by more than turns do, and not for everybody alike. On 2026-11-22 a machine of the same kind gave half as much
again to Millstream and two to three times as much to Kafka: produce-1 at 734 and 415 MB/s (1.77 times ahead), produce-10 at 691 and 387 (1.78 times),
latency-20000's p99.9 after 29.5 and 40.7 ms (1.38 times), memory-load in 242 and 720 MB (2.97 times). Catch-up read 892 MB/s, and direct
reads 1081; both went to small pages then, and go to huge ones now.
";

const HEAD: &str = "\
# Benchmarks

Written by `cargo xtask bench --write`; not by hand.

Brokers take turns stage by stage, each time on empty storage of the same disk and after a warm-up; client and broker share the
machine. A cell is the median over the turns, with the least and the most in parentheses. \"Ahead\" is Millstream against the
other, above 1 when Millstream is better, whichever way that is, and empty where neither way is. A workload is always of one
run; numbers of different runs are never compared.

- Millstream: its defaults. It flushes to disk before it answers.
- Kafka: Apache Kafka, its defaults and its start script's JVM options. It answers from memory.
- Kafka, flushing: the same with `log.flush.interval.messages=1`, so that it promises what Millstream does. It takes part where
  that makes a difference.
- Bare loop: no broker but a yardstick. To produce, a process takes 1 MiB pieces from four connections, computes one CRC-32C
  over each, writes it with O_DIRECT to a file that was written before, flushes that with fdatasync for every 4 MiB, answers, and
  writes the piece once more to a new file of 32 MiB; to consume, it reads those with O_DIRECT, compares the checksums and sends
  the pieces over one connection: what any broker must do at least that flushes and stores every byte twice, with no protocol,
  index or lock. Below a table that has it, every broker's throughput and CPU time stand as multiples of the bare loop's.

## How it is measured

- Client: librdkafka in C (`tests/clients/c/load.c`), idempotent, acks=all, linger 5 ms for throughput and 0 for latency, 6
  partitions, no compression, where nothing else is said. The workloads `java-*` are Kafka's own tools, so that nothing hangs on
  one client.
- Latency counts from the moment at which a record was due, also when it could not be sent then: no coordinated omission.
- CPU time is user and system time from `/proc/<pid>/stat`; memory is VmRSS and VmHWM; bytes written are write_bytes of
  `/proc/<pid>/io`, until the broker has written next to nothing for two seconds.
- `partitions`: ten producers, each with a topic of its own, and batches of 64 records, so that the requests are the same however
  many partitions there are; not idempotent, because librdkafka then waits for each partition by itself; in the order few, very
  many, 1,000, very many, few.
- `catch-up` and `mixed` drop the page cache first. Direct reads are of the broker's own files, 1 MiB each, 4 at a time, O_DIRECT.
- `mixed`: without, beside, without the reader; the two without are averaged. The reader of the backlog runs at the lowest
  priority, because in life it is not on the broker's machine.
- `restart`: from the start of the process. A record is acknowledged to a client that starts when the first request is answered.
";
