//! The numbers that a workload can give, which way each is better, and what a target asks of one.

use anyhow::Context;

/// Which way is ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Throughput.
    Higher,
    /// Latency, CPU time, memory.
    Lower,
    /// Neither: what the machine did meanwhile.
    Neither,
}

/// One number of a workload.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// With its unit.
    pub name: &'static str,
    /// Which way is ahead.
    pub better: Better,
}

const fn higher(name: &'static str) -> Metric {
    let better = Better::Higher;
    Metric { name, better }
}

const fn lower(name: &'static str) -> Metric {
    let better = Better::Lower;
    Metric { name, better }
}

const fn neither(name: &'static str) -> Metric {
    let better = Better::Neither;
    Metric { name, better }
}

pub static RATE: Metric = higher("throughput, MB/s");
pub static RECORDS: Metric = higher("throughput, records/s");
pub static CPU_GB: Metric = lower("broker CPU-seconds a GB");
pub static CPU_GB_DELIVERED: Metric = lower("broker CPU-seconds a GB delivered");
pub static CPU_RECORDS: Metric = lower("broker CPU-seconds a million records");
pub static RECORDS_CPU: Metric = higher("records a broker CPU-second");
pub static CLIENT_CPU_GB: Metric = lower("client CPU-seconds a GB");
pub static ACK_P50: Metric = lower("acknowledged after, p50, ms");
pub static ACK_P99: Metric = lower("acknowledged after, p99, ms");
pub static ACK_P999: Metric = lower("acknowledged after, p99.9, ms");
pub static READ_P50: Metric = lower("read after, p50, ms");
pub static READ_P99: Metric = lower("read after, p99, ms");
pub static READ_P999: Metric = lower("read after, p99.9, ms");
pub static REACHED: Metric = higher("rate reached, records/s");
pub static CREATED: Metric = lower("partitions created and ready after, s");
pub static RATE_FEW: Metric = higher("throughput with 10 partitions, MB/s");
pub static RATE_SOME: Metric = higher("throughput with 1,000 partitions, MB/s");
pub static RATE_MANY: Metric = higher("throughput with very many partitions, MB/s");
pub static KEPT: Metric = higher("very many against 10, %");
pub static WRITTEN: Metric = lower("bytes written to disk a byte produced");
pub static DIRECT: Metric = neither("direct reads of the same files, MB/s");
pub static OF_DIRECT: Metric = higher("of what direct reads give, %");
pub static P99_ALONE: Metric = lower("acknowledged after, p99, without the reader, ms");
pub static P99_BESIDE: Metric = lower("acknowledged after, p99, beside the reader, ms");
pub static P99_TIMES: Metric = lower("p99 beside against without");
pub static READER: Metric = higher("the reader, MB/s");
pub static FLUSH_P50: Metric = neither("the disk beside: a flush of 4 KiB, p50, ms");
pub static FLUSH_P99: Metric = neither("the disk beside: a flush of 4 KiB, p99, ms");
pub static FLUSH_P999: Metric = neither("the disk beside: a flush of 4 KiB, p99.9, ms");
pub static FLUSH_P99_ALONE: Metric =
    neither("the disk beside: a flush of 4 KiB, p99, without the reader, ms");
pub static FLUSH_P99_BESIDE: Metric =
    neither("the disk beside: a flush of 4 KiB, p99, beside the reader, ms");
pub static RESTLESS: Metric = neither("waits for a calm disk that ran out");
pub static CPU_GB_UNCHECKED: Metric = neither("CPU-seconds a GB without checksums");
pub static MEMORY_IDLE: Metric = lower("memory after the start, MB");
pub static MEMORY_PEAK: Metric = lower("peak memory, MB");
pub static FIRST_ANSWER: Metric = lower("first answer, s");
pub static FIRST_ACK: Metric = lower("first record acknowledged, s");

/// Every metric, for numbers that are read back from a file.
static ALL: &[&Metric] = &[
    &RATE,
    &RECORDS,
    &CPU_GB,
    &CPU_GB_DELIVERED,
    &CPU_RECORDS,
    &RECORDS_CPU,
    &CLIENT_CPU_GB,
    &ACK_P50,
    &ACK_P99,
    &ACK_P999,
    &READ_P50,
    &READ_P99,
    &READ_P999,
    &REACHED,
    &CREATED,
    &RATE_FEW,
    &RATE_SOME,
    &RATE_MANY,
    &KEPT,
    &WRITTEN,
    &DIRECT,
    &OF_DIRECT,
    &P99_ALONE,
    &P99_BESIDE,
    &P99_TIMES,
    &READER,
    &FLUSH_P50,
    &FLUSH_P99,
    &FLUSH_P999,
    &FLUSH_P99_ALONE,
    &FLUSH_P99_BESIDE,
    &RESTLESS,
    &CPU_GB_UNCHECKED,
    &MEMORY_IDLE,
    &MEMORY_PEAK,
    &FIRST_ANSWER,
    &FIRST_ACK,
];

impl Metric {
    /// The metric of this name.
    pub fn named(name: &str) -> anyhow::Result<&'static Self> {
        let found = ALL.iter().find(|metric| metric.name == name);
        found.copied().with_context(|| format!("no metric \"{name}\""))
    }

    /// How many times better `ours` is than `theirs`; above 1 is better, whichever way that is. Not a number where neither way is.
    pub fn ahead(&self, ours: f64, theirs: f64) -> f64 {
        match self.better {
            Better::Higher => ours / theirs,
            Better::Lower => theirs / ours,
            Better::Neither => f64::NAN,
        }
    }
}

/// What Millstream is to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// So many times better than Kafka on its defaults.
    Ahead(f64),
    /// By its own number, whatever Kafka's is.
    AtMost(f64),
    /// By its own number, whatever Kafka's is.
    AtLeast(f64),
}

impl Target {
    /// Whether it is reached. `None`: one of the two numbers is missing.
    pub fn is_met(self, metric: &Metric, ours: f64, kafkas: f64) -> Option<bool> {
        if ours.is_nan() {
            return None;
        }
        match self {
            Self::Ahead(times) => {
                let ahead = metric.ahead(ours, kafkas);
                (!ahead.is_nan()).then_some(ahead >= times)
            }
            Self::AtMost(most) => Some(ours <= most),
            Self::AtLeast(least) => Some(ours >= least),
        }
    }

    /// For a cell of a table.
    pub fn text(self) -> String {
        match self {
            Self::Ahead(times) => format!("{times} times ahead of Kafka"),
            Self::AtMost(most) => format!("at most {most}"),
            Self::AtLeast(least) => format!("at least {least}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_found_by_a_name_of_its_own() {
        for metric in ALL {
            assert!(std::ptr::eq(
                Metric::named(metric.name).expect("it is in the list"),
                *metric
            ));
        }
    }

    #[test]
    fn a_target_is_met_in_the_direction_of_its_metric() {
        assert_eq!(Target::Ahead(2.0).is_met(&RATE, 4.0, 2.0), Some(true));
        assert_eq!(Target::Ahead(2.0).is_met(&CPU_GB, 4.0, 2.0), Some(false));
        assert_eq!(Target::Ahead(2.0).is_met(&CPU_GB, 4.0, f64::NAN), None);
        assert_eq!(Target::AtMost(2.2).is_met(&WRITTEN, 2.1, f64::NAN), Some(true));
        assert_eq!(Target::AtLeast(95.0).is_met(&KEPT, 94.9, 99.0), Some(false));
        assert_eq!(Target::AtLeast(95.0).is_met(&KEPT, f64::NAN, 99.0), None);
        assert_eq!(Target::Ahead(1.0).is_met(&FLUSH_P99, 1.0, 1.0), None);
    }
}
