//! All numbers of a run, their medians and spread, and the tables made of them.

use super::scenario::{Better, Length, Metric, Scenario};
use crate::brokers::Peer;
use crate::kernel;
use crate::shell::{output, root};
use anyhow::Context;
use std::fmt::Write;
use std::process::Command;

const PAGE: &str = "docs/BENCHMARKS.md";

/// The scenario of numbers that belong to no single one.
pub const WHOLE_TURN: &str = "";

struct Number {
    peer: Peer,
    scenario: &'static str,
    metric: &'static Metric,
    value: f64,
}

/// Everything that was measured.
pub struct Measured {
    peers: Vec<Peer>,
    numbers: Vec<Number>,
}

impl Measured {
    /// Nothing yet.
    pub fn new(peers: &[Peer]) -> Self {
        let peers = peers.to_vec();
        let numbers = Vec::new();
        Self { peers, numbers }
    }

    /// Adds one turn's value.
    pub fn add(&mut self, peer: Peer, scenario: &'static str, metric: &'static Metric, value: f64) {
        self.numbers.push(Number {
            peer,
            scenario,
            metric,
            value,
        });
    }

    /// Markdown: one table for each scenario.
    pub fn tables(&self, scenarios: &[&Scenario]) -> String {
        let mut text = String::new();
        for scenario in scenarios {
            text += &self.table(scenario.about, scenario.name);
        }
        text + &self.table("memory over a whole turn", WHOLE_TURN)
    }

    fn table(&self, title: &str, scenario: &str) -> String {
        let mut text = format!("### {}\n\n| |", capitalised(title));
        for peer in &self.peers {
            write!(text, " {} |", label(*peer)).expect("a String takes every write");
        }
        let others: Vec<Peer> = self
            .peers
            .iter()
            .copied()
            .filter(|peer| *peer != Peer::Millstream)
            .collect();
        let compared = self.peers.contains(&Peer::Millstream);
        for other in others.iter().filter(|_| compared) {
            write!(text, " ahead of {} |", label(*other)).expect("a String takes every write");
        }
        let columns = self.peers.len() + if compared { others.len() } else { 0 };
        text += "\n|---|";
        text += &"---|".repeat(columns);
        text += "\n";
        for metric in self.metrics(scenario) {
            text += &self.row(scenario, metric, &others, compared);
        }
        text + "\n"
    }

    /// A scenario's metrics in the order in which they were added.
    fn metrics(&self, scenario: &str) -> Vec<&'static Metric> {
        let mut metrics: Vec<&'static Metric> = Vec::new();
        for number in self.numbers.iter().filter(|n| n.scenario == scenario) {
            if !metrics.contains(&number.metric) {
                metrics.push(number.metric);
            }
        }
        metrics
    }

    fn row(&self, scenario: &str, metric: &'static Metric, others: &[Peer], compared: bool) -> String {
        let mut text = format!("| {} |", metric.name);
        for peer in &self.peers {
            let values = self.values(*peer, scenario, metric);
            write!(text, " {} |", spread(&values)).expect("a String takes every write");
        }
        let ours = median(&self.values(Peer::Millstream, scenario, metric));
        for other in others.iter().filter(|_| compared) {
            let theirs = median(&self.values(*other, scenario, metric));
            let ahead = match metric.better {
                Better::Higher => ours / theirs,
                Better::Lower => theirs / ours,
            };
            write!(text, " {ahead:.2} |").expect("a String takes every write");
        }
        text + "\n"
    }

    fn values(&self, peer: Peer, scenario: &str, metric: &Metric) -> Vec<f64> {
        let mut values: Vec<f64> = self
            .numbers
            .iter()
            .filter(|n| n.peer == peer && n.scenario == scenario && n.metric == metric)
            .map(|n| n.value)
            .collect();
        values.sort_by(f64::total_cmp);
        values
    }
}

fn label(peer: Peer) -> &'static str {
    match peer {
        Peer::Millstream => "Millstream",
        Peer::Kafka => "Kafka",
        Peer::KafkaFlushing => "Kafka, flushing",
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}

/// Of sorted values.
fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// Median and, when there are several values, the smallest and the largest.
fn spread(sorted: &[f64]) -> String {
    match (sorted.first(), sorted.last()) {
        (Some(least), Some(most)) if sorted.len() > 1 => {
            format!("{} ({}..{})", short(median(sorted)), short(*least), short(*most))
        }
        (Some(only), _) => short(*only),
        _ => "-".to_owned(),
    }
}

/// Three digits that matter.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

/// Replaces docs/BENCHMARKS.md.
pub fn write_page(tables: &str, length: Length, turns: usize) -> anyhow::Result<()> {
    let date = output(Command::new("date").arg("+%F"))?;
    let mode = match length {
        Length::Quick => "cargo xtask bench --write",
        Length::Full => "cargo xtask bench --full --write",
    };
    let text = format!(
        "# Benchmarks\n\n\
         Written by `{mode}` on {}; not by hand.\n\n\
         Machine: {}. Load before the end: {}. Client and broker share it.\n\n\
         Brokers take turns, {turns} each, every turn on empty storage of the same disk and after a warm-up. A cell is \
         the median, with the least and the most in parentheses. \"Ahead\" is Millstream against the other, above 1 when \
         Millstream is better, whichever way that is.\n\n\
         - Millstream: its defaults. It flushes to disk before it answers.\n\
         - Kafka: Apache Kafka {}, its defaults and its start script's JVM options. It answers from memory.\n\
         - Kafka, flushing: the same with `log.flush.interval.messages=1`, so that it promises what Millstream does.\n\n\
         Topics have 6 partitions. Client: librdkafka in C (`tests/clients/c/load.c`), idempotent, acks=all, no \
         compression; linger 5 ms for throughput, 0 for latency. Latency counts from the moment a record was due, also \
         when it could not be sent then. Broker CPU is user and system time from `/proc`.\n\n{tables}",
        date.trim(),
        kernel::machine()?,
        kernel::load(),
        crate::installs::kafka_version(),
    );
    let path = root().join(PAGE);
    crate::process::create(&path)?;
    std::fs::write(&path, text.trim_end().to_owned() + "\n")
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote {}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEED: Metric = Metric {
        name: "speed",
        better: Better::Higher,
    };
    const DELAY: Metric = Metric {
        name: "delay",
        better: Better::Lower,
    };

    #[test]
    fn above_one_means_that_millstream_is_better_whichever_way_that_is() {
        static METRICS: [Metric; 2] = [SPEED, DELAY];
        let mut measured = Measured::new(&[Peer::Millstream, Peer::Kafka]);
        for metric in &METRICS {
            measured.add(Peer::Millstream, "s", metric, 4.0);
            measured.add(Peer::Kafka, "s", metric, 2.0);
        }
        let table = measured.table("a title", "s");
        assert!(table.contains("### A title\n"), "{table}");
        assert!(table.contains("| speed | 4.00 | 2.00 | 2.00 |"), "{table}");
        assert!(table.contains("| delay | 4.00 | 2.00 | 0.50 |"), "{table}");
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert!((median(&[1.0, 2.0, 4.0, 9.0]) - 3.0).abs() < f64::EPSILON);
        assert_eq!(spread(&[1.0, 2.0, 300.0]), "2.00 (1.00..300)");
        assert_eq!(spread(&[]), "-");
    }
}
